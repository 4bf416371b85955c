package signing

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// sample is a request with nothing random in it.
func sample(t testing.TB) *Request {
	t.Helper()
	evidence := func(n byte) *gp.Evidence {
		return &gp.Evidence{
			Challenge: bytes.Repeat([]byte{n}, 8), Initialize: bytes.Repeat([]byte{n}, 29), Level: 0x33, Chain: [16]byte{n}, Counter: 7,
			Command: []byte{0x84, 0x46, 0x80, n}, Answer: []byte{n, 0x90, 0x00},
		}
	}
	r := &Request{
		Application: "A-1", Card: "C-1", Salt: [32]byte{1}, Issued: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC),
		Parts: []issuance.Part{{Name: "dg1", Digest: [32]byte{2}}, {Name: "dg2", Digest: [32]byte{3}}},
		DG14:  []byte{0x6e, 0}, DG15: []byte{0x6f, 0}, AA: evidence(1), CA: evidence(2),
	}
	if err := r.Sign(ed25519.NewKeyFromSeed(make([]byte, 32))); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRequest: a request comes back as it was, its signature is over all of it, and it has
// one form.
func TestRequest(t *testing.T) {
	r := sample(t)
	b := must(r.MarshalBinary())(t)
	again := must(ParseRequest(b))(t)
	if !reflect.DeepEqual(r, again) {
		t.Errorf("%+v comes back as %+v", r, again)
	}
	key := must(issuance.KeyField(ed25519.NewKeyFromSeed(make([]byte, 32)).Public()))(t)
	if err := again.signedBy(key); err != nil {
		t.Error(err)
	}
	for i := range b {
		for _, bit := range []byte{1, 0x80} {
			c := bytes.Clone(b)
			c[i] ^= bit
			r, err := ParseRequest(c)
			if err != nil {
				if !errors.Is(err, ErrRequest) {
					t.Errorf("octet %d is another: %v", i, err)
				}
				continue
			}
			if form, err := r.MarshalBinary(); !bytes.Equal(form, c) {
				t.Errorf("with another octet %d it is read, and has another form: %v", i, err)
			}
			if r.signedBy(key) == nil && r.Operator == again.Operator {
				t.Errorf("octet %d may be another", i)
			}
		}
	}
	for n := range b {
		if _, err := ParseRequest(b[:n]); !errors.Is(err, ErrRequest) {
			t.Errorf("the first %d octets: %v", n, err)
		}
	}
	if _, err := ParseRequest(append(b, 0)); !errors.Is(err, ErrRequest) {
		t.Error("an octet more", err)
	}
	other := must(issuance.KeyField(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)).Public()))(t)
	if err := again.signedBy(other); !errors.Is(err, issuance.ErrSignature) {
		t.Error("another's key", err)
	}
}

// TestRequestRefuses: what is out of bounds is neither signed nor written.
func TestRequestRefuses(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"no application":    func(r *Request) { r.Application = "" },
		"a path for a card": func(r *Request) { r.Card = "../pin" },
		"no parts":          func(r *Request) { r.Parts = nil },
		"a part twice":      func(r *Request) { r.Parts = append(r.Parts, r.Parts[1]) },
		"parts disordered":  func(r *Request) { r.Parts[0], r.Parts[1] = r.Parts[1], r.Parts[0] },
		"an hour of issue":  func(r *Request) { r.Issued = r.Issued.Add(time.Hour) },
		"no DG14":           func(r *Request) { r.DG14 = nil },
		"a large DG14":      func(r *Request) { r.DG14 = make([]byte, maxFile+1) },
		"evidence of none":  func(r *Request) { r.DG15 = nil },
		"large evidence":    func(r *Request) { r.CA.Answer = make([]byte, 5000) },
	} {
		r := sample(t)
		change(r)
		if err := r.Sign(ed25519.NewKeyFromSeed(make([]byte, 32))); !errors.Is(err, ErrRequest) {
			t.Errorf("%s is signed: %v", name, err)
		}
		if b, err := r.MarshalBinary(); b != nil || !errors.Is(err, ErrRequest) {
			t.Errorf("%s is written: %v", name, err)
		}
	}
	r := sample(t)
	r.Signature = nil
	if _, err := r.MarshalBinary(); !errors.Is(err, ErrRequest) {
		t.Error("unsigned", err)
	}
}

// TestParseRequestRefuses: what is never written is not read either, though each field of it is
// well-formed by itself.
func TestParseRequestRefuses(t *testing.T) {
	whole := must(sample(t).MarshalBinary())(t)
	rest := whole[len("v.A-1.C-1")+32:] // from the number of parts on
	one := len(".dg1") + 32
	with := func(changed ...[]byte) []byte {
		return slices.Concat(append([][]byte{whole[:len(whole)-len(rest)]}, changed...)...)
	}
	first, second, after := rest[1:1+one], rest[1+one:1+2*one], rest[1+2*one:]
	if b := with([]byte{2}, first, second, after); !bytes.Equal(b, whole) {
		t.Fatalf("the request is not laid out as this test takes it to be: %x", whole)
	}
	for name, b := range map[string][]byte{
		"another version":      append([]byte{2}, whole[1:]...),
		"its parts disordered": with([]byte{2}, second, first, after),
		"a part twice":         with([]byte{3}, first, second, second, after),
		"no parts":             with([]byte{0}, after),
		"33 parts":             with([]byte{33}, first, bytes.Repeat(second, 32), after),
		"a large signature":    slices.Concat(whole[:len(whole)-66], []byte{0x02, 0x01}, make([]byte, 513)),
		"no signature":         slices.Concat(whole[:len(whole)-66], []byte{0, 0}),
		"32 KiB and more":      slices.Concat(whole[:len(whole)-66], []byte{0x80, 0}, make([]byte, 32<<10)),
	} {
		if r, err := ParseRequest(b); r != nil || !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	r := sample(f)
	f.Add(must(r.MarshalBinary())(f))
	r.DG15, r.AA = nil, nil
	f.Add(must(r.MarshalBinary())(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRequest(b)
		if err != nil {
			if r != nil || !errors.Is(err, ErrRequest) {
				t.Errorf("%v, %v", r, err)
			}
			return
		}
		if again := must(r.MarshalBinary())(t); !bytes.Equal(again, b) {
			t.Errorf("%x comes back as %x", b, again)
		}
	})
}
