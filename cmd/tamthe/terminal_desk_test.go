package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
)

// TestReadTerminalOfADesk: a terminal that our own CVCA and document verifier certified reads
// the fingers out of a chip that was given our CVCA's certificate, and no other chip's.
func TestReadTerminalOfADesk(t *testing.T) {
	if testing.Short() {
		t.Skip("passphrases take time")
	}
	set := filepath.Join(testdata.Dir(t), "lds", "bsi-reference")
	zone, err := lds.ParseDG1(testdata.Vectors(t, "lds/bsi-reference/DG1.bin"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := dh.BrainpoolP224r1().NewPrivateKey(testdata.Scalar(t, testdata.Vectors(t, "lds/bsi-reference/chip-auth-private.pkcs8")))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"pass": testPassphrase + "\n", "mrz.txt": strings.Join(zone.Lines, "\n") + "\n"} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(exit int, memory string, args ...string) {
		t.Helper()
		var said bytes.Buffer
		p := &program{
			in: strings.NewReader(""), out: &said, err: &said, now: time.Now, home: home(in("home")),
			connect: func(context.Context, string) (*reader, error) { return (&chipSlot{memory}).open() },
		}
		if status := p.run(t.Context(), args); status != exit {
			t.Fatalf("%v: status %d\n%s", args, status, &said)
		}
	}
	both := []string{"--operator", "an", "--second", "binh", "--passphrase-file", in("pass"), "--second-passphrase-file", in("pass")}
	act := func(args ...string) { t.Helper(); run(exitOK, "", append(args, both...)...) }
	act("init")
	act("pki", "cvca")
	act("pki", "dv", "request")
	act("pki", "dv", "issue", in("home/pki/VNDV00001.cvreq"), "--register", "--rights", "dg3")
	run(exitOK, "", "pki", "terminal", "request", in("gate"), "--holder", "VNIS", "--to", "VNDV00001")
	act("pki", "terminal", "issue", in("gate/VNIS00001.cvreq"), "--register", "--rights", "dg3", "--out", in("certs"))
	run(exitOK, "", "pki", "terminal", "install", in("gate"), in("certs"))

	trusted, err := os.ReadFile(in("home/pki/VNCVCA00001.cvcert"))
	if err != nil {
		t.Fatal(err)
	}
	_, stranger := terminalFolder(t)
	for name, point := range map[string][]byte{"ours": trusted, "another's": stranger} {
		memory := in(name + ".chip")
		chip, err := virtual.FromFolder(os.DirFS(set), virtual.FolderOptions{Path: memory, CA: secret, TrustPoints: [][]byte{point}})
		if err != nil {
			t.Fatal(err)
		}
		if err := chip.Close(); err != nil {
			t.Fatal(err)
		}
		out := in("out of " + name)
		run(exitRefer, memory, "read", "--purpose", "test", "--out", out, "--mrz-file", in("mrz.txt"), "--at", "2014-06-01", "--biometrics", "--terminal", in("gate"))
		_, err = os.Stat(filepath.Join(out, lds.DG3.FileName()))
		if read := err == nil; read != (name == "ours") {
			t.Errorf("a chip that trusts %s: fingers read: %v", name, read)
		}
	}
}
