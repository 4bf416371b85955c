package eid

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// The card is a SPECIMEN that an earlier desk made; its password is in the demonstration.
const (
	made = "history/b"
	can  = "000017"
)

// memory is a Store for tests.
type memory struct {
	mu   sync.Mutex
	kept []Decision
	fail error
}

func (m *memory) Decide(_ context.Context, d Decision) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	for _, k := range m.kept {
		if k.Session == d.Session {
			return ErrDecided
		}
	}
	m.kept = append(m.kept, d)
	return nil
}

// inForce is an issuer who says of every card that it is in force.
type inForce struct{ at time.Time }

func (i inForce) Status(context.Context, verify.CardRef) (verify.StatusAnswer, error) {
	return verify.StatusAnswer{State: verify.StateActive, AsOf: i.at, Exact: true}, nil
}

// rig is a service with three parties and a card.
type rig struct {
	*Server
	store *memory
	chip  *virtual.Chip
	now   time.Time
	keys  []byte
}

func sha(s string) [32]byte { return sha256.Sum256([]byte(s)) }

func newRig(t *testing.T, change ...func(*Config)) *rig {
	t.Helper()
	var report struct{ At time.Time }
	if err := json.Unmarshal(testdata.Read(t, made+"/can.json"), &report); err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(testdata.FS, made+"/trust")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pki.LoadStore(folder, pki.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "chip")
	if err := os.WriteFile(path, testdata.Read(t, made+"/can.chip"), 0o600); err != nil {
		t.Fatal(err)
	}
	chip, err := virtual.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { chip.Close() })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{store: &memory{}, chip: chip, now: report.At}
	c := Config{
		URL: "https://eid.example", Store: r.store, Signer: signer, Pairwise: make([]byte, 32), Now: func() time.Time { return r.now },
		Options: verify.Options{Trust: trust, Specimen: true, Status: inForce{report.At}},
		Parties: []Party{
			{ID: "tax", Name: "Cục Thuế", Kind: "state", Purposes: []string{"nộp tờ khai thuế"}, Fields: []string{"name", "number", "birth"}, Secret: sha("tax-secret")},
			{ID: "shop", Name: "Cửa hàng", Kind: "organisation", Purposes: []string{"bán rượu"}, Fields: []string{"age_over_18"}, Secret: sha("shop-secret")},
			{ID: "desk", Name: "Một cửa", Kind: "state", Purposes: []string{"đăng ký"}, Fields: []string{"name"}, Level: Holder, Attended: true, Secret: sha("desk-secret")},
		},
	}
	for _, f := range change {
		f(&c)
	}
	if r.Server, err = New(c); err != nil {
		t.Fatal(err)
	}
	if r.keys, err = signer.Keys(); err != nil {
		t.Fatal(err)
	}
	return r
}

func taxes() Ask {
	return Ask{Party: "tax", Purpose: "nộp tờ khai thuế", Fields: []string{"name", "birth"}, Nonce: "n-1"}
}

// session opens the card.
func session(t *testing.T, w apdu.Wire) *card.Session {
	t.Helper()
	s, err := card.Open(t.Context(), apdu.Over(w, apdu.Limits{}), card.Options{Passwords: []auth.Password{auth.CAN(can)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// login is what a citizen's agent does; alter may change what it does.
func (r *rig) present(t *testing.T, b *Begun, w apdu.Wire, alter func(*Evidence)) (*Step, error) {
	t.Helper()
	agent := NewNonce()
	req, err := r.Open("here", b.Code, Commitment(agent))
	if err != nil {
		return nil, err
	}
	s := session(t, w)
	e, err := Gather(t.Context(), s, *req, agent)
	if err != nil {
		t.Fatal(err)
	}
	if alter != nil {
		alter(&e)
	}
	step, err := r.Present(t.Context(), b.Session, agent, e)
	if err != nil || step.Agreement == nil {
		return step, err
	}
	answer, err := Carry(t.Context(), s, step)
	if err != nil {
		t.Fatal(err)
	}
	return r.Answer(t.Context(), b.Session, agent, answer)
}

func (r *rig) begin(t *testing.T, a Ask) *Begun {
	t.Helper()
	b, err := r.Begin(a.Party+"-secret", a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantCode(t *testing.T, what string, err error, want Code) {
	t.Helper()
	if CodeOf(err) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

// A citizen logs in: the party gets what it asked for, and nothing else.
func TestLogin(t *testing.T) {
	r := newRig(t)
	b := r.begin(t, taxes())
	if state, err := r.State(b.Session, b.Browser); err != nil || state != "begun" {
		t.Error(state, err)
	}
	step, err := r.present(t, b, r.chip, nil)
	if err != nil || step.Finish == "" || strings.Join(step.Told, " ") != "birth name" {
		t.Fatalf("%+v %v", step, err)
	}
	token, c, err := r.Redeem("tax-secret", b.Session, b.Browser, step.Finish)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Verify(token, r.keys, "https://eid.example", "tax", "n-1", r.now)
	if err != nil || got.Subject != c.Subject || got.Level != "possession" || got.Purpose != taxes().Purpose || !got.Specimen {
		t.Fatalf("%+v %v", got, err)
	}
	if len(got.Fields) != 2 || got.Fields["name"] != "Nguyễn Thị Thử Nghiệm" || got.Fields["birth"] != "1990-02-15" {
		t.Errorf("told %v", got.Fields)
	}
	if body, _ := json.Marshal(got); strings.Contains(string(body), "003190") {
		t.Error("the number was told")
	}
	if n := len(r.store.kept); n != 1 || r.store.kept[0].Code != "" || r.store.kept[0].Proof != "active agreement" || r.store.kept[0].Card == (verify.CardID{}) {
		t.Errorf("kept %+v", r.store.kept)
	}
	if text, _ := json.Marshal(r.store.kept); bytes.Contains(text, []byte("Nghi")) || bytes.Contains(text, []byte("1990")) {
		t.Error("the store knows who it was")
	}
	_, _, err = r.Redeem("tax-secret", b.Session, b.Browser, step.Finish)
	wantCode(t, "redeemed again", err, CodeReplayed)
	for what, err := range map[string]error{
		"another audience": second(Verify(token, r.keys, "https://eid.example", "shop", "n-1", r.now)),
		"another issuer":   second(Verify(token, r.keys, "https://other.example", "tax", "n-1", r.now)),
		"another nonce":    second(Verify(token, r.keys, "https://eid.example", "tax", "n-2", r.now)),
		"an hour later":    second(Verify(token, r.keys, "https://eid.example", "tax", "n-1", r.now.Add(time.Hour))),
		"another's keys":   second(Verify(token, newRig(t).keys, "https://eid.example", "tax", "n-1", r.now)),
		"a changed letter": second(Verify(token[:len(token)-1]+string(token[len(token)-1]^1), r.keys, "https://eid.example", "tax", "n-1", r.now)),
	} {
		if !errors.Is(err, ErrAssertion) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// One citizen has one name for a party, and another for the next.
func TestSubjects(t *testing.T) {
	r := newRig(t)
	subject := func(a Ask) string {
		b := r.begin(t, a)
		step, err := r.present(t, b, r.chip, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, c, err := r.Redeem(a.Party+"-secret", b.Session, b.Browser, step.Finish)
		if err != nil {
			t.Fatal(err)
		}
		return c.Subject
	}
	shop := Ask{Party: "shop", Purpose: "bán rượu", Fields: []string{"age_over_18"}}
	if a, b, c := subject(taxes()), subject(taxes()), subject(shop); a != b || a == c {
		t.Errorf("%s, %s and %s", a, b, c)
	}
}

// No party gets more than its agreement says, and nobody without a purpose anything.
func TestOverAsking(t *testing.T) {
	r := newRig(t)
	for what, c := range map[string]struct {
		secret string
		a      Ask
		want   Code
	}{
		"no purpose":        {"tax-secret", Ask{Party: "tax", Fields: []string{"name"}}, CodePurpose},
		"another's purpose": {"tax-secret", Ask{Party: "tax", Purpose: "bán rượu", Fields: []string{"name"}}, CodePurpose},
		"a field too many":  {"shop-secret", Ask{Party: "shop", Purpose: "bán rượu", Fields: []string{"age_over_18", "number"}}, CodeFields},
		"a field of none":   {"tax-secret", Ask{Party: "tax", Purpose: "nộp tờ khai thuế", Fields: []string{"portrait"}}, CodeFields},
		"a higher level":    {"tax-secret", Ask{Party: "tax", Purpose: "nộp tờ khai thuế", Level: Holder}, CodeLevel},
		"another's secret":  {"shop-secret", taxes(), CodeParty},
		"no secret":         {"", taxes(), CodeParty},
		"a stranger":        {"tax-secret", Ask{Party: "bank", Purpose: "nộp tờ khai thuế"}, CodeParty},
		"two lines":         {"tax-secret", Ask{Party: "tax", Purpose: "nộp tờ khai thuế", Nonce: "a\nb"}, CodeEvidence},
	} {
		_, err := r.Begin(c.secret, c.a)
		wantCode(t, what, err, c.want)
	}
	for range 100 {
		r.Begin("tax-secret", taxes())
	}
	_, err := r.Begin("tax-secret", taxes())
	wantCode(t, "a hundred a minute", err, CodeRate)
	r.begin(t, Ask{Party: "shop", Purpose: "bán rượu", Fields: []string{"age_over_18"}})
}

// Evidence is for one login of one browser session by one agent.
func TestEvidenceElsewhere(t *testing.T) {
	r := newRig(t)
	// What the chip signed for one login is offered to another.
	var stolen []byte
	b := r.begin(t, taxes())
	if _, err := r.present(t, b, r.chip, func(e *Evidence) { stolen = e.Signature }); err != nil {
		t.Fatal(err)
	}
	b = r.begin(t, taxes())
	_, err := r.present(t, b, r.chip, func(e *Evidence) { e.Signature = stolen })
	wantCode(t, "a signature of another login", err, CodeNonce)
	_, _, err = r.Redeem("tax-secret", b.Session, b.Browser, "000000")
	wantCode(t, "redeemed after a refusal", err, CodeNonce)

	// Another audience, party or purpose is another challenge.
	req := Request{Session: "s", Server: "https://eid.example", Party: "tax", Purpose: "p", Fields: []string{"name"}, Level: Possession, Nonce: "n"}
	seen := map[[8]byte]string{req.Challenge("a"): "the login"}
	for what, change := range map[string]func(*Request){
		"session": func(r *Request) { r.Session = "t" }, "audience": func(r *Request) { r.Server = "https://evil.example" },
		"party": func(r *Request) { r.Party = "shop" }, "purpose": func(r *Request) { r.Purpose = "q" }, "fields": func(r *Request) { r.Fields = nil },
		"level": func(r *Request) { r.Level = Holder }, "nonce": func(r *Request) { r.Nonce = "m" },
		"a border moved": func(r *Request) { r.Party, r.Purpose = "taxp", "" },
	} {
		other := req
		change(&other)
		if before, ok := seen[other.Challenge("a")]; ok {
			t.Errorf("another %s signs the same as %s", what, before)
		}
		seen[other.Challenge("a")] = what
	}
	if _, ok := seen[req.Challenge("b")]; ok {
		t.Error("another agent signs the same")
	}

	// Who was lured into logging in another's browser keeps the code that ends it.
	attacker := r.begin(t, taxes())
	step, err := r.present(t, attacker, r.chip, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range maxWrong {
		_, _, err = r.Redeem("tax-secret", attacker.Session, attacker.Browser, "not it")
		wantCode(t, "without the victim's code", err, CodeUnbound)
	}
	_, _, err = r.Redeem("tax-secret", attacker.Session, attacker.Browser, step.Finish)
	wantCode(t, "after five wrong codes", err, CodeUnbound)

	// Another browser session, another party, another agent.
	b = r.begin(t, taxes())
	if step, err = r.present(t, b, r.chip, nil); err != nil {
		t.Fatal(err)
	}
	_, _, err = r.Redeem("tax-secret", b.Session, r.begin(t, taxes()).Browser, step.Finish)
	wantCode(t, "another browser", err, CodeUnbound)
	_, _, err = r.Redeem("shop-secret", b.Session, b.Browser, step.Finish)
	wantCode(t, "another party", err, CodeParty)
	_, err = r.State(b.Session, "x")
	wantCode(t, "another browser looks", err, CodeUnbound)
	_, err = r.Open("here", b.Code, Commitment(NewNonce()))
	wantCode(t, "another agent", err, CodeTaken)
	_, err = r.Present(t.Context(), b.Session, NewNonce(), Evidence{})
	wantCode(t, "another agent's evidence", err, CodeTaken)
	if _, _, err = r.Redeem("tax-secret", b.Session, b.Browser, step.Finish); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// Time ends a login, and what nobody knows of is none.
func TestLoginEnds(t *testing.T) {
	r := newRig(t)
	b := r.begin(t, taxes())
	r.now = r.now.Add(6 * time.Minute)
	_, err := r.Open("here", b.Code, Commitment(NewNonce()))
	wantCode(t, "six minutes later", err, CodeExpired)
	_, _, err = r.Redeem("tax-secret", b.Session, b.Browser, "")
	wantCode(t, "redeemed six minutes later", err, CodeExpired)
	r.begin(t, taxes())
	_, err = r.Open("here", b.Code, Commitment(NewNonce()))
	wantCode(t, "swept", err, CodeUnknown)
	_, err = r.Open("here", "nonsense", Commitment(NewNonce()))
	wantCode(t, "nonsense", err, CodeUnknown)
	_, err = r.Open("here", b.Code, "no nonce")
	wantCode(t, "no nonce", err, CodeEvidence)
	for range 200 {
		_, err = r.Open("here", "00000000", Commitment(NewNonce()))
	}
	wantCode(t, "guessed two hundred times", err, CodeRate)
	b = r.begin(t, taxes())
	_, err = r.Open("here", b.Code, Commitment(NewNonce()))
	wantCode(t, "guessed at last", err, CodeRate)
	if _, err = r.Open("there", b.Code, Commitment(NewNonce())); err != nil {
		t.Errorf("who did not guess: %v", err)
	}
	b = r.begin(t, taxes())
	r.now = r.now.Add(time.Minute)
	if _, err = r.Open("here", b.Code, Commitment(NewNonce())); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// clone is a chip with the card's files and other keys.
func clone(t *testing.T, files map[lds.File][]byte) *virtual.Chip {
	t.Helper()
	dir := t.TempDir()
	for f, b := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name()+".bin"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := virtual.FromFolder(os.DirFS(dir), virtual.FolderOptions{CAN: can, Counterfeit: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Forged, cloned and changed cards, and cards of nobody, each have their code, and each is
// kept.
func TestBadCards(t *testing.T) {
	r := newRig(t)
	var files map[lds.File][]byte
	b := r.begin(t, taxes())
	if _, err := r.present(t, b, r.chip, func(e *Evidence) { files = e.Files }); err != nil {
		t.Fatal(err)
	}
	change := func(f lds.File) func(*Evidence) {
		return func(e *Evidence) {
			e.Files[f] = bytes.Clone(e.Files[f])
			e.Files[f][len(e.Files[f])-1] ^= 1
		}
	}
	for what, c := range map[string]struct {
		chip  *virtual.Chip
		alter func(*Evidence)
		want  Code
	}{
		"a clone":                          {clone(t, files), nil, CodeClone},
		"a clone that is mum":              {clone(t, files), func(e *Evidence) { e.Signature = nil }, CodeClone},
		"a changed DG1":                    {r.chip, change(lds.DG1), CodeAltered},
		"a changed DG13":                   {r.chip, change(lds.DG13), CodeAltered},
		"a changed signature":              {r.chip, change(lds.SODFile), CodeNotGenuine},
		"no keys shown":                    {r.chip, func(e *Evidence) { delete(e.Files, lds.DG14); e.Signature = nil }, CodeUnproven},
		"no SOD":                           {r.chip, func(e *Evidence) { delete(e.Files, lds.SODFile) }, CodeInconclusive},
		"too much":                         {r.chip, func(e *Evidence) { e.Files[lds.DG2] = make([]byte, maxFiles) }, CodeEvidence},
		"a bearer seen where nobody looks": {r.chip, func(e *Evidence) { e.Present = true }, CodeEvidence},
	} {
		b := r.begin(t, taxes())
		kept := len(r.store.kept)
		_, err := r.present(t, b, c.chip, c.alter)
		wantCode(t, what, err, c.want)
		if len(r.store.kept) != kept+1 || r.store.kept[kept].Code != c.want {
			t.Errorf("%s: not kept", what)
		}
		_, _, err = r.Redeem("tax-secret", b.Session, b.Browser, "")
		wantCode(t, what+", redeemed", err, c.want)
	}
}

// A stolen card with its password is possession and no more; an attended counter may say
// more, and only where its agreement lets it.
func TestLevels(t *testing.T) {
	r := newRig(t)
	ask := Ask{Party: "desk", Purpose: "đăng ký", Fields: []string{"name"}, Level: Holder}
	b := r.begin(t, ask)
	_, err := r.present(t, b, r.chip, nil)
	wantCode(t, "a card alone", err, CodeLevel)
	b = r.begin(t, ask)
	for _, secret := range []string{"", "tax-secret"} { // a thief's own agent says so, at an attended counter or far from it
		_, err = r.present(t, b, r.chip, func(e *Evidence) { e.Present, e.Attendant = true, secret })
		wantCode(t, "the bearer says it", err, CodeLevel)
		b = r.begin(t, ask)
	}
	step, err := r.present(t, b, r.chip, func(e *Evidence) { e.Present, e.Attendant = true, "desk-secret" })
	if err != nil {
		t.Fatal(err)
	}
	if _, c, err := r.Redeem("desk-secret", b.Session, b.Browser, step.Finish); err != nil || c.Level != "holder" {
		t.Errorf("%+v %v", c, err)
	}
}

// Nothing leaves before the store has the decision.
func TestStoreFirst(t *testing.T) {
	r := newRig(t)
	r.store.fail = errors.New("the disk is full")
	b := r.begin(t, taxes())
	if _, err := r.present(t, b, r.chip, nil); !errors.Is(err, r.store.fail) {
		t.Errorf("%v", err)
	}
	if _, _, err := r.Redeem("tax-secret", b.Session, b.Browser, ""); CodeOf(err) != CodeTaken {
		t.Errorf("redeemed without a decision: %v", err)
	}
}

func TestAgeOver(t *testing.T) {
	at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	for birth, want := range map[string]string{
		"2008-11-26": "true", "2008-11-27": "false", "2008-11": "", "2008-10": "true", "2008-12": "false", "2008": "", "2007": "true", "2009": "false",
		"2004-02-29": "true", "": "", "x": "", "080101": "",
	} {
		if got := ageOver(birth, 18, at); got != want {
			t.Errorf("born %q: %q, want %q", birth, got, want)
		}
	}
}
