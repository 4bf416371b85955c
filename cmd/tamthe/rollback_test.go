package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/testdata"
)

// A clock that was turned back to before the newest list that this device has seen makes
// nothing be in force: the document goes to an officer. A time that is given is taken.
func TestClockRolledBack(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, At      string
			Trust, CRLs []string
			Files       map[string]string
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &file); err != nil {
		t.Fatal(err)
	}
	c := file.Cases[slices.IndexFunc(file.Cases, func(c struct {
		ID, At      string
		Trust, CRLs []string
		Files       map[string]string
	},
	) bool {
		return c.ID == "ok-crl-fresh"
	})]
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		b, err := hex.DecodeString(content)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, content := range c.Files {
		write("card/"+strings.TrimSuffix(name, ".bin")+".bin", content)
	}
	csca, crl := write("csca.cer", c.Trust[0]), write("list.crl", c.CRLs[0])
	der, _ := os.ReadFile(csca)
	anchor, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	der, _ = os.ReadFile(crl)
	list, err := cert.ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.DateOnly, c.At)
	if err != nil {
		t.Fatal(err)
	}
	where := home(t.TempDir())
	run := func(now time.Time, args ...string) (int, string) {
		var out, errw bytes.Buffer
		p := &program{in: strings.NewReader(""), out: &out, err: &errw, now: func() time.Time { return now }, home: where}
		return p.run(context.Background(), args), out.String() + errw.String()
	}
	fp := anchor.Fingerprint()
	for _, args := range [][]string{{"trust", "import", csca, "--fingerprint", hex.EncodeToString(fp[:])}, {"trust", "import", crl}} {
		if status, said := run(at, args...); status != exitOK {
			t.Fatalf("%v: %d\n%s", args, status, said)
		}
	}
	card := filepath.Join(dir, "card")
	if status, said := run(at, "judge", card); status != exitOK {
		t.Errorf("at its time: %d\n%s", status, said)
	}
	before := list.ThisUpdate.AddDate(0, 0, -1)
	if status, said := run(before, "judge", card); status != exitRefer || !strings.Contains(said, "clock-behind") {
		t.Errorf("a day before the list: %d\n%s", status, said)
	}
	if status, said := run(before, "judge", card, "--at", before.Format(time.RFC3339)); status != exitOK || strings.Contains(said, "clock-behind") {
		t.Errorf("at a time that is given: %d\n%s", status, said)
	}
	// So it is where the list was copied into a folder, once a judgement looked into it.
	where = home(t.TempDir())
	trust := filepath.Join(dir, "trust")
	write("trust/csca.cer", c.Trust[0])
	write("trust/list.crl", c.CRLs[0])
	for n, want := range []int{exitOK, exitOK, exitRefer} {
		when := []time.Time{before, at, before}[n]
		if status, said := run(when, "judge", card, "--trust", trust); status != want || (want == exitRefer) != strings.Contains(said, "clock-behind") {
			t.Errorf("copied, run %d: %d\n%s", n, status, said)
		}
	}
}
