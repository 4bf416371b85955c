package cert

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// folder parses every certificate of a folder of the vectors, by the first ten digits
// of its fingerprint.
func folder(t testing.TB, names ...string) map[string]*Certificate {
	t.Helper()
	dir := testdata.Dir(t)
	out := make(map[string]*Certificate)
	for _, name := range names {
		files, err := filepath.Glob(filepath.Join(dir, "pki", name, "*.cer"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no certificates in pki/%s: %v", name, err)
		}
		for _, f := range files {
			der, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(der)
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			if c.KeyErr != nil {
				t.Errorf("%s: key: %v", f, c.KeyErr)
			}
			if len(c.UnknownCritical) > 0 {
				t.Errorf("%s: unknown critical extensions %v", f, c.UnknownCritical)
			}
			id := c.Fingerprint()
			out[hex.EncodeToString(id[:])] = c
		}
	}
	return out
}

var folders = []string{"roots", "odd-csca", "csca-for-sods", "idn-2010-series", "crl"}

type oddCase struct {
	File, SHA256, Country, Serial, Key, Signature string
	NotBefore                                     string   `json:"not_before"`
	NotAfter                                      string   `json:"not_after"`
	SelfSigned                                    bool     `json:"self_signed"`
	Signers                                       []string `json:"signed_by"`
	Features                                      []string
}

func TestOddCSCA(t *testing.T) {
	certs := folder(t, folders...)
	var index struct{ Cases []oddCase }
	if err := json.Unmarshal(testdata.Vectors(t, "pki/odd-csca/index.json"), &index); err != nil {
		t.Fatal(err)
	}
	for _, c := range index.Cases {
		t.Run(strings.TrimSuffix(filepath.Base(c.File), ".cer"), func(t *testing.T) {
			got, ok := certs[c.SHA256]
			if !ok {
				t.Fatal("not loaded")
			}
			checkOdd(t, c, got, certs)
		})
	}
}

func checkOdd(t *testing.T, want oddCase, got *Certificate, all map[string]*Certificate) {
	if c := got.Subject.Country(); c != want.Country {
		t.Errorf("country %s, want %s", c, want.Country)
	}
	if serial, ok := new(big.Int).SetString(want.Serial, 16); ok && got.Serial.Cmp(serial) != 0 {
		t.Errorf("serial %x, want %s", got.Serial, want.Serial)
	}
	if b, a := got.NotBefore.Format("2006-01-02"), got.NotAfter.Format("2006-01-02"); b != want.NotBefore || a != want.NotAfter {
		t.Errorf("valid %s to %s, want %s to %s", b, a, want.NotBefore, want.NotAfter)
	}
	if got.SelfSigned() != want.SelfSigned {
		t.Errorf("self-signed %v, want %v", !want.SelfSigned, want.SelfSigned)
	}
	for _, id := range want.Signers {
		if signer, ok := all[id]; ok {
			if err := got.CheckSignature(signer.PublicKey); err != nil {
				t.Errorf("signed by %s: %v", signer.Subject, err)
			}
		}
	}
	for feature, defect := range map[string]DefectKind{
		"negative serial": DefectSerialNegative,
		"zero serial":     DefectSerialZero,
		"Go crypto/x509 refuses: invalid basic constraints": DefectBoolean,
	} {
		if has(got, defect) != slices.Contains(want.Features, feature) {
			t.Errorf("defects %v with features %v", got.Defects, want.Features)
		}
	}
	if got.PublicKey.EC != nil && got.PublicKey.Explicit != slices.Contains(want.Features, "explicit curve parameters") && !slices.Contains(want.Features, "link certificate") {
		t.Errorf("explicit parameters %v, features %v", got.PublicKey.Explicit, want.Features)
	}
	if slices.Contains(want.Features, "no basicConstraints") != (got.BasicConstraints == nil) {
		t.Errorf("basicConstraints %v, features %v", got.BasicConstraints, want.Features)
	}
}

func has(c *Certificate, kind DefectKind) bool {
	return slices.ContainsFunc(c.Defects, func(d Defect) bool { return d.Kind == kind })
}

// TestVietnam opens the only Vietnamese certificate in public, which crypto/x509 cannot.
func TestVietnam(t *testing.T) {
	c, err := Parse(testdata.Vectors(t, "pki/odd-csca/VN_6b5fa6fe45.cer"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Subject.String(); got != "C=VN, O=Vietnam Government Information Security Commission, CN=CSCA ePassport Vietnam" {
		t.Errorf("subject %s", got)
	}
	if got := c.PublicKey.String(); got != "brainpoolP512r1" || !c.PublicKey.Explicit || c.PublicKey.Bits() != 512 {
		t.Errorf("key %s, explicit %v, %d bits", got, c.PublicKey.Explicit, c.PublicKey.Bits())
	}
	if alg, err := c.Algorithm.Signature(); err != nil || alg.String() != "ECDSA with SHA-512" {
		t.Errorf("algorithm %v, %v", alg, err)
	}
	if !c.SelfSigned() || !c.IsCA() || c.KeyUsage != KeyCertSign|CRLSign {
		t.Errorf("self-signed %v, CA %v, usage %b", c.SelfSigned(), c.IsCA(), c.KeyUsage)
	}
	if len(c.IssuerAltName) != 3 || c.IssuerAltName[1].Directory.Value(OIDLocality) != "VNM" {
		t.Errorf("issuer alternative name %+v", c.IssuerAltName)
	}
}

func TestColombiaCRL(t *testing.T) {
	l, err := ParseCRL(testdata.Vectors(t, "pki/crl/CO_2020-05-08.crl"))
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := Parse(testdata.Vectors(t, "pki/crl/CO_issuer.cer"))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CheckSignature(issuer.PublicKey); err != nil {
		t.Error(err)
	}
	if !l.Issuer.Equal(issuer.Subject) || l.NextUpdate.IsZero() || l.Number == nil || len(l.UnknownCritical) > 0 {
		t.Errorf("list %v %v %v %v", l.Issuer, l.NextUpdate, l.Number, l.UnknownCritical)
	}
}
