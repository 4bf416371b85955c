package eddsa

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"filippo.io/edwards25519"
)

func pair(seed byte) (ed25519.PrivateKey, [32]byte) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	return private, [32]byte(private.Public().(ed25519.PublicKey))
}

// warm has a key verify until it has a table.
func warm(tb testing.TB, v *Verifier, k [32]byte) {
	tb.Helper()
	for range tableFrom {
		v.Verify([]Signed{{k, nil, nil}})
	}
	if v.known.use(&k) == nil {
		tb.Fatal("the key has no table")
	}
}

// A thousand signatures, whatever is wrong with some, are judged as one by one.
func TestVerify(t *testing.T) {
	v := new(Verifier)
	private, key := pair(1)
	warm(t, v, key)
	cold, coldKey := pair(2)
	r := rand.New(rand.NewPCG(1, 2))
	var list []Signed
	for i := range 1000 {
		message := []byte(fmt.Sprint("message ", i))
		s := Signed{key, message, ed25519.Sign(private, message)}
		switch r.IntN(12) {
		case 0:
			s.Signature[r.IntN(64)] ^= 1 << r.IntN(8)
		case 1:
			s.Message = append(s.Message, 0)
		case 2:
			s.Signature = s.Signature[:r.IntN(64)]
		case 3:
			addOrder(s.Signature[32:])
		case 4:
			s.Signature = append(s.Signature, 0)
		case 5:
			s.Key, s.Signature = coldKey, ed25519.Sign(cold, message)
		case 6:
			s.Key = coldKey
		}
		list = append(list, s)
	}
	same(t, v, list)
	for i := range list {
		same(t, v, list[i:i+1])
	}
}

// same holds Verify against the standard library, and wants both answers to occur in a
// long list.
func same(t *testing.T, v *Verifier, list []Signed) {
	t.Helper()
	good := 0
	for i, got := range v.Verify(list) {
		s := list[i]
		if want := ed25519.Verify(s.Key[:], s.Message, s.Signature); got != want {
			t.Errorf("%d: key %x, signature %x: %v, not %v", i, s.Key, s.Signature, got, want)
		}
		if got {
			good++
		}
	}
	if len(list) > 100 && (good == 0 || good == len(list)) {
		t.Errorf("%d of %d are good", good, len(list))
	}
}

// addOrder adds the group's order to a scalar, which stays the same number modulo it.
func addOrder(scalar []byte) {
	order, _ := hex.DecodeString("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	carry := 0
	for i := range scalar {
		n := int(scalar[i]) + int(order[i]) + carry
		scalar[i], carry = byte(n), n>>8
	}
}

// small are the points of order 1, 2, 4 and 8, and encodings of them that are not
// canonical: where verifiers of batches and of single signatures differ from one another.
var small = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// Keys and commitments with a part of small order are judged as the standard library does.
func TestSmallOrder(t *testing.T) {
	v := new(Verifier)
	yes := 0
	for _, a := range small {
		raw, _ := hex.DecodeString(a)
		for _, mixed := range []bool{false, true} {
			pub := [32]byte(raw)
			if mixed {
				pub = [32]byte(mixedKey(t, raw).Bytes())
			}
			warm(t, v, pub)
			var list []Signed
			for _, r := range small {
				for i := range 24 {
					commitment, _ := hex.DecodeString(r)
					list = append(list, Signed{pub, []byte{byte(i)}, append(commitment, make([]byte, 32)...)})
				}
			}
			same24(t, v, list, &yes)
		}
	}
	if yes == 0 {
		t.Error("no signature of a point of small order is good for either; the test tests nothing")
	}
}

func same24(t *testing.T, v *Verifier, list []Signed, yes *int) {
	t.Helper()
	for i, got := range v.Verify(list) {
		s := list[i]
		want := ed25519.Verify(s.Key[:], s.Message, s.Signature)
		if got != want {
			t.Errorf("key %x, commitment %x: %v, not %v", s.Key, s.Signature[:32], got, want)
		}
		if want {
			*yes++
		}
	}
}

// mixedKey is an honest key plus a point of small order.
func mixedKey(t *testing.T, raw []byte) *edwards25519.Point {
	t.Helper()
	torsion, err := new(edwards25519.Point).SetBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	honest, err := new(edwards25519.Point).SetBytes(private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return honest.Add(honest, torsion)
}

// A key that is no point verifies nothing, however often it is asked.
func TestNoPoint(t *testing.T) {
	v := new(Verifier)
	raw := [32]byte{2}
	for _, err := new(edwards25519.Point).SetBytes(raw[:]); err == nil; _, err = new(edwards25519.Point).SetBytes(raw[:]) {
		raw[0]++
	}
	for range 2 * tableFrom {
		if v.Verify([]Signed{{raw, nil, make([]byte, 64)}})[0] {
			t.Fatal("it verified")
		}
	}
}

// More keys than may have tables verify all the same, and the tables stay bounded.
func TestManyKeys(t *testing.T) {
	v := new(Verifier)
	for i := range 2*maxTables + 4 {
		private, key := pair(byte(10 + i))
		warm(t, v, key)
		if !v.Verify([]Signed{{key, []byte("m"), ed25519.Sign(private, []byte("m"))}})[0] {
			t.Errorf("key %d does not verify", i)
		}
		if v.known.tables > maxTables {
			t.Fatalf("%d tables", v.known.tables)
		}
	}
	for i := range 2 * maxKeys {
		v.Verify([]Signed{{[32]byte{byte(i), byte(i >> 8)}, nil, nil}})
		if len(v.known.used) > maxKeys {
			t.Fatalf("%d keys", len(v.known.used))
		}
	}
}

// BenchmarkOneKey holds a hundred signatures of one key against as many by the standard
// library. "ratio" is the library's time over ours.
func BenchmarkOneKey(b *testing.B) {
	v := new(Verifier)
	private, key := pair(1)
	warm(b, v, key)
	message := make([]byte, 500)
	list := make([]Signed, 100)
	for i := range list {
		message[0] = byte(i)
		list[i] = Signed{key, bytes.Clone(message), ed25519.Sign(private, message)}
	}
	var ours, theirs time.Duration
	for b.Loop() {
		start := time.Now()
		v.Verify(list)
		middle := time.Now()
		for i := range list {
			ed25519.Verify(key[:], list[i].Message, list[i].Signature)
		}
		ours, theirs = ours+middle.Sub(start), theirs+time.Since(middle)
	}
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
}
