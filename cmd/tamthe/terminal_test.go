package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/testdata"
)

// terminalFolder is a folder for --terminal, with an expired certificate of the same key
// beside the good one, and the certificate that the chip trusts.
func terminalFolder(t *testing.T) (dir string, trusted []byte) {
	t.Helper()
	dir = t.TempDir()
	terminal, err := keystore.Generate(filepath.Join(dir, terminalKeyFile), "brainpoolP256r1")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	year := func(n int) cvc.Date { return cvc.On(time.Date(2020+n, 1, 1, 0, 0, 0, 0, time.UTC)) }
	sign := func(file string, c cvc.Template) []byte {
		cert, err := cvc.Sign(c, cvc.ECDSASHA256, authority)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, file), cert.Raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return cert.Raw
	}
	key := func(pub any) cvc.PublicKey {
		k, err := cvc.NewPublicKey(cvc.ECDSASHA256, pub)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	chat := func(r cvc.Role) cvc.CHAT { return cvc.NewCHAT(cvc.InspectionSystem, r, cvc.ReadDG3) }
	trusted = sign("cvca.cvcert", cvc.Template{
		Authority: "XOCVCA00001", Holder: "XOCVCA00001", Key: key(authority.Public()), CHAT: chat(cvc.CVCA), Effective: year(0), Expiry: year(9),
	})
	sign("dv.cvcert", cvc.Template{
		Authority: "XOCVCA00001", Holder: "XODV00001", Key: key(authority.Public()), CHAT: chat(cvc.DVDomestic), Effective: year(0), Expiry: year(9),
	})
	for name, end := range map[string]int{"is1": 3, "is2": 9} {
		sign(name+".cvcert", cvc.Template{
			Authority: "XODV00001", Holder: cvc.Reference("XOIS0000" + name[2:]), Key: key(terminal.Public()),
			CHAT: chat(cvc.TerminalRole), Effective: year(0), Expiry: year(end),
		})
	}
	return dir, trusted
}

// TestReadTerminal reads the fingers of the BSI's reference data set out of a chip that
// opens them to one terminal. The data set's key of Chip Authentication is published.
func TestReadTerminal(t *testing.T) {
	dir, trusted := terminalFolder(t)
	set := filepath.Join(testdata.Dir(t), "lds", "bsi-reference")
	secret, err := dh.BrainpoolP224r1().NewPrivateKey(testdata.Scalar(t, testdata.Vectors(t, "lds/bsi-reference/chip-auth-private.pkcs8")))
	if err != nil {
		t.Fatal(err)
	}
	memory := filepath.Join(t.TempDir(), "bsi.chip")
	chip, err := virtual.FromFolder(os.DirFS(set), virtual.FolderOptions{Path: memory, CA: secret, TrustPoints: [][]byte{trusted}})
	if err != nil {
		t.Fatal(err)
	}
	if err := chip.Close(); err != nil {
		t.Fatal(err)
	}
	zone, err := lds.ParseDG1(testdata.Vectors(t, "lds/bsi-reference/DG1.bin"))
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "mrz.txt")
	if err := os.WriteFile(key, []byte(strings.Join(zone.Lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags []string
		exit  int
		read  []string
	}{
		{nil, exitRefer, []string{"DG1.bin", "DG2.bin"}},
		{[]string{"--biometrics"}, exitRefer, []string{"DG1.bin", "DG2.bin"}},
		{[]string{"--biometrics", "--terminal", dir}, exitRefer, []string{"DG1.bin", "DG2.bin", "DG3.bin"}},
		{[]string{"--terminal", dir}, exitUsage, nil},
		{[]string{"--biometrics", "--terminal", t.TempDir()}, exitError, nil},
	} {
		out := filepath.Join(t.TempDir(), "out")
		var said bytes.Buffer
		p := &program{
			in: strings.NewReader(""), out: &said, err: &said, now: time.Now, home: home(t.TempDir()),
			connect: func(context.Context, string) (*reader, error) { return (&chipSlot{memory}).open() },
		}
		args := append([]string{"read", "--purpose", "test", "--out", out, "--mrz-file", key, "--at", "2014-06-01"}, c.flags...)
		if status := p.run(t.Context(), args); status != c.exit {
			t.Fatalf("%v: status %d\n%s", c.flags, status, &said)
		}
		var got []string
		for _, f := range []lds.File{lds.DG1, lds.DG2, lds.DG3, lds.DG4} {
			if _, err := os.Stat(filepath.Join(out, f.FileName())); err == nil {
				got = append(got, f.FileName())
			}
		}
		if strings.Join(got, " ") != strings.Join(c.read, " ") {
			t.Errorf("%v: read %v\n%s", c.flags, got, &said)
		}
	}
}

// TestTerminalFolder refuses folders that cannot prove a terminal.
func TestTerminalFolder(t *testing.T) {
	dir, _ := terminalFolder(t)
	if k, err := openTerminal(dir); err != nil || k.Certificate.Holder != "XOIS00002" || len(k.Others) != 4 {
		t.Fatalf("%+v, %v", k, err)
	}
	other, _ := terminalFolder(t)
	if err := os.Rename(filepath.Join(other, terminalKeyFile), filepath.Join(dir, terminalKeyFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := openTerminal(dir); !errors.Is(err, errNoTerminal) {
		t.Errorf("another's key: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x.cvcert"), []byte{0x7F, 0x21, 0x00}, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openTerminal(dir); !errors.Is(err, cvc.ErrMalformed) {
		t.Errorf("no certificate: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, terminalKeyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := openTerminal(dir); !errors.Is(err, keystore.ErrPermissions) {
		t.Errorf("a key that others can read: %v", err)
	}
}
