package auth

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

var recoverable = []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestActiveRSAOfRecordings checks Doc 9303-11 App. F and the signatures of real chips.
func TestActiveRSAOfRecordings(t *testing.T) {
	var file struct {
		Cases []struct {
			ID             string
			Group15        string `json:"group15"`
			Challenge      string
			Signature      string
			Hash           string
			Recoverable    string `json:"recoverable_part"`
			Digest         string
			Representative string
			Bits           int `json:"modulus_bits"`
			Valid          bool
		}
	}
	load(t, testdata.Vectors(t, "worked/active-auth-rsa.json"), &file)
	if len(file.Cases) == 0 {
		t.Fatal("no cases")
	}
	for _, c := range file.Cases {
		if c.Group15 == "" {
			part, digest, h, err := openFrame(unhex(t, c.Representative), c.Bits)
			if err != nil || !bytes.Equal(part, unhex(t, c.Recoverable)) || !bytes.Equal(digest, unhex(t, c.Digest)) || h != crypto.SHA1 ||
				!bytes.Equal(sum(h, append(part[:len(part):len(part)], unhex(t, c.Challenge)...)), digest) {
				t.Errorf("%s: %X, %X, %v, %v", c.ID, part, digest, h, err)
			}
			continue
		}
		pub, err := lds.ParseDG15(unhex(t, c.Group15))
		if err != nil {
			t.Fatal(err)
		}
		proof, err := VerifyActive(pub, 0, [8]byte(unhex(t, c.Challenge)), unhex(t, c.Signature))
		if c.Valid != (err == nil) || !c.Valid && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.ID, err)
		}
		if want := map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256}[c.Hash]; c.Valid && err == nil && proof.Hash != want {
			t.Errorf("%s: %v", c.ID, proof.Hash)
		}
	}
}

// TestActiveRSASelfPlay runs keys of every usual size under every hash.
func TestActiveRSASelfPlay(t *testing.T) {
	for _, bits := range []int{1024, 2048, 3072} {
		key := rsaKey(t, bits)
		for _, h := range recoverable {
			chip, err := NewActiveChipRSA(key, h)
			if err != nil {
				t.Errorf("RSA %d, %v: %v", bits, h, err)
				continue
			}
			pub, err := cert.NewPublicKey(&key.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := Active(t.Context(), activeCard{chip: chip}, pub, 0, bits/8)
			if err != nil || proof.Hash != h || len(proof.Signature) != bits/8 {
				t.Errorf("RSA %d, %v: %+v, %v", bits, h, proof, err)
			}
		}
	}
}

// TestActiveRSALeadingZeros keeps the zeros in front of a signature and of what it opens to.
func TestActiveRSALeadingZeros(t *testing.T) {
	key := rsaKey(t, 1024)
	pub := cert.PublicKey{RSA: &key.PublicKey}
	zeros := 0
	for i := 0; i < 3000 && zeros < 2; i++ {
		sig, err := signRecovery(key, crypto.SHA256, challenge[:])
		if err != nil {
			t.Fatal(err)
		}
		if sig[0] != 0 {
			continue
		}
		zeros++
		if _, err := VerifyActive(pub, 0, challenge, sig); err != nil {
			t.Errorf("%X: %v", sig, err)
		}
		if _, err := VerifyActive(pub, 0, challenge, sig[1:]); !errors.Is(err, ErrSignature) {
			t.Errorf("without its zero: %v", err)
		}
	}
	if zeros == 0 {
		t.Error("no signature begins with zero")
	}
}

// TestActiveRSALyingChip gives signatures that are none of the key over the challenge, and
// frames that ISO/IEC 9796-2 does not know.
func TestActiveRSALyingChip(t *testing.T) {
	key, other := rsaKey(t, 1024), rsaKey(t, 1024)
	pub := cert.PublicKey{RSA: &key.PublicKey}
	good := func() []byte {
		sig, err := signRecovery(key, crypto.SHA256, challenge[:])
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	// raw signs any frame.
	raw := func(frame []byte) []byte {
		return new(big.Int).Exp(new(big.Int).SetBytes(frame), key.D, key.N).FillBytes(make([]byte, 128))
	}
	frame := func(change func([]byte) []byte) []byte {
		f := new(big.Int).Exp(new(big.Int).SetBytes(good()), big.NewInt(int64(key.E)), key.N)
		return raw(change(f.FillBytes(make([]byte, 128))))
	}
	if _, err := VerifyActive(pub, 0, challenge, good()); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyActive(pub, 0, challenge, frame(func(b []byte) []byte { return b })); err != nil {
		t.Fatal(err)
	}
	// The smaller of s and n - s is what the standard gives out; both are taken.
	negative := new(big.Int).Sub(key.N, new(big.Int).SetBytes(good())).FillBytes(make([]byte, 128))
	if _, err := VerifyActive(pub, 0, challenge, negative); err != nil {
		t.Errorf("n - s: %v", err)
	}
	otherSig, _ := signRecovery(other, crypto.SHA256, challenge[:])
	oldSig, _ := signRecovery(key, crypto.SHA256, make([]byte, 8))
	for name, sig := range map[string][]byte{
		"empty":            nil,
		"cut":              good()[:127],
		"an octet more":    append(good(), 0),
		"zero":             make([]byte, 128),
		"one":              append(make([]byte, 127), 1),
		"modulus":          key.N.Bytes(),
		"another key":      otherSig,
		"an old challenge": oldSig,
		"a bit wrong":      frame(func(b []byte) []byte { b[5] ^= 1; return b }),
		"trailer BC":       frame(func(b []byte) []byte { b[127] = 0xBC; return b }),
		"unknown hash":     frame(func(b []byte) []byte { b[126] = 0x31; return b }),
		"other hash":       frame(func(b []byte) []byte { b[126] = 0x33; return b }),
		"no trailer":       frame(func(b []byte) []byte { b[127] = 0x0C; return b }),
		"header 4A":        frame(func(b []byte) []byte { b[0] = 0x4A; return b }),
		"header 00":        frame(func(b []byte) []byte { b[0] = 0; return b }),
		"padding, no end":  frame(func(b []byte) []byte { b[0] = 0x6B; return b }),
	} {
		if proof, err := VerifyActive(pub, 0, challenge, sig); proof != nil || !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Padding in front of the recovered part is good.
	part := []byte("short")
	padded := append([]byte{0x6B}, bytes.Repeat([]byte{0xBB}, 128-1-1-5-32-2)...)
	padded = append(append(append(padded, 0xBA), part...), sum(crypto.SHA256, append(part[:5:5], challenge[:]...))...)
	if _, err := VerifyActive(pub, 0, challenge, raw(append(padded, 0x34, 0xCC))); err != nil {
		t.Errorf("padded: %v", err)
	}
	if _, err := NewActiveChipRSA(key, crypto.MD5); !errors.Is(err, ErrUnsupported) {
		t.Errorf("MD5: %v", err)
	}
	chip, err := NewActiveChipRSA(key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if r := chip.Process(apdu.Command{INS: 0x88, Data: challenge[:7], Le: 256}); r.Status != apdu.WrongLength {
		t.Errorf("a challenge of seven octets: %v", r.Status)
	}
}

func FuzzActiveRSA(f *testing.F) {
	f.Add(append(append([]byte{0x6A}, make([]byte, 93)...), append(make([]byte, 32), 0x34, 0xCC)...), 1024)
	f.Add([]byte{0x06, 0xBA, 0xBC}, 20)
	f.Fuzz(func(t *testing.T, frame []byte, bits int) {
		if bits < 1024 || len(frame) != (bits+7)/8 {
			return
		}
		part, digest, h, err := openFrame(frame, bits)
		if err == nil && (len(digest) != h.Size() || len(part)+len(digest) > len(frame)) {
			t.Errorf("%X: %X, %X", frame, part, digest)
		}
	})
}
