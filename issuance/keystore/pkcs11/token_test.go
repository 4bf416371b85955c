//go:build cgo && !nopkcs11

package pkcs11

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	p11 "github.com/miekg/pkcs11"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/keystore/softhsmtest"
	"github.com/tamthe/tamthe/testdata"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// open opens a new SoftHSM token.
func open(t *testing.T, o Options) (*Token, *softhsmtest.Token) {
	t.Helper()
	hsm := softhsmtest.New(t, "office")
	m := &Modules{}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return must(m.Open(t.Context(), must(ParseURI(hsm.URI()))(t), o))(t), hsm
}

var _ interface {
	keystore.Ring
	keystore.Secrets
} = (*Token)(nil)

// TestAlgorithms: every kind of key is made in the token and signs what package cert, or
// whoever has the public key, verifies.
func TestAlgorithms(t *testing.T) {
	ctx := t.Context()
	token, _ := open(t, Options{})
	names := []string{"RSA-2048"}
	for _, c := range curves() {
		names = append(names, c.Name())
	}
	for _, algorithm := range names {
		name := strings.ToLower("key-" + algorithm)
		made := must(token.Generate(ctx, name, strings.ToUpper(algorithm)))(t)
		key := must(token.Signer(ctx, name))(t)
		pub := must(cert.NewPublicKey(key.Public()))(t)
		if other := must(cert.NewPublicKey(made.Public()))(t); !other.Equal(pub) {
			t.Errorf("%s: opened as another key", algorithm)
		}
		alg := must(cert.DefaultAlgorithm(key.Public()))(t)
		all := []cert.Algorithm{alg}
		if pub.RSA != nil {
			all = append(all, cert.Algorithm{Scheme: cert.RSAPKCS1, Hash: crypto.SHA256},
				cert.Algorithm{Scheme: cert.RSAPKCS1, Hash: crypto.SHA512},
				cert.Algorithm{Scheme: cert.RSAPSS, Hash: crypto.SHA384, MGFHash: crypto.SHA384, SaltLength: 20})
		} else { // a hash longer than the order
			all = append(all, alg.WithHash(crypto.SHA512))
		}
		for _, alg := range all {
			sig, err := cert.SignMessage(key, alg, []byte("message"))
			if err != nil {
				t.Errorf("%s: %v: %v", algorithm, alg, err)
				continue
			}
			if err := cert.Verify(pub, alg, []byte("message"), sig); err != nil {
				t.Errorf("%s: %v: %v", algorithm, alg, err)
			}
			opensslVerifies(t, pub, alg, sig)
		}
		if _, err := token.Generate(ctx, name, "P-256"); !errors.Is(err, keystore.ErrExists) {
			t.Errorf("%s: made twice: %v", algorithm, err)
		}
	}
	for _, i := range must(token.List(ctx))(t) {
		if i.Exposed || !i.Made || !strings.EqualFold("key-"+i.Algorithm, i.Name) {
			t.Errorf("%+v", i)
		}
	}
	if n := len(must(token.List(ctx))(t)); n != len(names) {
		t.Errorf("%d keys are listed, not %d", n, len(names))
	}
}

// opensslVerifies has another implementation verify a signature of "message".
func opensslVerifies(t *testing.T, pub cert.PublicKey, alg cert.Algorithm, sig []byte) {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := file("key", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub.Raw}))
	args := []string{"dgst", "-" + strings.ReplaceAll(alg.Hash.String(), "-", ""), "-verify", key, "-signature", file("sig", sig)}
	if alg.Scheme == cert.RSAPSS {
		args = append(args, "-sigopt", "rsa_padding_mode:pss", "-sigopt", fmt.Sprintf("rsa_pss_saltlen:%d", alg.SaltLength))
	}
	if out, err := exec.Command(openssl, append(args, file("message", []byte("message")))...).CombinedOutput(); err != nil {
		t.Errorf("%v, %v: %v\n%s", pub, alg, err, out)
	}
}

func TestEd25519(t *testing.T) {
	ctx := t.Context()
	token, _ := open(t, Options{})
	key := must(token.Generate(ctx, "log", keystore.Ed25519))(t)
	sig, err := key.Sign(nil, []byte("checkpoint"), crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok || !ed25519.Verify(pub, []byte("checkpoint"), sig) {
		t.Errorf("%T", key.Public())
	}
	if _, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, keystore.ErrAlgorithm) {
		t.Errorf("signs a digest: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	ctx := t.Context()
	token, hsm := open(t, Options{})
	if _, err := token.Signer(ctx, "csca"); !errors.Is(err, keystore.ErrMissing) {
		t.Error(err)
	}
	if err := token.Destroy(ctx, "csca"); !errors.Is(err, keystore.ErrMissing) {
		t.Error(err)
	}
	if _, err := token.Generate(ctx, "csca", "P-999"); !errors.Is(err, keystore.ErrAlgorithm) {
		t.Error(err)
	}
	if _, err := token.Generate(ctx, "../csca", "P-256"); !errors.Is(err, keystore.ErrName) {
		t.Error(err)
	}
	key := must(token.Generate(ctx, "csca", "P-256"))(t)
	for _, digest := range [][]byte{nil, make([]byte, 31), make([]byte, 33)} {
		if _, err := key.Sign(nil, digest, crypto.SHA256); !errors.Is(err, keystore.ErrAlgorithm) {
			t.Errorf("%d octets: %v", len(digest), err)
		}
	}
	if err := token.Destroy(ctx, "csca"); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	if _, err := key.Sign(nil, sum[:], crypto.SHA256); !errors.Is(err, keystore.ErrMissing) {
		t.Errorf("a destroyed key: %v", err)
	}
	if list := must(token.List(ctx))(t); len(list) != 0 {
		t.Errorf("%+v", list)
	}

	// Of two keys with one name none is taken.
	other := must((&Modules{loaded: map[string]*module{token.module.path: token.module}}).Open(ctx, token.uri, Options{}))(t)
	for i, k := range []*Token{token, other} {
		kinds := must(pairs("P-256"))(t)
		err := k.do(ctx, true, func(s session) error {
			_, _, err := s.GenerateKeyPair(s.handle, mechanisms(kinds[0].mechanism), append(kinds[0].public, named(2, 3, "twin", []byte{byte(i)})...),
				named(3, 3, "twin", []byte{byte(i)}, secret()...))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := token.Signer(ctx, "twin"); !errors.Is(err, ErrAmbiguous) {
		t.Error(err)
	}
	uri := token.uri
	uri.Object, uri.ID = "twin", []byte{1}
	m := &Modules{loaded: map[string]*module{token.module.path: token.module}}
	if _, err := must(m.Open(ctx, uri, Options{}))(t).Key(ctx); err != nil {
		t.Errorf("the identifier tells them apart: %v", err)
	}
	_ = hsm
}

// TestExposed: a key that was brought in, or that could be taken out, is not used unless
// somebody says so.
func TestExposed(t *testing.T) {
	ctx := t.Context()
	token, hsm := open(t, Options{})
	path := filepath.Join(hsm.Dir, "soft")
	made := must(keystore.Generate(path, "P-256"))(t)
	hsm.Import(t, "soft", path)
	list := must(token.List(ctx))(t)
	if len(list) != 1 || list[0].Made {
		t.Errorf("%+v", list)
	}
	err := token.do(ctx, true, func(s session) error {
		kinds := must(pairs("P-256"))(t)
		_, _, err := s.GenerateKeyPair(s.handle, mechanisms(kinds[0].mechanism), append(kinds[0].public, named(2, 3, "open", []byte{9})...),
			named(3, 3, "open", []byte{9}, extractable()...))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Signer(ctx, "open"); !errors.Is(err, ErrExposed) {
		t.Error(err)
	}
	told := newToken(token.module, token.uri, Options{Exposed: true})
	if _, err := told.Signer(ctx, "open"); err != nil {
		t.Error(err)
	}
	key, err := told.Signer(ctx, "soft")
	if err != nil {
		t.Fatal(err)
	}
	if pub := must(cert.NewPublicKey(key.Public()))(t); !pub.EC.Equal(made.Public()) {
		t.Error("another key was brought in")
	}
}

func TestSecrets(t *testing.T) {
	ctx := t.Context()
	token, hsm := open(t, Options{})
	if err := token.GenerateSecret(ctx, "vault", keystore.UseVault); err != nil {
		t.Fatal(err)
	}
	if err := token.GenerateSecret(ctx, "vault", keystore.UseVault); !errors.Is(err, keystore.ErrExists) {
		t.Error(err)
	}
	if _, err := token.Generate(ctx, "vault", "P-256"); !errors.Is(err, keystore.ErrExists) {
		t.Error(err)
	}
	w := must(token.Wrapper(ctx, "vault"))(t)
	dek, label := bytes.Repeat([]byte{7}, 32), []byte("A-1|person")
	one, two := must(w.Wrap(ctx, dek, label))(t), must(w.Wrap(ctx, dek, label))(t)
	if bytes.Equal(one, two) || len(one) != 12+32+16 {
		t.Errorf("%x %x", one, two)
	}
	if got := must(w.Unwrap(ctx, one, label))(t); !bytes.Equal(got, dek) {
		t.Errorf("%x", got)
	}
	for name, c := range map[string]struct{ wrapped, label []byte }{
		"another label":   {one, []byte("A-2|person")},
		"no label":        {one, nil},
		"a changed octet": {append(one[:20:20], append([]byte{one[20] ^ 1}, one[21:]...)...), label},
		"cut":             {one[:len(one)-1], label},
		"nothing":         {nil, label},
	} {
		if got, err := w.Unwrap(ctx, c.wrapped, c.label); !errors.Is(err, keystore.ErrWrapped) || got != nil {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if _, err := token.Deriver(ctx, "vault"); !errors.Is(err, keystore.ErrFormat) {
		t.Errorf("the vault's key derives: %v", err)
	}
	if err := token.GenerateSecret(ctx, "master", keystore.UseCardMaster); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Wrapper(ctx, "master"); !errors.Is(err, keystore.ErrFormat) {
		t.Errorf("the master key wraps: %v", err)
	}
	d := must(token.Deriver(ctx, "master"))(t)
	if a, b := must(d.Derive(ctx, []byte("x")))(t), must(d.Derive(ctx, []byte("x")))(t); !bytes.Equal(a, b) || len(a) != aes.BlockSize {
		t.Errorf("%x, %x", a, b)
	}
	if err := token.Destroy(ctx, "vault"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Unwrap(ctx, one, label); !errors.Is(err, keystore.ErrMissing) {
		t.Error(err)
	}

	// The token's CMAC is that of package gp under the same key.
	master := bytes.Repeat([]byte{0x5A}, 32)
	file := filepath.Join(hsm.Dir, "known")
	if err := os.WriteFile(file, master, 0o600); err != nil {
		t.Fatal(err)
	}
	hsm.ImportAES(t, "known", file)
	told := newToken(token.module, token.uri, Options{Exposed: true})
	known := must(told.Deriver(ctx, "known"))(t)
	kdd := gp.KDD{1, 2, 3}
	want := must(gp.Diversify(master, kdd, 0x30))(t)
	var enc []byte
	for i := byte(1); i <= 2; i++ { // SP 800-108 in counter mode, as gp.Diversify has it
		enc = append(enc, must(known.Derive(ctx, append([]byte{i, 0, 0, 0, 1, 0}, kdd[:]...)))(t)...)
	}
	if !bytes.Equal(enc, want.Enc) {
		t.Errorf("%X instead of %X", enc, want.Enc)
	}
}

// TestManySigners: more goroutines than sessions, and every signature verifies.
func TestManySigners(t *testing.T) {
	ctx := t.Context()
	token, _ := open(t, Options{Sessions: 4})
	key := must(token.Generate(ctx, "ds-001", "P-256"))(t)
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for n := range 8 {
				sum := sha256.Sum256([]byte{byte(w), byte(n)})
				sig, err := key.Sign(nil, sum[:], crypto.SHA256)
				if err != nil || !dh.VerifyDER(key.Public().(*dh.Point), sum[:], sig) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(token.pool); n > 5 {
		t.Errorf("%d sessions for 4 at a time", n)
	}
}

// TestTokenLost: the token goes away in the middle of a batch, comes back, and signs on.
func TestTokenLost(t *testing.T) {
	ctx := t.Context()
	token, hsm := open(t, Options{})
	key := must(token.Generate(ctx, "ds-001", "P-256"))(t)
	sum := sha256.Sum256(nil)
	sign := func() error { _, err := key.Sign(nil, sum[:], crypto.SHA256); return err }
	if err := sign(); err != nil {
		t.Fatal(err)
	}
	hsm.Away(t, true)
	for range 3 {
		_, opened := token.Signer(ctx, "ds-001")
		_, made := token.Generate(ctx, "ds-002", "P-256")
		for what, err := range map[string]error{
			"sign": sign(), "open": opened, "make": made, "destroy": token.Destroy(ctx, "ds-001"), "make a secret": token.GenerateSecret(ctx, "vault", keystore.UseVault),
		} {
			if !errors.Is(err, ErrToken) {
				t.Errorf("%s without the token: %v", what, err)
			}
		}
	}
	if err := os.Remove(filepath.Join(hsm.Dir, "tokens")); err != nil {
		t.Fatal(err)
	}
	hsm.Away(t, false)
	soon(t, "the token is back", sign, nil)
	// Another program ends all sessions.
	if err := token.module.again(ctx, token.o.Timeout, token.module.epoch); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := sign(); err != nil {
				t.Errorf("after all sessions ended: %v", err)
			}
		})
	}
	wg.Wait()
	// The token is destroyed, and another one has its name.
	hsm.Delete(t, "office")
	if err := sign(); !errors.Is(err, ErrToken) {
		t.Errorf("deleted: %v", err)
	}
	hsm.Init(t, "office")
	soon(t, "another token of that name", sign, keystore.ErrMissing)
}

// soon repeats what is done until it ends as it must.
func soon(t *testing.T, what string, do func() error, want error) {
	t.Helper()
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(patience / 2) {
		if err = do(); errors.Is(err, want) {
			return
		}
	}
	t.Errorf("%s: %v", what, err)
}

// TestPIN: a wrong PIN from a file is tried once, and not when it could be the last try.
func TestPIN(t *testing.T) {
	ctx := t.Context()
	hsm := softhsmtest.New(t, "office")
	uri := must(ParseURI(hsm.URI()))(t)
	m := &Modules{}
	t.Cleanup(func() { _ = m.Close() })
	if err := os.WriteFile(hsm.PINFile, []byte("000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Open(ctx, uri, Options{}); !errors.Is(err, ErrPIN) || strings.Contains(err.Error(), "000000") {
		t.Error(err)
	}
	uri.PINSource = ""
	if _, err := m.Open(ctx, uri, Options{}); !errors.Is(err, ErrPIN) {
		t.Errorf("nobody was asked: %v", err)
	}
	asked := ""
	ask := func(_ context.Context, token string) ([]byte, error) {
		asked = token
		return []byte(softhsmtest.PIN), nil
	}
	token, err := m.Open(ctx, uri, Options{PIN: ask})
	if err != nil || asked != "office" {
		t.Fatalf("%q, %v", asked, err)
	}
	token.forget()
	if token.pin != nil {
		t.Error("the PIN is still there")
	}
	if _, err := token.Signer(ctx, "x"); !errors.Is(err, ErrToken) {
		t.Errorf("closed: %v", err)
	}
	last := place{}
	last.info.Flags = 0x00000004 | 0x00020000 // login required, final try
	if _, err := token.login(last, "000000", false); !errors.Is(err, ErrPIN) {
		t.Errorf("the last try was spent: %v", err)
	}
	if err := os.Chmod(hsm.PINFile, 0o644); err != nil {
		t.Fatal(err)
	}
	uri.PINSource = "file:" + hsm.PINFile
	if _, err := m.Open(ctx, uri, Options{}); !errors.Is(err, ErrPIN) {
		t.Errorf("others can read the PIN: %v", err)
	}
}

func TestModule(t *testing.T) {
	hsm := softhsmtest.New(t, "office")
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) URI {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("no library"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return URI{ModulePath: path}
	}
	var m, second Modules
	t.Cleanup(func() { _ = m.Close() })
	for what, uri := range map[string]URI{
		"not there": {ModulePath: filepath.Join(dir, "x")}, "a folder": {ModulePath: dir},
		"no library": file("a", 0o600), "others may write": file("b", 0o622),
	} {
		if _, err := m.Open(t.Context(), uri, Options{}); !errors.Is(err, ErrModule) {
			t.Errorf("%s: %v", what, err)
		}
	}
	uri := must(ParseURI(hsm.URI()))(t)
	must(m.Open(t.Context(), uri, Options{}))(t)
	if _, err := second.Open(t.Context(), uri, Options{}); !errors.Is(err, ErrModule) {
		t.Errorf("a second owner: %v", err)
	}
	uri.Token = "another"
	if _, err := m.Open(t.Context(), uri, Options{}); !errors.Is(err, ErrToken) {
		t.Errorf("no such token: %v", err)
	}
}

func mechanisms(m uint) []*p11.Mechanism { return []*p11.Mechanism{p11.NewMechanism(m, nil)} }

func extractable() []*p11.Attribute {
	return []*p11.Attribute{p11.NewAttribute(p11.CKA_SENSITIVE, true), p11.NewAttribute(p11.CKA_EXTRACTABLE, true)}
}
