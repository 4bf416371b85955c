package dh

import (
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// every returns all curves, in the order of their ids.
func every(t testing.TB) []*Curve {
	t.Helper()
	var list []*Curve
	for id := 8; id <= 18; id++ {
		c, err := ByID(id)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The domain parameters are OpenSSL's, as `openssl ecparam -param_enc explicit -text`
// printed them in the order of the ids.
func TestParametersAsOpenSSL(t *testing.T) {
	text, err := os.ReadFile("testdata/openssl-ecparam.txt")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "EC-Parameters:")[1:]
	list := every(t)
	if len(blocks) != len(list) {
		t.Fatalf("%d curves in the capture", len(blocks))
	}
	for i, c := range list {
		number := func(from, to string) *big.Int {
			_, s, _ := strings.Cut(blocks[i], from)
			s, _, _ = strings.Cut(s, to)
			s = strings.NewReplacer(":", "", " ", "", "\n", "").Replace(s)
			return new(big.Int).SetBytes(unhex(t, s))
		}
		p := c.Parameters()
		g := new(big.Int).SetBytes(c.Generator().Bytes())
		for name, pair := range map[string][2]*big.Int{
			"p": {p.P, number("Prime:", "A:")}, "a": {p.A, number("A:", "B:")}, "b": {p.B, number("B:", "Generator")},
			"G": {g, number("uncompressed):", "Order:")}, "n": {p.N, number("Order:", "Cofactor:")},
		} {
			if pair[0].Cmp(pair[1]) != 0 {
				t.Errorf("%s: %s is %x, want %x", c, name, pair[0], pair[1])
			}
		}
	}
}

func TestParametersAsCryptoElliptic(t *testing.T) {
	for c, e := range map[*Curve]elliptic.Curve{P224(): elliptic.P224(), P256(): elliptic.P256(), P384(): elliptic.P384(), P521(): elliptic.P521()} {
		p, q := c.Parameters(), e.Params()
		if c.Name() != q.Name || p.P.Cmp(q.P) != 0 || p.N.Cmp(q.N) != 0 || p.B.Cmp(q.B) != 0 || p.Gx.Cmp(q.Gx) != 0 || p.Gy.Cmp(q.Gy) != 0 {
			t.Errorf("%s differs from crypto/elliptic", c)
		}
	}
}

// TR-03110-3 table 4 and the functions named after the curves.
func TestLookUp(t *testing.T) {
	byName := []func() *Curve{
		P192, BrainpoolP192r1, P224, BrainpoolP224r1, P256, BrainpoolP256r1,
		BrainpoolP320r1, P384, BrainpoolP384r1, BrainpoolP512r1, P521,
	}
	for i, c := range every(t) {
		id, ok := c.ID()
		if id != 8+i || !ok || byName[i]() != c {
			t.Errorf("%s has id %d", c, id)
		}
		if got, err := ByOID(c.OID()); err != nil || got != c {
			t.Errorf("%s is not found by its OID: %v", c, err)
		}
		if got, err := ByParameters(c.Parameters()); err != nil || got != c {
			t.Errorf("%s is not found by its parameters: %v", c, err)
		}
		if size := (c.Parameters().N.BitLen() + 7) / 8; c.Size() != size || c.OrderSize() != size {
			t.Errorf("%s has sizes %d and %d", c, c.Size(), c.OrderSize())
		}
	}
	for _, id := range []int{-1, 0, 7, 19, math.MaxInt} {
		if _, err := ByID(id); !errors.Is(err, ErrUnknownCurve) {
			t.Errorf("id %d: %v", id, err)
		}
	}
	for _, oid := range []asn1.ObjectIdentifier{nil, {1, 3, 132, 0, 10}, {1, 3, 36, 3, 3, 2, 8, 1, 1, 8}} {
		if _, err := ByOID(oid); !errors.Is(err, ErrUnknownCurve) {
			t.Errorf("%v: %v", oid, err)
		}
	}
}

// A curve that differs in one parameter is another curve: a base point of one's own
// choice forges signatures (CVE-2020-0601).
func TestChangedParameters(t *testing.T) {
	one := big.NewInt(1)
	changes := map[string]func(*Parameters){
		"p":           func(p *Parameters) { p.P.Add(p.P, one) },
		"a":           func(p *Parameters) { p.A.Add(p.A, one) },
		"a + p":       func(p *Parameters) { p.A.Add(p.A, p.P) },
		"b":           func(p *Parameters) { p.B.Add(p.B, one) },
		"negative b":  func(p *Parameters) { p.B.Neg(p.B) },
		"Gx":          func(p *Parameters) { p.Gx.Add(p.Gx, one) },
		"-G":          func(p *Parameters) { p.Gy.Sub(p.P, p.Gy) },
		"n":           func(p *Parameters) { p.N.Add(p.N, one) },
		"cofactor":    func(p *Parameters) { p.H = 2 },
		"no cofactor": func(p *Parameters) { p.H = 0 },
		"no Gx":       func(p *Parameters) { p.Gx = nil },
		"nothing":     func(p *Parameters) { *p = Parameters{} },
	}
	for _, c := range every(t) {
		for name, change := range changes {
			p := c.Parameters()
			change(&p)
			if _, err := ByParameters(p); !errors.Is(err, ErrUnknownCurve) {
				t.Errorf("%s with another %s: %v", c, name, err)
			}
		}
		if _, err := ByParameters(c.Parameters()); err != nil {
			t.Fatalf("%s: the caller changed the curve's parameters", c)
		}
	}
}

// The engine is not made for the curves of the table: it keeps the group laws on every
// curve of Wycheproof's list, a = 0, orders longer than the field and short ones included.
func TestEngineOnOtherCurves(t *testing.T) {
	var file struct {
		TestGroups []struct {
			Tests []struct{ Name, P, A, B, GX, GY, N string }
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "wycheproof/ec_prime_order_curves.json"), &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.TestGroups[0].Tests {
		c := newCurve(curveConstants{name: v.Name, p: v.P, a: v.A, b: v.B, x: v.GX, y: v.GY, n: v.N})
		if _, ok := c.ID(); ok {
			t.Errorf("%s has an id", c)
		}
		t.Run(v.Name, func(t *testing.T) { checkGroupLaws(t, c) })
		t.Run(v.Name+" ECDSA", func(t *testing.T) { checkSignatures(t, c) })
	}
}
