package keystore

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/keystore/helpertest"
)

func TestMain(m *testing.M) {
	helpertest.Run()
	os.Exit(m.Run())
}

func newExec(t *testing.T) (*Exec, *helpertest.Helper) {
	h := helpertest.New(t)
	x := &Exec{Program: h.Program, Timeout: time.Minute}
	t.Cleanup(func() { _ = x.Close() })
	return x, h
}

// TestExec: OpenSSL keeps the keys and signs, and what it signs verifies here.
func TestExec(t *testing.T) {
	ctx := t.Context()
	x, _ := newExec(t)
	var ring Ring = x
	for _, algorithm := range []string{"P-256", "P-521", "brainpoolP384r1", "RSA-2048", Ed25519} {
		name := strings.ToLower("key-" + algorithm)
		made, err := ring.Generate(ctx, name, algorithm)
		if err != nil {
			t.Fatal(algorithm, err)
		}
		opened, err := ring.Signer(ctx, name)
		if err != nil {
			t.Fatal(algorithm, err)
		}
		checkSigns(t, opened, made)
		if _, err := ring.Generate(ctx, name, algorithm); !errors.Is(err, ErrExists) {
			t.Errorf("%s: made twice: %v", algorithm, err)
		}
		if _, ok := opened.Public().(*rsa.PublicKey); ok {
			sum := sha256.Sum256([]byte("x"))
			if _, err := opened.Sign(nil, sum[:], crypto.SHA256); err != nil {
				t.Errorf("PKCS #1: %v", err)
			}
			if _, err := opened.Sign(nil, sum[:], &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: rsa.PSSSaltLengthAuto}); !errors.Is(err, ErrAlgorithm) {
				t.Errorf("a salt of any length: %v", err)
			}
		}
	}
	if err := ring.Destroy(ctx, "key-p-256"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Signer(ctx, "key-p-256"); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if _, err := ring.Generate(ctx, "x", "P-999"); !errors.Is(err, ErrAlgorithm) {
		t.Error(err)
	}
	if _, err := ring.Generate(ctx, "../x", "P-256"); !errors.Is(err, ErrName) {
		t.Error(err)
	}
	var wg sync.WaitGroup
	key, err := ring.Generate(ctx, "many", "P-256")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 8 {
		wg.Go(func() {
			sum := sha256.Sum256([]byte{byte(n)})
			if _, err := key.Sign(nil, sum[:], crypto.SHA256); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestBadHolder: whatever a key holder does, no wrong signature comes out and nothing
// waits for ever; once it behaves again, so does the ring.
func TestBadHolder(t *testing.T) {
	ctx := t.Context()
	x, h := newExec(t)
	key, err := x.Generate(ctx, "ds-001", "P-256")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Generate(ctx, "other", "P-256"); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	for mode, want := range map[string]error{
		helpertest.Silent: ErrTimeout, helpertest.Wrong: ErrSignature, helpertest.Swapped: ErrSignature, helpertest.Garbage: ErrHelper,
		helpertest.Endless: ErrHelper, helpertest.Dies: ErrHelper, helpertest.Late: ErrHelper, helpertest.Refuses: ErrRefused,
		helpertest.Strange: ErrHelper,
	} {
		h.Behave(t, mode)
		if mode == helpertest.Silent {
			x.Timeout = 300 * time.Millisecond
		}
		if sig, err := key.Sign(nil, sum[:], crypto.SHA256); !errors.Is(err, want) || sig != nil {
			t.Errorf("%s: %x, %v", mode, sig, err)
		}
		x.Timeout = time.Minute
		h.Behave(t, helpertest.Good)
		if _, err := key.Sign(nil, sum[:], crypto.SHA256); err != nil {
			t.Errorf("after %s: %v", mode, err)
		}
	}
	if err := x.Destroy(ctx, "ds-001"); err != nil {
		t.Fatal(err)
	}
	if _, err := key.Sign(nil, sum[:], crypto.SHA256); !errors.Is(err, ErrMissing) {
		t.Errorf("the key is gone: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := x.Signer(gone, "other"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestExecProgram(t *testing.T) {
	dir := t.TempDir()
	open := filepath.Join(dir, "open")
	if err := os.WriteFile(open, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o722); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"", "openssl", filepath.Join(dir, "no"), dir, open} {
		x := &Exec{Program: program}
		if _, err := x.Signer(t.Context(), "csca"); !errors.Is(err, ErrHelper) {
			t.Errorf("%q: %v", program, err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestExecChangedByOthers: a program that works is not run once others may write to it.
func TestExecChangedByOthers(t *testing.T) {
	x, h := newExec(t)
	if _, err := x.Generate(t.Context(), "csca", "P-256"); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(h.Dir, "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexec '"+h.Program+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]error{0o700: nil, 0o755: nil, 0o770: ErrHelper, 0o702: ErrHelper} {
		if err := os.Chmod(program, mode); err != nil {
			t.Fatal(err)
		}
		own := &Exec{Program: program, Timeout: x.Timeout}
		if _, err := own.Signer(t.Context(), "csca"); !errors.Is(err, want) {
			t.Errorf("mode %o: %v", mode, err)
		}
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"id":1,"public":"00","signature":"00"}`))
	f.Add([]byte(`{"id":1,"error":"missing","message":"x"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		a, err := parseAnswer(line, 1)
		if err == nil && a.ID != 1 {
			t.Errorf("%+v", a)
		}
		if pub, err := parsePublic(a.Public); (err == nil) == (pub == nil) {
			t.Errorf("%v, %v", pub, err)
		}
	})
}
