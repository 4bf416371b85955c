package keystore

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
)

func algorithms() []string {
	names := []string{"RSA-2048", Ed25519}
	for _, c := range curves() {
		names = append(names, c.Name())
	}
	return names
}

func TestGenerateAndOpen(t *testing.T) {
	for _, name := range algorithms() {
		path := filepath.Join(t.TempDir(), "key")
		made, err := Generate(path, strings.ToUpper(name))
		if err != nil {
			t.Fatal(name, err)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		opened, err := Open("file:" + path)
		if err != nil {
			t.Fatal(name, err)
		}
		checkSigns(t, opened, made)
		if _, err := Generate(path, name); !errors.Is(err, ErrExists) {
			t.Errorf("%s: written over: %v", name, err)
		}
	}
}

func checkSigns(t *testing.T, signer, made crypto.Signer) {
	t.Helper()
	if _, ok := made.Public().(ed25519.PublicKey); ok {
		sig, err := signer.Sign(nil, []byte("message"), crypto.Hash(0))
		if err != nil || CheckSignature(made.Public(), []byte("message"), crypto.Hash(0), sig) != nil {
			t.Error(err)
		}
		return
	}
	pub, err := cert.NewPublicKey(made.Public())
	if err != nil {
		t.Fatal(err)
	}
	alg, err := cert.DefaultAlgorithm(made.Public())
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cert.SignMessage(signer, alg, []byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.Verify(pub, alg, []byte("message"), sig); err != nil {
		t.Error(err)
	}
}

// TestOpenSSL reads our keys with another implementation, and its keys with ours.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	for _, name := range algorithms() {
		path := filepath.Join(t.TempDir(), "key")
		if _, err := Generate(path, name); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(openssl, "pkey", "-in", path, "-check", "-noout").CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	for _, args := range []string{"EC -pkeyopt ec_paramgen_curve:brainpoolP384r1", "EC -pkeyopt ec_paramgen_curve:P-256", "RSA -pkeyopt rsa_keygen_bits:2048"} {
		dir := t.TempDir()
		pem, der := filepath.Join(dir, "pem"), filepath.Join(dir, "der")
		for _, command := range [][]string{
			append([]string{"genpkey", "-out", pem, "-algorithm"}, strings.Fields(args)...),
			{"pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER", "-out", der},
		} {
			if out, err := exec.Command(openssl, command...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		for _, path := range []string{pem, der} {
			if err := os.Chmod(path, 0o600); err != nil {
				t.Fatal(err)
			}
			key, err := Open("file:" + path)
			if err != nil {
				t.Fatal(args, path, err)
			}
			checkSigns(t, key, key)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return "file:" + path
	}
	good := filepath.Join(dir, "good")
	if _, err := Generate(good, "P-256"); err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]error{
		"":                                    ErrScheme,
		"file:":                               ErrScheme,
		"pkcs11:token=x":                      ErrScheme,
		good:                                  ErrScheme,
		"file:" + filepath.Join(dir, "no"):    ErrMissing,
		"file:" + dir:                         ErrFormat,
		file("empty", "", 0o600):              ErrFormat,
		file("noise", "hello", 0o600):         ErrFormat,
		file("cut", string(pem[:100]), 0o600): ErrFormat,
		file("twice", strings.Repeat(string(pem), 2), 0o600):                       ErrFormat,
		file("large", strings.Repeat("A", maxFile+1), 0o600):                       ErrFormat,
		file("other", strings.ReplaceAll(string(pem), "PRIVATE", "PUBLIC"), 0o600): ErrFormat,
	} {
		if _, err := Open(uri); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", uri, err, want)
		}
	}
	if runtime.GOOS != "windows" {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o601} {
			if _, err := Open(file(fmt.Sprintf("open-%o", mode), string(pem), mode)); !errors.Is(err, ErrPermissions) {
				t.Errorf("mode %o: %v", mode, err)
			}
		}
	}
	if _, err := Generate(filepath.Join(dir, "x"), "P-999"); !errors.Is(err, ErrAlgorithm) {
		t.Error(err)
	}
	if _, err := Generate(filepath.Join(dir, "no", "x"), "P-256"); err == nil {
		t.Error("written into a folder that is not there")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".new") {
			t.Errorf("%s was left behind", e.Name())
		}
	}
}

// TestHalvesMustFit: a file whose public half was exchanged opens as nothing.
func TestHalvesMustFit(t *testing.T) {
	a, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	b, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	der, err := marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsePKCS8(bytes.Replace(der, a.Point().Bytes(), b.Point().Bytes(), 1)); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	if k, err := parsePKCS8(der); err != nil || !a.Point().Equal(k.Public()) {
		t.Error(err)
	}
}

func FuzzParsePKCS8(f *testing.F) {
	for _, curve := range []*dh.Curve{dh.P256(), dh.BrainpoolP384r1()} {
		k, err := curve.Generate()
		if err != nil {
			f.Fatal(err)
		}
		der, err := marshal(k)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if k, err := parsePKCS8(der); err == nil && k.Public() == nil {
			t.Error("a key without public half")
		}
	})
}

// TestEd25519SignsNoDigest: a holder of the key is not even asked.
func TestEd25519SignsNoDigest(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	asked := 0
	signer := NewSigner(key.Public(), func(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		asked++
		return key.Sign(nil, digest, crypto.Hash(0))
	})
	if _, err := signer.Sign(nil, make([]byte, 64), crypto.SHA512); !errors.Is(err, ErrAlgorithm) || asked > 0 {
		t.Errorf("%v, asked %d times", err, asked)
	}
	if _, err := signer.Sign(nil, make([]byte, 64), nil); err != nil || asked != 1 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}
