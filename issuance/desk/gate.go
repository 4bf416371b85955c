package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/verify"
)

// Examination is what an inspector brings to a finished card.
type Examination struct {
	Limits apdu.Limits // of card and reader
	// Verify says whom the desk trusts. Policy, time, passwords, source of status and what
	// was read of the print are the desk's own, whatever is set.
	Verify verify.Options
	// Body is what somebody or something read from the card's body. Without it the chip is
	// opened with what was ordered to be printed, and the body is not judged: a card whose
	// body was printed under this ledger is not passed so.
	Body *printjob.Reading
	// Partial says that only a part of the body was read. What was not read is not held
	// against a card whose body was not printed under this ledger.
	Partial bool
	// Final records the card as failed if it does not pass: then it can only be spoiled.
	Final bool
	// Sample has one card of so many go through the long suite, which cards their names
	// decide; 0 stands for 16, 1 for every card.
	Sample int
}

// QualityCheck is one of the ten checks of a finished card.
type QualityCheck struct {
	Number int    // 1 to 10
	Code   string // stable; it is the reason of a card that fails by it
	// Outcome is Passed or Failed; Absent where the card has nothing of the kind, and NotRun
	// where the check was not asked for or an earlier one left nothing to look at.
	Outcome verify.Outcome
	Detail  string // technical facts; no personal data
}

// Quality is what the checks found.
type Quality struct {
	Checks []QualityCheck // all ten, in their order
	Report *verify.Report // of a stranger's look at the chip; nil if it did not open
}

// The checks' codes (the ten points of the gate of quality control).
const (
	QAOpens      = "unreadable"    // opens with the MRZ or CAN as printed
	QAFiles      = "files"         // every file is the journal's to the octet
	QASignature  = "signature"     // SOD, document signer, CSCA, key periods, type, digests
	QAChip       = "chip"          // the chip proves its keys
	QABiometrics = "biometrics"    // DG3 and DG4 are shut, and open to a terminal that may
	QALocked     = "unlocked"      // nothing can be read without a key, or written, or opened for its issuer
	QAAnonymous  = "uid"           // the chip does not name itself over the air
	QABody       = "optical"       // what is printed is what was ordered, and both sides are one card's
	QAKeys       = "duplicate-key" // no other card has its public keys
	QASample     = "sample"        // the long suite, of every so many cards
)

var qualityCodes = [...]string{
	QAOpens, QAFiles, QASignature, QAChip, QABiometrics, QALocked, QAAnonymous, QABody, QAKeys, QASample,
}

// Passed says whether nothing failed and everything was looked at that the card has.
func (q *Quality) Passed() bool { return q.Reason() == "" }

// Reason is the code of the first check that failed, or could not be made though it must;
// "" if the card passed.
func (q *Quality) Reason() string {
	for _, c := range q.Checks {
		if c.Outcome == verify.Failed {
			return c.Code
		}
	}
	for _, c := range q.Checks {
		if c.Outcome == verify.NotRun && c.Detail != notAsked {
			return c.Code
		}
	}
	return ""
}

// Failing lists the codes of the checks that failed.
func (q *Quality) Failing() (codes []string) {
	for _, c := range q.Checks {
		if c.Outcome == verify.Failed {
			codes = append(codes, c.Code)
		}
	}
	return codes
}

// Check is the check of a code.
func (q *Quality) Check(code string) QualityCheck {
	for _, c := range q.Checks {
		if c.Code == code {
			return c
		}
	}
	return QualityCheck{}
}

// notAsked is the detail of a check that need not be made of this card.
const notAsked = "not asked for"

// QualityError means that a finished card did not pass the checks. It wraps why the chip
// did not open, or the *RefusedError of the report.
type QualityError struct {
	Quality *Quality
	Err     error // nil if the chip is sound and only its body or its ledger is not
}

// Error names the checks that failed.
func (e *QualityError) Error() string {
	codes := strings.Join(e.Quality.Failing(), ", ")
	if codes == "" {
		codes = e.Quality.Reason() + " not looked at"
	}
	text := "the card does not pass: " + codes
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns what kept the chip from being accepted.
func (e *QualityError) Unwrap() error { return e.Err }

// gate is one examination.
type gate struct {
	o     *Office
	card  issuance.Subject
	draft *Draft
	files map[lds.File][]byte // as the journal has them
	chip  Chip
	e     Examination
	q     *Quality
	err   error // why the chip was not accepted
}

// examine makes the ten checks. Its error means that the examination did not happen: the
// card was taken away, or is another one.
func (o *Office) examine(ctx context.Context, card issuance.Subject, d *Draft, chip Chip, e Examination) (*gate, error) {
	g := &gate{o: o, card: card, draft: d, chip: chip, e: e, q: &Quality{}}
	for i, code := range qualityCodes {
		g.q.Checks = append(g.q.Checks, QualityCheck{Number: i + 1, Code: code})
	}
	files, err := o.openFiles(ctx, card.Stream, contentName, allClasses...)
	if err != nil {
		return nil, err
	}
	g.files = map[lds.File][]byte{}
	for name, b := range files {
		if f, ok := lds.ByName(name); ok {
			g.files[f] = b
		}
	}
	for _, step := range []func(context.Context) error{g.uid, g.shut, g.stranger, g.session, g.unique} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return g, g.body()
}

// set says how a check ended; a failure stays.
func (g *gate) set(code string, outcome verify.Outcome, detail string) {
	for i := range g.q.Checks {
		c := &g.q.Checks[i]
		if c.Code == code && c.Outcome != verify.Failed {
			c.Outcome, c.Detail = outcome, detail
		}
	}
}

// body compares what was read from the card's body with what was ordered.
func (g *gate) body() error {
	if g.e.Body == nil {
		detail := notAsked
		if g.card.Fields["print"] != "" {
			detail = "the body was printed and not read"
		}
		g.set(QABody, verify.NotRun, detail)
		return nil
	}
	differ, err := g.draft.body().Compare(*g.e.Body)
	if err != nil {
		return err
	}
	if g.e.Partial && g.card.Fields["print"] == "" {
		differ = slices.DeleteFunc(differ, func(d printjob.Difference) bool { return d.Why == printjob.Unread })
	}
	if len(differ) > 0 {
		var list []string
		for _, d := range differ {
			list = append(list, d.String())
		}
		g.set(QABody, verify.Failed, strings.Join(list, ", "))
		return nil
	}
	g.set(QABody, verify.Passed, "")
	return nil
}

// unique asks the ledger whose the public keys are that the chip showed.
func (g *gate) unique(ctx context.Context) error {
	var notes chipNotes
	if _, err := g.o.openLast(ctx, g.card.Stream, chipName, &notes); err != nil {
		return err
	}
	g.set(QAKeys, verify.Passed, "")
	for _, point := range [][]byte{notes.AA, notes.CA} {
		if point == nil {
			continue
		}
		of, err := g.o.Store.Claimed(ctx, issuance.Claim{Kind: issuance.ClaimChipKey, Value: digest(point)})
		if err != nil {
			return err
		}
		if of != g.card.Stream {
			g.set(QAKeys, verify.Failed, "a key is that of "+of.ID)
		}
	}
	return nil
}

// another says whether the report is that of another card of this ledger: then it is not
// the card's fault.
func (g *gate) another(ctx context.Context, r *verify.Report) error {
	id := r.Document.Card.String()
	if r.Document.Card == (verify.CardID{}) || id == g.card.Fields["cardid"] {
		return nil
	}
	of, err := g.o.Store.Claimed(ctx, issuance.Claim{Kind: issuance.ClaimCardID, Value: id})
	if err != nil {
		return err
	}
	if of.IsZero() || of == g.card.Stream {
		return nil
	}
	return fmt.Errorf("the card in the reader is %s, not %s: %w", of, g.card.Stream, issuance.ErrChanged)
}
