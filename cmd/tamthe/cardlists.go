package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// cardLists reads the lists of card status that lie in a trust folder, by default that of
// the home; nil if there are none. What is older than this device has seen is not used.
func (p *program) cardLists(dir string, trust *pki.Store) (verify.StatusSource, error) {
	s, err := p.loadLists(dir, trust)
	if err != nil || len(s.Lists()) == 0 && len(s.Refused()) == 0 {
		return nil, err
	}
	return verify.StatusLists(s), nil
}

func (p *program) loadLists(dir string, trust *pki.Store) (*status.Source, error) {
	seen, err := p.seen()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(first(dir, p.home.path(trustDir)), pki.StatusFolder)
	return status.Load(os.DirFS(folder), status.Options{Signers: trust, Memory: homeless{seen, p.home}})
}

// remember keeps which revocation lists a judgement looked into, as imports do: an older one
// that is put in the place of a file later is then noticed, and so is a clock that goes back.
func (p *program) remember(o verify.Options) {
	marks := slices.DeleteFunc(o.Trust.Relied(p.now()), func(m pki.Mark) bool { return o.Seen.Check(m) != nil })
	if len(marks) == 0 {
		return
	}
	if err := (homeless{o.Seen, p.home}).Note(marks...); err != nil && !errors.Is(err, pki.ErrRollback) {
		p.warn("not-remembered", p.text(wordNotRemembered), err.Error())
	}
}

// homeless is a memory that is only asked where there is no home to keep it in: a verdict
// makes none.
type homeless struct {
	*pki.Memory
	home home
}

// Note implements [status.Memory].
func (h homeless) Note(lists ...pki.Mark) error {
	if _, err := os.Stat(string(h.home)); !errors.Is(err, fs.ErrNotExist) {
		return h.Memory.Note(lists...)
	}
	return nil
}

// statusSource is the ledger of this home, which knows the status of its own cards as of
// now, and then the lists. A home without a ledger asks only those; a ledger that is there
// and does not open is a source that has no answer, so that its own cards are referred
// unless a list knows them, and other issuers' are judged as ever.
func (p *program) statusSource(ctx context.Context, lists verify.StatusSource) (verify.StatusSource, func()) {
	o, err := p.openOffice(ctx, looking)
	switch {
	case err == nil && lists == nil:
		return o, o.done
	case err == nil:
		return inTurn{o, lists}, o.done
	case errors.Is(err, ledger.ErrMissing) && p.ledger == (place{}):
		return lists, func() {}
	case lists == nil:
		return noAnswer{err}, func() {}
	}
	return inTurn{noAnswer{err}, lists}, func() {}
}

// inTurn asks one source after the other, until one knows the card.
type inTurn []verify.StatusSource

// Status implements [verify.StatusSource].
func (t inTurn) Status(ctx context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	var failed []error
	var last verify.StatusAnswer
	for _, s := range t {
		a, err := s.Status(ctx, c)
		if err == nil && a.State != verify.StateUnknown {
			return a, nil
		}
		if failed = append(failed, err); err == nil {
			last = a
		}
	}
	if err := errors.Join(failed...); err != nil {
		return verify.StatusAnswer{}, err
	}
	return last, nil
}

// noAnswer is a source of card status that cannot be asked.
type noAnswer struct{ err error }

// Status fails.
func (n noAnswer) Status(context.Context, verify.CardRef) (verify.StatusAnswer, error) {
	return verify.StatusAnswer{}, n.err
}
