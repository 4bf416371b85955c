package verify

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
)

// ErrNoTime says that Options.At is not set: this package asks no clock.
var ErrNoTime = errors.New("no time to judge at")

// JudgeFiles judges files that were read before, without their chip. A bad document
// is a report; the only errors are a missing time and a ctx that ended while the
// card's status was asked or faces were compared.
func JudgeFiles(ctx context.Context, files Files, o Options) (*Report, error) {
	return finish(ctx, &evidence{files: files}, o.withDefaults("archive"))
}

// finish asks for the card's status and makes the report.
func finish(ctx context.Context, ev *evidence, o Options) (*Report, error) {
	if o.At.IsZero() {
		return nil, ErrNoTime
	}
	a := assessment{o: o, ev: ev, checks: map[string]Check{}}
	a.identify()
	if err := a.askStatus(ctx); err != nil {
		return nil, err
	}
	a.judge()
	if err := a.matchFace(ctx); err != nil {
		return nil, err
	}
	a.judgeHolder()
	return a.report(), nil
}

// identify finds out whose document it is and who vouches for it.
func (a *assessment) identify() {
	a.readSOD()
	a.signature()
	a.readDocument()
	a.judgeChain()
}

// judge makes all other checks, each after those that it builds on.
func (a *assessment) judge() {
	a.judgeGroups()
	a.judgeCOM()
	a.judgeMRZ()
	a.judgePhoto()
	a.judgeChip()
	a.byRecord()
	a.judgeTransport()
	a.judgeLog()
	a.judgeStatus()
	a.judgeClock()
	a.judgePrint()
	a.applyDeviations()
}

// report puts the result together.
func (a *assessment) report() *Report {
	r := &Report{
		Policy: a.o.Policy, Checks: a.list(), At: a.o.At, Document: a.document, Files: a.ev.files, Chain: a.chain,
		Specimen: a.o.Specimen && a.checks[CheckSpecimen].Reason == ReasonSpecimen,
		identity: a.facts.identity, portrait: a.facts.portrait, status: a.ev.status, compared: a.compared,
	}
	store := a.o.Trust.Digest()
	r.Document.Store = hex.EncodeToString(store[:])
	for n := 1; n <= 16; n++ {
		if _, ok := a.ev.files[lds.Group(n)]; ok {
			r.Document.Read = append(r.Document.Read, n)
		}
	}
	if c := a.ev.chip; c != nil {
		r.Proofs = c.proofs()
		if c.recorded != nil {
			r.Proofs = c.recorded.Proofs
		}
	}
	if c := a.ev.chip; c != nil && c.recorded == nil {
		r.Session = &Session{Access: a.accessName(), APDUs: c.traffic.APDUs, BytesIn: c.traffic.BytesIn, BytesOut: c.traffic.BytesOut}
		r.Session.PACE, r.Session.Reopened = auth.VariantName(c.access.Info), c.access.Reopened != nil
		if a := c.asked; a != nil {
			r.Session.Challenge = "random"
			if a.Chosen {
				r.Session.Challenge = "case"
			}
		}
		_, r.Session.Response = c.access.Limits.Sizes()
	}
	r.Verdict = r.Policy.Judge(r.Checks)
	return r
}
