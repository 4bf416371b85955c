package desk

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// secrets are what may stand nowhere in clear, by what they are.
type secrets map[string][]byte

// words are texts, of which the short ones could stand in a digest by chance.
func (s secrets) words(what string, texts ...string) {
	for _, text := range texts {
		s[fmt.Sprintf("%s %q", what, text)] = []byte(text)
	}
}

// key is a raw key, and the forms in which one is written.
func (s secrets) key(what string, raw []byte) {
	s[what] = raw
	s[what+" in hexadecimal"] = []byte(hex.EncodeToString(raw))
	s[what+" in capitals"] = []byte(strings.ToUpper(hex.EncodeToString(raw)))
	for _, shift := range []int{0, 1, 2} { // wherever base64 begins
		b := base64.StdEncoding.EncodeToString(raw[shift:])
		s[fmt.Sprint(what, " in base64 from ", shift)] = []byte(b[:len(b)-4])
	}
}

// digits are long runs of hexadecimal digits: in them six digits of a number may stand by
// chance.
var digits = regexp.MustCompile(`[0-9a-f]{32,}`)

// found lists which secrets stand in b.
func (s secrets) found(b []byte) (list []string) {
	text := digits.ReplaceAll(b, []byte(" "))
	for what, secret := range s {
		in := text
		if len(secret) > 16 {
			in = b
		}
		if bytes.Contains(in, secret) {
			list = append(list, what)
		}
	}
	return list
}

// secretsOf gathers what the life of a card must not give away.
func (r *rig) secretsOf(t *testing.T, e Enrolment) secrets {
	t.Helper()
	p, s := e.Person, secrets{}
	zone := must((&Draft{Person: p, Issued: r.now}).zone())(t)
	s.words("MRZ", zone.Lines...)
	s.words("MRZ information", zone.KeyInfo())
	s.words("number", string(p.Number), p.Number.Document())
	s.words("CAN", p.Number.CAN())
	s.words("name", p.Surname, p.Given, p.FullName(), "NGUYEN", "Nguyen", "THI<THU<NGHIEM", "THI THU NGHIEM", "Thi Thu Nghiem")
	s.words("data", p.Origin, p.Residence, p.Features, p.Father, p.Mother, p.Spouse, "Phạm", "15/02/1990", "1990-02-15", "900215")
	for _, at := range []int{len(e.Portrait) / 3, len(e.Portrait) / 2, len(e.Portrait) - 60} {
		s.key(fmt.Sprint("portrait at ", at), e.Portrait[at:at+48])
	}
	s.key("card master key", r.master)
	s.key("vault key", must(keystore.OpenSecret(r.path("keys", kekName), keystore.UseVault))(t).Bytes())
	r.outbox(t) // makes its key
	s.key("drafts key", must(keystore.OpenSecret(r.path("keys", "drafts"), keystore.UseVault))(t).Bytes())
	s.words("log key", strings.SplitN(string(must(os.ReadFile(r.path("keys", "log")))(t)), "\n", 2)[0])
	for name, o := range map[string]*Office{"an": r.an, "binh": r.binh} {
		s.key("key of "+name, o.Signer.(ed25519.PrivateKey).Seed())
	}
	for _, name := range []string{"csca", "ds-001"} {
		s.key("key "+name, must(r.an.Authority.key(t.Context(), name))(t).(*dh.PrivateKey).Bytes())
	}
	return s
}

// eachFile reads every file below a folder, but those of the folder of keys.
func eachFile(t *testing.T, dir string, look func(path string, b []byte)) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "keys" {
				return fs.SkipDir
			}
			return nil
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the copy of a checkpoint that took its place meanwhile
		}
		look(path, b)
		return err
	}))
}

// scan looks for the secrets in every file but those of the keys.
func (s secrets) scan(t *testing.T, dir string) (files, octets int) {
	t.Helper()
	eachFile(t, dir, func(path string, b []byte) {
		for _, what := range s.found(b) {
			t.Errorf("%s holds %s", filepath.Base(path), what)
		}
		files, octets = files+1, octets+len(b)
	})
	return files, octets
}

// TestNothingLeaks looks for personal data and keys in all that a card's life leaves
// behind: the ledger's file with its journal and free pages, checkpoints, certificates, and
// whatever was logged or said in errors.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	e := enrolment(739514)
	e.Portrait = portrait(60)
	pass := []byte("correct horse 739 battery")
	inspector := must(keystore.GenerateOperator(r.path("keys", "operator-chi"), pass))(t)
	check(t, r.an.AddOperator(ctx, inspector.Public(), "chi", "", issuance.Inspector))
	chi := *r.binh
	chi.Signer = inspector
	secret := r.secretsOf(t, e)
	secret.words("passphrase", string(pass))

	var said bytes.Buffer
	p := r.plan()
	p.Verify.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	say := func(err error) { fmt.Fprintf(&said, "%v %+v %#v\n", err, err, err) }

	e.Application = NewApplication()
	box := r.outbox(t)
	check(t, r.an.without().Keep(ctx, box, e))
	say(r.an.without().Keep(ctx, box, e))
	say(r.binh.SendKept(ctx, box, e.Application))
	say(r.through(&away{r.store}).SendKept(ctx, box, e.Application))
	fmt.Fprintf(&said, "%v %+v %#v\n", must(box.Kept(ctx, e.Application))(t), must(box.Kept(ctx, e.Application))(t), must(box.List())(t))
	secret.scan(t, box.Dir)
	check(t, r.an.SendKept(ctx, box, e.Application))
	app := e.Application
	e.Application = ""
	say(second(r.an.Enrol(ctx, e)))
	fmt.Fprintf(&said, "%v %+v\n", must(r.an.Draft(ctx, app))(t), must(r.an.Draft(ctx, app))(t))
	check(t, r.binh.Approve(ctx, app))
	chip := filepath.Join(t.TempDir(), "chip")
	c := must(virtual.Create(chip, virtual.Config{}))(t)
	defer c.Close()
	for _, at := range []int{1, 6} {
		_, err := r.through(&faulty{Store: r.store, at: at, after: true}).Personalise(ctx, app, insert(c), p)
		say(err)
	}
	say(second(r.an.Personalise(ctx, app, insert(blank()), p)))
	card := must(r.an.Personalise(ctx, app, insert(c), p))(t)
	report, err := chi.Check(ctx, card, insert(c), Examination{Verify: p.Verify})
	check(t, err)
	for _, c := range report.Checks {
		fmt.Fprintf(&said, "%+v\n", c)
	}
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	shown := must(r.an.Card(ctx, card))(t)
	fmt.Fprintf(&said, "%+v\n", shown)
	check(t, r.binh.Revoke(ctx, card, "lost"))

	files, octets := secret.scan(t, r.dir) // with the journal
	r.close(t)
	secret.scan(t, r.dir) // without
	for _, what := range secret.found(said.Bytes()) {
		t.Errorf("it was said: %s", what)
	}
	t.Logf("%d secrets, %d files of %d octets, %d octets said", len(secret), files, octets, said.Len())

	// The search itself can find: on the chip all of it is in clear.
	if n := len(secret.found(must(os.ReadFile(chip))(t))); n < 12 {
		t.Errorf("only %d secrets were found where they must be", n)
	}
}
