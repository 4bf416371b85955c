package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image/jpeg"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
)

// checkpoint is a console at whose checkpoint somebody stands, with a genuine card and a
// forger who has read it.
type checkpoint struct {
	*consoleRig
	*consoleBrowser
	dir    string
	forger forger
	secret string // what opens the card
}

// newCheckpoint logs in an officer with the auditor's role alone, who has no part in the desk.
func newCheckpoint(t *testing.T) *checkpoint {
	r := newHomeRig(t, stageIssued)
	t.Cleanup(func() { r.saidNothing(t) }) // after the program has ended
	appendTo(t, filepath.Join(r.dir, "home", configFile), `
[slip]
office = "Quầy thử nghiệm"
basis = "Luật thử nghiệm"
complain = "complain@specimen.invalid"
purpose = "thử nghiệm"
`)
	r.url = r.serve(t, "console", "--specimen")
	pass := filepath.Join(r.deal.dir, stageAuthority, "passphrase")
	if _, err := r.deal.as(stageIssued, "an", "operator", "add", "chi", "--roles", "auditor", "--new-passphrase-file", pass, "--second", "binh", "--second-passphrase-file", pass); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "read")
	if _, err := r.deal.run(stageIssued, "read", "--purpose", "test", "--out", out, "--can-file", filepath.Join(r.dir, "can.txt"), "--specimen"); err != nil {
		t.Fatal(err)
	}
	files, err := readFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	can, err := os.ReadFile(filepath.Join(r.dir, "can.txt"))
	if err != nil {
		t.Fatal(err)
	}
	c := &checkpoint{r, r.browser(t), r.dir, forger{files: files, can: strings.TrimSpace(string(can)), dir: t.TempDir()}, strings.TrimSpace(string(can))}
	c.login("chi")
	return c
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// facts are what the card's holder would not want to be told anybody.
func (r *consoleRig) facts(t *testing.T) (list []string) {
	t.Helper()
	person, err := os.ReadFile(filepath.Join(r.dir, "person.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(?:number|given|father|mother|residence|origin)": *"([^"]+)"`).FindAllSubmatch(person, -1) {
		list = append(list, string(m[1]))
	}
	if len(list) < 5 {
		t.Fatalf("the test knows %d facts", len(list))
	}
	return append(list, list[0][6:]) // the CAN
}

// saidNothing holds what the program said on standard error, its log, against those.
func (r *consoleRig) saidNothing(t *testing.T) {
	text := r.said.String()
	if !strings.Contains(text, "record-tampered") {
		t.Errorf("the log is not here: %q", text)
	}
	for _, f := range r.facts(t) {
		if strings.Contains(text, f) {
			t.Errorf("the log tells %s", f)
		}
	}
}

func readFolder(dir string) (verify.Files, error) { return verify.ReadFiles(os.DirFS(dir)) }

// put puts a chip that the forger makes onto the reader.
func (c *checkpoint) put(make func(forger) (*virtual.Chip, error)) {
	c.t.Helper()
	f := c.forger
	f.path = filepath.Join(c.t.TempDir(), "chip")
	chip, err := make(f)
	if err == nil {
		err = chip.Close()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.connect = func() (*reader, error) { return (&chipSlot{f.path}).open() }
}

// check inspects what is on the reader and returns the page that it leads to.
func (c *checkpoint) check(secret string) consolePage {
	c.t.Helper()
	return c.wait(c.post("/checkpoint/", url.Values{"secret": {secret}}))
}

var verdictOnPage = regexp.MustCompile(`data-verdict="([a-z]+)"`)

func (a consolePage) verdict() string {
	m := verdictOnPage.FindStringSubmatch(a.text)
	if m == nil {
		return ""
	}
	return m[1]
}

func (a consolePage) has(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(a.text, w) {
			t.Errorf("%s lacks %q", a.path, w)
		}
	}
}

func (c *checkpoint) size(t *testing.T) int64 {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(c.dir, "home", "ledger.db"), sqlite.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.Size
}

// A checkpoint in the browser: every card gets its light, its reason and its remedy, and what
// is said of a person is shown only where the State vouches for it.
func TestConsoleCheckpoint(t *testing.T) {
	c := newCheckpoint(t)
	before := c.size(t)
	t.Run("genuine", c.genuine)
	t.Run("opened", c.opened)
	t.Run("bearer", c.bearer)
	t.Run("progress", c.progress)
	t.Run("forged", c.forged)
	t.Run("bomb", c.bomb)
	t.Run("reader", c.readers)
	t.Run("locked", c.locked)
	t.Run("history", c.historyKept)
	if after := c.size(t); after != before {
		t.Errorf("the ledger grew from %d to %d", before, after)
	}
	if a := c.get("/desk/"); a.status != http.StatusForbidden || a.code() != "page-role" {
		t.Errorf("the auditor is let to the desk: %d", a.status)
	}
	t.Run("revoked", c.revoked)
}

func (c *checkpoint) genuine(t *testing.T) {
	a := c.check(c.secret)
	if a.verdict() != "accept" {
		t.Fatalf("%d %s %s: %s", a.status, a.path, a.code(), a.text)
	}
	a.has(t, "HỢP LỆ", `id="portrait"`, "Thử Nghiệm", "Nơi cư trú", "Dân tộc", "MẪU (SPECIMEN)", `id="holder-match"`, "PACE-CAN")
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("the page may be cached")
	}
	p := c.get(a.path + "/portrait")
	if _, err := jpeg.Decode(strings.NewReader(p.text)); err != nil || p.header.Get("Content-Type") != "image/jpeg" || p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("no portrait: %v, %v", err, p.header)
	}
	if bytes.Contains(c.forger.files[lds.DG2], []byte(p.text[:min(len(p.text), 2000)])) {
		t.Error("the portrait is served as it lies on the chip")
	}
	slip := c.get(a.path + "/slip")
	slip.has(t, "Quầy thử nghiệm", "thử nghiệm", "DG2")
	for _, f := range c.facts(t)[:5] {
		if strings.Contains(slip.text, f) {
			t.Errorf("the slip tells %s", f)
		}
	}
	c.post("/lang", url.Values{"lang": {"en"}})
	c.get(a.path).has(t, "ACCEPT", "Residence", "Is the bearer the person in the picture?")
	c.post("/lang", url.Values{"lang": {"vi"}})

	other := c.browser(t)
	other.login("binh")
	for _, path := range []string{a.path, a.path + "/portrait"} {
		if b := other.get(path); b.status != http.StatusNotFound || b.code() != "card-gone" {
			t.Errorf("another officer sees %s: %d", path, b.status)
		}
	}
	if b := other.post(a.path+"/holder", url.Values{"holder": {"match"}}); b.code() != "card-gone" {
		t.Errorf("another officer answers: %s", b.code())
	}
	next := c.check(c.secret)
	if b := c.get(a.path); b.code() != "card-gone" || next.verdict() != "accept" {
		t.Errorf("the card before is still shown: %d, then %s", b.status, next.verdict())
	}
}

// All that opens a card opens it here; what does not has its own code and is not repeated.
func (c *checkpoint) opened(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, want := range map[string]string{"mrz.txt": "PACE-MRZ", "triple.txt": "PACE-MRZ"} {
		a := c.check(read(name))
		if a.verdict() != "accept" {
			t.Errorf("%s: %s %s", name, a.verdict(), a.code())
		}
		a.has(t, want)
	}
	zone := strings.ReplaceAll(strings.TrimSpace(read("mrz.txt")), "\n", "\r\n")
	if a := c.check(strings.ToLower(zone)); a.verdict() != "accept" {
		t.Errorf("in small letters: %s", a.code())
	}
	qr := strings.TrimSpace(read("qr.txt")) + "01012020"
	if a := c.check(qr); a.verdict() != "refer" || !strings.Contains(a.text, "print-mismatch") || !strings.Contains(a.text, "ngày cấp") {
		t.Errorf("a QR code with another day of issue: %s %s", a.verdict(), a.code())
	}
	wrong := []byte(c.secret)
	wrong[5] ^= 1
	bad := strings.Replace(zone, "IDVNM", "IDVNM1", 1)
	for _, tt := range []struct{ secret, code string }{
		{string(wrong), "wrong-password"},
		{"12345", "can-form"},
		{"", "can-form"},
		{"12345a", "can-form"},
		{"a|b|c", "can-form"},
		{strings.Repeat("1", 5000), "can-form"},
		{bad, "mrz-form"},
		{"190000017;900215", "mrz-form"},
		{strings.Replace(zone, "2", "3", 1), "mrz-form"},
	} {
		a := c.check(tt.secret)
		if a.code() != tt.code {
			t.Errorf("%.12q: %q, not %s: %d", tt.secret, a.code(), tt.code, a.status)
		}
		if len(tt.secret) >= 5 && strings.Contains(a.text, tt.secret) {
			t.Errorf("%s: the page repeats what was typed", tt.code)
		}
		if strings.Contains(a.path, tt.secret) && tt.secret != "" {
			t.Errorf("%s: the address has what was typed", tt.code)
		}
	}
}

// The officer's answer counts in the verdict, and may be corrected.
func (c *checkpoint) bearer(t *testing.T) {
	a := c.check(c.secret)
	for _, tt := range []struct{ answer, verdict, reason string }{
		{"mismatch", "refuse", "holder-mismatch"}, {"unsure", "refer", "holder-unsure"}, {"match", "accept", ""},
	} {
		b := c.post(a.path+"/holder", url.Values{"holder": {tt.answer}})
		if b.path != a.path || b.verdict() != tt.verdict || tt.reason != "" && !strings.Contains(b.text, tt.reason) {
			t.Errorf("%s: %s at %s", tt.answer, b.verdict(), b.path)
		}
		b.has(t, `id="answered"`, `value="`+tt.answer+`" id="holder-`+tt.answer+`" accesskey="`+map[string]string{"match": "y", "mismatch": "n", "unsure": "u"}[tt.answer]+`" aria-pressed="true"`)
	}
	if b := c.post(a.path+"/holder", url.Values{"holder": {"perhaps"}}); b.code() != "holder-form" {
		t.Errorf("no answer: %s", b.code())
	}
}

// pausing is a card that stops before one of its answers until it may go on.
type pausing struct {
	apdu.Wire
	left       int
	stops, may chan struct{}
}

func (p *pausing) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if p.left--; p.left == 0 {
		close(p.stops)
		select {
		case <-p.may:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return p.Wire.Exchange(ctx, b)
}

// The page is told how far the reading is, and nobody else gets the reader meanwhile.
func (c *checkpoint) progress(t *testing.T) {
	defer func() { c.connect = nil }()
	p := &pausing{left: 60, stops: make(chan struct{}), may: make(chan struct{})}
	c.connect = func() (*reader, error) {
		r, err := (&chipSlot{filepath.Join(c.dir, "card.chip")}).open()
		if err == nil {
			p.Wire, r.Wire = r.Wire, p
		}
		return r, err
	}
	job := c.post("/checkpoint/", url.Values{"secret": {c.secret}})
	<-p.stops
	q, err := http.NewRequest(http.MethodGet, c.url+job.path+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	events, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	lines := bufio.NewScanner(events.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), "Đọc ") || events.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("the first event: %q", lines.Text())
	}
	other := c.browser(t)
	other.login("binh")
	a := other.wait(other.post("/checkpoint/", url.Values{"secret": {c.secret}}))
	if a.code() != "reader-in-use" || !strings.Contains(a.text, "chi") {
		t.Errorf("a second officer: %s", a.code())
	}
	close(p.may)
	last := ""
	for lines.Scan() {
		if lines.Text() != "" {
			last = lines.Text()
		}
	}
	if !strings.Contains(last, `"next":"/checkpoint/card/`) {
		t.Errorf("the last event: %q", last)
	}
	if a := c.wait(c.get(job.path)); a.verdict() != "accept" {
		t.Errorf("%s %s", a.verdict(), a.code())
	}
}

// What a forger makes is refused or referred, each with its own reason, and no picture and no
// name is shown that nobody vouches for.
func (c *checkpoint) forged(t *testing.T) {
	defer func() { c.connect = nil }()
	for _, tt := range []struct {
		name, verdict, reason string
		proven                bool
		make                  func(forger) (*virtual.Chip, error)
	}{
		{"clone", "refuse", "chip-key-mismatch", true, forger.clone},
		{"changed portrait", "refuse", "group-hash", false, func(f forger) (*virtual.Chip, error) {
			files := verify.Files{}
			for file, b := range f.files {
				files[file] = bytes.Clone(b)
			}
			files[lds.DG2][len(files[lds.DG2])-40] ^= 1
			return f.chip(files, nil, nil)
		}},
		{"unknown CSCA", "refer", "csca-unknown", false, func(f forger) (*virtual.Chip, error) { return f.resigned(false) }},
		{"borrowed CSCA", "refuse", "chain-forged", false, func(f forger) (*virtual.Chip, error) { return f.resigned(true) }},
	} {
		c.put(tt.make)
		a := c.check(c.secret)
		if a.verdict() != tt.verdict || !strings.Contains(a.text, tt.reason) {
			t.Errorf("%s: %s, %s: %v", tt.name, a.verdict(), a.code(), regexp.MustCompile(`class="reason">([^<]*)`).FindAllString(a.text, -1))
		}
		a.has(t, `id="remedy"`)
		if strings.Contains(a.text, `id="portrait"`) != tt.proven || strings.Contains(a.text, "Thử Nghiệm") != tt.proven {
			t.Errorf("%s: whom it shows does not follow from what is proven", tt.name)
		}
		if tt.proven {
			continue
		}
		if p := c.get(a.path + "/portrait"); p.status != http.StatusForbidden || p.code() != "portrait-unproven" {
			t.Errorf("%s: the portrait: %d", tt.name, p.status)
		}
		if p := c.post(a.path+"/holder", url.Values{"holder": {"match"}}); p.code() != "portrait-unproven" {
			t.Errorf("%s: the answer: %s", tt.name, p.code())
		}
	}
}

// stolen makes a card with a picture that would fill the memory, signed with the document
// signer's key, which somebody took from the desk.
func (c *checkpoint) stolen(f forger) (*virtual.Chip, error) {
	files := verify.Files{}
	for file, b := range f.files {
		files[file] = b
	}
	faces, err := lds.ParseDG2(files[lds.DG2])
	if err != nil {
		return nil, err
	}
	files[lds.DG2] = bytes.Replace(files[lds.DG2], faces[0].Image, bomb(faces[0].Image), 1)
	sod, err := lds.ParseSOD(files[lds.SODFile])
	if err != nil {
		return nil, err
	}
	for i, h := range sod.Object.Hashes {
		sum := sha256.Sum256(files[lds.Group(h.Number)])
		sod.Object.Hashes[i].Hash = sum[:]
	}
	object, err := lds.EncodeSecurityObject(sod.Object)
	if err != nil {
		return nil, err
	}
	keys, err := filepath.Glob(filepath.Join(c.dir, "home", "keys", "ds-*"))
	if err != nil || len(keys) == 0 {
		return nil, errors.Join(err, os.ErrNotExist)
	}
	key, err := keystore.Open("file:" + keys[0])
	if err != nil {
		return nil, err
	}
	signer, err := cert.Parse(sod.Signed.Certificates[0].Raw)
	if err != nil {
		return nil, err
	}
	signed, err := cms.Sign(cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: object, Certificate: signer}, key)
	if err != nil {
		return nil, err
	}
	files[lds.SODFile] = lds.WrapSOD(signed)
	return f.chip(files, nil, nil)
}

// A card signed with a stolen key is refused for want of the log's proof. Where an issuer has
// no log the picture counts as the State's, and is not opened all the same.
func (c *checkpoint) bomb(t *testing.T) {
	defer func() { c.connect = nil }()
	c.put(c.stolen)
	if a := c.check(c.secret); a.verdict() != "refuse" || !strings.Contains(a.text, "log-proof-missing") {
		t.Errorf("a stolen signer's key: %s %s", a.verdict(), a.code())
	}
	lists, err := filepath.Glob(filepath.Join(c.dir, "home", trustDir, "issuers.toml"))
	if err != nil || len(lists) != 1 {
		t.Fatal(lists, err)
	}
	text, err := os.ReadFile(lists[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.WriteFile(lists[0], text, 0o600) }()
	if err := os.WriteFile(lists[0], regexp.MustCompile(`(?m)^\s*log(s)?(_[a-z]+)?\s*=.*$`).ReplaceAll(text, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	a := c.check(c.secret)
	a.has(t, `id="no-portrait"`, "portrait-bad", "Thử Nghiệm")
	if strings.Contains(a.text, `id="portrait"`) || strings.Contains(a.text, `id="holder-match"`) {
		t.Error("the page asks to compare a picture that it does not show")
	}
	if p := c.get(a.path + "/portrait"); p.status != http.StatusUnprocessableEntity || p.code() != "portrait-bad" {
		t.Errorf("the picture: %d %s", p.status, p.code())
	}
}

// removing is a card that is taken off the reader after so many commands.
type removing struct {
	apdu.Wire
	left int
}

func (r *removing) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if r.left--; r.left < 0 {
		return nil, apdu.ErrRemoved
	}
	return r.Wire.Exchange(ctx, b)
}

// Each trouble with reader or card is a page with its code and what to do.
func (c *checkpoint) readers(t *testing.T) {
	defer func() { c.connect = nil }()
	no := func(err error) func() (*reader, error) { return func() (*reader, error) { return nil, err } }
	for _, tt := range []struct {
		code, remedy string
		connect      func() (*reader, error)
	}{
		{"no-reader", "Cắm đầu đọc", no(pcsc.ErrNoReader)},
		{"readers", "một đầu đọc", no(&pcsc.AmbiguousError{Readers: []pcsc.Reader{{Name: "A"}, {Name: "B"}}})},
		{"no-card", "Đặt thẻ", no(pcsc.ErrNoCard)},
		{"card-mute", "Lật thẻ", no(pcsc.ErrUnresponsive)},
		{"card-busy", "Đóng chương trình", no(pcsc.ErrBusy)},
		{"card-removed", "Đặt lại thẻ", func() (*reader, error) {
			r, err := (&chipSlot{filepath.Join(c.dir, "card.chip")}).open()
			if err == nil {
				r.Wire = &removing{r.Wire, 40}
			}
			return r, err
		}},
	} {
		c.connect = tt.connect
		a := c.check(c.secret)
		if a.code() != tt.code || !strings.Contains(a.text, tt.remedy) || !strings.Contains(a.text, `href="/checkpoint/"`) {
			t.Errorf("%s: %s %s", tt.code, a.code(), a.text)
		}
	}
}

// What was answered while the session was locked is not lost.
func (c *checkpoint) locked(t *testing.T) {
	a := c.check(c.secret)
	c.post("/lock", nil)
	if b := c.get(a.path); b.path != "/login?locked=1" {
		t.Fatalf("a locked session shows %s", b.path)
	}
	c.post(a.path+"/holder", url.Values{"holder": {"mismatch"}})
	c.login("chi")
	if b := c.post("/waiting", nil); b.path != a.path || b.verdict() != "refuse" {
		t.Errorf("the answer was lost: %s %s", b.path, b.verdict())
	}
	c.post("/logout", nil)
	c.login("chi")
	if b := c.get(a.path); b.code() != "card-gone" {
		t.Errorf("the card is there after logging out: %d", b.status)
	}
}

// The history tells what was done, and whom it was about to nobody.
func (c *checkpoint) historyKept(t *testing.T) {
	a := c.get("/checkpoint/history")
	a.has(t, `id="record-whole"`, "so người", "holder-mismatch", "csca-unknown", "bạn")
	for _, f := range c.facts(t) {
		if strings.Contains(a.text, f) {
			t.Errorf("the history tells %s", f)
		}
	}
	path := filepath.Join(c.dir, "home", inspectionsDir, "inspections.jsonl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(`"verdict":"refuse"`), []byte(`"verdict":"accept"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.WriteFile(path, text, 0o600) }()
	if b := c.get("/checkpoint/history"); b.code() != "record-tampered" {
		t.Errorf("a changed record: %q", b.code())
	}
	if err := os.Truncate(path, int64(len(text)/2)); err != nil {
		t.Fatal(err)
	}
	if b := c.check(c.secret); b.verdict() != "accept" || !strings.Contains(b.text, `id="not-recorded"`) {
		t.Errorf("an inspection that cannot be recorded: %s", b.verdict())
	}
}

func (c *checkpoint) revoked(t *testing.T) {
	card, err := os.ReadFile(filepath.Join(c.dir, "CARD"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.deal.as(stageIssued, "binh", "card", "revoke", strings.TrimSpace(string(card)), "--reason", "stolen"); err != nil {
		t.Fatal(err)
	}
	a := c.check(c.secret)
	if a.verdict() != "refuse" || !strings.Contains(a.text, "card-revoked") {
		t.Errorf("%s %s", a.verdict(), a.code())
	}
}
