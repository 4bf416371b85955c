package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
)

// selfSigned makes a certificate for a test key.
func selfSigned(t testing.TB, key crypto.Signer, alg cert.Algorithm, named bool) *cert.Certificate {
	t.Helper()
	name, err := cert.NewName(
		cert.Attribute{Type: cert.OIDCountry, Value: "UT"},
		cert.Attribute{Type: cert.OIDCommonName, Value: "Document Signer 1"},
	)
	if err != nil {
		t.Fatal(err)
	}
	k, err := cert.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	tbs, err := cert.Template{
		Serial: big.NewInt(77), Algorithm: alg, Issuer: name, Subject: name,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC),
		PublicKey: key.Public(), Named: named, SubjectKeyID: k.KeyID(), KeyUsage: cert.DigitalSignature,
	}.TBS()
	if err != nil {
		t.Fatal(err)
	}
	der, err := cert.Sign(tbs, alg, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var ecdsa256 = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}

func ecSigner(t testing.TB) (crypto.Signer, *cert.Certificate) {
	t.Helper()
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	return key, selfSigned(t, key, ecdsa256, true)
}

func extra() Attribute {
	return Attribute{asn1.ObjectIdentifier{2, 999, 1}, [][]byte{{2, 1, 7}}}
}

func TestSignRoundTrip(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := dh.BrainpoolP384r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		key crypto.Signer
		alg cert.Algorithm
	}{
		{rsaKey, cert.Algorithm{Scheme: cert.RSAPKCS1, Hash: crypto.SHA256}},
		{rsaKey, cert.Algorithm{Scheme: cert.RSAPSS, Hash: crypto.SHA512, MGFHash: crypto.SHA512, SaltLength: 64}},
		{ecKey, cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA384}},
	} {
		for _, byKeyID := range []bool{false, true} {
			certificate := selfSigned(t, c.key, c.alg, false)
			der, err := Sign(Message{
				ContentType: OIDLDSSecurityObject, Content: []byte("content"), Certificate: certificate,
				Algorithm: c.alg, ByKeyID: byKeyID, SigningTime: at, Attributes: []Attribute{extra()},
			}, c.key)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			if d.BER || len(d.Findings) > 0 || d.Version != 3 || string(d.Content) != "content" {
				t.Errorf("%v: BER %v, findings %v, version %d", c.alg, d.BER, d.Findings, d.Version)
			}
			s := d.Signers[0]
			certs := d.SignerCertificates(s)
			if len(certs) != 1 || !bytes.Equal(certs[0].Raw, certificate.Raw) {
				t.Fatal("signer certificate")
			}
			if err := d.Verify(s, certs[0].PublicKey); err != nil {
				t.Error(err)
			}
			if got, ok := s.SigningTime(); !ok || !got.Equal(at) {
				t.Errorf("signing time %v, %v", got, ok)
			}
			if v, ok := s.Attribute(extra().Type); !ok || !bytes.Equal(v, extra().Values[0]) {
				t.Errorf("extra attribute %x, %v", v, ok)
			}
			if s.DigestAlgorithm.Parameters != nil {
				t.Error("digest algorithm has parameters")
			}
			if alg, err := s.Algorithm(); err != nil || alg != c.alg {
				t.Errorf("algorithm %v, %v", alg, err)
			}
		}
	}
}

func TestSignRefuses(t *testing.T) {
	key, certificate := ecSigner(t)
	good := Message{ContentType: OIDData, Content: []byte{}, Certificate: certificate}
	for name, change := range map[string]func(*Message){
		"no certificate":  func(m *Message) { m.Certificate = nil },
		"no content":      func(m *Message) { m.Content = nil },
		"attribute twice": func(m *Message) { m.Attributes = []Attribute{extra(), extra()} },
		"own digest":      func(m *Message) { m.Attributes = []Attribute{{OIDMessageDigest, [][]byte{{4, 0}}}} },
		"no value":        func(m *Message) { m.Attributes = []Attribute{{Type: extra().Type}} },
		"no type":         func(m *Message) { m.Attributes = []Attribute{{Values: [][]byte{{5, 0}}}} },
	} {
		m := good
		change(&m)
		if _, err := Sign(m, key); !errors.Is(err, ErrStructure) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m := good
	m.Algorithm = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.MD5}
	if _, err := Sign(m, key); !errors.Is(err, cert.ErrAlgorithm) {
		t.Errorf("MD5: %v", err)
	}
	other, _ := ecSigner(t)
	if _, err := Sign(good, other); !errors.Is(err, cert.ErrKey) {
		t.Errorf("other key: %v", err)
	}
	if _, err := Sign(good, key); err != nil {
		t.Error(err)
	}
}

// TestVerifyRefuses damages one thing at a time and wants its own reason.
func TestVerifyRefuses(t *testing.T) {
	key, certificate := ecSigner(t)
	pub := certificate.PublicKey
	fresh := func() (*SignedData, *SignerInfo) {
		der, err := Sign(Message{ContentType: OIDLDSSecurityObject, Content: []byte("content"), Certificate: certificate}, key)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		return d, d.Signers[0]
	}
	for name, c := range map[string]struct {
		want   error
		damage func(*SignedData, *SignerInfo)
	}{
		"content":       {ErrMessageDigest, func(d *SignedData, _ *SignerInfo) { d.Content = []byte("c0ntent") }},
		"detached":      {ErrStructure, func(d *SignedData, _ *SignerInfo) { d.Content = nil }},
		"content type":  {ErrStructure, func(d *SignedData, _ *SignerInfo) { d.ContentType = OIDMasterList }},
		"no attributes": {ErrStructure, func(_ *SignedData, s *SignerInfo) { s.signedAttributes, s.Attributes = nil, nil }},
		"digest twice":  {ErrStructure, func(_ *SignedData, s *SignerInfo) { s.Attributes = append(s.Attributes, s.Attributes...) }},
		"two digests in one": {ErrStructure, func(_ *SignedData, s *SignerInfo) {
			s.Attributes[1].Values = append(s.Attributes[1].Values, []byte{4, 0})
		}},
		"signature":       {cert.ErrSignature, func(_ *SignedData, s *SignerInfo) { s.Signature[len(s.Signature)-1] ^= 1 }},
		"no signature":    {cert.ErrSignature, func(_ *SignedData, s *SignerInfo) { s.Signature = nil }},
		"attribute bytes": {cert.ErrSignature, func(_ *SignedData, s *SignerInfo) { s.signedAttributes[len(s.signedAttributes)-1] ^= 1 }},
		"MD5 digest": {cert.ErrAlgorithm, func(_ *SignedData, s *SignerInfo) {
			s.DigestAlgorithm.OID = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
		}},
		"unknown signature": {cert.ErrAlgorithm, func(_ *SignedData, s *SignerInfo) { s.SignatureAlgorithm.OID = extra().Type }},
		"RSA by EC key": {cert.ErrAlgorithm, func(_ *SignedData, s *SignerInfo) {
			s.SignatureAlgorithm.OID = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
		}},
	} {
		d, s := fresh()
		c.damage(d, s)
		if err := d.Verify(s, pub); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	d, s := fresh()
	if err := d.Verify(s, cert.PublicKey{}); !errors.Is(err, cert.ErrKey) {
		t.Errorf("no key: %v", err)
	}
	_, other := ecSigner(t)
	if err := d.Verify(s, other.PublicKey); !errors.Is(err, cert.ErrSignature) {
		t.Errorf("other key: %v", err)
	}
}

// TestUnsortedAttributes: signers in the field hash their attributes as sent or in DER
// order; both hold, and the order is a finding.
func TestUnsortedAttributes(t *testing.T) {
	key, certificate := ecSigner(t)
	draft, err := Prepare(Message{ContentType: OIDLDSSecurityObject, Content: []byte("content"), Certificate: certificate})
	if err != nil {
		t.Fatal(err)
	}
	sorted := draft.ToBeSigned()
	first := 2 + 2 + int(sorted[3])
	unsorted := slices.Concat(sorted[:2], sorted[first:], sorted[2:first])
	for name, hashed := range map[string][]byte{"as sent": unsorted, "sorted": sorted} {
		sig, err := cert.SignMessage(key, ecdsa256, hashed)
		if err != nil {
			t.Fatal(err)
		}
		draft.attributes = unsorted
		der, err := draft.Assemble(sig)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Verify(d.Signers[0], certificate.PublicKey); err != nil || !slices.Contains(d.Findings, FindingAttributesOrder) {
			t.Errorf("%s: %v, %v", name, err, d.Findings)
		}
	}
}

// TestOpenSSL verifies what we write with another implementation.
func TestOpenSSL(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	dir := t.TempDir()
	for _, curve := range []*dh.Curve{dh.P256(), dh.P384(), dh.BrainpoolP256r1(), dh.BrainpoolP512r1()} {
		key, err := curve.Generate()
		if err != nil {
			t.Fatal(err)
		}
		alg, err := cert.DefaultAlgorithm(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		for _, named := range []bool{true, false} {
			certificate := selfSigned(t, key, alg, named)
			der, err := Sign(Message{
				ContentType: OIDLDSSecurityObject, Content: []byte("content\n"), Certificate: certificate, Attributes: []Attribute{extra()},
			}, key)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, "signed")
			if err := os.WriteFile(file, der, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(path, "cms", "-verify", "-inform", "DER", "-in", file, "-noverify", "-binary").CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("content\n")) {
				t.Errorf("%s, named %v: %v\n%s", curve.Name(), named, err, out)
			}
		}
	}
}
