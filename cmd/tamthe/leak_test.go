package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// TestNothingLeaks plays a card's life at a desk and a checkpoint, with every slip that
// people make, and looks for what must stay secret in standard error, in the standard
// output of all verbs but those that are asked to show a person, on the wire to the chips,
// in temporary files, and in every file of the home but its keys: the databases with their
// journals, which another program that reads keeps from being written back.
func TestNothingLeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("passphrases take time")
	}
	d := newDesks(t)
	if err := d.made[stageAuthority](); err != nil {
		t.Fatal(err)
	}
	life := &life{t: t, d: d, dir: filepath.Join(d.dir, stageAuthority)}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	release := life.hold()
	life.play()
	secret := life.secrets()
	for what, b := range life.said {
		for _, found := range secret.in(b) {
			t.Errorf("%s says the %s", what, found)
		}
	}
	for _, found := range secret.in(life.wire.Bytes()) {
		t.Errorf("on the wire there is the %s", found)
	}
	n := life.scan(secret, filepath.Join(life.dir, "home"))
	if info, err := os.Stat(filepath.Join(life.dir, "home", ledgerFile+"-wal")); err != nil || info.Size() == 0 {
		t.Errorf("the journal of the ledger was not looked at: %v", err)
	}
	release()
	life.scan(secret, filepath.Join(life.dir, "home"))
	if left := life.scan(secret, temporary); left > 0 {
		t.Errorf("%d temporary files are left", left)
	}
	if b, err := os.ReadFile(filepath.Join(life.dir, "home", inspectionsDir, "inspections.jsonl")); err != nil || bytes.Count(b, []byte(`"schema":"tamthe/inspection/1"`)) < 4 {
		t.Errorf("the record of inspections was not looked at: %v", err)
	}
	if n < 10 || len(life.said) < 40 || life.wire.Len() < 100_000 {
		t.Errorf("only %d files, %d commands and %d octets looked at", n, len(life.said), life.wire.Len())
	}
}

// scan looks for secrets in every file of a folder but those of keys, and counts the files.
func (l *life) scan(secret secrets, dir string) (n int) {
	l.t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			if err == nil && e.Name() == keysDir {
				err = fs.SkipDir
			}
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		for _, found := range secret.in(b) {
			l.t.Errorf("%s holds the %s", e.Name(), found)
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// hold reads the databases until it is released, so that their journals stay.
func (l *life) hold() (release func()) {
	l.t.Helper()
	var open []*sql.DB
	for _, name := range []string{ledgerFile, subjectsFile} {
		db, err := sql.Open("sqlite3", "file:"+filepath.Join(l.dir, "home", name)+"?mode=ro")
		if err == nil {
			db.SetMaxOpenConns(1)
			_, err = db.Exec("SELECT count(*) FROM sqlite_schema")
		}
		if err != nil {
			l.t.Fatal(err)
		}
		open = append(open, db)
	}
	return func() {
		for _, db := range open {
			_ = db.Close()
		}
	}
}

// tapped is a wire that somebody listens to.
type tapped struct {
	apdu.Wire
	heard *bytes.Buffer
}

func (t tapped) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	answer, err := t.Wire.Exchange(ctx, b)
	fmt.Fprintf(t.heard, "%s%s\n%x\n%x\n", b, answer, b, answer)
	return answer, err
}

// A test that cannot fail is a defect: each secret is found where it stands.
func TestLeaksAreFound(t *testing.T) {
	s := secrets{}
	s.words("name", "Nguyễn")
	s.words("CAN", "000017")
	s.key("key", []byte("0123456789abcdef0123456789abcdef"))
	for _, b := range []string{
		"x Nguyễn x", "can 000017", "0123456789abcdef0123456789abcdef", hex.EncodeToString([]byte("0123456789abcdef0123456789abcdef")),
		"AB" + base64.StdEncoding.EncodeToString([]byte("xy0123456789abcdef0123456789abcdef")),
	} {
		if len(s.in([]byte(b))) == 0 {
			t.Errorf("not found in %q", b)
		}
	}
	if found := s.in([]byte(strings.Repeat("a", 40) + "000017" + strings.Repeat("b", 40))); len(found) > 0 {
		t.Errorf("found in a digest: %v", found)
	}
}

// life is one card's life, and what was said in it by whom.
type life struct {
	t    *testing.T
	d    *desks
	dir  string
	said map[string][]byte
	wire bytes.Buffer // all that went to and from the chips
	keep [][]byte     // keys of subjects, as long as they live
}

func (l *life) path(name string) string { return filepath.Join(l.dir, name) }

// do runs the program and keeps what it said. Verbs that are asked to show a person may do
// so on standard output.
func (l *life) do(chip string, args ...string) string {
	l.t.Helper()
	var out, errw bytes.Buffer
	p := &program{
		in: strings.NewReader(""), out: &out, err: &errw, now: time.Now, home: home(l.path("home")),
		connect: func(context.Context, string) (*reader, error) {
			r, err := (&chipSlot{l.path(chip)}).open()
			if err == nil {
				r.Wire = tapped{r.Wire, &l.wire}
			}
			return r, err
		},
	}
	status := p.run(context.Background(), args)
	if l.said == nil {
		l.said = map[string][]byte{}
	}
	name := fmt.Sprintf("%d %s (%d)", len(l.said), strings.Join(args, " "), status)
	l.said[name] = bytes.Clone(errw.Bytes())
	shows := map[string]bool{"verify": true, "read": true, "judge": true, "check": true}
	if !shows[args[0]] && !(args[0] == "approve" && args[2] == "--show") {
		l.said[name] = append(l.said[name], out.Bytes()...)
	}
	return strings.TrimSpace(out.String())
}

// officer runs a verb as an officer, in both languages and as JSON where it fails.
func (l *life) officer(name, chip string, args ...string) string {
	l.t.Helper()
	args = append(args, "--operator", name, "--passphrase-file", l.path("passphrase"))
	return l.do(chip, args...)
}

func (l *life) slip(chip string, args ...string) {
	for _, more := range [][]string{nil, {"--json"}, {"--lang", "vi"}} {
		l.do(chip, append(args[:len(args):len(args)], more...)...)
	}
}

func (l *life) write(name, text string) string {
	l.t.Helper()
	if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return l.path(name)
}

func (l *life) chip(name string) {
	l.t.Helper()
	chip, err := virtual.Create(l.path(name), virtual.Config{})
	if err != nil {
		l.t.Fatal(err)
	}
	chip.Close()
}

func (l *life) play() {
	person, face := l.path("person.json"), l.path("face.jpg")
	body, err := os.ReadFile(person)
	if err != nil {
		l.t.Fatal(err)
	}
	as := []string{"--operator", "an", "--passphrase-file", l.path("passphrase")}
	for _, bad := range []string{
		strings.Replace(string(body), `"surname"`, `"family"`, 1), strings.Replace(string(body), "003190000017", "0031900000", 1),
		strings.Replace(string(body), `"F"`, `"Q"`, 1), strings.Replace(string(body), "1990-02-15", "1990-02-15x", 1), string(body) + string(body), strings.Replace(string(body), "Nguyễn", "Nguyễn\u200b", 1), string(body)[1:],
	} {
		l.slip("", append([]string{"enrol", l.write("bad.json", bad), "--portrait", face}, as...)...)
	}
	l.slip("", append([]string{"enrol", person, "--portrait", person}, as...)...)
	l.slip("", append([]string{"enrol", person, "--portrait", l.path("large.jpg")}, as...)...)
	l.slip("", "enrol", person, "--portrait", face, "--operator", "an", "--passphrase-file", l.path("can.txt"))
	app := l.draft(person, face)
	l.officer("an", "", "desk", "send")
	l.slip("", append([]string{"enrol", person, "--portrait", face}, as...)...)
	l.do("", "approve", app, "--show")
	l.officer("an", "", "approve", app)
	l.officer("binh", "", "approve", app)
	l.chip("a.chip")
	card := l.officer("an", "a.chip", "personalise", app)
	l.officer("binh", "a.chip", "check", card, "--mrz-file", l.path("mrz.txt"))
	l.subjectKeys()
	l.officer("binh", "", "deliver", card)
	l.checkpoint()
	l.slip("", append([]string{"enrol", person, "--portrait", face}, as...)...)
	next := l.officer("an", "", "card", "replace", card, person, "--portrait", face)
	l.officer("binh", "", "approve", next)
	l.chip("b.chip")
	second := l.officer("an", "b.chip", "personalise", next, "--bac-only")
	l.officer("binh", "b.chip", "check", second)
	l.subjectKeys()
	l.officer("binh", "", "deliver", second)
	l.officer("binh", "", "card", "revoke", second, "--reason", "lost")
	for _, args := range [][]string{
		{"card", "list"},
		{"card", "show", card},
		{"card", "show", second},
		{"operator", "list"},
		{"ledger", "verify"},
		{"ledger", "checkpoint"},
		{"trust", "list"},
		{"inspections", "verify"},
		{"inspections", "list"},
		{"inspections", "export"},
		{"inspections", "device"},
		{"doctor"},
	} {
		l.do("", args...)
		l.do("", append(args, "--json")...)
	}
	if !strings.Contains(string(l.said[l.last()]), `"anchors":1`) {
		l.t.Fatalf("the life came to another end: %s", l.said[l.last()])
	}
	if out := l.do("", "card", "list"); !strings.Contains(out, "superseded") || !strings.Contains(out, "revoked") {
		l.t.Fatalf("not a whole life: %s", out)
	}
	l.draft(person, face) // stays, refused, for the search of all files
	l.slip("", append([]string{"desk", "send"}, as...)...)
	l.slip("", append([]string{"desk", "send", "A-0"}, as...)...)
	l.slip("", "desk", "draft", "list")
}

// draft takes the person in while the ledger is away, with what an officer then looks at, and
// is the name of the draft.
func (l *life) draft(person, face string) string {
	l.t.Helper()
	l.t.Setenv("TAMTHE_LEDGER", "postgres:host="+l.path("nowhere")+" dbname=office user=desk")
	defer os.Unsetenv("TAMTHE_LEDGER")
	as := []string{"--operator", "an", "--passphrase-file", l.path("passphrase")}
	l.do("", append([]string{"enrol", person, "--portrait", face}, as...)...)
	l.slip("", append([]string{"enrol", person, "--portrait", face}, as...)...)
	name, _, _ := strings.Cut(l.do("", "desk", "draft", "list"), " ")
	l.slip("", "desk", "draft", "show", name)
	l.slip("", "desk", "draft", "discard", name)
	l.slip("", "enrol", person, "--portrait", face, "--operator", "an", "--passphrase-file", l.path("can.txt"))
	sealed, err := filepath.Glob(l.path("home/" + draftsDir + "/A-*"))
	if err != nil || len(sealed) != 1 || filepath.Base(sealed[0]) != name+".draft" {
		l.t.Fatalf("what was taken in is not kept: %v, %v", sealed, err)
	}
	return name
}

// last is the command that was run last.
func (l *life) last() string {
	for name := range l.said {
		if strings.HasPrefix(name, fmt.Sprintf("%d ", len(l.said)-1)) {
			return name
		}
	}
	return ""
}

// checkpoint verifies, reads and judges, rightly and wrongly.
func (l *life) checkpoint() {
	can, zone := l.path("can.txt"), l.path("mrz.txt")
	l.do("a.chip", "verify", "--can-file", can, "--specimen", "--save", l.path("saved"))
	l.do("a.chip", "verify", "--mrz-file", zone, "--json")
	l.do("a.chip", "read", "--purpose", "test", "--out", l.path("read"), "--mrz-file", l.path("triple.txt"))
	l.do("", "judge", l.path("read"))
	l.do("a.chip", "verify", "--can-file", can, "--specimen", "--evidence", l.path("case.evidence"), "--case", "VA-1", "--purpose", "test", "--operator", "an")
	l.slip("", "judge", l.path("case.evidence"), "--specimen", "--identity", can)
	l.slip("a.chip", "verify", "--can-file", can, "--evidence", l.path("x.evidence"), "--recipients", zone)
	l.slip("a.chip", "verify", "--can-file", l.path("other-mrz.txt"))
	l.slip("a.chip", "verify", "--mrz-file", l.path("person.json"))
	l.slip("a.chip", "verify", "--mrz-file", l.path("other-mrz.txt"))
	l.slip("a.chip", "verify", "--can-file", l.write("wrong.txt", "654321"))
	l.slip("a.chip", "read", "--purpose", "test", "--out", l.path("read"), "--can-file", can)
}

// secrets are what may stand nowhere in clear, by what they are.
type secrets map[string][]byte

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
	for begin := range 3 { // base64 can begin at any octet
		b := base64.StdEncoding.EncodeToString(raw[begin:])
		s[fmt.Sprintf("%s in base64 from octet %d", what, begin)] = []byte(b[:len(b)-4])
	}
}

// digits are digests in hexadecimal, in which six digits may stand by chance.
var digits = regexp.MustCompile(`[0-9a-f]{32,}`)

// in lists the secrets that stand in b.
func (s secrets) in(b []byte) (found []string) {
	text := digits.ReplaceAll(b, []byte(" "))
	for what, secret := range s {
		where := text
		if len(secret) > 16 {
			where = b
		}
		if bytes.Contains(where, secret) {
			found = append(found, what)
		}
	}
	return found
}

// secrets gathers what the life must not give away.
func (l *life) secrets() secrets {
	l.t.Helper()
	s := secrets{}
	who := citizens()[0].person
	read := func(name string) string {
		b, err := os.ReadFile(l.path(name))
		if err != nil {
			l.t.Fatal(err)
		}
		return string(b)
	}
	s.words("MRZ", strings.Fields(read("mrz.txt"))...)
	s.words("MRZ", strings.Fields(read("other-mrz.txt"))...)
	s.words("MRZ", strings.TrimSpace(read("triple.txt")))
	s.words("number", string(who.Number), who.Number.Document())
	s.words("CAN", who.Number.CAN(), "654321")
	s.words("passphrase", testPassphrase)
	s.words("decomposed name", "Nguye\u0302\u0303n", "Thi\u0323 Thu\u031b\u0309", "Nghie\u0323\u0302m")
	s.words("name", who.Surname, who.Given, "Nguyen", "NGUYEN", "THI<THU", "Thi Thu", "THI THU")
	s.words("date of birth", "15/02/1990", "1990-02-15", "900215")
	s.words("life", who.Origin, who.Residence, who.Features, who.Father, who.Mother, who.Spouse)
	face := read("face.jpg")
	for at := 12000; at+48 < len(face); at += 1000 {
		s.key(fmt.Sprint("portrait at ", at), []byte(face[at:at+48]))
	}
	l.keys(s)
	return s
}

// subjectKeys notes the keys of the vault while they live.
func (l *life) subjectKeys() {
	l.t.Helper()
	kek, err := keystore.OpenSecret(filepath.Join(l.dir, "home", keysDir, vaultKeyName), keystore.UseVault)
	if err != nil {
		l.t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(l.dir, "home", subjectsFile)+"?mode=ro")
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT subject, class, wrapped FROM key WHERE live = 1")
	if err != nil {
		l.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var subject string
		var class uint32
		var wrapped []byte
		if err := rows.Scan(&subject, &class, &wrapped); err != nil {
			l.t.Fatal(err)
		}
		label := append(binary.BigEndian.AppendUint32([]byte("tamthe vault v1 wrap"), class), subject...)
		key, err := kek.Unwrap(l.t.Context(), wrapped, label)
		if err != nil {
			l.t.Fatal(err)
		}
		l.keep = append(l.keep, key)
	}
}

// keys adds every key of the home, and those of its chips.
func (l *life) keys(s secrets) {
	l.t.Helper()
	dir := filepath.Join(l.dir, "home", keysDir)
	check := func(err error) {
		if err != nil {
			l.t.Fatal(err)
		}
	}
	for _, name := range []string{"csca", "ds-001", deviceKeyName} {
		key, err := keystore.Open("file:" + filepath.Join(dir, name))
		check(err)
		switch k := key.(type) {
		case *dh.PrivateKey:
			s.key("key of "+name, k.Bytes())
		case *rsa.PrivateKey:
			s.key("key of "+name, k.D.Bytes())
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, logKeyName))
	check(err)
	private, _, _ := strings.Cut(string(text), "\n")
	private = strings.SplitN(private, "+", 5)[4] // PRIVATE+KEY+NAME+HASH+KEY, in base64 that may hold a plus
	s.words("log key", private)
	raw, err := base64.StdEncoding.DecodeString(private)
	check(err)
	s.key("log key", raw[1:])
	vault, err := keystore.OpenSecret(filepath.Join(dir, vaultKeyName), keystore.UseVault)
	check(err)
	s.key("vault key", bytes.Clone(vault.Bytes()))
	drafts, err := keystore.OpenSecret(filepath.Join(dir, draftsKeyName), keystore.UseVault)
	check(err)
	s.key("drafts key", bytes.Clone(drafts.Bytes()))
	if len(l.keep) < 6 {
		l.t.Fatalf("%d keys of subjects are known", len(l.keep))
	}
	for i, key := range l.keep {
		s.key(fmt.Sprint("key of a subject ", i), key)
	}
	master, err := keystore.OpenSecret(filepath.Join(dir, masterKeyName), keystore.UseCardMaster)
	check(err)
	s.key("card master key", bytes.Clone(master.Bytes()))
	for _, name := range []string{"a.chip", "b.chip"} {
		chip, err := virtual.Load(l.path(name))
		check(err)
		keys, err := gp.Diversify(master.Bytes(), chip.KDD(), 0x30)
		check(err)
		chip.Close()
		s.key(name+"'s Enc", keys.Enc)
		s.key(name+"'s MAC", keys.MAC)
		s.key(name+"'s DEK", keys.DEK)
	}
	for _, operator := range []string{"an", "binh"} {
		sealed, err := os.ReadFile(filepath.Join(dir, operatorPrefix+operator))
		check(err)
		s.words("sealed key of "+operator, strings.Split(string(sealed), "\n")[5])
	}
}
