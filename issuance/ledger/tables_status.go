package ledger

import (
	"errors"
	"strconv"
)

// place is what the log or the table of card status says of one place in a list.
func (a *Audit) place(kind recordKind, p Place) record {
	return record{kind: kind, key: a.placeKey(p), value: uint64(p.State), index: p.Since}
}

func (a *Audit) placeKey(p Place) [16]byte {
	return a.spool.hash("place", p.List, strconv.FormatUint(uint64(p.Index), 10))
}

// ErrNoPlaces means that a store was made before there was a table of card status, and was not
// brought up to date since.
var ErrNoPlaces = errors.New("the ledger has no table of card status yet")

// places reads the table, if there is one.
func (a *Audit) places() error {
	err := a.source.EachPlace(a.ctx, func(p Place) error { return a.spool.add(a.place(tablePlace, p)) })
	if a.older = errors.Is(err, ErrNoPlaces); a.older {
		return nil
	}
	return err
}

// lacksPlace reports a card that the log tells of and the table does not.
func (a *Audit) lacksPlace(p place) {
	if a.older {
		return
	}
	e, err := a.source.Entry(a.ctx, p.index)
	if err != nil {
		a.failed(err)
	}
	a.Find(StatusChanged, p.index, e.Stream, "the table of card status lacks it")
}

// namePlaces reads the table again where it says another thing than the log.
func (a *Audit) namePlaces(keys map[[16]byte]bool) {
	err := a.source.EachPlace(a.ctx, func(p Place) error {
		if !keys[a.placeKey(p)] {
			return nil
		}
		e, _ := a.source.Entry(a.ctx, p.Since) // a row that is made up may name none
		a.Find(StatusChanged, p.Since, e.Stream, "the table says that card %d of list %q is %s since then, the log does not", p.Index, p.List, p.State)
		return nil
	})
	if err != nil {
		a.failed(err)
	}
}
