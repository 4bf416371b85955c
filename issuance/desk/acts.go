package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Deed is one act of somebody in the ledger.
type Deed struct {
	Index   int64 // in the log
	Time    time.Time
	Act     issuance.Act
	Stream  issuance.StreamID
	Second  bool // signed as the second of two
	Suspect bool // may be another's: see Deeds
}

// Deeds lists what was ever signed with the keys that bore a name, those that were revoked
// too, in the order of the log. From says since when such a key may have been another's;
// zero takes what the revocation says, and if it says nothing no act is suspect.
//
// An act is suspect if it is dated from then on, or stands in the log behind an act of
// another operator that is: who has the key can date an act back, but not put it before
// what was there already. After the revocation the rules take no act of the key at all.
func (o *Office) Deeds(ctx context.Context, name string, from time.Time) ([]Deed, error) {
	all, err := o.Operators(ctx)
	if err != nil {
		return nil, err
	}
	var keys []issuance.KeyID
	for _, op := range all {
		if op.Name == name {
			keys = append(keys, op.Key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("operator %s: %w", name, ErrUnknown)
	}
	if from.IsZero() {
		if from, err = o.stolenFrom(ctx, keys); err != nil {
			return nil, err
		}
	}
	return o.deeds(ctx, from, func(e *issuance.Entry) bool {
		return slices.Contains(keys, e.Operator) || !e.Second.IsZero() && slices.Contains(keys, e.Second)
	}, func(e *issuance.Entry) bool { return slices.Contains(keys, e.Second) })
}

func (o *Office) deeds(ctx context.Context, from time.Time, theirs, second func(*issuance.Entry) bool) ([]Deed, error) {
	var list []Deed
	passed := false
	err := o.Store.Entries(ctx, 0, func(index int64, leaf, _ []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		late := !from.IsZero() && !e.Time.Before(from)
		if !theirs(&e) {
			passed = passed || late
			return nil
		}
		list = append(list, Deed{index, e.Time, e.Act, e.Stream, second(&e), late || passed})
		return nil
	})
	return list, err
}

// stolenFrom is the earliest time that the revocation of one of the keys names.
func (o *Office) stolenFrom(ctx context.Context, keys []issuance.KeyID) (from time.Time, err error) {
	for _, k := range keys {
		entries, err := o.Store.Stream(ctx, issuance.OperatorStream(k))
		if err != nil {
			return from, err
		}
		for _, e := range entries {
			t, err := time.Parse(time.RFC3339, e.Fields["from"])
			if err == nil && (from.IsZero() || t.Before(from)) {
				from = t
			}
		}
	}
	return from, nil
}
