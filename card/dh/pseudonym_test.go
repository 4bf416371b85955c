package dh

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
)

// pseudonymous is a chip of a group, with all that its manager knows.
type pseudonymous struct {
	curve            *Curve
	manager, chip    *big.Int // SK_M and the group's SK_ICC
	one, two, sector *big.Int
	key              *PseudonymKey
	group            PseudonymGroup
	sectorKey        *Point
}

func newPseudonymous(t testing.TB, c *Curve) pseudonymous {
	t.Helper()
	n := c.Parameters().N
	draw := func() *big.Int {
		v, err := rand.Int(rand.Reader, new(big.Int).Sub(n, big.NewInt(1)))
		if err != nil {
			t.Fatal(err)
		}
		return v.Add(v, big.NewInt(1))
	}
	p := pseudonymous{curve: c, manager: draw(), chip: draw(), two: draw(), sector: draw()}
	// SK_ICC = SK_1 + SK_M·SK_2 mod n
	p.one = new(big.Int).Mul(p.manager, p.two)
	p.one.Sub(p.chip, p.one).Mod(p.one, n)
	p.sectorKey = key(t, c, p.sector).Point()
	var err error
	if p.key, err = NewPseudonymKey(key(t, c, p.manager).Point(), key(t, c, p.one), key(t, c, p.two)); err != nil {
		t.Fatal(err)
	}
	if p.group, err = p.key.Group(); err != nil {
		t.Fatal(err)
	}
	if !p.group.Group.Equal(key(t, c, p.chip).Point()) {
		t.Error("the group's key is not the one that the manager chose")
	}
	return p
}

var (
	pseudonymInfo = []byte{0x06, 0x0B, 0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x0B, 0x01, 0x02, 0x03}
	everyChoice   = [][2]bool{{true, false}, {false, true}, {true, true}}
)

// TestPseudonym signs on every curve, and recomputes each signature with textbook
// arithmetic from TR-03110-2 §3.1.6.2: the manager, who knows SK_M, can say what c is.
func TestPseudonym(t *testing.T) {
	message := []byte("ephemeral key")
	for _, c := range every(t) {
		p := newPseudonymous(t, c)
		for _, want := range everyChoice {
			ids, err := p.key.Pseudonyms(p.sectorKey, want)
			if err != nil {
				t.Fatal(err)
			}
			for i, secret := range []*big.Int{p.one, p.two} {
				// SK_i · PK_Sector is SK_Sector · PK_i
				k := new(big.Int).Mul(secret, p.sector)
				if (ids[i] != nil) != want[i] || want[i] && !ids[i].Equal(key(t, c, k.Mod(k, c.Parameters().N)).Point()) {
					t.Errorf("%s: pseudonym %d", c, i+1)
				}
			}
			for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				sig, err := p.key.Sign(h, p.sectorKey, ids, pseudonymInfo, message)
				if err != nil || !VerifyPseudonym(p.group, h, p.sectorKey, ids, pseudonymInfo, message, sig) {
					t.Fatalf("%s, %v: %v", c, h, err)
				}
				if !bytes.Equal(sig[:h.Size()], p.textbook(t, h, ids, message, sig)) {
					t.Errorf("%s, %v: the textbook has another c", c, h)
				}
			}
		}
	}
}

// textbook computes c from s1, s2 and the private keys: K_i = s_i + c·SK_i, Q_1 =
// (K_1 + SK_M·K_2)·G, and A_i = K_i·SK_Sector·G.
func (p pseudonymous) textbook(t testing.TB, h crypto.Hash, ids Pseudonyms, message, sig []byte) []byte {
	t.Helper()
	n, size := p.curve.Parameters().N, p.curve.OrderSize()
	times := func(k *big.Int) []byte {
		x, _ := schoolbook(p.curve.Parameters(), k.Mod(k, n))
		return x.FillBytes(make([]byte, p.curve.Size()))
	}
	c := new(big.Int).SetBytes(sig[:h.Size()])
	var nonces [2]*big.Int
	for i, secret := range []*big.Int{p.one, p.two} {
		s := new(big.Int).SetBytes(sig[h.Size()+i*size:][:size])
		nonces[i] = s.Add(s, new(big.Int).Mul(c, secret))
		nonces[i].Mod(nonces[i], n)
	}
	d := h.New()
	q := new(big.Int).Mul(p.manager, nonces[1])
	d.Write(times(q.Add(q, nonces[0])))
	for i, id := range ids {
		if id != nil {
			d.Write(id.X())
			d.Write(times(new(big.Int).Mul(nonces[i], p.sector)))
		}
	}
	d.Write(times(new(big.Int).Set(p.sector)))
	d.Write(pseudonymInfo)
	d.Write(message)
	return d.Sum(nil)
}

// TestPseudonymForged changes everything that a signature speaks of.
func TestPseudonymForged(t *testing.T) {
	p, q := newPseudonymous(t, P256()), newPseudonymous(t, P256())
	h, message := crypto.SHA256, []byte("ephemeral key")
	ids, err := p.key.Pseudonyms(p.sectorKey, [2]bool{true, true})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := p.key.Sign(h, p.sectorKey, ids, pseudonymInfo, message)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, g PseudonymGroup, sector *Point, ids Pseudonyms, info, message, sig []byte) {
		t.Helper()
		if VerifyPseudonym(g, h, sector, ids, info, message, sig) {
			t.Errorf("%s: verifies", name)
		}
	}
	check("another group", q.group, p.sectorKey, ids, pseudonymInfo, message, sig)
	check("another manager", PseudonymGroup{q.group.Manager, p.group.Group}, p.sectorKey, ids, pseudonymInfo, message, sig)
	check("another sector", p.group, q.sectorKey, ids, pseudonymInfo, message, sig)
	check("another protocol", p.group, p.sectorKey, ids, pseudonymInfo[:12], message, sig)
	check("another message", p.group, p.sectorKey, ids, pseudonymInfo, message[1:], sig)
	check("pseudonyms swapped", p.group, p.sectorKey, Pseudonyms{ids[1], ids[0]}, pseudonymInfo, message, sig)
	check("one pseudonym less", p.group, p.sectorKey, Pseudonyms{ids[0], nil}, pseudonymInfo, message, sig)
	check("another chip's pseudonym", p.group, p.sectorKey, Pseudonyms{q.sectorKey, ids[1]}, pseudonymInfo, message, sig)
	check("no pseudonym", p.group, p.sectorKey, Pseudonyms{}, pseudonymInfo, message, sig)
	check("no group", PseudonymGroup{}, p.sectorKey, ids, pseudonymInfo, message, sig)
	check("another curve", PseudonymGroup{p.group.Manager, BrainpoolP256r1().Generator()}, p.sectorKey, ids, pseudonymInfo, message, sig)
	check("no sector", p.group, nil, ids, pseudonymInfo, message, sig)
	check("cut", p.group, p.sectorKey, ids, pseudonymInfo, message, sig[1:])
	for i := range sig {
		bad := bytes.Clone(sig)
		bad[i] ^= 1
		check("a bit changed", p.group, p.sectorKey, ids, pseudonymInfo, message, bad)
	}
	order := P256().Parameters().N.Bytes()
	for i := range 2 {
		for _, part := range [][]byte{make([]byte, 32), order} {
			bad := bytes.Clone(sig)
			copy(bad[32*(i+1):], part)
			check("s out of range", p.group, p.sectorKey, ids, pseudonymInfo, message, bad)
		}
	}
	// Without a pseudonym anybody in the group would do, and nobody is authenticated in a sector.
	none, err := p.key.Sign(h, p.sectorKey, Pseudonyms{}, pseudonymInfo, message)
	if err != nil {
		t.Fatal(err)
	}
	check("signed without a pseudonym", p.group, p.sectorKey, Pseudonyms{}, pseudonymInfo, message, none)
}

func TestPseudonymKeys(t *testing.T) {
	p := newPseudonymous(t, P256())
	other, err := P384().Generate()
	if err != nil {
		t.Fatal(err)
	}
	if k, err := NewPseudonymKey(p.group.Manager, other, other); k != nil || !errors.Is(err, ErrCurve) {
		t.Error(err)
	}
	if k, err := NewPseudonymKey(nil, other, other); k != nil || !errors.Is(err, ErrCurve) {
		t.Error(err)
	}
	if _, err := p.key.Pseudonyms(other.Point(), [2]bool{true, true}); !errors.Is(err, ErrCurve) {
		t.Error(err)
	}
	p.key.Destroy()
	if _, err := p.key.Pseudonyms(p.sectorKey, [2]bool{true, true}); !errors.Is(err, ErrDestroyed) {
		t.Error(err)
	}
	if sig, err := p.key.Sign(crypto.SHA256, p.sectorKey, Pseudonyms{p.sectorKey, nil}, nil, nil); sig != nil || !errors.Is(err, ErrDestroyed) {
		t.Error(err)
	}
}
