package status

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

var signedAt = time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)

// authority signs lists for the tests.
type authority struct {
	*ecdsa.PrivateKey
	pins pins
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	spki := must(cert.MarshalPublicKey(key.Public(), false))(t)
	return authority{key, pins{"VN", [][32]byte{sha256.Sum256(spki)}}}
}

func header(number uint64) Header {
	at := signedAt.Add(time.Duration(number) * time.Hour)
	return Header{Country: "VN", Documents: []string{"I"}, URI: specimenURI, Sequence: number, Signed: at, NextUpdate: at.AddDate(0, 0, 1)}
}

// sign returns the octets of a draft.
func (a authority) sign(t testing.TB, d *Draft, err error) []byte {
	t.Helper()
	return must(must(d, err)(t).Sign(a))(t)
}

func (a authority) parse(t testing.TB, b []byte) *List {
	t.Helper()
	return must(Parse(b, a.pins))(t)
}

func (a authority) index(t testing.TB, number uint64, cards Indexes) []byte {
	t.Helper()
	d, err := PrepareIndex(header(number), a.Public(), cards)
	return a.sign(t, d, err)
}

// TestEdited: a list of which any octet was changed, or the end is missing, is refused
// whole.
func TestEdited(t *testing.T) {
	for _, name := range []string{"index", "index-delta", "filter", "exact", "exact-delta"} {
		whole, pinned := golden(t, name), specimenPins(t)
		for i := range whole {
			for _, bit := range []byte{1, 0x80} {
				b := bytes.Clone(whole)
				b[i] ^= bit
				l, err := Parse(b, pinned)
				if l != nil || !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrSigner) && !errors.Is(err, ErrSignature) {
					t.Errorf("%s with octet %d changed: %v", name, i, err)
				}
			}
			if l, err := Parse(whole[:i], pinned); l != nil || !errors.Is(err, ErrMalformed) {
				t.Errorf("%s cut to %d: %v", name, i, err)
			}
		}
		if _, err := Parse(append(bytes.Clone(whole), 0), pinned); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s with an octet more: %v", name, err)
		}
	}
}

// TestSigner: a list speaks only for documents whose issuer has its key pinned.
func TestSigner(t *testing.T) {
	an, eve := newAuthority(t), newAuthority(t)
	own := func(change func(*Header)) []byte {
		h := header(1)
		change(&h)
		d, err := PrepareIndex(h, an.Public(), Indexes{})
		return an.sign(t, d, err)
	}
	for name, b := range map[string][]byte{
		"a stranger's":           eve.index(t, 1, Indexes{}),
		"of another country":     own(func(h *Header) { h.Country = "KH" }),
		"for passports as well":  own(func(h *Header) { h.Documents = []string{"I", "P"} }),
		"for passports and none": own(func(h *Header) { h.Documents = []string{"P"} }),
	} {
		if _, err := Parse(b, an.pins); !errors.Is(err, ErrSigner) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Eve signs with the pinned key's name in the list.
	d := must(PrepareIndex(header(1), an.Public(), Indexes{}))(t)
	if _, err := d.Sign(eve); !errors.Is(err, ErrSignature) {
		t.Errorf("signed by another key: %v", err)
	}
}

func TestHeader(t *testing.T) {
	an := newAuthority(t)
	for name, change := range map[string]func(*Header){
		"country":          func(h *Header) { h.Country = "vn" },
		"no document":      func(h *Header) { h.Documents = nil },
		"document":         func(h *Header) { h.Documents = []string{"IDX"} },
		"relative URI":     func(h *Header) { h.URI = "status" },
		"URI with a space": func(h *Header) { h.URI = "https://a.example/ b" },
		"number 0":         func(h *Header) { h.Sequence = 0 },
		"no time":          func(h *Header) { h.Signed = time.Time{} },
		"next before":      func(h *Header) { h.NextUpdate = h.Signed },
	} {
		h := header(1)
		change(&h)
		if _, err := PrepareIndex(h, an.Public(), Indexes{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGravest: a card that is named twice stands under the graver state.
func TestGravest(t *testing.T) {
	an := newAuthority(t)
	l := an.parse(t, an.index(t, 1, Indexes{Active: {7, 8, 8}, Suspended: {8}, Revoked: {7}, Undelivered: {9}}))
	x := l.payload.(*indexes)
	if x.state(7) != Revoked || x.state(8) != Suspended || x.state(9) != Undelivered || l.Cards() != 3 {
		t.Errorf("%v %v, %d cards", x.state(7), x.state(8), l.Cards())
	}
}

func TestDelta(t *testing.T) {
	an := newAuthority(t)
	before := Indexes{Active: {1, 2, 3, 4}, Suspended: {10}, Undelivered: {20}}
	after := Indexes{Active: {1, 3, 4, 10, 20}, Revoked: {2}, Undelivered: {21}}
	snapshot := an.parse(t, an.index(t, 1, before))
	d, err := PrepareIndexDelta(header(2), an.Public(), after, snapshot)
	delta := an.parse(t, an.sign(t, d, err))
	if delta.Cards() != 4 {
		t.Errorf("%d cards changed, want 2, 10, 20, 21", delta.Cards())
	}
	x := must(Of(snapshot, delta))(t).series[0]
	whole := an.parse(t, an.index(t, 2, after)).payload.(*indexes)
	for i := range uint32(30) {
		if got, want := x.byIndex(i), whole.state(i); got != want {
			t.Errorf("%d: %v, want %v", i, got, want)
		}
	}
	for name, err := range map[string]error{
		"a card vanished":  second(PrepareIndexDelta(header(2), an.Public(), Indexes{Active: {1}}, snapshot)),
		"of a delta":       second(PrepareIndexDelta(header(3), an.Public(), after, delta)),
		"older":            second(PrepareIndexDelta(header(1), an.Public(), after, snapshot)),
		"of another sort":  second(PrepareExactDelta(header(2), an.Public(), IDs{}, snapshot)),
		"exact of a index": second(PrepareIndexDelta(header(20), an.Public(), after, parsed(t, "exact"))),
	} {
		if !errors.Is(err, ErrBase) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestNames: filter, exact list and delta are those of the golden ones when made here.
func TestNames(t *testing.T) {
	an := newAuthority(t)
	ids := parsed(t, "exact").payload.(*names).all()
	ids[Active] = append(ids[Active], named("stranger", 0))
	d, err := PrepareExact(header(1), an.Public(), ids)
	exact := an.parse(t, an.sign(t, d, err))
	d, err = PrepareFilter(header(2), an.Public(), ids)
	filter := an.parse(t, an.sign(t, d, err))
	if want := parsed(t, "exact").Edition; exact.Edition != want || filter.Edition != want {
		t.Errorf("editions %x and %x, want %x", exact.Edition, filter.Edition, want)
	}
	later := ids
	later[Active] = append(append([][32]byte{}, ids[Active]...), ids[Suspended]...)
	later[Suspended] = nil
	later[Revoked] = append(append([][32]byte{}, ids[Revoked]...), named("revoked", 9))
	d, err = PrepareExactDelta(header(3), an.Public(), later, exact)
	delta := an.parse(t, an.sign(t, d, err))
	p := delta.payload.(*names)
	if delta.Cards() != 3 || p.state(named("suspended", 0)) != Active || p.state(named("revoked", 9)) != Revoked || p.state(named("stranger", 0)) != Unknown {
		t.Errorf("%d names changed", delta.Cards())
	}
	if !delta.changes(filter) || !delta.changes(exact) {
		t.Error("the delta does not fit")
	}
}
