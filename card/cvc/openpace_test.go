package cvc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

// schemes are OpenPACE's names of the algorithms.
var schemes = map[Algorithm]string{
	RSAv15SHA1: "RSA_v1_5_SHA_1", RSAv15SHA256: "RSA_v1_5_SHA_256", RSAv15SHA512: "RSA_v1_5_SHA_512",
	RSAPSSSHA1: "RSA_PSS_SHA_1", RSAPSSSHA256: "RSA_PSS_SHA_256", RSAPSSSHA512: "RSA_PSS_SHA_512",
	ECDSASHA1: "ECDSA_SHA_1", ECDSASHA224: "ECDSA_SHA_224", ECDSASHA256: "ECDSA_SHA_256",
	ECDSASHA384: "ECDSA_SHA_384", ECDSASHA512: "ECDSA_SHA_512",
}

// openPACE skips the test where the tools of OpenPACE are not installed.
func openPACE(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"cvc-create", "cvc-print"} {
		if _, err := exec.LookPath(tool); err != nil {
			testdata.Missing(t, "openpace", tool+" is not installed (Debian package openpace)")
		}
	}
}

func run(t *testing.T, dir, tool string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// pkcs8 writes a new key for an algorithm and returns the file's name.
func pkcs8(t *testing.T, dir, name string, a Algorithm) string {
	t.Helper()
	var key any
	var err error
	if a.RSA() {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), der, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestReadsOpenPACE has OpenPACE make chains in every algorithm, and believes them.
func TestReadsOpenPACE(t *testing.T) {
	openPACE(t)
	for a, scheme := range schemes {
		dir := t.TempDir()
		parse := func(name string) *Certificate {
			raw, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(raw)
			if err != nil {
				t.Fatalf("%s, %s: %v", scheme, name, err)
			}
			return c
		}
		until := time.Now().AddDate(1, 0, 0).Format("060102")
		create := func(name, role, by, byKey, key string, more ...string) {
			args := append([]string{
				"--role=" + role, "--chr=" + name, "--expires=" + until, "--scheme=" + scheme, "--sign-with=" + byKey, "--key=" + key, "--out-cert=" + name,
			}, more...)
			if by != "" {
				args = append(args, "--sign-as="+by)
			}
			run(t, dir, "cvc-create", args...)
		}
		cvca, dv, is := pkcs8(t, dir, "cvca.p8", a), pkcs8(t, dir, "dv.p8", a), pkcs8(t, dir, "is.p8", a)
		create("XOCVCA00001", "cvca", "", cvca, cvca, "--type=is", "--read-finger", "--read-iris")
		create("XODV00001", "dv_domestic", "XOCVCA00001", cvca, dv, "--read-finger", "--read-iris")
		create("XOIS00001", "terminal", "XODV00001", dv, is, "--read-finger")
		root := parse("XOCVCA00001")
		chain := NewChain([]TrustPoint{root.TrustPoint()}, root.Effective)
		if err := show(chain, parse("XODV00001"), parse("XOIS00001")); err != nil {
			t.Errorf("%s: %v", scheme, err)
			continue
		}
		if _, rights, err := chain.Terminal("XOIS00001"); err != nil || !rights.Has(ReadDG3) || rights.Has(ReadDG4) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// TestOpenPACEReads has OpenPACE verify what this package signs, and refuse what it does
// not.
func TestOpenPACEReads(t *testing.T) {
	openPACE(t)
	for a, scheme := range schemes {
		p := newPKI(t, a)
		dir := t.TempDir()
		trusted := filepath.Join(dir, "trusted")
		if err := os.Mkdir(trusted, 0o700); err != nil {
			t.Fatal(err)
		}
		write := func(name string, b []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("trusted/XOCVCA00001", p.cvca.Raw)
		today := time.Now() // OpenPACE asks the clock
		dv := p.sign(t, "XOCVCA00001", "XODV00001", NewCHAT(InspectionSystem, DVDomestic, ReadDG3), On(today.AddDate(0, 0, -1)), On(today.AddDate(0, 1, 0)))
		write("dv", dv.Raw)
		out := run(t, dir, "cvc-print", "--cvc=dv", "--cvc-dir="+trusted)
		for _, want := range []string{"CAR: XOCVCA00001", "CHR: XODV00001", "Inspection system", "Read fingerprint", "certificate verified", "Effective Date: " + dv.Effective.String()} {
			if !strings.Contains(out, want) || strings.Contains(out, "Read iris") {
				t.Errorf("%s: no %q in\n%s", scheme, want, out)
			}
		}
		write("trusted/XOCVCA00001", newPKI(t, a).cvca.Raw) // another key of the name
		if out := run(t, dir, "cvc-print", "--cvc=dv", "--cvc-dir="+trusted); !strings.Contains(out, "certificate not verified") {
			t.Errorf("%s: another key: %s", scheme, out)
		}
		request, err := NewRequest("XOCVCA00001", "XODV00002", a, p.signer(t, "XODV00001"))
		if err != nil {
			t.Fatal(err)
		}
		write("request", request.Raw)
		if out := run(t, dir, "cvc-print", "--csr=request"); !strings.Contains(out, "CHR: XODV00002") {
			t.Errorf("%s: request: %s", scheme, out)
		}
	}
}
