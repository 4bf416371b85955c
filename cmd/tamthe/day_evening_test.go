//go:build linux && cgo

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// evening: the lists and who has them, the blanks, the books, a life destroyed, the audit.
func (d *day) evening(many int) {
	d.t.Helper()
	d.lists()
	d.street(many)
	d.closed()
	d.books(many)
	d.shredded()
	d.audited()
	d.write("refusals.txt", d.reasons.Bytes())
	artefacts := 0
	_ = filepath.WalkDir(d.dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			artefacts++
		}
		return err
	})
	d.t.Logf("%d cards made for %d people through pcscd, %d refusals, verdicts in the street %v, %d artefacts",
		len(d.people), many, d.refused, d.verdicts, artefacts)
}

// lists are made of what was revoked.
func (d *day) lists() {
	d.t.Helper()
	d.by(14, "an", "pki", "crl") // by one
	d.both(0, "pki", "crl")
	d.run(0, "", "pki", "lint", d.path("home", "trust", "csca.crl"))
	d.by(14, "chi", "status", "build", "--out", d.path("cards.status")) // by a clerk
	d.by(0, "an", "status", "build", "--out", d.path("cards.status"))
}

// street is a checkpoint with a home of its own, which has of the office what it
// publishes: certificate, lists, the keys it pins, that of the log among them.
func (d *day) street(many int) {
	d.t.Helper()
	for _, name := range []string{"csca.cer", "csca.crl", "issuers.toml"} {
		b, err := os.ReadFile(d.path("home", "trust", name))
		if err != nil {
			d.t.Fatal(err)
		}
		if name == "issuers.toml" && !strings.Contains(string(b), d.logKey()) {
			d.t.Errorf("the office does not say which log its cards stand in:\n%s", b)
		}
		d.write("checkpoint/trust/"+name, b)
	}
	if out := d.verifiedAt("checkpoint", d.people[0], exitRefer); !strings.Contains(out, "status-not-asked") {
		d.t.Errorf("a checkpoint without a list: %s", out)
	}
	b, err := os.ReadFile(d.path("cards.status"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.write("checkpoint/trust/status/cards.status", b)
	replaced := map[string]bool{}
	for _, v := range d.people {
		replaced[v.replaces] = true
	}
	in := 0
	for i, v := range d.people {
		if i != 2 && i != 3 && !replaced[v.card] {
			d.verifiedAt("checkpoint", v, 0)
			in++
		} else if out := d.verifiedAt("checkpoint", v, 3); i < 4 && !strings.Contains(out, "card-revoked") {
			d.t.Errorf("card %s was revoked: %s", v.card, out)
		}
	}
	cards, _ := d.run(0, "", "card", "list")
	d.write("cards.txt", []byte(cards+"\n"))
	if n := strings.Count(cards, "  active  "); n != many-1 || in != n {
		d.t.Errorf("%d cards in force, the checkpoint accepts %d, want %d:\n%s", n, in, many-1, cards)
	}
	if n := strings.Count(cards, "  revoked  "); n != 2 {
		d.t.Errorf("%d cards revoked, not 2:\n%s", n, cards)
	}
}

// closed: the blanks are counted, one is found torn and one overlooked, and the day is closed.
func (d *day) closed() {
	d.t.Helper()
	d.by(0, "an", "stock", "spoil", "B-1", "200", "--reason", "torn")
	d.both(14, "stock", "destroy", "B-1", "200") // one of them no stock keeper
	d.by(0, "an", "stock", "destroy", "B-1", "200", "--second", "chi", "--second-passphrase-file", d.path("passphrase"))
	used := uint64(len(d.people))
	d.by(14, "an", "stock", "close-day") // not counted
	short := d.write("stock/overlooked.txt", fmt.Appendf(nil, "%d-150\n152-199\n", used+1))
	whole := d.write("stock/found.txt", fmt.Appendf(nil, "%d-199\n", used+1))
	d.by(14, "binh", "stock", "count", "B-1", "1") // no stock keeper
	d.by(0, "an", "stock", "count", "B-1", "--numbers", short)
	_, why := d.run(14, "", append([]string{"stock", "close-day", "--operator", "an"}, d.pass()...)...)
	if want := fmt.Sprintf("batch B-1 at desk: %d blanks should be there, %d were counted", 199-used, 198-used); !strings.Contains(why, want) {
		d.t.Errorf("a gap: %s", why)
	}
	out, _ := d.run(3, "", "stock", "reconcile", "B-1", "--numbers", short)
	if !strings.HasPrefix(out, "missing 151\n") {
		d.t.Errorf("a gap: %s", out)
	}
	d.write("stock/gap.txt", []byte(out+"\n"))
	out, _ = d.run(0, "", "stock", "reconcile", "B-1", "--numbers", whole)
	d.write("stock/reconciled.txt", []byte(out+"\n"))
	d.by(0, "an", "stock", "count", "B-1", "--numbers", whole)
	out = d.by(0, "an", "stock", "close-day")
	if want := fmt.Sprintf("desk: 0 + 200 received - %d used - 1 spoiled - 0 moved = %d", used, 199-used); out != want {
		d.t.Errorf("the day: %s, want %s", out, want)
	}
	d.write("stock/closed.txt", []byte(out+"\n"))
	for name, args := range map[string][]string{"stock/list.txt": {"stock", "list"}, "stock/report.txt": {"stock", "report"}} {
		out, _ := d.run(0, "", args...)
		d.write(name, []byte(out+"\n"))
	}
}

// books are what the office says of its day.
func (d *day) books(many int) {
	d.t.Helper()
	for name, args := range map[string][]string{
		"day.checkpoint": {"ledger", "checkpoint"}, "pki.json": {"pki", "status", "--json"}, "operators.txt": {"operator", "list"},
		"report.txt": {"report", "--by", "office,reason,age,day"}, "applications.txt": {"application", "list"},
	} {
		out, _ := d.run(0, "", args...)
		d.write(name, []byte(out+"\n"))
	}
	out, _ := d.run(0, "", "report", "--json")
	var r struct {
		Counts []struct{ Enrolled, Approved, Rejected, Issued int }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		d.t.Fatal(err)
	}
	made := len(d.people)
	if len(r.Counts) != 1 || r.Counts[0].Enrolled != made+1 || r.Counts[0].Approved != made || r.Counts[0].Rejected != 1 || r.Counts[0].Issued != made {
		d.t.Errorf("the report of %d people and %d cards: %s", many, made, out)
	}
	d.run(0, "", "ledger", "export", d.path("tiles"))
}

// shredded: two destroy what is known of a person, who keeps card and receipt.
func (d *day) shredded() {
	d.t.Helper()
	v := d.people[5]
	paper, _ := d.run(0, "", "application", "show", v.app, "--form", "cc02")
	if !strings.Contains(paper, v.person.Given) {
		d.t.Errorf("a paper without a name: %s", paper)
	}
	d.by(14, "an", "vault", "shred", v.card, "--reason", "request") // alone
	d.both(2, "vault", "shred", v.card, "--reason", "boredom")
	d.both(0, "vault", "shred", v.card, "--reason", "request")
	_, why := d.run(14, "", "application", "show", v.app, "--form", "cc02", "--json")
	if !strings.Contains(why, `"code":"shredded"`) {
		d.t.Errorf("shredded: %s", why)
	}
	d.both(14, "vault", "shred", v.card, "--reason", "request") // twice
	d.verifiedAt("checkpoint", v, 0)
	out, _ := d.run(0, "", "card", "show", v.card)
	d.write("shredded.txt", []byte(out+"\n"))
}

// audited: the ledger holds against all that was given out, and every receipt in a home
// that has nothing but the key of the log.
func (d *day) audited() {
	d.t.Helper()
	key := d.logKey()
	against := []string{"--log-key", key, "--against", d.path("day.checkpoint"), "--against", d.path("tiles")}
	for _, v := range d.people {
		file := d.path("receipts", v.card+".tlog-proof")
		against = append(against, "--against", file)
		if out, _ := d.runAt("citizen", 0, "", "ledger", "receipt", "--verify", file, "--log-key", key); !strings.HasPrefix(out, "card "+v.card+" ") {
			d.t.Errorf("the receipt of %s: %s", v.card, out)
		}
	}
	file := d.path("receipts", d.people[0].card+".tlog-proof")
	d.runAt("citizen", 1, "", "ledger", "receipt", "--verify", file) // no key
	text, err := os.ReadFile(file)
	if err != nil {
		d.t.Fatal(err)
	}
	forged := d.write("forged.tlog-proof", bytes.Replace(text, []byte("index "), []byte("index 1"), 1))
	d.runAt("citizen", 3, "", "ledger", "receipt", "--verify", forged, "--log-key", key)
	if _, err := os.Stat(d.path("citizen")); err == nil {
		d.t.Error("to check a receipt made a home")
	}
	for _, verb := range []string{"verify", "audit"} {
		out, _ := d.run(0, "", append([]string{"ledger", verb}, against...)...)
		d.write(verb+".txt", []byte(out+"\n"))
		d.t.Logf("ledger %s against %d receipts: %s", verb, len(d.people), out)
	}
}

// logKey is the public key of the office's log.
func (d *day) logKey() string {
	d.t.Helper()
	out, _ := d.run(0, "", "ledger", "checkpoint", "--json")
	var c struct {
		Key string `json:"log_key"`
	}
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.Key == "" {
		d.t.Fatalf("%v: %s", err, out)
	}
	return c.Key
}
