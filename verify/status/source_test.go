package status

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// folder is a folder of lists.
type folder map[string][]byte

func (f folder) load(t testing.TB, o Options) *Source {
	t.Helper()
	m := fstest.MapFS{}
	for name, b := range f {
		m[name] = &fstest.MapFile{Data: b}
	}
	return must(Load(m, o))(t)
}

func carrying(index uint32) Card {
	return Card{Ref: &lds.StatusReference{List: specimenURI, Index: index}, Country: "VN", DocumentType: "ID"}
}

func wantState(t *testing.T, s *Source, c Card, want State) Answer {
	t.Helper()
	a, err := s.Lookup(c)
	if err != nil || a.State != want {
		t.Errorf("%+v, %v, want %v", a, err, want)
	}
	return a
}

// TestRollback: older than what was seen is refused, be it the snapshot or that the delta
// is missing, and does not let a revoked card pass.
func TestRollback(t *testing.T) {
	an := newAuthority(t)
	o := Options{Signers: an.pins, Memory: must(pki.OpenMemory(filepath.Join(t.TempDir(), "seen")))(t)}
	good, revoked := Indexes{Active: {1, 2}}, Indexes{Active: {2}, Revoked: {1}}
	first, third := an.index(t, 1, good), an.index(t, 3, revoked)
	d, err := PrepareIndexDelta(header(2), an.Public(), revoked, an.parse(t, first))
	delta := an.sign(t, d, err)

	wantState(t, folder{"a.status": first}.load(t, o), carrying(1), Active)
	wantState(t, folder{"a.status": first, "b.status": delta}.load(t, o), carrying(1), Revoked)
	s := folder{"a.status": first}.load(t, o)
	if a, err := s.Lookup(carrying(1)); !errors.Is(err, pki.ErrRollback) || a.State != Unknown || len(s.Lists()) != 0 {
		t.Errorf("without the delta: %+v, %v", a, err)
	}
	wantState(t, folder{"c.status": third, "a.status": first}.load(t, o), carrying(1), Revoked)
	s = folder{"a.status": first, "b.status": delta}.load(t, o)
	if _, err := s.Lookup(carrying(1)); !errors.Is(err, pki.ErrRollback) || !strings.Contains(err.Error(), "b.status") {
		t.Errorf("an older list: %v", err)
	}
	s = folder{"c.status": an.index(t, 3, good)}.load(t, o)
	if _, err := s.Lookup(carrying(1)); !errors.Is(err, pki.ErrRollback) {
		t.Errorf("another list with the same number: %v", err)
	}
	s = folder{"c.status": third, "d.status": an.index(t, 3, good)}.load(t, Options{Signers: an.pins})
	if _, err := s.Lookup(carrying(1)); !errors.Is(err, pki.ErrRollback) {
		t.Errorf("two lists with one number: %v", err)
	}
}

// TestRollbackOfNames: an older exact list does not clear cards once the newer filter is
// taken away; beside it, it may be older.
func TestRollbackOfNames(t *testing.T) {
	an := newAuthority(t)
	o := Options{Signers: an.pins, Memory: must(pki.OpenMemory(filepath.Join(t.TempDir(), "seen")))(t)}
	bad := named("revoked", 0)
	d, err := PrepareExact(header(1), an.Public(), IDs{})
	exact := an.sign(t, d, err)
	d, err = PrepareFilter(header(2), an.Public(), IDs{Revoked: {bad}})
	filter := an.sign(t, d, err)
	d, err = PrepareExact(header(3), an.Public(), IDs{Revoked: {bad}})
	newer := an.sign(t, d, err)

	wantState(t, folder{"e.status": exact}.load(t, o), Card{ID: bad}, Active)
	for range 2 {
		wantState(t, folder{"e.status": exact, "f.status": filter}.load(t, o), Card{ID: bad}, Revoked)
	}
	s := folder{"e.status": exact}.load(t, o)
	if a, err := s.Lookup(Card{ID: bad}); !errors.Is(err, pki.ErrRollback) || a.State != Unknown {
		t.Errorf("without the filter: %+v, %v", a, err)
	}
	wantState(t, folder{"e.status": newer}.load(t, o), Card{ID: bad}, Revoked)
}

// TestOrphan: a delta without its snapshot changes nothing, and this is said.
func TestOrphan(t *testing.T) {
	an := newAuthority(t)
	good, revoked := Indexes{Active: {1, 2}}, Indexes{Active: {2, 3}, Revoked: {1}}
	d, err := PrepareIndexDelta(header(3), an.Public(), revoked, an.parse(t, an.index(t, 2, Indexes{Active: {1, 2}, Undelivered: {3}})))
	s := folder{"a.status": an.index(t, 1, good), "b.status": an.sign(t, d, err)}.load(t, Options{Signers: an.pins})
	a := wantState(t, s, carrying(1), Active)
	if !a.AsOf.Equal(header(1).Signed) || !strings.Contains(a.Source, "number 3 is here without its snapshot, number 2") {
		t.Errorf("%+v", a)
	}
	if r := s.Refused(); len(r) != 1 || r[0].Path != "b.status" || !errors.Is(r[0].Err, ErrNoBase) {
		t.Errorf("refused: %v", r)
	}
}

// TestCovers: a list speaks for its own cards only.
func TestCovers(t *testing.T) {
	an := newAuthority(t)
	bad := named("revoked", 0)
	d, err := PrepareFilter(header(5), an.Public(), IDs{Revoked: {bad}})
	filter := an.sign(t, d, err)
	index := folder{"i.status": an.index(t, 1, Indexes{Active: {1}})}
	both := folder{"i.status": index["i.status"], "f.status": filter}
	o := Options{Signers: an.pins}
	other := carrying(1)
	other.Ref.List = "https://specimen.tamthe.example/status/2"
	for _, tt := range []struct {
		name   string
		lists  folder
		change func(*Card)
		want   State
	}{
		{"its index", index, func(*Card) {}, Active},
		{"no index, by an index list", index, func(c *Card) { c.Ref = nil }, Unknown},
		{"another list's index", index, func(c *Card) { c.Ref = other.Ref }, Unknown},
		{"another list's index, by a filter", both, func(c *Card) { c.Ref = other.Ref }, Unknown},
		{"another country's", both, func(c *Card) { c.Country = "KH" }, Unknown},
		{"another document", both, func(c *Card) { c.DocumentType = "P" }, Unknown},
		{"a country written otherwise", both, func(c *Card) { c.Country = "VNM" }, Active},
		{"no index, by a filter", both, func(c *Card) { c.Ref = nil }, Active},
		{"the name in the filter", both, func(c *Card) { c.Ref, c.ID = nil, bad }, Revoked},
		{"a key in the filter, for all that the index says", both, func(c *Card) { c.Keys = [][32]byte{bad} }, Revoked},
	} {
		c := carrying(1)
		tt.change(&c)
		wantState(t, tt.lists.load(t, o), c, tt.want)
	}
	narrow := Options{Signers: narrower{an.pins}}
	wantState(t, index.load(t, narrow), carrying(1), Unknown) // "ID" has a signer of its own
}

// narrower pins another key for one of the codes that begin with I.
type narrower struct{ pins }

func (n narrower) Issuer(country, document string) (pki.Issuer, bool) {
	i, ok := n.pins.Issuer(country, document)
	if document == "ID" {
		i.StatusKeys = [][32]byte{{1}}
	}
	return i, ok
}

// TestConfirmed: an exact list confirms or clears what a filter hits.
func TestConfirmed(t *testing.T) {
	an := newAuthority(t)
	bad, clean := named("revoked", 0), named("revoked", 1)
	make := func(number uint64, ids ...[32]byte) (filter, exact []byte) {
		d, err := PrepareFilter(header(number), an.Public(), IDs{Suspended: ids})
		filter = an.sign(t, d, err)
		d, err = PrepareExact(header(number+1), an.Public(), IDs{Suspended: ids})
		return filter, an.sign(t, d, err)
	}
	filter, exact := make(1, bad)
	both, older := make(3, bad, clean)
	o := Options{Signers: an.pins}
	probable := wantState(t, folder{"f.status": filter}.load(t, o), Card{ID: bad}, Revoked)
	sure := wantState(t, folder{"f.status": filter, "e.status": exact}.load(t, o), Card{ID: bad}, Suspended)
	if probable.Exact || !sure.Exact {
		t.Errorf("filter alone exact: %v, with the exact list: %v", probable.Exact, sure.Exact)
	}
	wantState(t, folder{"f.status": both, "e.status": older}.load(t, o), Card{ID: clean}, Suspended)
	// The filter is newer than the exact list, which does not know the one and knows the other.
	mixed := folder{"f.status": both, "e.status": exact}.load(t, o)
	if a := wantState(t, mixed, Card{ID: clean}, Revoked); a.Exact {
		t.Error("an older list cleared a newer hit")
	}
	if a := wantState(t, mixed, Card{ID: bad}, Suspended); !a.Exact {
		t.Error("the exact list did not confirm")
	}
}

// TestFolder: what is no list is refused, other files are passed over.
func TestFolder(t *testing.T) {
	an := newAuthority(t)
	s := folder{
		"README": []byte("x"), "x.status": []byte("TSTL"), "old/y.status": []byte("x"), "eve.status": newAuthority(t).index(t, 9, Indexes{}),
		"a.status": an.index(t, 1, Indexes{Active: {1}}),
	}.load(t, Options{Signers: an.pins})
	r := s.Refused()
	if len(r) != 2 || !errors.Is(r[0], ErrSigner) || !errors.Is(r[1], ErrMalformed) || len(s.Lists()) != 1 {
		t.Errorf("refused %v", r)
	}
	wantState(t, s, carrying(1), Active)
	if _, err := s.Lookup(Card{Country: "KH"}); !errors.Is(err, ErrSigner) || !errors.Is(err, ErrMalformed) {
		t.Errorf("a card that nothing covers: %v", err)
	}
	if s := must(Load(fstest.MapFS{}, Options{}))(t); len(s.Lists())+len(s.Refused()) > 0 {
		t.Error("an empty folder holds lists")
	}
}
