package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
)

// The stages of a desk that scripts begin with, each with what the one before has.
const (
	stageAuthority = "authority" // operators an and binh, CSCA, document signer, CRL
	stageApproved  = "approved"  // an approved application, $APP
	stageIssued    = "issued"    // delivered on card.chip, $CARD
)

// testPassphrase seals the keys of the test's operators.
const testPassphrase = "correct horse battery"

// desks makes each stage once for all tests, for keys sealed with passphrases take time.
type desks struct {
	dir   string
	files func() (map[string][]byte, error)
	made  map[string]func() error
}

func newDesks(t *testing.T) *desks {
	t.Helper()
	d := &desks{dir: t.TempDir(), made: map[string]func() error{}}
	d.files = sync.OnceValues(peopleFiles)
	d.made[stageAuthority] = sync.OnceValue(d.authority)
	d.made[stageApproved] = sync.OnceValue(d.approved)
	d.made[stageIssued] = sync.OnceValue(d.issued)
	return d
}

// people writes what a script needs to issue cards to invented people.
func (d *desks) people(dir string) error {
	files, err := d.files()
	if err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// peopleFiles are the first citizen of the demonstration as person.json, with what is
// printed on the card, the second as other.json, and portraits that are good and bad.
func peopleFiles() (map[string][]byte, error) {
	who := citizens()
	expiry := vn.DateOf(time.Now().AddDate(5, 0, 0))
	who[0].person.Expiry = &expiry // so that it does not depend on the year of the test
	face, err := drawPortrait(demoPortrait)
	if err != nil {
		return nil, err
	}
	zone, err := who[0].zone(who[0].person.ExpiryAt(time.Now()))
	if err != nil {
		return nil, err
	}
	otherZone, err := who[1].zone(who[1].person.ExpiryAt(time.Now()))
	return map[string][]byte{
		"passphrase": []byte(testPassphrase + "\n"), "person.json": who[0].file(), "other.json": who[1].file(),
		"can.txt": []byte(who[0].person.Number.CAN() + "\n"), "mrz.txt": []byte(zone), "other-mrz.txt": []byte(otherZone),
		"qr.txt":     []byte(strings.TrimSuffix(vn.EncodeQR(who[0].person, "", time.Time{}), "01010001")), // whatever the day of issue
		"triple.txt": triple(who[0].person), "face.jpg": face, "bomb.jpg": bomb(face),
		"large.jpg": append(bytes.Clone(face), make([]byte, 60_000)...),
	}, err
}

// triple is DOCNO;YYMMDD;YYMMDD of a person's card.
func triple(p vn.Person) []byte {
	return fmt.Appendf(nil, "%s;%s;%s\n", p.Number.Document(), p.Birth.MRZ(), p.ExpiryAt(time.Now()).MRZ())
}

// bomb is a small JPEG that says it has 65,535 by 65,535 pixels.
func bomb(jpeg []byte) []byte {
	b := bytes.Clone(jpeg)
	i := bytes.Index(b, []byte{0xFF, 0xC0})
	binary.BigEndian.PutUint32(b[i+5:], 0xFFFFFFFF)
	return b
}

// run runs the program in the test's own process and returns what it printed.
func (d *desks) run(stage string, args ...string) (string, error) {
	var out, errw bytes.Buffer
	p := &program{
		in: strings.NewReader(""), out: &out, err: &errw, now: time.Now, home: home(filepath.Join(d.dir, stage, "home")),
		connect: func(context.Context, string) (*reader, error) {
			return (&chipSlot{filepath.Join(d.dir, stage, "card.chip")}).open()
		},
	}
	if status := p.run(context.Background(), args); status != 0 {
		return "", fmt.Errorf("%v: status %d: %s", args, status, &errw)
	}
	return strings.TrimSpace(out.String()), nil
}

// chipSlot is a reader with the chip of a file.
type chipSlot struct{ path string }

func (s *chipSlot) open() (*reader, error) {
	chip, err := virtual.Load(s.path)
	if err != nil {
		return nil, err
	}
	chip.Reset()
	reset := func(context.Context) error {
		chip.Reset()
		return nil
	}
	return &reader{Wire: chip, reset: reset, close: chip.Close}, nil
}

func (d *desks) as(stage, operator string, args ...string) (string, error) {
	return d.run(stage, append(args, "--operator", operator, "--passphrase-file", filepath.Join(d.dir, stageAuthority, "passphrase"))...)
}

func (d *desks) authority() error {
	dir := filepath.Join(d.dir, stageAuthority)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := d.people(dir); err != nil {
		return err
	}
	pass := filepath.Join(dir, "passphrase")
	for _, args := range [][]string{
		{
			"init", "--roles", "admin,registrar,personaliser,custodian,stock-keeper",
			"--second-roles", "admin,approver,inspector,clerk,revoker,custodian,stock-keeper",
		},
		{"pki", "csca"},
		{"pki", "ds"},
		{"pki", "crl"},
		{"stock", "receive", "B-1", "1-1000"},
	} {
		if _, err := d.as(stageAuthority, "an", append(args, "--second", "binh", "--second-passphrase-file", pass)...); err != nil {
			return err
		}
	}
	return nil
}

// next begins a stage as a copy of the one before.
func (d *desks) next(stage, before string) error {
	if err := d.made[before](); err != nil {
		return err
	}
	return copyTree(d.file(stage, ""), d.file(before, ""))
}

func (d *desks) file(stage, name string) string { return filepath.Join(d.dir, stage, name) }

func (d *desks) approved() error {
	if err := d.next(stageApproved, stageAuthority); err != nil {
		return err
	}
	app, err := d.as(stageApproved, "an", "enrol", d.file(stageApproved, "person.json"), "--portrait", d.file(stageApproved, "face.jpg"))
	if err != nil {
		return err
	}
	if _, err := d.as(stageApproved, "binh", "approve", app); err != nil {
		return err
	}
	return os.WriteFile(d.file(stageApproved, "APP"), []byte(app), 0o600)
}

func (d *desks) issued() error {
	if err := d.next(stageIssued, stageApproved); err != nil {
		return err
	}
	chip, err := virtual.Create(d.file(stageIssued, "card.chip"), virtual.Config{})
	if err != nil {
		return err
	}
	if err := chip.Close(); err != nil {
		return err
	}
	app, err := os.ReadFile(d.file(stageIssued, "APP"))
	if err != nil {
		return err
	}
	card, err := d.as(stageIssued, "an", "personalise", string(app))
	if err != nil {
		return err
	}
	for _, verb := range []string{"check", "deliver"} {
		if _, err := d.as(stageIssued, "binh", verb, card); err != nil {
			return err
		}
	}
	return os.WriteFile(d.file(stageIssued, "CARD"), []byte(card), 0o600)
}

// set gives a script a desk of a stage:
//
//	desk authority|approved|issued
func (d *desks) set(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || d.made[args[0]] == nil {
		ts.Fatalf("usage: desk authority|approved|issued")
	}
	ts.Check(d.made[args[0]]())
	ts.Check(os.RemoveAll(ts.MkAbs("home")))
	ts.Check(copyTree(ts.MkAbs("home"), d.file(args[0], "home")))
	for _, name := range []string{"APP", "CARD"} {
		if b, err := os.ReadFile(d.file(args[0], name)); err == nil {
			ts.Setenv(name, string(b))
		}
	}
	if b, err := os.ReadFile(d.file(args[0], "card.chip")); err == nil {
		ts.Check(os.WriteFile(ts.MkAbs("card.chip"), b, 0o600))
		ts.Setenv("TEST_CHIP", ts.MkAbs("card.chip"))
	}
}

// copyTree copies a folder for its owner only, as a home is.
func copyTree(to, from string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return filepath.Walk(to, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
}
