package dh

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"filippo.io/nistec"

	"github.com/tamthe/tamthe/testdata"
)

// every lists all curves.
func every(t testing.TB) []*Curve {
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

func TestParametersAgree(t *testing.T) {
	for _, c := range every(t) {
		p := c.Parameters()
		if got, err := ByParameters(p); err != nil || got != c {
			t.Errorf("%s is not found by its parameters: %v", c.Name(), err)
		}
		if got, err := ByOID(c.OID()); err != nil || got != c {
			t.Errorf("%s is not found by its OID: %v", c.Name(), err)
		}
		if !p.P.ProbablyPrime(16) || !p.N.ProbablyPrime(16) {
			t.Errorf("%s: p or n is not prime", c.Name())
		}
		if g := c.Generator(); c.group.contains(&g.x, &g.y) != 1 {
			t.Errorf("%s: the generator is off the curve", c.Name())
		}
		for i, change := range []func(*Parameters){
			func(p *Parameters) { p.A.Add(p.A, big.NewInt(1)) }, func(p *Parameters) { p.B.Add(p.B, big.NewInt(1)) },
			func(p *Parameters) { p.Gy.Sub(p.P, p.Gy) }, func(p *Parameters) { p.H = 2 },
			func(p *Parameters) { p.N.Add(p.N, p.N) }, func(p *Parameters) { p.Gx = nil },
		} {
			q := c.Parameters()
			change(&q)
			if _, err := ByParameters(q); !errors.Is(err, ErrUnknownCurve) {
				t.Errorf("%s with change %d is taken", c.Name(), i)
			}
		}
	}
	for c, e := range map[*Curve]elliptic.Curve{P224(): elliptic.P224(), P256(): elliptic.P256(), P384(): elliptic.P384(), P521(): elliptic.P521()} {
		p, q := c.Parameters(), e.Params()
		if p.P.Cmp(q.P) != 0 || p.N.Cmp(q.N) != 0 || p.B.Cmp(q.B) != 0 || p.Gx.Cmp(q.Gx) != 0 || p.Gy.Cmp(q.Gy) != 0 {
			t.Errorf("%s differs from crypto/elliptic", c.Name())
		}
	}
}

func TestECDHAgreesWithStandardLibrary(t *testing.T) {
	for c, e := range map[*Curve]ecdh.Curve{P256(): ecdh.P256(), P384(): ecdh.P384(), P521(): ecdh.P521()} {
		for range 20 {
			k, err := c.Generate()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := e.GenerateKey(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := e.NewPrivateKey(k.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(ours.PublicKey().Bytes(), k.Point().Bytes()) {
				t.Fatalf("%s: other public key", c.Name())
			}
			peer, err := c.ParsePoint(theirs.PublicKey().Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.ECDH(peer)
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := ours.ECDH(theirs.PublicKey()); !bytes.Equal(got, want) {
				t.Fatalf("%s: other shared secret", c.Name())
			}
		}
	}
}

func TestMapAgreesWithNistec(t *testing.T) {
	c := P256()
	for range 20 {
		k, _ := c.Generate()
		nonce := make([]byte, 16)
		rand.Read(nonce)
		got, err := Map(c, nonce, k.Point())
		if err != nil {
			t.Fatal(err)
		}
		s := append(make([]byte, 16), nonce...)
		g, err := nistec.NewP256Point().ScalarBaseMult(s)
		if err != nil {
			t.Fatal(err)
		}
		h, err := nistec.NewP256Point().SetBytes(k.Point().Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if want := nistec.NewP256Point().Add(g, h).Bytes(); !bytes.Equal(want, got.Bytes()) {
			t.Fatal("other mapped generator")
		}
	}
}

// ICAO 9303-11 App. G.1, brainpoolP256r1.
func TestWorkedExampleG1(t *testing.T) {
	var f struct {
		Cases []map[string]json.RawMessage
	}
	if err := json.Unmarshal(testdata.Read(t, "worked/pace-gm-ecdh.json"), &f); err != nil {
		t.Fatal(err)
	}
	get := func(name string) []byte {
		var s string
		if err := json.Unmarshal(f.Cases[0][name], &s); err != nil {
			t.Fatal(name, err)
		}
		return unhex(t, s)
	}
	c := BrainpoolP256r1()
	mine, err := c.NewPrivateKey(get("map_terminal_private"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mine.Point().Bytes(), get("map_terminal_public")) {
		t.Error("other mapping key")
	}
	peer, err := c.ParsePoint(get("map_chip_public"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := mine.Multiply(peer)
	if err != nil || !bytes.Equal(h.Bytes(), get("map_shared_point")) {
		t.Error("other shared point", err)
	}
	g, err := Map(c, get("nonce"), h)
	if err != nil || !bytes.Equal(g.Bytes(), get("mapped_generator")) {
		t.Fatal("other mapped generator", err)
	}
	k, err := NewPrivateKeyOn(g, get("ka_terminal_private"))
	if err != nil || !bytes.Equal(k.Point().Bytes(), get("ka_terminal_public")) {
		t.Fatal("other key on the mapped generator", err)
	}
	chip, err := c.ParsePoint(get("ka_chip_public"))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := k.ECDH(chip); err != nil || !bytes.Equal(x, get("shared_secret")) {
		t.Error("other shared secret", err)
	}
	if _, err := k.SignPlain(make([]byte, 32)); !errors.Is(err, ErrBase) {
		t.Error("a key on a mapped generator signs")
	}
}

func TestGroupLaws(t *testing.T) {
	for _, c := range every(t) {
		a, _ := c.Generate()
		b, _ := c.Generate()
		x, err1 := a.ECDH(b.Point())
		y, err2 := b.ECDH(a.Point())
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("%s: agreement fails", c.Name())
		}
		// n·P is infinity, (n-1)·P = -P, 1·P = P.
		n := c.Parameters().N
		var inf projective
		c.group.multiply(&inf, a.Point().projective(), &c.group.order.value)
		if _, err := c.newPoint(&inf); !errors.Is(err, ErrInfinity) {
			t.Errorf("%s: n·P is not infinity", c.Name())
		}
		less := new(big.Int).Sub(n, big.NewInt(1)).FillBytes(make([]byte, c.OrderSize()))
		minus, err := NewPrivateKeyOn(a.Point(), less)
		if err != nil || !bytes.Equal(minus.Point().X(), a.Point().X()) || minus.Point().Equal(a.Point()) {
			t.Errorf("%s: (n-1)·P is not -P", c.Name())
		}
		one := append(make([]byte, c.OrderSize()-1), 1)
		if same, err := NewPrivateKeyOn(a.Point(), one); err != nil || !same.Point().Equal(a.Point()) {
			t.Errorf("%s: 1·P is not P", c.Name())
		}
		// s·G + H with H = -s·G is refused, with s = 0 it is H.
		if got, err := Map(c, []byte{0}, a.Point()); err != nil || !got.Equal(a.Point()) {
			t.Errorf("%s: 0·G + H is not H", c.Name())
		}
		if _, err := Map(c, a.Bytes(), mustNegate(t, c, a)); !errors.Is(err, ErrInfinity) {
			t.Errorf("%s: mapping to infinity is not refused: %v", c.Name(), err)
		}
		// (a+b)·G = a·G + b·G by Map.
		sum := new(big.Int).Add(new(big.Int).SetBytes(a.Bytes()), new(big.Int).SetBytes(b.Bytes()))
		sum.Mod(sum, n)
		left, err := c.NewPrivateKey(sum.FillBytes(make([]byte, c.OrderSize())))
		if err != nil {
			t.Fatal(err)
		}
		if right, err := Map(c, a.Bytes(), b.Point()); err != nil || !right.Equal(left.Point()) {
			t.Errorf("%s: addition is not distributive", c.Name())
		}
	}
}

func mustNegate(t *testing.T, c *Curve, k *PrivateKey) *Point {
	t.Helper()
	d := new(big.Int).Sub(c.Parameters().N, new(big.Int).SetBytes(k.Bytes()))
	m, err := c.NewPrivateKey(d.FillBytes(make([]byte, c.OrderSize())))
	if err != nil {
		t.Fatal(err)
	}
	return m.Point()
}

func TestRefusals(t *testing.T) {
	for _, c := range every(t) {
		zero := make([]byte, c.OrderSize())
		for _, s := range [][]byte{nil, zero, c.group.order.bytes(&c.group.order.value), zero[1:], append(zero, 1), bytes.Repeat([]byte{0xFF}, c.OrderSize())} {
			if _, err := c.NewPrivateKey(s); !errors.Is(err, ErrScalar) {
				t.Errorf("%s takes the scalar %x: %v", c.Name(), s, err)
			}
		}
		good := c.Generator().Bytes()
		for name, change := range map[string]func([]byte) []byte{
			"empty":      func([]byte) []byte { return nil },
			"infinity":   func([]byte) []byte { return []byte{0} },
			"zero":       func(b []byte) []byte { clear(b[1:]); return b },
			"compressed": func(b []byte) []byte { return append([]byte{2}, b[1:1+c.Size()]...) },
			"hybrid":     func(b []byte) []byte { b[0] = 6; return b },
			"short":      func(b []byte) []byte { return b[:len(b)-1] },
			"long":       func(b []byte) []byte { return append(b, 0) },
			"off":        func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			"beyond":     func(b []byte) []byte { c.Parameters().P.FillBytes(b[1 : 1+c.Size()]); return b },
		} {
			if _, err := c.ParsePoint(change(bytes.Clone(good))); !errors.Is(err, ErrPoint) {
				t.Errorf("%s takes a point that is %s", c.Name(), name)
			}
		}
	}
	k, _ := P256().Generate()
	if _, err := k.ECDH(P384().Generator()); !errors.Is(err, ErrCurve) {
		t.Error("keys of two curves agree")
	}
	k.Destroy()
	k.Destroy()
	if _, err := k.ECDH(P256().Generator()); !errors.Is(err, ErrDestroyed) {
		t.Error("a destroyed key agrees")
	}
	if _, err := k.SignPlain([]byte{1}); !errors.Is(err, ErrDestroyed) {
		t.Error("a destroyed key signs")
	}
	if k.Bytes() != nil {
		t.Error("a destroyed key has octets")
	}
}

func TestECDSAAgreesWithStandardLibrary(t *testing.T) {
	for c, e := range map[*Curve]elliptic.Curve{P224(): elliptic.P224(), P256(): elliptic.P256(), P384(): elliptic.P384(), P521(): elliptic.P521()} {
		for range 10 {
			k, _ := c.Generate()
			for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA512} {
				digest := make([]byte, h.Size())
				rand.Read(digest)
				sig, err := k.Sign(nil, digest, h)
				if err != nil {
					t.Fatal(err)
				}
				pub, err := ecdsa.ParseUncompressedPublicKey(e, k.Point().Bytes())
				if err != nil {
					t.Fatal(err)
				}
				if !ecdsa.VerifyASN1(pub, digest, sig) || !VerifyDER(k.Point(), digest, sig) {
					t.Fatalf("%s: our signature does not verify", c.Name())
				}
				priv, err := ecdsa.ParseRawPrivateKey(e, k.Bytes())
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := ecdsa.SignASN1(rand.Reader, priv, digest)
				if err != nil {
					t.Fatal(err)
				}
				if !VerifyDER(k.Point(), digest, theirs) {
					t.Fatalf("%s: their signature does not verify", c.Name())
				}
				digest[0] ^= 0x80
				if VerifyDER(k.Point(), digest, sig) {
					t.Fatalf("%s: another digest verifies", c.Name())
				}
			}
		}
	}
}

func TestECDSASelf(t *testing.T) {
	for _, c := range every(t) {
		k, _ := c.Generate()
		sum := sha512.Sum512([]byte(c.Name()))
		rs, err := k.SignPlain(sum[:])
		if err != nil || len(rs) != 2*c.OrderSize() || !VerifyPlain(k.Point(), sum[:], rs) {
			t.Errorf("%s: %v", c.Name(), err)
		}
		again, _ := k.SignPlain(sum[:])
		if bytes.Equal(rs, again) {
			t.Errorf("%s: the nonce is not fresh", c.Name())
		}
		for i := range rs {
			rs[i] ^= 1
			if VerifyPlain(k.Point(), sum[:], rs) {
				t.Fatalf("%s: a changed signature verifies", c.Name())
			}
			rs[i] ^= 1
		}
	}
	k, _ := P256().Generate()
	if _, err := k.Sign(nil, make([]byte, 20), crypto.SHA256); !errors.Is(err, ErrDigest) {
		t.Error("a digest of the wrong length is signed")
	}
	sum := sha256.Sum256(nil)
	if _, err := k.Sign(nil, sum[:], nil); err != nil {
		t.Error(err)
	}
}
