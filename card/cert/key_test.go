package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/dh"
)

func rsaKeyInfo(n, e *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, oidRSA); b.AddBytes(derNull) })
		b.AddASN1(tags.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1BigInt(n); b.AddASN1BigInt(e) })
		})
	})
	return b.BytesOrPanic()
}

func TestRSAKeyRefusals(t *testing.T) {
	odd := new(big.Int).SetBit(big.NewInt(1), 2047, 1)
	for name, k := range map[string][2]*big.Int{
		"even modulus":       {new(big.Int).Lsh(big.NewInt(1), 2047), big.NewInt(65537)},
		"negative modulus":   {new(big.Int).Neg(odd), big.NewInt(65537)},
		"exponent 1":         {odd, big.NewInt(1)},
		"exponent 0":         {odd, big.NewInt(0)},
		"even exponent":      {odd, big.NewInt(65536)},
		"negative exponent":  {odd, big.NewInt(-3)},
		"exponent of 33 bit": {odd, big.NewInt(1<<32 + 1)},
		"512 bit":            {new(big.Int).SetBit(big.NewInt(1), 511, 1), big.NewInt(65537)},
		"16385 bit":          {new(big.Int).SetBit(big.NewInt(1), 16384, 1), big.NewInt(65537)},
	} {
		if _, err := ParsePublicKey(rsaKeyInfo(k[0], k[1])); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, e := range []int64{3, 17, 38129, 65537, 1<<31 - 1} { // 22 CSCAs have 3
		k, err := ParsePublicKey(rsaKeyInfo(odd, big.NewInt(e)))
		if err != nil || k.RSA.E != int(e) || k.Bits() != 2048 || k.String() != "RSA 2048" {
			t.Errorf("exponent %d: %v", e, err)
		}
	}
}

// TestExplicitParameters changes each value in turn: a known curve is one in all of
// them (CVE-2020-0601).
func TestExplicitParameters(t *testing.T) {
	for _, curve := range knownCurves() {
		key, err := curve.Generate()
		if err != nil {
			t.Fatal(err)
		}
		der, err := MarshalPublicKey(key.Public(), true)
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParsePublicKey(der)
		if err != nil || !k.Explicit || k.EC.Curve() != curve || !k.EC.Equal(key.Public()) {
			t.Fatalf("%s: %+v, %v", curve.Name(), k, err)
		}
		p := curve.Parameters()
		for name, value := range map[string][]byte{
			"p": p.P.Bytes(), "a": p.A.Bytes(), "b": p.B.Bytes(), "Gx": p.Gx.Bytes(), "Gy": p.Gy.Bytes(), "n": p.N.Bytes(),
		} {
			changed := slices.Clone(der)
			at := bytes.Index(changed, value)
			if at < 0 {
				t.Fatalf("%s: %s is not in the key", curve.Name(), name)
			}
			changed[at+len(value)-1] ^= 2
			if _, err := ParsePublicKey(changed); !errors.Is(err, ErrKey) {
				t.Errorf("%s, other %s: %v", curve.Name(), name, err)
			}
		}
		changed := slices.Clone(der) // the cofactor stands behind the order
		changed[bytes.Index(changed, p.N.Bytes())+len(p.N.Bytes())+2] = 4
		if _, err := ParsePublicKey(changed); !errors.Is(err, ErrKey) {
			t.Errorf("%s, cofactor 4: %v", curve.Name(), err)
		}
		changed = slices.Clone(der)
		changed[len(changed)-1] ^= 1 // the subject's own point
		if _, err := ParsePublicKey(changed); !errors.Is(err, ErrKey) {
			t.Errorf("%s, point off the curve: %v", curve.Name(), err)
		}
	}
}

// loose writes parameters as old encoders do: compressed generator, no cofactor.
func TestLooseParameters(t *testing.T) {
	curve := dh.BrainpoolP256r1()
	key, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	p := curve.Parameters()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, oidECKey)
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { addOID(b, oidPrimeField); b.AddASN1BigInt(p.P) })
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1OctetString(p.A.Bytes())
					b.AddASN1OctetString(p.B.Bytes())
				})
				b.AddASN1OctetString(append([]byte{2 + byte(p.Gy.Bit(0))}, p.Gx.Bytes()...))
				b.AddASN1BigInt(p.N)
			})
		})
		b.AddASN1BitString(key.Point().Bytes())
	})
	var f findings
	k, err := f.parsePublicKey(b.BytesOrPanic())
	if err != nil || k.EC.Curve() != curve || len(f) != 1 || f[0].Kind != DefectCofactor {
		t.Errorf("%v, %v, %v", k, err, f)
	}
}

// TestStandardKeys compares our encodings with the standard library's, where it has any.
func TestStandardKeys(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		checkStandard(t, key.Public())
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	checkStandard(t, key.Public())
	if _, err := NewPublicKey("x"); !errors.Is(err, ErrKey) {
		t.Errorf("a string is a key: %v", err)
	}
}

func checkStandard(t *testing.T, pub any) {
	want, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	got, err := MarshalPublicKey(pub, false)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
	k, err := ParsePublicKey(want)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := NewPublicKey(pub)
	if err != nil || !k.Equal(wrapped) || len(k.KeyID()) != 20 || !bytes.Equal(k.KeyID(), wrapped.KeyID()) {
		t.Errorf("%v differs from %v, %v", k, wrapped, err)
	}
	if (PublicKey{}).Equal(PublicKey{}) {
		t.Error("two zero keys are equal")
	}
}

func TestMarshalNoKey(t *testing.T) {
	if _, err := MarshalPublicKey(PublicKey{}, true); !errors.Is(err, ErrKey) {
		t.Error("a zero key is encoded:", err)
	}
}

// TestCertificateOfDH refuses a key that signs nothing, without a look at its parameters.
func TestCertificateOfDH(t *testing.T) {
	group, err := dh.GroupByID(0)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := MarshalPublicKey(group.Base(), false)
	if err != nil {
		t.Fatal(err)
	}
	var f findings
	if k, err := f.signingKey(spki); !errors.Is(err, ErrKey) || k.DH != nil {
		t.Errorf("%v, %v", k, err)
	}
	if _, err := ParsePublicKey(spki); err != nil {
		t.Error(err)
	}
}
