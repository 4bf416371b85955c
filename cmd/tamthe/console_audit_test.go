package main

import (
	"bytes"
	"database/sql"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

// auditor is a console before which an auditor sits.
type auditor struct {
	*consoleRig
	*consoleBrowser
	dir, card, app, key string
}

func newAuditor(t *testing.T) *auditor {
	r := newConsoleRig(t, stageIssued, "--specimen")
	pass := filepath.Join(r.deal.dir, stageAuthority, "passphrase")
	if _, err := r.deal.as(stageIssued, "an", "operator", "add", "chi", "--roles", "auditor", "--new-passphrase-file", pass, "--second", "binh", "--second-passphrase-file", pass); err != nil {
		t.Fatal(err)
	}
	a := &auditor{consoleRig: r, consoleBrowser: r.browser(t), dir: r.dir}
	for name, into := range map[string]*string{"CARD": &a.card, "APP": &a.app} {
		b, err := os.ReadFile(filepath.Join(r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		*into = strings.TrimSpace(string(b))
	}
	a.login("chi")
	return a
}

// The auditor sees what stands in the ledger, proves it, and takes the proofs along.
func TestConsoleAudit(t *testing.T) {
	a := newAuditor(t)
	t.Run("roles", a.roles)
	t.Run("checkpoint", a.checkpoint)
	t.Run("entries", a.entries)
	t.Run("proof", a.proof)
	t.Run("consistency", a.consistency)
	t.Run("eyes", a.eyes)
	t.Run("deeds", a.deeds)
	t.Run("rest", a.rest)
	t.Run("names nobody", a.nobody)
	t.Run("changed", a.changed)
}

func (a *auditor) roles(t *testing.T) {
	other := a.browser(t)
	other.login("binh") // an administrator, who may look, too
	if p := other.get("/audit/"); p.status != http.StatusOK {
		t.Errorf("an administrator: %d", p.status)
	}
	pass := filepath.Join(a.deal.dir, stageAuthority, "passphrase")
	if _, err := a.deal.as(stageIssued, "an", "operator", "add", "dung", "--roles", "clerk", "--new-passphrase-file", pass, "--second", "binh", "--second-passphrase-file", pass); err != nil {
		t.Fatal(err)
	}
	clerk := a.browser(t)
	clerk.login("dung")
	for _, path := range []string{"/audit/", "/audit/entries", "/audit/entries/0", "/audit/entries/0/proof", "/audit/checkpoint", "/audit/eyes", "/audit/operators", "/audit/operators/an", "/audit/conflicts", "/audit/stock", "/audit/counts"} {
		if p := clerk.get(path); p.status != http.StatusForbidden || p.code() != "page-role" {
			t.Errorf("a clerk at %s: %d", path, p.status)
		}
	}
	if p := clerk.post("/audit/verify", nil); p.code() != "page-role" {
		t.Errorf("a clerk verifies: %s", p.code())
	}
}

func (a *auditor) checkpoint(t *testing.T) {
	p := a.get("/audit/")
	p.has(t, `id="checkpoint-good"`, "không có nhân chứng", `id="log-key"`)
	a.key = html.UnescapeString(regexp.MustCompile(`id="log-key">([^<]*)<`).FindStringSubmatch(p.text)[1])
	note := a.get("/audit/checkpoint")
	if _, err := receipt.ParseCheckpoint([]byte(note.text)); err != nil || !strings.Contains(note.header.Get("Content-Disposition"), ".checkpoint") {
		t.Errorf("the checkpoint: %v, %v", err, note.header)
	}
	if p := a.wait(a.post("/audit/verify", nil)); !strings.Contains(p.text, `id="ledger-good"`) {
		t.Errorf("the whole ledger: %s %s", p.path, p.code())
	}
}

func (a *auditor) entries(t *testing.T) {
	rows := func(p consolePage) int { return strings.Count(p.text, `<tr><td><a href="/audit/entries/`) }
	all := a.get("/audit/entries?at=0")
	if n := rows(all); n < 20 {
		t.Fatalf("%d entries: %s", n, all.text)
	}
	all.has(t, "lập sổ cái", "tiếp nhận hồ sơ", "trả thẻ", a.card, a.app)
	card := a.get("/audit/entries?kind=card&name=" + a.card)
	if n := rows(card); n < 8 || strings.Contains(card.text, a.app) {
		t.Errorf("of the card: %d", n)
	}
	if n := rows(a.get("/audit/entries?kind=stock")); n != 1 {
		t.Errorf("of stock: %d", n)
	}
	if n := rows(a.get("/audit/entries?from=2000-01-01&to=2000-01-02")); n != 0 {
		t.Errorf("long ago: %d", n)
	}
	if n := rows(a.get("/audit/entries?from=2000-01-01")); n < 20 {
		t.Errorf("since long ago: %d", n)
	}
	for _, bad := range []string{"kind=people", "name=%2e%2e", "from=yesterday", "to=2026-13-01", "at=-1", "at=x"} {
		if p := a.get("/audit/entries?" + bad); p.status != http.StatusBadRequest || p.code() != "audit-query" {
			t.Errorf("%s: %d %s", bad, p.status, p.code())
		}
	}
	for _, path := range []string{"/audit/entries/999999", "/audit/entries/x", "/audit/entries/999999/proof"} {
		if p := a.get(path); p.status != http.StatusNotFound || p.code() != "page-missing" {
			t.Errorf("%s: %d %s", path, p.status, p.code())
		}
	}
}

// offline runs a verb in a home of its own, as somebody without the ledger would.
func (a *auditor) offline(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out, errs bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, home: home(t.TempDir())}
	return p.run(t.Context(), append(args, "--log-key", a.key)), out.String() + errs.String()
}

func (a *auditor) proof(t *testing.T) {
	card := a.get("/audit/entries?kind=card&name=" + a.card)
	entry := regexp.MustCompile(`/audit/entries/\d+`).FindString(card.text)
	p := a.get(entry)
	p.has(t, `id="proven"`, "receipt --verify", a.card, `id="path"`)
	proof := a.get(entry + "/proof")
	file := filepath.Join(t.TempDir(), "proof")
	if err := os.WriteFile(file, []byte(proof.text), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, text := a.offline(t, "ledger", "receipt", "--verify", file); status != 0 || !strings.Contains(text, a.card) {
		t.Errorf("offline: %d %s", status, text)
	}
	if err := os.WriteFile(file, bytes.Replace([]byte(proof.text), []byte("\n"), []byte("\nA"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _ := a.offline(t, "ledger", "receipt", "--verify", file); status != exitRefused {
		t.Errorf("a changed proof: %d", status)
	}
}

func (a *auditor) consistency(t *testing.T) {
	older := a.get("/audit/checkpoint").text
	kept := a.get("/audit/entries/5/proof").text
	if _, err := a.deal.as(stageIssued, "binh", "card", "suspend", a.card, "--reason", "reported"); err != nil {
		t.Fatal(err)
	}
	paste := func(text string) consolePage {
		return a.post("/audit/consistency", url.Values{"checkpoint": {strings.ReplaceAll(text, "\n", "\r\n")}})
	}
	paste(older).has(t, `id="continued"`)
	paste("\n"+older+"\n\n").has(t, `id="continued"`)
	paste(kept).has(t, `id="continued"`, "biên nhận vẫn ở đúng chỗ")
	dir := t.TempDir()
	proof := a.post("/audit/consistency/proof", url.Values{"checkpoint": {older}})
	for name, text := range map[string]string{"old": older, "proof": proof.text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verb := []string{"ledger", "receipt", "--verify", filepath.Join(dir, "proof"), "--against", filepath.Join(dir, "old")}
	if status, text := a.offline(t, verb...); status != 0 || !strings.Contains(text, "continues from entry") {
		t.Errorf("offline: %d %s", status, text)
	}
	for _, tt := range []struct{ text, code string }{
		{"", "checkpoint-form"},
		{"nothing", "checkpoint-form"},
		{strings.Replace(older, "\n", "0\n", 1), "checkpoint-form"},
		{a.forge(t, 3, "rewritten"), "rewritten"},
		{a.forge(t, 1<<20, "longer"), "rolled-back"},
	} {
		p := paste(tt.text)
		if p.code() != tt.code || strings.Contains(p.text, `id="continued"`) {
			t.Errorf("%.20q: %s", tt.text, p.code())
		}
	}
}

// forge is a checkpoint of other leaves, signed with the log's own key.
func (a *auditor) forge(t *testing.T, size int64, leaf string) string {
	t.Helper()
	key, err := keystore.OpenLog(filepath.Join(a.dir, "home", "keys", logKeyName))
	if err != nil {
		t.Fatal(err)
	}
	origin, _, _ := strings.Cut(a.key, "+")
	c, err := ledger.SignCheckpoint(origin, size, tlog.RecordHash([]byte(leaf)), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.Note)
}

func (a *auditor) eyes(t *testing.T) {
	p := a.get("/audit/eyes")
	p.has(t, `id="eyes-good"`, a.card, a.app, "Tiếp nhận", "Trả thẻ", ">an<", ">binh<")
	if strings.Contains(p.text, `class="fault"`) {
		t.Error("a fault is shown where there is none")
	}
	if p := a.get("/audit/eyes?card=C-0000000000"); strings.Contains(p.text, a.card) {
		t.Error("another card is shown")
	}
}

func (a *auditor) deeds(t *testing.T) {
	a.get("/audit/operators").has(t, ">an<", ">binh<", ">chi<", "kiểm toán", "đang dùng")
	p := a.get("/audit/operators/binh")
	p.has(t, "duyệt", "trả thẻ", "tạm dừng hiệu lực", `id="deeds"`)
	if strings.Contains(p.text, `id="suspect"`) {
		t.Error("suspect for no reason")
	}
	a.get("/audit/operators/binh?from=2020-01-01").has(t, `id="suspect"`, "nghi vấn")
	if p := a.get("/audit/operators/nobody"); p.status != http.StatusNotFound || p.code() != "unknown" {
		t.Errorf("nobody: %d %s", p.status, p.code())
	}
	if p := a.get("/audit/operators/an?from=x"); p.code() != "audit-query" {
		t.Errorf("no day: %s", p.code())
	}
}

func (a *auditor) rest(t *testing.T) {
	if _, err := a.deal.as(stageIssued, "an", "stock", "spoil", "B-1", "900-902", "--reason", "damaged"); err != nil {
		t.Fatal(err)
	}
	a.get("/audit/stock").has(t, `id="stock-good"`, "B-1", "<td>1000</td><td>996</td><td>1</td><td>3</td>", `id="spoilage"`, "damaged")
	if p := a.get("/audit/stock?day=2020-01-01"); strings.Contains(p.text, `id="spoilage"`) {
		t.Error("spoilage on another day")
	}
	if p := a.get("/audit/stock?day=x"); p.code() != "audit-query" {
		t.Errorf("no day: %s", p.code())
	}
	a.get("/audit/conflicts").has(t, `id="no-conflicts"`)
	a.get("/audit/counts").has(t, `id="none"`)
	can, err := os.ReadFile(filepath.Join(a.dir, "can.txt"))
	if err != nil {
		t.Fatal(err)
	}
	card := a.wait(a.post("/checkpoint/", url.Values{"secret": {string(can)}}))
	if p := a.post(card.path+"/holder", url.Values{"holder": {"mismatch"}}); p.verdict() != "refuse" {
		t.Errorf("another person: %s", p.verdict())
	}
	a.get("/audit/counts").has(t, `</td><td>0</td><td>0</td><td>1</td><td>0</td><td>1</td><td>0</td>`)
}

// No page of the audit tells whom a card is about.
func (a *auditor) nobody(t *testing.T) {
	pages := []string{"/audit/", "/audit/entries?at=0", "/audit/eyes", "/audit/operators/an", "/audit/operators/binh", "/audit/stock", "/audit/counts"}
	list := a.get("/audit/entries?at=0")
	for _, e := range regexp.MustCompile(`/audit/entries/\d+`).FindAllString(list.text, -1) {
		pages = append(pages, e, e+"/proof")
	}
	for _, path := range pages {
		p := a.get(path)
		if p.status != http.StatusOK {
			t.Errorf("%s: %d", path, p.status)
		}
		for _, f := range a.facts(t)[:5] {
			if strings.Contains(html.UnescapeString(p.text), f) {
				t.Errorf("%s tells %s", path, f)
			}
		}
	}
}

// What was changed in the ledger's file is found on the page.
func (a *auditor) changed(t *testing.T) {
	path := filepath.Join(a.dir, "home", "ledger.db")
	pastTriggers(t, path, `UPDATE entry SET leaf = CAST(replace(leaf, 'first', 'fresh') AS BLOB) WHERE kind = 'application' AND seq = 1`)
	p := a.wait(a.post("/audit/verify", nil))
	p.has(t, `id="ledger-bad"`, "leaf-changed")
	found := regexp.MustCompile(`href="(/audit/entries/\d+)"`).FindStringSubmatch(p.text)
	if found == nil {
		t.Fatal("no place is named")
	}
	if p := a.get(found[1]); !strings.Contains(p.text, `id="refused"`) || p.code() != "proof-inclusion" {
		t.Errorf("the changed entry: %s", p.code())
	}
}

type checks struct{ *testing.T }

func (c checks) Check(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// pastTriggers changes a database as somebody with all rights to the file and no keys.
func pastTriggers(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path) // the driver of issuance/sqlite
	checks{t}.Check(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	drop, create := triggers(checks{t}, db)
	for _, s := range slices.Concat(drop, []string{statement}, create) {
		_, err := db.Exec(s)
		checks{t}.Check(err)
	}
}
