package status

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/verify/pki"
)

// offices pins one authority for ID cards and another for passports of the same country.
type offices struct{ cards, passports authority }

func (o offices) Issuer(country, document string) (pki.Issuer, bool) {
	if document == "P" {
		return o.passports.pins.Issuer(country, "I")
	}
	return o.cards.pins.Issuer(country, document)
}

// TestScope: who is pinned for passports can neither clear ID cards nor take the place of
// their lists, under whatever URI and number, today or later.
func TestScope(t *testing.T) {
	o := offices{newAuthority(t), newAuthority(t)}
	bad := named("revoked", 0)
	passports := func(number uint64) Header {
		h := header(number)
		h.Documents = []string{"P"}
		return h
	}
	d, err := PrepareFilter(header(1), o.cards.Public(), IDs{Revoked: {bad}})
	filter := o.cards.sign(t, d, err)
	d, err = PrepareExact(header(1), o.cards.Public(), IDs{Revoked: {bad}})
	exact := o.cards.sign(t, d, err)
	d, err = PrepareExact(passports(9), o.passports.Public(), IDs{})
	rogueExact := o.passports.sign(t, d, err)
	d, err = PrepareFilter(passports(9), o.passports.Public(), IDs{})
	rogueFilter := o.passports.sign(t, d, err)
	d, err = PrepareIndex(passports(9), o.passports.Public(), Indexes{Active: {1}})
	rogueIndex := o.passports.sign(t, d, err)
	index := o.cards.index(t, 1, Indexes{Revoked: {1}})
	snapshot := must(Parse(index, o))(t)
	d, err = PrepareIndexDelta(passports(9), o.passports.Public(), Indexes{Active: {1}}, snapshot)
	rogueDelta := o.passports.sign(t, d, err)

	noRef := carrying(1)
	noRef.Ref, noRef.ID = nil, bad
	for _, tt := range []struct {
		name  string
		lists folder
		card  Card
		exact bool
	}{
		{"an exact list clears a filter's hit", folder{"a.status": filter, "p.status": rogueExact}, noRef, false},
		{"a newer filter", folder{"a.status": filter, "p.status": rogueFilter}, noRef, false},
		{"a newer exact list", folder{"a.status": exact, "p.status": rogueExact}, noRef, true},
		{"a newer index", folder{"a.status": index, "p.status": rogueIndex}, carrying(1), true},
		{"a delta", folder{"a.status": index, "p.status": rogueDelta}, carrying(1), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen := must(pki.OpenMemory(filepath.Join(t.TempDir(), "seen")))(t)
			for range 2 {
				s := tt.lists.load(t, Options{Signers: o, Memory: seen})
				if a := wantState(t, s, tt.card, Revoked); a.Exact != tt.exact {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// TestScopeOfMemory: a list that speaks of more documents than the one before is still the
// next one of it.
func TestScopeOfMemory(t *testing.T) {
	an := newAuthority(t)
	o := Options{Signers: offices{an, an}, Memory: must(pki.OpenMemory(filepath.Join(t.TempDir(), "seen")))(t)}
	old := an.index(t, 1, Indexes{Active: {1}})
	h := header(2)
	h.Documents = []string{"P", "I"}
	d, err := PrepareIndex(h, an.Public(), Indexes{Revoked: {1}})
	next := an.sign(t, d, err)
	wantState(t, folder{"a.status": old}.load(t, o), carrying(1), Active)
	s := folder{"a.status": old, "b.status": next}.load(t, o)
	wantState(t, s, carrying(1), Revoked)
	if n := len(s.Lists()); n != 1 {
		t.Errorf("%d lists", n)
	}
	s = folder{"a.status": old}.load(t, o)
	if a, err := s.Lookup(carrying(1)); !errors.Is(err, pki.ErrRollback) || a.State != Unknown {
		t.Errorf("%+v, %v", a, err)
	}
}
