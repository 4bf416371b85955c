package cert

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"testing"
)

// Identifiers in DER, from RFC 3279, 4055, 5758 and BSI TR-03111.
func TestSignatureAlgorithms(t *testing.T) {
	for der, want := range map[string]Algorithm{
		"300d06092a864886f70d01010b0500": {Scheme: RSAPKCS1, Hash: crypto.SHA256},
		"300b06092a864886f70d01010d":     {Scheme: RSAPKCS1, Hash: crypto.SHA512}, // no NULL (Estonia)
		"300d06092a864886f70d0101050500": {Scheme: RSAPKCS1, Hash: crypto.SHA1},
		"300d06092a864886f70d0101010500": {Scheme: RSAPKCS1}, // bare rsaEncryption
		"300a06082a8648ce3d040304":       {Scheme: ECDSA, Hash: crypto.SHA512},
		"300c06082a8648ce3d0403020500":   {Scheme: ECDSA, Hash: crypto.SHA256}, // NULL too much (Latvia)
		"300906072a8648ce3d0401":         {Scheme: ECDSA, Hash: crypto.SHA1},
		"300c060a04007f00070101040103":   {Scheme: ECDSAPlain, Hash: crypto.SHA256},
		"300d06092a864886f70d01010a3000": {RSAPSS, crypto.SHA1, crypto.SHA1, 20},
	} {
		id, err := ParseAlgorithmIdentifier(unhex(t, der))
		if err != nil {
			t.Fatal(der, err)
		}
		if got, err := id.Signature(); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", der, got, err, want)
		}
	}
	for name, der := range map[string]string{
		"MD5 with RSA":            "300d06092a864886f70d0101040500",
		"MD2 with RSA":            "300d06092a864886f70d0101020500",
		"PSS without parameters":  "300b06092a864886f70d01010a",
		"PSS with MD5":            "301d06092a864886f70d01010a3010a00e300c06082a864886f70d02050500",
		"PSS with trailer 2":      "301206092a864886f70d01010a3005a303020102",
		"PSS with salt below 0":   "301206092a864886f70d01010a3005a2030201ff",
		"Ed25519":                 "300506032b6570",
		"an OID nobody has named": "300506032a0304",
	} {
		id, err := ParseAlgorithmIdentifier(unhex(t, der))
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := id.Signature(); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := HashByOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("MD5 as a digest: %v", err)
	}
}

func TestAlgorithmIdentifiers(t *testing.T) {
	for _, a := range []Algorithm{
		{Scheme: RSAPKCS1, Hash: crypto.SHA1},
		{Scheme: RSAPKCS1, Hash: crypto.SHA384},
		{Scheme: ECDSA, Hash: crypto.SHA224},
		{Scheme: ECDSA, Hash: crypto.SHA512},
		{RSAPSS, crypto.SHA1, crypto.SHA1, 20},
		{RSAPSS, crypto.SHA256, crypto.SHA256, 32},
		{RSAPSS, crypto.SHA512, crypto.SHA1, 0},
	} {
		der, err := a.Identifier()
		if err != nil {
			t.Fatal(err)
		}
		id, err := ParseAlgorithmIdentifier(der)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := id.Signature(); err != nil || got != a {
			t.Errorf("%x: %+v, %v, want %+v", der, got, err, a)
		}
	}
	for _, a := range []Algorithm{{}, {Scheme: ECDSA}, {Scheme: ECDSA, Hash: crypto.MD5}, {RSAPSS, crypto.MD5, crypto.SHA256, 32}} {
		if der, err := a.Identifier(); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%v: %x, %v", a, der, err)
		}
	}
}

// TestAlgorithmFitsKey keeps a signature from being checked under rules that are not
// the key's.
func TestAlgorithmFitsKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	pss := Algorithm{RSAPSS, crypto.SHA256, crypto.SHA256, 32}
	sig, err := SignMessage(key, pss, []byte("m"))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(pub, pss, []byte("m"), sig); err != nil {
		t.Error(err)
	}
	if err := Verify(pub, pss, []byte("n"), sig); !errors.Is(err, ErrSignature) {
		t.Errorf("other message: %v", err)
	}
	for _, other := range []Algorithm{
		{RSAPSS, crypto.SHA256, crypto.SHA256, 20},
		{RSAPSS, crypto.SHA256, crypto.SHA256, 0}, // crypto/rsa reads 0 as "any"
		{RSAPSS, crypto.SHA256, crypto.SHA1, 32},
		{RSAPSS, crypto.SHA1, crypto.SHA1, 20},
		{Scheme: RSAPKCS1, Hash: crypto.SHA256},
	} {
		if err := Verify(pub, other, []byte("m"), sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	bound := pub
	bound.PSS = &Algorithm{RSAPSS, crypto.SHA384, crypto.SHA384, 32}
	for name, c := range map[string]struct {
		key PublicKey
		alg Algorithm
	}{
		"ECDSA with RSA key":       {pub, Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}},
		"no hash":                  {pub, Algorithm{Scheme: RSAPKCS1}},
		"MD5":                      {pub, Algorithm{Scheme: RSAPKCS1, Hash: crypto.MD5}},
		"key bound to another":     {bound, pss},
		"PKCS1 with PSS-bound key": {bound, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA256}},
		"zero":                     {pub, Algorithm{}},
	} {
		if err := Verify(c.key, c.alg, []byte("m"), sig); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bound.PSS = &Algorithm{Scheme: RSAPSS} // bound to PSS, to no parameters
	if err := Verify(bound, pss, []byte("m"), sig); err != nil {
		t.Error(err)
	}
	if err := Verify(PublicKey{}, pss, []byte("m"), sig); !errors.Is(err, ErrKey) {
		t.Errorf("no key: %v", err)
	}
}
