package desk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// PKIStatus is how the authority's keys and lists stand.
type PKIStatus struct {
	CSCA []CSCAStatus // in the order of their making; the last may be announced only
	Keys []KeyStatus  // signers of documents and lists
	CRL  CRLStatus
}

// CSCAStatus is how a CSCA key stands.
type CSCAStatus struct {
	Name     string
	State    string    // announced, certified, embargo, current, former, revoked
	Until    time.Time // end of the notice or the embargo, else of the key's use
	NotAfter time.Time // of its certificate; zero if there is none
}

// KeyStatus is how a signer stands.
type KeyStatus struct {
	Name     string
	State    string // in-use, over, revoked
	From     time.Time
	Until    time.Time // of the key's use
	NotAfter time.Time
}

// CRLStatus is how the newest revocation list stands.
type CRLStatus struct {
	State    string // missing, fresh, alarm (past four fifths of its time), stale, overdue (a revocation is not in it)
	Number   string
	Signed   time.Time
	Next     time.Time
	Entries  int
	Unlisted []string // keys that were revoked and are not in it
}

// Alarm says whether somebody has to act.
func (c CRLStatus) Alarm() bool { return c.State != "fresh" }

// PKIStatus reads how the authority stands. Nothing is changed.
func (o *Office) PKIStatus(ctx context.Context) (PKIStatus, error) {
	all, err := o.generations(ctx)
	if err != nil {
		return PKIStatus{}, err
	}
	var s PKIStatus
	current := all.current(o.Now())
	for i, g := range all {
		s.CSCA = append(s.CSCA, g.status(all, i, current, o.Now()))
	}
	if err := o.announced(ctx, all, &s); err != nil {
		return PKIStatus{}, err
	}
	keys, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return PKIStatus{}, err
	}
	for _, k := range keys {
		if !slices.ContainsFunc(listed, func(p string) bool { return strings.HasPrefix(k.Stream.ID, p) }) {
			continue
		}
		c, err := o.certificate(ctx, k.Stream.ID)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return PKIStatus{}, err
		}
		p, state := ca.UsagePeriod(c), "in-use"
		switch {
		case k.Phase == issuance.Revoked:
			state = "revoked"
		case o.Now().After(p.NotAfter):
			state = "over"
		}
		s.Keys = append(s.Keys, KeyStatus{k.Stream.ID, state, p.NotBefore, p.NotAfter, c.NotAfter})
	}
	s.CRL, err = o.crlStatus(ctx, keys)
	return s, err
}

// status is how the generation at a place stands.
func (g generation) status(all generations, i int, current string, now time.Time) CSCAStatus {
	s := CSCAStatus{Name: g.name, Until: ca.UsagePeriod(g.cert).NotAfter, NotAfter: g.cert.NotAfter}
	newer := slices.ContainsFunc(all[:i], func(x generation) bool { return x.name == current })
	switch {
	case g.revoked:
		s.State = "revoked"
	case g.name == current:
		s.State = "current"
	case newer && !g.linked.IsZero():
		s.State, s.Until = "embargo", g.linked.Add(ca.Embargo)
	case newer:
		s.State = "certified"
	default:
		s.State = "former"
	}
	return s
}

// announced adds the key that is to follow.
func (o *Office) announced(ctx context.Context, all generations, s *PKIStatus) error {
	name := o.nextGeneration(ctx, all)
	due, err := o.noticeEnds(ctx, name)
	if errors.Is(err, ErrUnknown) {
		return nil
	}
	s.CSCA = append(s.CSCA, CSCAStatus{Name: name, State: "announced", Until: due})
	return err
}

// crlStatus judges the newest list.
func (o *Office) crlStatus(ctx context.Context, keys []issuance.Summary) (CRLStatus, error) {
	l, err := o.newestCRL(ctx)
	if err != nil || l == nil {
		return CRLStatus{State: "missing"}, err
	}
	s := CRLStatus{State: "fresh", Signed: l.ThisUpdate, Next: l.NextUpdate, Number: l.Number.String(), Entries: len(l.Entries())}
	now := o.Now()
	for _, k := range keys {
		if k.Phase != issuance.Revoked || !slices.ContainsFunc(listed, func(p string) bool { return strings.HasPrefix(k.Stream.ID, p) }) {
			continue
		}
		c, err := o.certificate(ctx, k.Stream.ID)
		if err != nil {
			continue
		}
		if _, there := l.Lookup(c.Serial); !there {
			s.Unlisted = append(s.Unlisted, k.Stream.ID)
			if now.Sub(k.Since) > ca.ListWithin {
				s.State = "overdue"
			}
		}
	}
	fresh := ca.FreshnessOf(l.ThisUpdate, l.NextUpdate, now)
	switch {
	case fresh == ca.Stale:
		s.State = "stale"
	case s.State == "overdue":
	case fresh == ca.Due || len(s.Unlisted) > 0:
		s.State = "alarm"
	}
	return s, nil
}

// newestCRL reads the newest list if it is one that the ledger says was issued; nil if there
// is none yet.
func (o *Office) newestCRL(ctx context.Context) (*cert.CRL, error) {
	b, err := os.ReadFile(filepath.Join(o.Authority.PKI, crlFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := o.generations(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		entries, err := o.Store.Stream(ctx, issuance.Key(g.name))
		if err != nil {
			return nil, err
		}
		for _, e := range slices.Backward(entries) {
			if e.Act == issuance.Issue && e.Fields["object"] == objectCRL && e.Fields["issued"] == digest(b) {
				return cert.ParseCRL(b)
			}
		}
	}
	return nil, issuance.ErrChanged
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
