package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
)

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// rootTemplate is a CSCA with every extension of Doc 9303-12 table 5 for it.
func rootTemplate(t testing.TB, key crypto.PublicKey, named bool) Template {
	t.Helper()
	alg, err := DefaultAlgorithm(key)
	if err != nil {
		t.Fatal(err)
	}
	name := mustName(t, Attribute{Type: OIDCountry, Value: "UT"}, Attribute{Type: OIDOrganization, Value: "Utopia SPECIMEN"}, Attribute{Type: OIDCommonName, Value: "CSCA Utopia"})
	k, err := NewPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	names := []GeneralName{MailName("csca@example.org"), DirectoryName(mustName(t, Attribute{Type: OIDLocality, Tag: 19, Value: "UTO"}))}
	return Template{
		Serial: new(big.Int).SetBytes(unhex(t, "5af0e1d2c3b4a5968778695a4b3c2d1e0f0a0b0c")), Algorithm: alg, Issuer: name, Subject: name,
		NotBefore: date(2026, 1, 1), NotAfter: date(2056, 4, 1), PublicKey: key, Named: named,
		AuthorityKeyID: k.KeyID(), SubjectKeyID: k.KeyID(), KeyUsage: KeyCertSign | CRLSign,
		PrivateKeyUsage: &Period{date(2026, 1, 1), date(2031, 1, 1)}, SubjectAltName: names, IssuerAltName: names,
		BasicConstraints: &BasicConstraints{CA: true}, CRLDistributionPoints: []string{"https://example.org/ut.crl", "ldap://example.org/ut"},
		NameChange: true,
	}
}

func write(t testing.TB, tbs []byte, err error, alg Algorithm, key crypto.Signer) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := Sign(tbs, alg, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func signers(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	out := make(map[string]crypto.Signer)
	for _, c := range knownCurves() {
		k, err := c.Generate()
		if err != nil {
			t.Fatal(err)
		}
		out[c.Name()] = k
	}
	std, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out["crypto/ecdsa"] = std
	if out["RSA"], err = rsa.GenerateKey(rand.Reader, 3072); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCertificateRoundTrip writes what the reader reads without a defect.
func TestCertificateRoundTrip(t *testing.T) {
	for name, key := range signers(t) {
		for _, named := range []bool{false, true} {
			want := rootTemplate(t, key.Public(), named)
			tbs, err := want.TBS()
			der := write(t, tbs, err, want.Algorithm, key)
			c, err := Parse(der)
			if err != nil || c.KeyErr != nil {
				t.Fatal(name, err, c.KeyErr)
			}
			if len(c.Defects) > 0 || len(c.UnknownCritical) > 0 {
				t.Errorf("%s: %v, %v", name, c.Defects, c.UnknownCritical)
			}
			if !c.SelfSigned() || !bytes.Equal(c.RawTBS, tbs) {
				t.Errorf("%s: does not verify", name)
			}
			if c.PublicKey.EC != nil && c.PublicKey.Explicit == named {
				t.Errorf("%s: explicit %v", name, c.PublicKey.Explicit)
			}
			compare(t, want, c)
		}
	}
}

func compare(t *testing.T, want Template, c *Certificate) {
	t.Helper()
	for field, same := range map[string]bool{
		"serial":      c.Serial.Cmp(want.Serial) == 0,
		"issuer":      bytes.Equal(c.Issuer.Raw, want.Issuer.Raw),
		"subject":     bytes.Equal(c.Subject.Raw, want.Subject.Raw),
		"validity":    c.NotBefore.Equal(want.NotBefore) && c.NotAfter.Equal(want.NotAfter),
		"AKI":         bytes.Equal(c.AuthorityKeyID, want.AuthorityKeyID),
		"SKI":         bytes.Equal(c.SubjectKeyID, want.SubjectKeyID),
		"usage":       c.KeyUsage == want.KeyUsage,
		"period":      *c.PrivateKeyUsage == *want.PrivateKeyUsage,
		"names":       len(c.SubjectAltName) == len(want.SubjectAltName) && c.SubjectAltName[0].Value == want.SubjectAltName[0].Value,
		"constraints": (c.BasicConstraints == nil) == (want.BasicConstraints == nil),
		"points":      slices.Equal(c.CRLDistributionPoints, want.CRLDistributionPoints),
		"types":       slices.Equal(c.DocumentTypes, want.DocumentTypes),
		"name change": c.NameChange == want.NameChange,
		"purposes":    slices.EqualFunc(c.ExtKeyUsage, want.ExtKeyUsage, asn1.ObjectIdentifier.Equal),
	} {
		if !same {
			t.Errorf("%s differs", field)
		}
	}
}

func TestTemplateRefuses(t *testing.T) {
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Template){
		"no serial":         func(t *Template) { t.Serial = nil },
		"serial zero":       func(t *Template) { t.Serial = new(big.Int) },
		"serial too long":   func(t *Template) { t.Serial = new(big.Int).Lsh(big.NewInt(1), 160) },
		"no subject":        func(t *Template) { t.Subject = Name{} },
		"reversed validity": func(t *Template) { t.NotAfter = t.NotBefore },
		"empty period":      func(t *Template) { t.PrivateKeyUsage = &Period{} },
		"document type":     func(t *Template) { t.DocumentTypes = []string{"Đ"} },
		"mail":              func(t *Template) { t.SubjectAltName = []GeneralName{MailName("")} },
		"URI":               func(t *Template) { t.CRLDistributionPoints = []string{"https://é"} },
		"year 10000":        func(t *Template) { t.NotAfter = date(10000, 1, 1) },
	} {
		tmpl := rootTemplate(t, key.Public(), false)
		change(&tmpl)
		if _, err := tmpl.TBS(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tmpl := rootTemplate(t, key.Public(), false)
	tmpl.Algorithm = Algorithm{Scheme: ECDSA, Hash: crypto.MD5}
	if _, err := tmpl.TBS(); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("MD5: %v", err)
	}
}

// TestKeyUsageBits is RFC 5280 §4.2.1.3 and X.690 §11.2.2 (no trailing zero bits).
func TestKeyUsageBits(t *testing.T) {
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for usage, want := range map[KeyUsage]string{
		DigitalSignature: "03020780", KeyCertSign | CRLSign: "03020106", 1 << 8: "0303070080",
	} {
		tmpl := rootTemplate(t, key.Public(), false)
		tmpl.KeyUsage = usage
		tbs, err := tmpl.TBS()
		c, err := Parse(write(t, tbs, err, tmpl.Algorithm, key))
		if err != nil {
			t.Fatal(err)
		}
		e, ok := c.Extension(OIDKeyUsage)
		if !ok || !e.Critical || hex.EncodeToString(e.Value) != want || c.KeyUsage != usage {
			t.Errorf("%b: %x, critical %v, read %b", usage, e.Value, e.Critical, c.KeyUsage)
		}
	}
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestOpenSSL lets another implementation read and verify what we write. OpenSSL 3
// refuses chains with explicit parameters, so those it only reads.
func TestOpenSSL(t *testing.T) {
	dir := t.TempDir()
	keys := signers(t)
	for _, name := range []string{"P-256", "P-521", "brainpoolP256r1", "brainpoolP512r1", "RSA"} {
		key := keys[name]
		if key == nil {
			t.Fatalf("no key %s", name)
		}
		for _, named := range []bool{false, true} {
			file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
			tmpl := rootTemplate(t, key.Public(), named)
			tbs, err := tmpl.TBS()
			der := write(t, tbs, err, tmpl.Algorithm, key)
			save(t, file+".cer", der)
			text := openssl(t, "x509", "-inform", "DER", "-in", file+".cer", "-noout", "-text")
			for _, want := range []string{
				"Serial Number:", "Not After : Apr  1 00:00:00 2056 GMT", "CA:TRUE, pathlen:0", "Certificate Sign, CRL Sign",
				"Not Before: Jan  1 00:00:00 2026 GMT", "email:csca@example.org, DirName:/L=UTO", "URI:https://example.org/ut.crl",
				"C = UT, O = Utopia SPECIMEN, CN = CSCA Utopia",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%s: openssl does not print %q:\n%s", name, want, text)
				}
			}
			if k, _ := NewPublicKey(key.Public()); k.EC != nil && k.Bits() >= 256 && !named {
				if !strings.Contains(text, "Cofactor:  1 (0x1)") {
					t.Errorf("%s: no cofactor", name)
				}
			}
			if named || name == "RSA" {
				openssl(t, "x509", "-inform", "DER", "-in", file+".cer", "-out", file+".pem")
				openssl(t, "verify", "-check_ss_sig", "-CAfile", file+".pem", file+".pem")
			}
			checkList(t, file, tmpl, key, named || name == "RSA")
		}
	}
}

func checkList(t *testing.T, file string, root Template, key crypto.Signer, verify bool) {
	list := CRLTemplate{
		Algorithm: root.Algorithm, Issuer: root.Subject, ThisUpdate: date(2026, 2, 1), NextUpdate: date(2026, 5, 1),
		Number: big.NewInt(300), AuthorityKeyID: root.SubjectKeyID, Reasons: true,
		Entries: []Revocation{{big.NewInt(0x1234), date(2026, 1, 20), KeyCompromise}, {big.NewInt(0x80), date(2026, 1, 21), Unspecified}},
	}
	tbs, err := list.TBS()
	der := write(t, tbs, err, list.Algorithm, key)
	save(t, file+".crl", der)
	args := []string{"crl", "-inform", "DER", "-in", file + ".crl", "-noout", "-text"}
	if verify {
		args = append(args, "-CAfile", file+".pem")
	}
	text := openssl(t, args...)
	want := []string{"Version 2", "X509v3 CRL Number: \n                300", "Serial Number: 1234", "Key Compromise", "Serial Number: 80"}
	if verify {
		want = append(want, "verify OK")
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s: openssl does not print %q:\n%s", file, w, text)
		}
	}
	l, err := ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := NewPublicKey(key.Public())
	if err := l.CheckSignature(k); err != nil || len(l.Defects) > 0 || l.Number.Int64() != 300 {
		t.Errorf("%s: %v, %v, %v", file, err, l.Defects, l.Number)
	}
	if r, ok := l.Lookup(big.NewInt(0x1234)); !ok || r.Reason.String() != "keyCompromise" || !r.Time.Equal(date(2026, 1, 20)) {
		t.Errorf("%s: %+v, %v", file, r, ok)
	}
	if _, ok := l.Lookup(big.NewInt(0x1235)); ok {
		t.Errorf("%s: finds what is not there", file)
	}
}

func save(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
