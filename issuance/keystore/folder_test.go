package keystore

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/card/gp"
)

func phrase(s string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) { return []byte(s), nil }
}

func TestFolder(t *testing.T) {
	for what, ring := range map[string]Folder{
		"plain":  {Dir: t.TempDir()},
		"sealed": {Dir: t.TempDir(), Passphrase: phrase("correct horse")},
	} {
		t.Run(what, func(t *testing.T) { testFolder(t, ring) })
	}
}

func testFolder(t *testing.T, ring Folder) {
	ctx := t.Context()
	if _, err := ring.Signer(ctx, "csca"); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	made, err := ring.Generate(ctx, "csca", "brainpoolP256r1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Generate(ctx, "csca", "P-256"); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	opened, err := ring.Signer(ctx, "csca")
	if err != nil {
		t.Fatal(err)
	}
	checkSigns(t, opened, made)
	if err := ring.Destroy(ctx, "csca"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Signer(ctx, "csca"); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if err := ring.Destroy(ctx, "csca"); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	for _, name := range []string{"", "../csca", "CSCA", "a b", ".new", "1a", strings.Repeat("a", 65)} {
		_, err1 := ring.Signer(ctx, name)
		_, err2 := ring.Generate(ctx, name, "P-256")
		_, err3 := ring.Wrapper(ctx, name)
		for _, err := range []error{err1, err2, err3, ring.Destroy(ctx, name), ring.GenerateSecret(ctx, name, UseVault)} {
			if !errors.Is(err, ErrName) {
				t.Errorf("%q: %v", name, err)
			}
		}
	}
	testFolderSecrets(t, ring)
}

func testFolderSecrets(t *testing.T, ring Folder) {
	ctx := t.Context()
	for name, use := range map[string]Use{"vault": UseVault, "master": UseCardMaster, "transport": UseTransport} {
		if err := ring.GenerateSecret(ctx, name, use); err != nil {
			t.Fatal(err)
		}
		if err := ring.GenerateSecret(ctx, name, use); !errors.Is(err, ErrExists) {
			t.Error(err)
		}
		_, err1 := ring.Wrapper(ctx, name)
		_, err2 := ring.Deriver(ctx, name)
		good, bad := err1, err2
		if use == UseCardMaster {
			good, bad = err2, err1
		}
		if good != nil || !errors.Is(bad, ErrFormat) {
			t.Errorf("%s: %v, %v", name, good, bad)
		}
	}
	d, err := ring.Deriver(ctx, "master")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := ring.Secret(ctx, "master", UseCardMaster)
	if err != nil {
		t.Fatal(err)
	}
	kdd := gp.KDD{9, 8, 7}
	want, err := gp.Diversify(secret.Bytes(), kdd, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Derive(ctx, append([]byte{1, 0, 0, 0, 1, 0}, kdd[:]...))
	if err != nil || !bytes.Equal(got, want.Enc[:16]) {
		t.Errorf("%x instead of %x, %v", got, want.Enc[:16], err)
	}
	secret.Destroy()
	if _, err := secret.Derive(ctx, nil); err == nil {
		t.Error("a destroyed key derives")
	}
}

// TestSealedFolder: without the passphrase, with another, or moved to another name, a
// sealed key opens as nothing, and nothing of it can be read in the file.
func TestSealedFolder(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	sealed := Folder{dir, phrase("correct horse")}
	made, err := sealed.Generate(ctx, "csca", "Ed25519")
	if err != nil {
		t.Fatal(err)
	}
	der, err := marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "csca"))
	if err != nil {
		t.Fatal(err)
	}
	if seed := der[len(der)-32:]; bytes.Contains(raw, seed) || bytes.Contains(raw, []byte(hex.EncodeToString(seed))) {
		t.Error("the key is in the file")
	}
	if _, err := (Folder{Dir: dir}).Signer(ctx, "csca"); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	if _, err := Open("file:" + filepath.Join(dir, "csca")); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	if _, err := (Folder{dir, phrase("correct house")}).Signer(ctx, "csca"); !errors.Is(err, ErrPassphrase) {
		t.Error(err)
	}
	if _, err := (Folder{dir, phrase("")}).Generate(ctx, "ds-001", "P-256"); !errors.Is(err, ErrNoPassphrase) {
		t.Error(err)
	}
	if _, err := sealed.Wrapper(ctx, "csca"); !errors.Is(err, ErrFormat) {
		t.Errorf("a signing key wraps: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, "csca"), filepath.Join(dir, "ds-001")); err != nil {
		t.Fatal(err)
	}
	if _, err := sealed.Signer(ctx, "ds-001"); !errors.Is(err, ErrFormat) {
		t.Errorf("another name: %v", err)
	}
	renamed := bytes.Replace(raw, []byte("Name: csca"), []byte("Name: ds-001"), 1)
	if err := os.WriteFile(filepath.Join(dir, "ds-001"), renamed, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sealed.Signer(ctx, "ds-001"); !errors.Is(err, ErrPassphrase) {
		t.Errorf("another name in the file: %v", err)
	}
	// A folder of both kinds is good: it was plain before.
	if _, err := (Folder{Dir: dir}).Generate(ctx, "plain", "P-256"); err != nil {
		t.Fatal(err)
	}
	if _, err := sealed.Signer(ctx, "plain"); err != nil {
		t.Error(err)
	}
}

// TestDestroyFollowsNoLink: what a link in the folder points to is not overwritten.
func TestDestroyFollowsNoLink(t *testing.T) {
	f := Folder{Dir: t.TempDir()}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("somebody's file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(f.Dir, "csca")); err != nil {
		t.Skip(err)
	}
	if err := f.Destroy(t.Context(), "csca"); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	if b, err := os.ReadFile(outside); err != nil || string(b) != "somebody's file" {
		t.Errorf("%q, %v", b, err)
	}
}

func FuzzUnseal(f *testing.F) {
	path := filepath.Join(f.TempDir(), "k")
	if err := writeSealed(path, pemPrivateKey, "k", "", []byte("x"), []byte("p")); err != nil {
		f.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Replace(raw, []byte("m=65536"), []byte("m=1"), 1))
	f.Add(bytes.Replace(raw, []byte("t=3"), []byte("t=0"), 1))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := unseal(raw, pemSecret, "other", "", []byte("p")); err == nil { // no file holds that: nothing is derived
			t.Errorf("%q", b)
		}
	})
}

// TestLogInRing: the log's private half is in the ring, and its file says where.
func TestLogInRing(t *testing.T) {
	ctx := t.Context()
	ring := Folder{Dir: t.TempDir()}
	path := filepath.Join(t.TempDir(), "log")
	made, err := GenerateLogIn(ctx, ring, "log", path, "example.org/tamthe")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := OpenLogIn(ctx, path, ring)
	if err != nil || opened.Verifier != made.Verifier || opened.Name() != "example.org/tamthe" {
		t.Fatalf("%+v, %v", opened, err)
	}
	signed, err := note.Sign(&note.Note{Text: "checkpoint\n"}, opened)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(made.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Error(err)
	}
	if _, err := OpenLog(path); !errors.Is(err, ErrMissing) {
		t.Errorf("without the ring: %v", err)
	}
	if err := ring.Destroy(ctx, "log"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Generate(ctx, "log", Ed25519); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLogIn(ctx, path, ring); !errors.Is(err, ErrFormat) {
		t.Errorf("another key of the name: %v", err)
	}
	if err := ring.Destroy(ctx, "log"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Generate(ctx, "log", "P-256"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLogIn(ctx, path, ring); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("a key of another kind: %v", err)
	}
}
