package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/intake"
)

// portal files person.json at the intake service of the rig's home, and returns the case's
// code, how to ask for its state, and how to amend it.
func (r *consoleRig) portal(t *testing.T) (code string, status func() string, amend func(person []byte)) {
	t.Helper()
	if _, err := r.deal.run(r.stage, "serve", "intake", "--init"); err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"dvc.pem":      pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"portals.toml": []byte("[[portal]]\nid = \"dvc\"\nname = \"Cổng mẫu\"\nkeys = [\"dvc.pem\"]\npurposes = [\"cấp thẻ\"]\n"),
	} {
		if err := os.WriteFile(filepath.Join(r.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := r.serve(t, "intake", "--portals", filepath.Join(r.dir, "portals.toml"))
	signer, err := intake.NewSigner(key, "dvc")
	if err != nil {
		t.Fatal(err)
	}
	c := &intake.Client{URL: address, Portal: "dvc", Signer: signer}
	if c.Office, err = c.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	person, err := os.ReadFile(filepath.Join(r.dir, "person.json"))
	if err != nil {
		t.Fatal(err)
	}
	send := func(request string, act intake.Act, revision int, person []byte) string {
		m, err := c.Seal(intake.Message{
			To: address, Portal: "dvc", Request: request, Case: "c-1", Act: act, Revision: revision, Purpose: "cấp thẻ", Time: time.Now().UTC(),
			Salt: intake.NewSalt(), Reason: "first", Person: person,
		})
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := c.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return receipt.Code
	}
	code = send("q-1", intake.File, 1, person)
	return code, func() string {
		s, err := c.Status(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		return string(s.State)
	}, func(person []byte) { send("q-2", intake.Amend, 2, person) }
}

// What a citizen filed at a portal is taken over at the desk by an officer who sees the
// person and adds the portrait, typing nothing; the portal learns of it.
func TestConsoleIntake(t *testing.T) {
	r := newHomeRig(t, stageAuthority)
	code, status, amend := r.portal(t)
	r.url = r.serve(t, "console")
	b := r.browser(t)
	b.login("an")
	page := "/desk/intake/" + code
	if a := b.get("/desk/intake"); !strings.Contains(a.text, page) {
		t.Fatalf("the case is not listed: %s", a.text)
	}
	a := b.get(page)
	if !strings.Contains(a.text, "003190000017") || !strings.Contains(a.text, "chờ đến quầy") {
		t.Fatalf("the case does not say what was filed: %s", a.text)
	}
	if a := b.get("/desk/intake/I-0000-0000-0000-0000"); a.status != 404 && a.code() == "" {
		t.Errorf("an invented code: %d %s", a.status, a.code())
	}
	form := formOf(t, a, page+"/import")
	take := func(portrait string) consolePage {
		values := map[string]string{}
		for k := range form {
			values[k] = form.Get(k)
		}
		return b.upload(page+"/import", values, portrait)
	}
	if a := take(""); a.code() != "not-present" {
		t.Errorf("nobody is there: %q", a.code())
	}
	form.Set("present", "1")
	if a := take(""); a.code() != "portrait" {
		t.Errorf("no portrait: %q", a.code())
	}
	person, err := os.ReadFile(filepath.Join(r.dir, "person.json"))
	if err != nil {
		t.Fatal(err)
	}
	amend(bytes.Replace(person, []byte("003190000017"), []byte("003190000018"), 1))
	a = take("face.jpg") // of what the page showed before
	if a.code() != "case-amended" || !strings.Contains(a.text, "003190000018") {
		t.Fatalf("what was amended meanwhile: %q at %s", a.code(), a.path)
	}
	form = formOf(t, a, page+"/import")
	form.Set("present", "1")
	a = take("face.jpg")
	app := regexp.MustCompile(`A-[A-Z0-9]+`).FindString(a.path)
	if app == "" {
		t.Fatalf("not taken over: %q %s", a.code(), a.text)
	}
	if again := take("face.jpg"); again.path != a.path {
		t.Errorf("sent twice it leads to %s", again.path)
	}
	if got := status(); got != "at-desk" {
		t.Errorf("the portal hears %s", got)
	}
	form.Set("form", "another-number-of-a-form")
	if again := take("face.jpg"); again.code() == "" && !strings.Contains(again.path, app) {
		t.Errorf("taken over twice: %s", again.path)
	}
}
