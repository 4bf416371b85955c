package dh

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"filippo.io/nistec"

	"github.com/tamthe/tamthe/testdata"
)

func TestECDHAsCryptoECDH(t *testing.T) {
	for c, e := range map[*Curve]ecdh.Curve{P256(): ecdh.P256(), P384(): ecdh.P384(), P521(): ecdh.P521()} {
		for range 25 {
			k, peer := pair(t, c)
			theirs, err := e.NewPrivateKey(k.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(theirs.PublicKey().Bytes(), k.Point().Bytes()) {
				t.Fatalf("%s: another public key", c)
			}
			theirPeer, err := e.NewPublicKey(peer.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			want, err := theirs.ECDH(theirPeer)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k.ECDH(peer); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s: %x, want %x: %v", c, got, want, err)
			}
		}
	}
}

// nistecPoint is what nistec's types have in common.
type nistecPoint[P any] interface {
	SetBytes([]byte) (P, error)
	ScalarMult(P, []byte) (P, error)
	ScalarBaseMult([]byte) (P, error)
	Add(P, P) P
	Bytes() []byte
}

// The whole generic mapping of PACE by nistec: multiples on any base, and s·G + H.
func TestMapAsNistec(t *testing.T) {
	checkNistec(t, P224(), nistec.NewP224Point)
	checkNistec(t, P256(), nistec.NewP256Point)
	checkNistec(t, P384(), nistec.NewP384Point)
	checkNistec(t, P521(), nistec.NewP521Point)
}

func checkNistec[P nistecPoint[P]](t *testing.T, c *Curve, newPoint func() P) {
	for range 10 {
		k, h := pair(t, c)
		nonce := make([]byte, 16)
		if _, err := rand.Read(nonce); err != nil {
			t.Fatal(err)
		}
		mapped, err := Map(c, nonce, h)
		if err != nil {
			t.Fatal(err)
		}
		onMapped, err := NewPrivateKeyOn(mapped, k.Bytes())
		if err != nil {
			t.Fatal(err)
		}

		theirH, err := newPoint().SetBytes(h.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		s := append(make([]byte, c.OrderSize()-len(nonce)), nonce...)
		theirs, err := newPoint().ScalarBaseMult(s)
		if err != nil {
			t.Fatal(err)
		}
		theirs = newPoint().Add(theirs, theirH)
		if !bytes.Equal(theirs.Bytes(), mapped.Bytes()) {
			t.Fatalf("%s: another mapped generator", c)
		}
		if theirs, err = newPoint().ScalarMult(theirs, k.Bytes()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(theirs.Bytes(), onMapped.Point().Bytes()) {
			t.Fatalf("%s: another key on the mapped generator", c)
		}
	}
}

// The points and keys of Doc 9303-11 Appendix G.1.
func TestMapWorkedExample(t *testing.T) {
	var file struct{ Cases []map[string]any }
	if err := json.Unmarshal(testdata.Read(t, "worked/pace-gm-ecdh.json"), &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range file.Cases {
		id, _ := v["domain_parameter_id"].(float64)
		c, err := ByID(int(id))
		if err != nil {
			t.Fatal(err)
		}
		get := func(name string) []byte {
			s, _ := v[name].(string)
			return unhex(t, s)
		}
		for _, side := range [][2]string{{"terminal", "chip"}, {"chip", "terminal"}} {
			mine, theirs := side[0], side[1]
			k, err := c.NewPrivateKey(get("map_" + mine + "_private"))
			check(t, get("map_"+mine+"_public"), k.Point().Bytes(), err)
			peer, err := c.ParsePoint(get("map_" + theirs + "_public"))
			check(t, get("map_"+theirs+"_public"), peer.Bytes(), err)
			h, err := k.Multiply(peer)
			check(t, get("map_shared_point"), h.Bytes(), err)
			mapped, err := Map(c, get("nonce"), h)
			check(t, get("mapped_generator"), mapped.Bytes(), err)
			k, err = NewPrivateKeyOn(mapped, get("ka_"+mine+"_private"))
			check(t, get("ka_"+mine+"_public"), k.Point().Bytes(), err)
			peer, err = c.ParsePoint(get("ka_" + theirs + "_public"))
			check(t, get("ka_"+theirs+"_public"), peer.Bytes(), err)
			x, err := k.ECDH(peer)
			check(t, get("shared_secret"), x, err)
		}
	}
}

func check(t *testing.T, want, got []byte, err error) {
	t.Helper()
	if err != nil || len(want) == 0 || !bytes.Equal(got, want) {
		t.Fatalf("%x, want %x: %v", got, want, err)
	}
}

// Secrets that begin with zeros keep them: the shared point is chosen, with an x of one
// or two octets, and the peer's key computed from it.
func TestLeadingZeros(t *testing.T) {
	for _, c := range every(t) {
		n := c.Parameters().N
		for _, start := range []int64{0, 200, 60000} {
			shared := pointFrom(t, c, big.NewInt(start))
			k, _ := pair(t, c)
			inverse := new(big.Int).ModInverse(new(big.Int).SetBytes(k.Bytes()), n)
			peer, err := NewPrivateKeyOn(shared, scalar(c, inverse))
			if err != nil {
				t.Fatal(err)
			}
			got, err := k.ECDH(peer.Point())
			if err != nil || len(got) != c.Size() || !bytes.Equal(got, shared.X()) || got[0] != 0 || got[1] != 0 {
				t.Errorf("%s: %x, want %x: %v", c, got, shared.X(), err)
			}
		}
		small := key(t, c, big.NewInt(3))
		if b := small.Bytes(); len(b) != c.OrderSize() || b[len(b)-1] != 3 {
			t.Errorf("%s: the scalar 3 is %x", c, b)
		}
	}
}

// Both ends agree, 10⁴ times and 10⁵ with TAMTHE_SOAK=1; about one secret in 256 begins
// with a zero octet.
func TestAgreement(t *testing.T) {
	runs := 10_000
	switch {
	case os.Getenv("TAMTHE_SOAK") == "1":
		runs = 100_000
	case testing.Short():
		runs = 1_000
	}
	c := BrainpoolP256r1()
	// Every key meets every other one, to spare making as many.
	var keys []*PrivateKey
	done, zeros := 0, 0
	for done < runs {
		k, _ := pair(t, c)
		for _, other := range keys {
			x, err := k.ECDH(other.Point())
			if err != nil {
				t.Fatal(err)
			}
			y, err := other.ECDH(k.Point())
			if err != nil || !bytes.Equal(x, y) || len(x) != c.Size() {
				t.Fatalf("keys %x and %x do not agree: %x and %x: %v", k.Bytes(), other.Bytes(), x, y, err)
			}
			if x[0] == 0 {
				zeros++
			}
			if done++; done == runs {
				break
			}
		}
		keys = append(keys, k)
	}
	// The chance of none in 10⁴ is 10⁻¹⁷. The prime begins with A9: one in 170.
	if runs >= 10_000 && zeros == 0 {
		t.Error("no secret begins with a zero octet")
	}
	t.Logf("%d agreements, %d secrets with a leading zero octet", done, zeros)
}
