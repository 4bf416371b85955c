package desk

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
)

const purpose = "cấp lại thẻ căn cước"

// counterRig is an office that takes cases in over the network, and a portal.
type counterRig struct {
	*rig
	store    *sqlite.Intake
	an, binh *Counter
	url      string
	portal   *intake.Client
	other    *intake.Client // another portal
}

func newCounter(t testing.TB, r *rig) *counterRig {
	t.Helper()
	ctx := t.Context()
	check(t, sqlite.CreateIntake(ctx, r.path("intake.db"), r.size(t)))
	store := must(sqlite.OpenIntake(ctx, r.path("intake.db")))(t)
	t.Cleanup(func() { check(t, store.Close()) })
	c := &counterRig{rig: r, store: store, an: &Counter{Office: r.an, Store: store}, binh: &Counter{Office: r.binh, Store: store}}
	var h http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { h.ServeHTTP(w, q) }))
	t.Cleanup(web.Close)
	_, mine, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	others := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	offices := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	looking := &Counter{Office: &Office{Store: r.store, Vault: r.vault, Now: r.an.Now}, Store: store}
	s := must(intake.New(intake.Config{
		URL: web.URL, Store: store, Vault: looking, Ledger: looking, Signer: must(intake.NewOfficeSigner(offices))(t), Now: r.an.Now,
		Portals: []intake.Portal{
			{ID: "dvc", Name: "Cổng dịch vụ công", Keys: []crypto.PublicKey{mine.Public()}, Purposes: []string{purpose}, Rate: 1_000_000},
			{ID: "hue", Keys: []crypto.PublicKey{others.Public()}, Purposes: []string{purpose}, Reasons: []string{"damaged"}, Rate: 3, Size: 2000},
		},
	}))(t)
	h, c.url = s.Handler(), web.URL
	plain := &intake.Client{URL: web.URL}
	keys := must(plain.Keys(ctx))(t)
	c.portal = &intake.Client{URL: web.URL, Portal: "dvc", Signer: must(intake.NewSigner(mine, "dvc"))(t), Office: keys}
	c.other = &intake.Client{URL: web.URL, Portal: "hue", Signer: must(intake.NewSigner(others, "hue"))(t), Office: keys}
	return c
}

// message is one about a case, of a person.
func (c *counterRig) message(t testing.TB, name, request string, act intake.Act, revision int, who *vn.Person) intake.Message {
	t.Helper()
	m := intake.Message{Request: request, Case: name, Act: act, Revision: revision, Purpose: purpose, Time: c.now}
	if who != nil {
		m.Reason, m.Person = "damaged", must(json.Marshal(who))(t)
	}
	return m
}

// file files a case.
func (c *counterRig) file(t testing.TB, name string, who vn.Person) *intake.Receipt {
	t.Helper()
	m := must(c.portal.Seal(c.message(t, name, "r-"+name, intake.File, 1, &who)))(t)
	return must(c.portal.Send(t.Context(), m))(t)
}

// state is how a case stands.
func (c *counterRig) state(t testing.TB, code string) intake.State {
	t.Helper()
	return must(c.portal.Status(t.Context(), code))(t).State
}

// told are the states that a portal has been told of a case, in order.
func (c *counterRig) told(t testing.TB, name string) (list []intake.State) {
	t.Helper()
	after := int64(0)
	for {
		e := must(c.portal.Events(t.Context(), after, c.now))(t)
		for _, one := range e.Events {
			if one.Case == name {
				list = append(list, one.State)
			}
		}
		if after = e.Cursor; !e.More {
			return list
		}
	}
}

// clear reports whether any file of intake holds a text.
func (c *counterRig) clear(t testing.TB, text string) bool {
	t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(c.path("intake.db" + suffix))
		if err == nil && bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

// A citizen whose card is damaged files at a portal, comes to the desk, and gets another;
// the portal learns each step off the ledger.
func TestIntakeLife(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old, _ := r.issued(t, enrolment(17), r.plan())
	c, ctx, who := newCounter(t, r), t.Context(), person(17)
	got := c.file(t, "K-17", who)
	if got.State != intake.Received || !strings.Contains(got.Paper.VI, got.Code) || !strings.Contains(got.Paper.EN, "SPECIMEN") || strings.Contains(got.Paper.VI, who.Given) {
		t.Errorf("%+v", got)
	}
	for _, text := range []string{string(who.Number), who.Given, who.Residence, got.Digest + "x"} {
		if c.clear(t, text) {
			t.Errorf("%q lies in clear in the record of intake", text)
		}
	}
	f := must(c.an.Filing(ctx, got.Code))(t)
	if f.Person != who || f.Message.Reason != "damaged" || fmt.Sprintf("%v %+v", f, f.Message) != "(what a portal filed) (a portal's message)" {
		t.Errorf("%v", f.Person == who)
	}
	app := must(c.an.Import(ctx, got.Code, Enrolment{Portrait: portrait(0), Profile: Profile}))(t)
	if a := must(r.an.Application(ctx, app))(t); a.Replaces != old || a.Reason != "damaged" {
		t.Errorf("%+v", a)
	}
	if f := must(c.an.Filing(ctx, got.Code))(t); f.Message != nil {
		t.Error("what was imported is still there")
	}
	if again := must(c.an.Import(ctx, got.Code, Enrolment{Portrait: portrait(0), Profile: Profile}))(t); again != app {
		t.Errorf("imported twice: %s, %s", app, again)
	}
	wantError(t, "refuse what is an application", c.binh.Refuse(ctx, got.Code, "documents"), intake.ErrClosed)
	check(t, r.binh.Approve(ctx, app))
	chip := blank()
	card := r.personalised(t, app, chip, r.plan())
	r.checked(t, card, chip)
	if s := c.state(t, got.Code); s != intake.Ready {
		t.Error(s)
	}
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	if s := c.state(t, got.Code); s != intake.Delivered {
		t.Error(s)
	}
	want := []intake.State{intake.Received, intake.AtDesk, intake.Approved, intake.Ready, intake.Delivered}
	if told := c.told(t, "K-17"); !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	c.tellsNothing(t, got.Code, who)
	r.sound(t)
}

// tellsNothing holds that neither a case's status nor a portal's events say who it is about.
func (c *counterRig) tellsNothing(t *testing.T, code string, who vn.Person) {
	t.Helper()
	resp, err := http.Get(c.url + "/intake/v1/status/" + code)
	check(t, err)
	defer resp.Body.Close()
	var status bytes.Buffer
	_, err = status.ReadFrom(resp.Body)
	check(t, err)
	ask := fmt.Appendf(nil, `{"to":%q,"portal":"dvc","request":"q-1","time":%q,"after":0}`, c.url, c.now.Format(time.RFC3339))
	_, _, events := post(t, c.url+"/intake/v1/events", must(c.portal.Signer.Sign(ask))(t))
	if !strings.Contains(status.String(), `"delivered"`) || !strings.Contains(events, code) {
		t.Fatalf("%s, %s", status.String(), events)
	}
	for _, text := range []string{string(who.Number), who.Surname, who.Given, who.Residence, who.Origin, who.Father, "1990"} {
		if strings.Contains(status.String()+events, text) {
			t.Errorf("%q is told", text)
		}
	}
}

// Officers at several desks who import the same case at once make one application.
func TestIntakeImportAtOnce(t *testing.T) {
	t.Parallel()
	c, ctx := newCounter(t, newOffice(t)), t.Context()
	got := c.file(t, "K-7", person(7))
	apps := make([]string, 4)
	var wg sync.WaitGroup
	for i := range apps {
		store := must(sqlite.OpenIntake(ctx, c.path("intake.db")))(t)
		defer func() { check(t, store.Close()) }()
		office := *c.rig.an
		kek := must(keystore.OpenSecret(c.path("keys", kekName), keystore.UseVault))(t)
		office.Vault = must(vault.Open(ctx, c.subjects, kek))(t)
		desk := &Counter{Office: &office, Store: store}
		wg.Go(func() {
			for range 20 { // as an officer who is told that somebody else was faster runs it again
				app, err := desk.Import(ctx, got.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
				if apps[i] = app; app != "" {
					return
				}
				if !errors.Is(err, intake.ErrConflict) && !errors.Is(err, issuance.ErrConflict) {
					t.Logf("told %v", err)
				}
			}
		})
	}
	wg.Wait()
	list := must(c.rig.an.Applications(ctx))(t)
	if len(list) != 1 {
		t.Fatalf("%d applications", len(list))
	}
	for _, app := range apps {
		if app != list[0].ID {
			t.Errorf("%q, not %s", app, list[0].ID)
		}
	}
}

// What an officer types for a case that was filed at a portal, beside what one types for a
// person who comes with nothing: at least a key for each letter, whatever its marks.
func TestIntakeKeystrokes(t *testing.T) {
	var blank []int
	for i := range 201 {
		p := synthetic.Citizens{Seed: 5}.Citizen(i).Person
		n := 0
		for _, text := range []string{
			string(p.Number), p.Surname, p.Given, p.Sex, p.Birth.String(), p.Nationality, p.Origin, p.Residence, p.Ethnicity, p.Religion, p.Features, p.Father, p.Mother, p.Spouse,
		} {
			n += utf8.RuneCountInString(text) + 1 // and on to the next field
		}
		blank = append(blank, n)
	}
	slices.Sort(blank)
	filed := newCounter(t, newOffice(t)).file(t, "K-17", person(17))
	median, code := blank[len(blank)/2], len(filed.Code)+1
	t.Logf("median keystrokes: at least %d for a blank form, %d for a case (none where its code is scanned)", median, code)
	if median < 8*code {
		t.Errorf("%d keystrokes, not an eighth of %d", code, median)
	}
}

// In whatever order a case's messages come, and however often, there is one case and one
// outcome.
func TestIntakeOrder(t *testing.T) {
	t.Parallel()
	c := newCounter(t, newOffice(t))
	for _, withdrawn := range []bool{false, true} {
		acts := []int{1, 2, 3}
		if withdrawn {
			acts = append(acts, 0)
		}
		for i, order := range permutations(acts) {
			name := fmt.Sprintf("K-%v-%d", withdrawn, i)
			var code string
			for _, revision := range order {
				who := person(100 + revision)
				m := c.message(t, name, fmt.Sprintf("%s-%d", name, revision), intake.Amend, revision, &who)
				switch revision {
				case 0:
					m = c.message(t, name, name+"-0", intake.Withdraw, 0, nil)
				case 1:
					m.Act = intake.File
				}
				sealed := must(c.portal.Seal(m))(t)
				first := must(c.portal.Send(t.Context(), sealed))(t)
				again := must(c.portal.Send(t.Context(), sealed))(t)
				if first.Code != again.Code || !first.Received.Equal(again.Received) || first.State != again.State || code != "" && code != first.Code {
					t.Fatalf("%v: %+v, %+v", order, first, again)
				}
				code = first.Code
			}
			k := must(c.store.Case(t.Context(), code))(t)
			f := must(c.an.Filing(t.Context(), code))(t)
			switch {
			case withdrawn && (k.State != intake.Withdrawn || f.Message != nil):
				t.Errorf("%v: %s", order, k.State)
			case !withdrawn && (k.State != intake.Received || k.Revision != 3 || f.Person != person(103)):
				t.Errorf("%v: %s, revision %d", order, k.State, k.Revision)
			}
		}
	}
	if n := len(must(c.store.Cases(t.Context()))(t)); n != 6+24 {
		t.Errorf("%d cases", n)
	}
}

func permutations(list []int) (all [][]int) {
	if len(list) == 0 {
		return [][]int{nil}
	}
	for i, first := range list {
		rest := slices.Concat(list[:i], list[i+1:])
		for _, p := range permutations(rest) {
			all = append(all, append([]int{first}, p...))
		}
	}
	return all
}

// A day's outage, a replay after weeks, and eight at once: the same receipt, octet for octet.
func TestIntakeOnce(t *testing.T) {
	t.Parallel()
	c, ctx := newCounter(t, newOffice(t)), t.Context()
	who := person(5)
	sealed := must(c.portal.Seal(c.message(t, "K-5", "r-5", intake.File, 1, &who)))(t)
	c.now = c.now.Add(24 * time.Hour) // the portal's queue waited
	var wg sync.WaitGroup
	receipts := make([]string, 8)
	for i := range receipts {
		wg.Go(func() {
			_, _, body := post(t, c.url+"/intake/v1/messages", sealed)
			receipts[i] = body
		})
	}
	wg.Wait()
	c.now = c.now.AddDate(0, 1, 0)
	_, signature, body := post(t, c.url+"/intake/v1/messages", sealed)
	for _, r := range receipts {
		if r != body || !strings.Contains(r, `"state":"received"`) {
			t.Errorf("another receipt: %s, %s", r, body)
		}
	}
	if err := intake.VerifyAnswer(intake.Signed{Body: []byte(body), Signature: signature}, c.portal.Office); err != nil {
		t.Error(err)
	}
	if list := must(c.store.Cases(ctx))(t); len(list) != 1 || list[0].Version != 1 {
		t.Errorf("%+v", list)
	}
	if told := c.told(t, "K-5"); !slices.Equal(told, []intake.State{intake.Received}) {
		t.Error(told)
	}
}

func post(t testing.TB, address string, m intake.Signed) (status int, signature, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, bytes.NewReader(m.Body))
	check(t, err)
	if m.Signature != "" {
		req.Header.Set(intake.Header, m.Signature)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	check(t, err)
	defer resp.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	check(t, err)
	return resp.StatusCode, resp.Header.Get(intake.Header), b.String()
}

// Each message that must not come in is refused by its own code, and nothing is stored.
func TestIntakeRefuses(t *testing.T) {
	t.Parallel()
	c, who := newCounter(t, newOffice(t)), person(9)
	good := func() intake.Message { return c.message(t, "K-9", "r-9", intake.File, 1, &who) }
	seal := func(m intake.Message) intake.Signed { return must(c.portal.Seal(m))(t) }
	changed := func(f func(*intake.Message)) intake.Signed {
		m := good()
		f(&m)
		return seal(m)
	}
	raw := func(from, to string) intake.Signed {
		b := bytes.Replace(seal(good()).Body, []byte(from), []byte(to), 1)
		return must(c.portal.Signer.Sign(b))(t)
	}
	_, strange, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	stranger := &intake.Client{URL: c.url, Portal: "dvc", Signer: must(intake.NewSigner(strange, "dvc"))(t)}
	nobody := &intake.Client{URL: c.url, Portal: "nobody", Signer: must(intake.NewSigner(strange, "nobody"))(t)}
	office := must(intake.NewOfficeSigner(strange))(t)
	signed := seal(good())
	bad := who
	bad.Number = "00319000000"
	for what, one := range map[string]struct {
		m    intake.Signed
		code intake.Code
	}{
		"no signature":             {intake.Signed{Body: signed.Body}, intake.CodeUnsigned},
		"no JWS":                   {intake.Signed{Body: signed.Body, Signature: "x..y"}, intake.CodeSigner},
		"another's signature":      {intake.Signed{Body: signed.Body, Signature: seal(c.message(t, "K-9", "r-8", intake.File, 1, &who)).Signature}, intake.CodeSigner},
		"a stranger's key":         {must(stranger.Seal(good()))(t), intake.CodeSigner},
		"a portal without a name":  {must(nobody.Seal(good()))(t), intake.CodePortal},
		"signed as an office does": {must(office.Sign(signed.Body))(t), intake.CodeSigner},
		"another portal's id":      {raw(`"portal":"dvc"`, `"portal":"hue"`), intake.CodeOther},
		"another office":           {raw(c.url, "https://other.example"), intake.CodeOffice},
		"four days old":            {changed(func(m *intake.Message) { m.Time = c.now.Add(-96 * time.Hour) }), intake.CodeStale},
		"of tomorrow":              {changed(func(m *intake.Message) { m.Time = c.now.Add(time.Hour) }), intake.CodeEarly},
		"no purpose":               {changed(func(m *intake.Message) { m.Purpose = "" }), intake.CodePurpose},
		"another purpose":          {changed(func(m *intake.Message) { m.Purpose = "quảng cáo" }), intake.CodePurpose},
		"no reason":                {changed(func(m *intake.Message) { m.Reason = "boredom" }), intake.CodeReason},
		"not JSON":                 {raw(`{"to"`, `["to"`), intake.CodeFormat},
		"something behind it":      {must(c.portal.Signer.Sign(append(signed.Body, []byte(" {}")...)))(t), intake.CodeFormat},
		"an unknown field":         {raw(`{"to"`, `{"portrait":"…","to"`), intake.CodeKey},
		"a field in capitals":      {raw(`"salt"`, `"Salt"`), intake.CodeKey},
		"a field twice":            {raw(`{"to"`, `{"case":"K-1","to"`), intake.CodeFormat},
		"an unknown field inside":  {raw(`"person":{`, `"person":{"blood":"A",`), intake.CodePerson},
		"a short number":           {changed(func(m *intake.Message) { m.Person = must(json.Marshal(bad))(t) }), intake.CodePerson},
		"no person":                {changed(func(m *intake.Message) { m.Person = nil }), intake.CodePerson},
		"a withdrawal that says":   {changed(func(m *intake.Message) { m.Act = intake.Withdraw }), intake.CodeFormat},
		"a second revision files":  {changed(func(m *intake.Message) { m.Revision = 2 }), intake.CodeFormat},
		"no salt":                  {changed(func(m *intake.Message) { m.Salt = "0" }), intake.CodeFormat},
		"a name with a slash":      {changed(func(m *intake.Message) { m.Case = "../9" }), intake.CodeFormat},
		"a megabyte":               {must(c.portal.Signer.Sign(bytes.Repeat([]byte(" "), 1<<20)))(t), intake.CodeSize},
		"more than is agreed":      {must(c.portal.Signer.Sign(bytes.Repeat([]byte(" "), 20_000)))(t), intake.CodeSize},
	} {
		_, _, body := post(t, c.url+"/intake/v1/messages", one.m)
		var p intake.Refusal
		if err := json.Unmarshal([]byte(body), &p); err != nil || p.Code != one.code {
			t.Errorf("%s: %s, want %s", what, body, one.code)
		}
		if strings.Contains(body, who.Given) || strings.Contains(body, string(bad.Number)) {
			t.Errorf("%s: the refusal tells of the person: %s", what, body)
		}
	}
	if list := must(c.store.Cases(t.Context()))(t); len(list) != 0 {
		t.Errorf("%d cases of refused messages", len(list))
	}
	c.refusesAfterwards(t, signed)
}

// refusesAfterwards holds what is refused because of what came before.
func (c *counterRig) refusesAfterwards(t *testing.T, signed intake.Signed) {
	ctx, who, two := t.Context(), person(9), person(10)
	got := must(c.portal.Send(ctx, signed))(t)
	send := func(m intake.Message) error {
		_, err := c.portal.Send(ctx, must(c.portal.Seal(m))(t))
		return err
	}
	wantCode(t, "other octets", send(c.message(t, "K-9", "r-9", intake.File, 1, &two)), intake.CodeReused)
	wantCode(t, "filed again", send(c.message(t, "K-9", "r-9b", intake.File, 1, &who)), intake.CodeRevision)
	check(t, send(c.message(t, "K-9", "r-9c", intake.Amend, 3, &two)))
	check(t, send(c.message(t, "K-9", "r-9d", intake.Amend, 2, &who)))
	wantCode(t, "amended twice", send(c.message(t, "K-9", "r-9e", intake.Amend, 2, &two)), intake.CodeRevision)
	_, err := c.portal.Status(ctx, "I-0000-0000-0000-0000")
	wantCode(t, "a guess", err, intake.CodeUnknown)

	// What the other portal may not: its reasons, its rate. Its cases are its own.
	lost := c.message(t, "K-9", "r-9", intake.File, 1, &who)
	lost.Reason = "lost"
	_, err = c.other.Send(ctx, must(c.other.Seal(lost))(t))
	wantCode(t, "a reason that is not agreed", err, intake.CodeReason)
	mine := must(c.other.Send(ctx, must(c.other.Seal(c.message(t, "K-9", "r-9", intake.File, 1, &who)))(t)))(t)
	if mine.Code == got.Code {
		t.Error("two portals have one case")
	}
	if e := must(c.other.Events(ctx, 0, c.now))(t); len(e.Events) != 1 || e.Events[0].Code != mine.Code {
		t.Errorf("told of another's case: %+v", e)
	}
	_, err = c.other.Events(ctx, 0, c.now)
	wantCode(t, "too often", err, intake.CodeRate)
	c.now = c.now.Add(2 * time.Minute)
	_, err = c.portal.Events(ctx, 0, c.now.Add(-time.Hour))
	wantCode(t, "an old question", err, intake.CodeStale)

	// At the desk.
	ctr := c.an
	check(t, c.binh.Refuse(ctx, got.Code, "documents"))
	wantCode(t, "amended after the end", send(c.message(t, "K-9", "r-9f", intake.Amend, 9, &two)), intake.CodeClosed)
	wantCode(t, "withdrawn after the end", send(c.message(t, "K-9", "r-9g", intake.Withdraw, 0, nil)), intake.CodeClosed)
	_, err = ctr.Import(ctx, got.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
	wantError(t, "import what was refused", err, intake.ErrClosed)
	wantError(t, "refuse for no reason", c.binh.Refuse(ctx, mine.Code, "boredom"), issuance.ErrWord)
	_, err = c.binh.Import(ctx, mine.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
	wantError(t, "import by who may not", err, issuance.ErrRole)
	_, err = ctr.Import(ctx, mine.Code, Enrolment{Portrait: []byte("x"), Profile: Profile})
	wantError(t, "no portrait", err, ErrPortrait)
	if k := must(c.store.Case(ctx, mine.Code))(t); k.State != intake.Received || k.App != "" {
		t.Errorf("taken over all the same: %+v", k)
	}
	if s := must(c.portal.Status(ctx, got.Code))(t); s.State != intake.Refused || s.Why != "documents" {
		t.Errorf("%+v", s)
	}
	if f := must(c.an.Filing(ctx, got.Code))(t); f.Message != nil {
		t.Error("what was refused is still there")
	}
}

func wantCode(t testing.TB, what string, err error, code intake.Code) {
	t.Helper()
	if r, ok := errors.AsType[*intake.Refusal](err); !ok || r.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// An import that was cut short between the case and the ledger is done again by another
// officer, and there is one application.
func TestIntakeImportCut(t *testing.T) {
	t.Parallel()
	c, ctx := newCounter(t, newOffice(t)), t.Context()
	got := c.file(t, "K-3", person(3))
	gone := *c.rig.an
	gone.Store = cutStore{c.rig.store}
	cut := &Counter{Office: &gone, Store: c.store}
	_, err := cut.Import(ctx, got.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
	wantError(t, "cut", err, errCut)
	wantError(t, "refused by another", c.binh.Refuse(ctx, got.Code, "identity"), intake.ErrTaken)
	who := person(3)
	_, err = c.portal.Send(ctx, must(c.portal.Seal(c.message(t, "K-3", "r-3w", intake.Withdraw, 0, nil)))(t))
	wantCode(t, "withdrawn from the desk", err, intake.CodeClosed)
	if f := must(c.an.Filing(ctx, got.Code))(t); f.Person != who {
		t.Error("the content went before the ledger had it")
	}
	app := must(c.an.Import(ctx, got.Code, Enrolment{Portrait: portrait(0), Profile: Profile}))(t)
	if list := must(c.rig.an.Applications(ctx))(t); len(list) != 1 || list[0].ID != app || list[0].ID != must(c.store.Case(ctx, got.Code))(t).App {
		t.Errorf("%+v", list)
	}

	// Refused by the officer whose import was cut, and enrolled all the same: the ledger is right.
	six := c.file(t, "K-6", person(66))
	_, err = cut.Import(ctx, six.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
	wantError(t, "cut", err, errCut)
	check(t, c.an.Refuse(ctx, six.Code, "documents"))
	late := enrolment(66)
	late.Application = must(c.store.Case(ctx, six.Code))(t).App
	must(c.rig.an.Enrol(ctx, late))(t)
	if told := c.told(t, "K-6"); !slices.Equal(told, []intake.State{intake.Received, intake.AtDesk, intake.Refused, intake.AtDesk}) {
		t.Errorf("told %v", told)
	}

	// Corrected, it is about the same person; and what was only amended does not come in.
	lone := must(c.portal.Seal(c.message(t, "K-4", "r-4", intake.Amend, 2, &who)))(t)
	waiting := must(c.portal.Send(ctx, lone))(t)
	_, err = c.an.Import(ctx, waiting.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
	wantError(t, "an amendment alone", err, intake.ErrWaiting)
	four := c.file(t, "K-5", person(44))
	_, err = c.an.Import(ctx, four.Code, Enrolment{Person: who, Portrait: portrait(0), Profile: Profile})
	wantError(t, "another's data", err, ErrOtherPerson)
	corrected := person(44)
	corrected.Residence = "Số 18, phố Mẫu"
	fixed := must(c.an.Import(ctx, four.Code, Enrolment{Person: corrected, Portrait: portrait(0), Profile: Profile}))(t)
	if d := must(c.rig.an.Draft(ctx, fixed))(t); d.Person != corrected {
		t.Error("the correction was lost")
	}
	check(t, c.rig.an.Cancel(ctx, fixed, "withdrawn"))
	if s := must(c.portal.Status(ctx, four.Code))(t); s.State != intake.Cancelled || s.Why != "withdrawn" || !s.Since.Equal(c.now) {
		t.Errorf("%+v", s)
	}

	// The same person filed elsewhere too: the desk sees it, and has one application.
	second := must(c.other.Send(ctx, must(c.other.Seal(c.message(t, "K-3", "r-3", intake.File, 1, &who)))(t)))(t)
	_, err = c.an.Import(ctx, second.Code, Enrolment{Portrait: portrait(0), Profile: Profile})
	wantType[*issuance.DuplicateError](t, "a second application", err)
	check(t, c.binh.Refuse(ctx, second.Code, "duplicate"))
	check(t, c.rig.binh.Reject(ctx, app, "portrait"))
	if s := must(c.portal.Status(ctx, got.Code))(t); s.State != intake.Refused || s.Why != "portrait" {
		t.Errorf("%+v", s)
	}
}

var errCut = errors.New("cut")

// cutStore is a ledger that is cut off from the first append on.
type cutStore struct{ Store }

func (cutStore) Append(context.Context, issuance.Head, ...issuance.Entry) error { return errCut }
