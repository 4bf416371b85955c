package status

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// specimenKey is the fingerprint of the SPECIMEN key that signed the lists of testdata.
// They were written by another program after the text of doc.go, and signed by OpenSSL.
const specimenKey = "7b876db1cd064d762434d3984aa2740bfca4a59404ba013ee31bacb937c0e835"

const specimenURI = "https://specimen.tamthe.example/status/1"

// pins are signers for one country's identity cards.
type pins struct {
	country string
	keys    [][32]byte
}

func (p pins) Issuer(country, document string) (pki.Issuer, bool) {
	if country != p.country || document == "" || document[0] != 'I' {
		return pki.Issuer{Country: country}, false
	}
	return pki.Issuer{Country: country, Documents: []string{"I"}, StatusKeys: p.keys}, true
}

func specimenPins(t testing.TB) pins {
	t.Helper()
	k := must(hex.DecodeString(specimenKey))(t)
	return pins{"VN", [][32]byte{[32]byte(k)}}
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+Extension))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parsed(t testing.TB, name string) *List {
	t.Helper()
	l, err := Parse(golden(t, name), specimenPins(t))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return l
}

func named(s string, i int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "%s %d", s, i)) }

func TestGoldenIndex(t *testing.T) {
	l := parsed(t, "index")
	at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	if l.Sequence != 7 || !l.Signed.Equal(at) || !l.NextUpdate.Equal(at.AddDate(0, 0, 1)) || l.URI != specimenURI || l.Cards() != 10 {
		t.Errorf("%+v, %d cards", l.Header, l.Cards())
	}
	alone, changed := must(Of(l, nil))(t), must(Of(l, parsed(t, "index-delta")))(t)
	for _, tt := range []struct {
		index    uint32
		is, then State
	}{
		{3, Active, Active},
		{17, Active, Revoked},
		{70000, Active, Active},
		{4000000000, Active, Active},
		{5, Undelivered, Active},
		{9, Suspended, Suspended},
		{1000, Superseded, Superseded},
		{0, Revoked, Revoked},
		{2, Revoked, Revoked},
		{99, Revoked, Revoked},
		{1, Unknown, Unknown},
		{4, Unknown, Unknown},
		{70, Unknown, Revoked},
		{3999999999, Unknown, Unknown},
		{4000000001, Unknown, Unknown},
		{4294967295, Unknown, Unknown},
	} {
		c := Card{Ref: &lds.StatusReference{List: specimenURI, Index: tt.index}, Country: "VN", DocumentType: "ID"}
		a, err := alone.Lookup(c)
		if err != nil || a.State != tt.is || !a.Exact || !a.AsOf.Equal(at) {
			t.Errorf("%d: %+v, %v, want %v", tt.index, a, err, tt.is)
		}
		if a, err := changed.Lookup(c); err != nil || a.State != tt.then || !a.Exact || !a.AsOf.Equal(at.Add(time.Hour)) {
			t.Errorf("%d after the delta: %+v, %v, want %v", tt.index, a, err, tt.then)
		}
	}
}

func TestGoldenNames(t *testing.T) {
	filter, exact, delta := parsed(t, "filter"), parsed(t, "exact"), parsed(t, "exact-delta")
	if filter.Edition != exact.Edition || filter.Cards() != 8 || exact.Cards() != 8 || filter.FalsePositives() != 8.0/(1<<20) {
		t.Errorf("filter of %d with %g, exact of %d", filter.Cards(), filter.FalsePositives(), exact.Cards())
	}
	type says struct {
		State
		exact bool
	}
	again := named("suspended", 0)
	if first := named("suspended", 1); string(first[:]) < string(again[:]) {
		again = first
	}
	for _, tt := range []struct {
		name                        [32]byte
		filter, exact, since, after says
	}{
		{named("revoked", 4), says{Revoked, false}, says{Revoked, true}, says{Revoked, false}, says{Revoked, true}},
		{named("undelivered", 0), says{Revoked, false}, says{Undelivered, true}, says{Revoked, false}, says{Undelivered, true}},
		{again, says{Revoked, false}, says{Suspended, true}, says{Active, true}, says{Active, true}},
		{named("revoked", 9), says{Active, true}, says{Active, true}, says{Revoked, true}, says{Revoked, true}},
		{named("stranger", 0), says{Active, true}, says{Active, true}, says{Active, true}, says{Active, true}},
	} {
		for i, s := range []*Source{must(Of(filter, nil))(t), must(Of(exact, nil))(t), must(Of(filter, delta))(t), must(Of(exact, delta))(t)} {
			want := []says{tt.filter, tt.exact, tt.since, tt.after}[i]
			for _, c := range []Card{{ID: tt.name}, {Keys: [][32]byte{{1}, tt.name}}} { // by its name or by its chip's key
				if a, err := s.Lookup(c); err != nil || a.State != want.State || a.Exact != want.exact {
					t.Errorf("%x in %d: %+v, %v, want %+v", tt.name[:4], i, a, err, want)
				}
			}
		}
	}
}

// TestOf: a delta changes its own snapshot only.
func TestOf(t *testing.T) {
	for _, pair := range [][2]string{{"exact", "index-delta"}, {"index", "exact-delta"}, {"index", "filter"}, {"index-delta", "index-delta"}} {
		if _, err := Of(parsed(t, pair[0]), parsed(t, pair[1])); !errors.Is(err, ErrNoBase) {
			t.Errorf("%v: %v", pair, err)
		}
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
