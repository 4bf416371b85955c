//go:build linux && cgo

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/testdata"
)

// dayDir makes the test binary the program of a day, which lies in that folder.
const dayDir = "TAMTHE_DAY_AT"

// TestDay is a day at a desk through the command line: keys in SoftHSM, a ceremony, blanks
// taken in, six people (fifty with TAMTHE_SOAK, or as many as TAMTHE_DAY says) whose cards
// are made through pcscd, printed, read, examined and handed over; cards lost, replaced and
// revoked; the lists and a checkpoint that has them, the blanks counted, the day closed,
// the books, a person's data destroyed, the audit. What must not be is tried on the way
// and refused with its reason. Every artefact is kept in the folder that TAMTHE_DAY_OUT
// names, if it does.
func TestDay(t *testing.T) {
	if dir := os.Getenv(dayDir); dir != "" {
		runDay(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("passphrases take time")
	}
	for what, tool := range map[string]string{"softhsm": "softhsm2-util", "pcscd": "pcscd"} {
		if _, err := exec.LookPath(tool); err != nil {
			testdata.Missing(t, what, "no "+tool+" here")
		}
	}
	dir := os.Getenv("TAMTHE_DAY_OUT")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, name := range []string{"tokens", "papers"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s\nlog.level = ERROR\n", filepath.Join(dir, "tokens"))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestDay$", "-test.v", "-test.timeout=2h")
	child.Env = append(os.Environ(), dayDir+"="+dir, "SOFTHSM2_CONF="+conf)
	out, err := child.CombinedOutput()
	if strings.Contains(string(out), "--- SKIP") {
		testdata.Missing(t, "pcscd", "a private PC/SC service does not begin here")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range regexp.MustCompile(`(?m)^\s+day_test.go:\d+: .*$`).FindAllString(string(out), -1) {
		t.Log(strings.TrimSpace(line))
	}
}

// day is an office while it works.
type day struct {
	t        *testing.T
	dir      string
	slot     *virtualReader
	now      time.Time
	refused  int
	reasons  bytes.Buffer // of what was refused
	people   []*visitor
	verdicts map[string]int
	other    string // the reading of a body that is nobody's of the day
}

// visitor is somebody who comes to the desk, with what the day makes for them.
type visitor struct {
	citizen
	reason, replaces string
	app, card        string
	oldLost          bool // the card that it replaces cannot be taken back
	chip             *virtual.Chip
}

func runDay(t *testing.T, dir string) {
	_, _ = private.Enter()
	slot, err := newVirtualReader(t.Context(), filepath.Join("..", "..", ".tamthe", "vpcd"))
	if err != nil {
		t.Skipf("no private PC/SC service: %v", err)
	}
	defer slot.close()
	d := &day{t: t, dir: dir, slot: slot, now: time.Date(2026, 9, 1, 7, 30, 0, 0, time.FixedZone("ICT", 7*3600)), verdicts: map[string]int{}}
	many := howMany(t)
	d.authority()
	d.morning(many)
	d.afternoon(many)
	d.evening(many)
}

// howMany people come: at least the six that the day tells of.
func howMany(t *testing.T) int {
	t.Helper()
	many := 6
	if os.Getenv("TAMTHE_SOAK") != "" {
		many = 50
	}
	if text := os.Getenv("TAMTHE_DAY"); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil || many < 6 || many > 150 {
			t.Fatalf("TAMTHE_DAY=%s: from 6 to 150 people", text)
		}
	}
	return many
}

func (d *day) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// write keeps an artefact.
func (d *day) write(name string, b []byte) string {
	d.t.Helper()
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// run is the command line; a minute passes. An exit status that is not the one wanted ends
// the day.
func (d *day) run(exit int, in string, args ...string) (stdout, stderr string) {
	d.t.Helper()
	return d.runAt("home", exit, in, args...)
}

// runAt is the command line in one of the homes.
func (d *day) runAt(where string, exit int, in string, args ...string) (stdout, stderr string) {
	d.t.Helper()
	d.now = d.now.Add(time.Minute)
	now := d.now
	var out, errw bytes.Buffer
	p := &program{
		in: strings.NewReader(in), out: &out, err: &errw, now: func() time.Time { return now },
		home: home(d.path(where)), connect: d.slot.connect,
	}
	if status := p.run(context.Background(), args); status != exit {
		d.t.Fatalf("tamthe %s: status %d, want %d: %s%s", strings.Join(args, " "), status, exit, &out, &errw)
	}
	if exit != 0 {
		d.refusal(exit, args, out.String(), errw.String())
	}
	return strings.TrimSpace(out.String()), errw.String()
}

// refusal keeps why something was refused: a verdict says so on standard output, all else
// on standard error.
func (d *day) refusal(exit int, args []string, stdout, stderr string) {
	d.t.Helper()
	d.refused++
	why, rest, _ := strings.Cut(stderr, "\n")
	if exit == exitRefused || exit == exitRefer {
		why = stdout
		if reasons := regexp.MustCompile(`(?s)"reasons": \[(.*?)\]`).FindStringSubmatch(stdout); reasons != nil {
			why = reasons[1]
		}
		why = strings.Join(strings.Fields(why), " ")
	} else if !strings.HasPrefix(why, "tamthe: ") && !strings.HasPrefix(why, `{"error":{"code":"`) {
		d.t.Errorf("tamthe %s: status %d without a reason: %s%s", strings.Join(args, " "), exit, why, rest)
	}
	fmt.Fprintf(&d.reasons, "%d  tamthe %s\n    %.1500s\n", exit, strings.ReplaceAll(strings.Join(args, " "), d.dir+"/", ""), strings.ReplaceAll(why, d.dir+"/", ""))
}

func (d *day) pass() []string { return []string{"--passphrase-file", d.path("passphrase")} }

// by is a verb of one officer's, both of two.
func (d *day) by(exit int, who string, args ...string) string {
	d.t.Helper()
	out, _ := d.run(exit, "", slices.Concat(args, []string{"--operator", who}, d.pass())...)
	return out
}

func (d *day) both(exit int, args ...string) string {
	d.t.Helper()
	out, _ := d.run(exit, "", slices.Concat(args, []string{"--operator", "an", "--second", "binh", "--second-passphrase-file", d.path("passphrase")}, d.pass())...)
	return out
}

// authority: the token, the founding of the log by two, the ceremony.
func (d *day) authority() {
	d.t.Helper()
	cmd := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "office", "--pin", "271828", "--so-pin", "314159")
	if b, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %s", err, b)
	}
	modules, _ := filepath.Glob("/usr/lib/*/softhsm/libsofthsm2.so")
	modules = append(modules, "/usr/lib/softhsm/libsofthsm2.so")
	d.write("passphrase", []byte(testPassphrase+"\n"))
	pin := d.write("pin", []byte("271828\n"))
	uri := fmt.Sprintf("pkcs11:token=office?module-path=%s&pin-source=file:%s", modules[0], pin)
	pass := append(d.pass(), "--second-passphrase-file", d.path("passphrase"))

	// One person cannot found a log.
	d.run(2, "", append([]string{"init", "--operator", "an", "--keys", uri}, d.pass()...)...)
	out, _ := d.run(0, "", append([]string{
		"init", "--operator", "an", "--second", "binh", "--keys", uri, "--roles", "admin,registrar,approver,personaliser,inspector,custodian,stock-keeper",
		"--second-roles", "admin,approver,personaliser,inspector,clerk,revoker,custodian",
	}, pass...)...)
	d.write("founding.txt", []byte(out+"\n"))

	script := d.write("ceremony.toml", []byte(dayCeremony))
	who := []string{"--custodian", "an=" + d.path("passphrase"), "--custodian", "binh=" + d.path("passphrase")}
	d.run(14, "yes\nS-0017\n", "pki", "ceremony", "run", script, who[0], who[1], "--transcript", d.path("alone.log"))
	d.run(0, "yes\nS-0017\n", "pki", "ceremony", "run", script, "--rehearsal", "--transcript", d.path("rehearsal.log"), "--out", d.path("rehearsed"), "--custodian", "an", "--custodian", "binh")
	d.run(0, "yes\nS-0017\n", append([]string{"pki", "ceremony", "run", script, "--transcript", d.path("ceremony.log"), "--out", d.path("outbox")}, who...)...)
	d.run(0, "", "pki", "ceremony", "verify", d.path("ceremony.log"))
	d.run(0, "", "pki", "lint", d.path("home", "pki", "csca.cer"), d.path("home", "pki", "ds-001.cer"), d.path("home", "pki", "csca.crl"))
	out, _ = d.run(0, "", "keys", "list")
	d.write("keys.txt", []byte(out+"\n"))
	if entries, err := os.ReadDir(d.path("home", "keys")); err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "csca" || e.Name() == "ds-001" }) {
		d.t.Fatalf("keys of the authority outside the token: %v %v", entries, err)
	}
	d.both(0, "operator", "add", "chi", "--roles", "clerk,stock-keeper", "--new-passphrase-file", d.path("passphrase"))
	d.by(14, "an", "pki", "ds") // a document signer by one custodian
}

// morning: the queue is enrolled and approved; the files of all are kept.
func (d *day) morning(many int) {
	d.t.Helper()
	for i, c := range queue(many) {
		v := &visitor{citizen: c, reason: "first"}
		d.write("people/"+c.key+".json", c.file())
		face, err := drawPortrait(demoPortrait + 40*i)
		if err != nil {
			d.t.Fatal(err)
		}
		d.write("people/"+c.key+".jpg", face)
		d.enrolled(v)
		d.people = append(d.people, v)
	}
	first := d.people[0]
	d.by(14, "binh", "stock", "receive", "B-1", "1-200") // no stock keeper
	d.by(0, "an", "stock", "receive", "B-1", "1-200")
	spare := d.blank(first)
	d.insert(spare)
	d.by(14, "an", "enrol", d.path("people", first.key+".json"), "--portrait", d.path("people", first.key+".jpg")) // twice
	d.by(14, "an", "approve", first.app)                                                                           // who enrolled
	d.by(14, "an", "personalise", first.app)                                                                       // not approved
	for _, v := range d.people {
		d.by(0, "binh", "approve", v.app)
	}
	d.sentAway(queue(many + 1)[many])
	d.by(14, "binh", "personalise", first.app) // who approved
}

// sentAway is somebody whose papers do not do.
func (d *day) sentAway(c citizen) {
	d.t.Helper()
	v := &visitor{citizen: c, reason: "first"}
	d.write("people/"+c.key+".json", c.file())
	face, err := os.ReadFile(d.path("people", d.people[0].key+".jpg"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.write("people/"+c.key+".jpg", face)
	d.enrolled(v)
	d.by(0, "binh", "application", "reject", v.app, "--reason", "documents")
	d.by(14, "binh", "approve", v.app)
	d.run(0, "", "application", "show", v.app, "--form", "cc03", "--lang", "vi", "--out", d.path("papers", v.app+".cc03"))
}

func (d *day) enrolled(v *visitor) {
	d.t.Helper()
	args := []string{"enrol", d.path("people", v.key+".json"), "--portrait", d.path("people", v.key+".jpg"), "--reason", v.reason}
	if v.replaces != "" {
		args = append(args, "--replaces", v.replaces)
	}
	v.app = d.by(0, "an", args...)
	d.run(0, "", "application", "show", v.app, "--form", "cc02", "--lang", "vi", "--out", d.path("papers", v.app+".cc02"))
}

// afternoon: the cards are made, one after a power cut; one is lost, one stolen; lost and
// damaged ones are replaced.
func (d *day) afternoon(many int) {
	d.t.Helper()
	d.other = d.write("bodies/other.json", d.reading(d.people[1]))
	for i, v := range d.people {
		v.chip = d.blank(v)
		d.insert(v.chip)
		if i == 1 { // the power fails in the midst of it
			v.chip.OnWrite(func(n int) bool { return n < 9 })
			d.by(11, "an", "personalise", v.app)
			v.chip.OnWrite(nil)
			d.insert(d.blank(v))
			d.by(14, "an", "personalise", v.app) // another chip
			d.insert(v.chip)
		}
		v.card = d.by(0, "an", "personalise", v.app)
		d.examined(v, i == 0)
	}
	d.by(14, "binh", "deliver", d.people[0].card) // twice
	d.verified(d.people[0], 0)

	lost := d.people[2]
	d.by(0, "binh", "card", "revoke", lost.card, "--reason", "lost")
	d.verified(lost, 3)
	stolen := d.people[3]
	d.by(14, "an", "card", "revoke", stolen.card, "--reason", "stolen") // not his to do
	d.by(0, "binh", "card", "revoke", stolen.card, "--reason", "stolen")
	d.replaced(lost, "lost", false)
	for i, v := range slices.Clone(d.people[:many]) {
		switch i % 12 {
		case 4:
			d.replaced(v, "damaged", false)
		case 8:
			d.replaced(v, "lost", true)
		}
	}
}

// replaced is a card in the place of another, which a checkpoint refuses from then on.
func (d *day) replaced(old *visitor, reason string, gone bool) {
	d.t.Helper()
	v := &visitor{citizen: old.citizen, reason: reason, replaces: old.card, oldLost: gone}
	d.enrolled(v)
	d.by(0, "binh", "approve", v.app)
	v.chip = d.blank(v)
	d.insert(v.chip)
	v.card = d.by(0, "an", "personalise", v.app)
	d.examined(v, false)
	d.verified(old, 3)
	d.people = append(d.people, v)
}

// blank is a chip out of the box.
func (d *day) blank(v *visitor) *virtual.Chip {
	d.t.Helper()
	path := d.path("chips", fmt.Sprintf("%s-%s-%d.chip", v.key, v.reason, d.now.Unix()))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		d.t.Fatal(err)
	}
	d.now = d.now.Add(time.Second)
	c, err := virtual.Create(path, virtual.Config{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	return c
}

func (d *day) insert(c *virtual.Chip) {
	d.t.Helper()
	if err := d.slot.insert(d.t.Context(), c); err != nil {
		d.t.Fatal(err)
	}
}

// examined: the body is printed, read and examined with the chip, and the card handed over.
func (d *day) examined(v *visitor, wrongTurns bool) {
	d.t.Helper()
	d.by(0, "an", "print", v.card, "--out", d.path("jobs"))
	body := d.write("bodies/"+v.card+".json", d.reading(v))
	if wrongTurns {
		d.by(14, "an", "check", v.card, "--body", body)     // who made it
		d.by(14, "binh", "deliver", v.card)                 // not examined
		d.by(3, "binh", "check", v.card)                    // its body not read
		d.by(3, "binh", "check", v.card, "--body", d.other) // another's body
	}
	report := d.by(0, "binh", "check", v.card, "--body", body, "--json")
	d.write("reports/"+v.card+".json", []byte(report))
	if v.oldLost {
		d.by(0, "binh", "deliver", v.card, "--old-lost")
	} else if day := v.person.Birth; day.Year > 2012 { // a child's card is handed to somebody else, before two clerks
		d.by(14, "binh", "deliver", v.card)
		d.run(0, "", append([]string{
			"deliver", v.card, "--proxy", "--operator", "binh", "--second", "chi", "--second-passphrase-file", d.path("passphrase"),
		}, d.pass()...)...)
	} else {
		d.by(0, "binh", "deliver", v.card)
	}
	receipt, _ := d.run(0, "", "ledger", "receipt", v.card)
	d.write("receipts/"+v.card+".tlog-proof", []byte(receipt+"\n"))
}

// reading is what a camera and a program without fault make of the body: that programs
// of others read print jobs so, the tests of printjob and the script of quality show.
func (d *day) reading(v *visitor) []byte {
	d.t.Helper()
	zone, err := v.zone(v.person.ExpiryAt(d.now))
	if err != nil {
		d.t.Fatal(err)
	}
	r := printjob.Reading{
		Front: printjob.Surface{Fields: map[string]string{"number": string(v.person.Number)}, QR: vn.EncodeQR(v.person, "", d.now), Portrait: d.scan(v)},
		Back:  printjob.Surface{MRZ: zone},
	}
	b, err := json.Marshal(r)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// scan is the portrait's box as a camera sees it.
func (d *day) scan(v *visitor) []byte {
	d.t.Helper()
	face, err := os.ReadFile(d.path("people", v.key+".jpg"))
	if err != nil {
		d.t.Fatal(err)
	}
	img, err := picture.Decode(d.t.Context(), face, picture.Options{})
	if err != nil {
		d.t.Fatal(err)
	}
	const perMM = 12
	box, _ := printjob.Portrait("vn-cccd-2021")
	out := image.NewGray(image.Rect(0, 0, int(box.W*perMM), int(box.H*perMM)))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	box.X, box.Y = 0, 0
	size := img.Bounds().Size()
	in := box.Within(size.X, size.Y)
	for y := range int(in.H * perMM) {
		for x := range int(in.W * perMM) {
			out.Set(int(in.X*perMM)+x, int(in.Y*perMM)+y, img.At(int(float64(x)/perMM/in.W*float64(size.X)), int(float64(y)/perMM/in.H*float64(size.Y))))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		d.t.Fatal(err)
	}
	return b.Bytes()
}

// verified is an officer in the street with the card that is put into the reader, and with
// what the office itself knows.
func (d *day) verified(v *visitor, exit int) {
	d.t.Helper()
	d.verifiedAt("home", v, exit)
}

func (d *day) verifiedAt(where string, v *visitor, exit int) string {
	d.t.Helper()
	d.insert(v.chip)
	can := d.write("can.txt", []byte(v.person.Number.CAN()+"\n"))
	out, _ := d.runAt(where, exit, "", "verify", "--can-file", can, "--specimen", "--json")
	var r struct{ Verdict string }
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		d.t.Fatal(err)
	}
	d.verdicts[r.Verdict]++
	d.write(fmt.Sprintf("street/%s-%d.json", v.card, d.now.Unix()), []byte(out+"\n"))
	return out
}
