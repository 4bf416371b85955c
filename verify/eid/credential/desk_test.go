package credential

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance"
	"github.com/tamthe/tamthe/verify/eid"
)

// nobody is an invented person: province 003 is that of no one.
var nobody = vn.Person{
	Number: "003078000041", Surname: "Đỗ", Given: "Văn Ví Dụ", Sex: "M", Birth: vn.Date{Year: 1978, Month: 11, Day: 5}, Nationality: "Việt Nam",
	Origin: "Xã Mẫu, Tỉnh Mẫu", Residence: "Số 5, phố Mẫu, Tỉnh Mẫu", Ethnicity: "Tày", Religion: "Không", Features: "Không", Father: "Đỗ Văn Ông", Mother: "Lý Thị Bà",
}

// decisions is a store that keeps nothing, or fails; what it waits for goes on meanwhile.
type decisions struct {
	err  error
	wait func()
}

func (d *decisions) Decide(context.Context, eid.Decision) error {
	if wait := d.wait; wait != nil {
		d.wait = nil
		wait()
	}
	return d.err
}

// counter is a service with its desk, a card of a test issuer, and its holder's agent.
type counter struct {
	scene   *conformance.Scene
	card    *word
	log     *decisions
	now     time.Time
	issuer  *Issuer
	desk    *Desk
	client  *Client
	agent   *eid.Client
	key     *ecdsa.PrivateKey
	address string
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	scene, err := conformance.Stage(t.Context(), "status-active", conformance.Cast{Person: nobody})
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{scene: scene, card: &word{state: verify.StateActive}, log: &decisions{}, now: scene.Station.At, key: newKey(t)}
	clock := func() time.Time { return c.now }
	var h http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	c.address = web.URL
	if c.issuer, err = New(Config{URL: web.URL, Key: newKey(t), Store: &memory{}, Status: c.card, Specimen: true, Now: clock}); err != nil {
		t.Fatal(err)
	}
	c.desk = NewDesk(c.issuer)
	signer, err := eid.NewSigner(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	options := scene.Station
	options.Policy, options.Passwords, options.Status = verify.Policy{}, nil, c.desk.Follow(known{scene.Station.Status, c.card})
	s, err := eid.New(eid.Config{
		URL: web.URL, Parties: []eid.Party{c.desk.Party()}, Store: c.desk.Watch(c.log), Signer: signer, Options: options, Pairwise: make([]byte, 32), Now: clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	c.desk.Open(s)
	mux := http.NewServeMux()
	mux.Handle("/eid/", s.Handler())
	mux.Handle("/", c.desk.Handler())
	h = mux
	c.client, c.agent = &Client{URL: web.URL, Now: clock}, &eid.Client{URL: web.URL}
	return c
}

// known answers from the scene's signed list while the card is active, and else what the
// issuer says by now.
type known struct {
	verify.StatusSource
	word *word
}

func (k known) Status(ctx context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	if k.word.state == verify.StateActive && k.word.err == nil {
		return k.StatusSource.Status(ctx, c)
	}
	return verify.StatusAnswer{State: k.word.state, Exact: true, AsOf: time.Now()}, k.word.err
}

// log shows the card in a login and gives the code for its browser.
func (c *counter) login(t *testing.T, b *eid.Begun) (*eid.Step, error) {
	t.Helper()
	login, err := c.agent.Open(t.Context(), b.Code)
	if err != nil {
		return nil, err
	}
	held, err := c.scene.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	s, err := card.Open(t.Context(), apdu.Over(held, apdu.Limits{}), card.Options{Passwords: c.scene.Station.Passwords})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return login.Show(t.Context(), s, false)
}

// A card is shown, and its holder's key has the credential that verifiers take; when the
// card is suspended they do not, and no other is issued.
func TestDesk(t *testing.T) {
	c := newCounter(t)
	b, err := c.client.Begin(t.Context(), c.key, []string{"name", "age_over_18"})
	if err != nil {
		t.Fatal(err)
	}
	step, err := c.login(t, b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.client.Fetch(t.Context(), c.key, b, step.Finish)
	if err != nil {
		t.Fatal(err)
	}
	held, err := ParseHeld(text)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.client.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := &Verifier{Audience: audience, Issuers: map[string][]byte{c.address: keys}, Specimen: true, Now: func() time.Time { return c.now }, Status: c.client.Status}
	show := func() (*Presented, error) {
		nonce := v.Nonce()
		shown, err := held.Present(c.key, audience, nonce, []string{"age_over_18"}, c.now)
		if err != nil {
			t.Fatal(err)
		}
		return v.Take(t.Context(), shown, nonce)
	}
	p, err := show()
	if err != nil || !maps.Equal(p.Fields, map[string]any{"age_over_18": true}) {
		t.Fatalf("%+v, %v", p, err)
	}
	end, err := time.Parse(time.DateOnly, "2038-11-05")
	if err != nil || held.Expires().After(end) {
		t.Error(held.Expires())
	}
	if _, err := c.client.Fetch(t.Context(), c.key, b, step.Finish); eid.CodeOf(err) != eid.CodeReplayed {
		t.Errorf("a second credential of one login: %v", err)
	}
	c.card.state = verify.StateSuspended
	c.now = c.now.Add(2 * listFresh)
	if _, err := show(); CodeOf(err) != CodeSuspended {
		t.Error(err)
	}
	if b, err = c.client.Begin(t.Context(), c.key, []string{"name"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.login(t, b); eid.CodeOf(err) != eid.CodeRevoked {
		t.Errorf("a login with a suspended card: %v", err)
	}
}

// Whoever did not begin the login, or has not the key that it began for, gets nothing; and
// nothing is issued where the card went out of force between login and issue.
func TestDeskRefuses(t *testing.T) {
	c := newCounter(t)
	for label, play := range map[string]struct {
		act  func(b *eid.Begun, finish string) error
		want string
	}{
		"another key": {func(b *eid.Begun, finish string) error {
			_, err := c.client.Fetch(t.Context(), newKey(t), b, finish)
			return err
		}, string(CodeProof)},
		"another browser": {func(b *eid.Begun, finish string) error {
			o := *b
			o.Browser = "somebody else's"
			_, err := c.client.Fetch(t.Context(), c.key, &o, finish)
			return err
		}, string(eid.CodeUnbound)},
		"a wrong code": {func(b *eid.Begun, finish string) error {
			wrong := "000000"
			if finish == wrong {
				wrong = "000001"
			}
			_, err := c.client.Fetch(t.Context(), c.key, b, wrong)
			return err
		}, string(eid.CodeUnbound)},
		"no such login": {func(b *eid.Begun, finish string) error {
			o := *b
			o.Session = strings.Repeat("0", len(o.Session))
			_, err := c.client.Fetch(t.Context(), c.key, &o, finish)
			return err
		}, string(eid.CodeUnknown)},
		"a proof of another login": {func(b *eid.Begun, finish string) error {
			proof, err := prove(c.key, c.address, "another", c.now)
			if err != nil {
				return err
			}
			_, err = c.desk.Issue(t.Context(), b.Session, b.Browser, finish, proof)
			return err
		}, string(CodeProof)},
		"a proof for another issuer": {func(b *eid.Begun, finish string) error {
			proof, err := prove(c.key, "https://evil.example", b.Session, c.now)
			if err != nil {
				return err
			}
			_, err = c.desk.Issue(t.Context(), b.Session, b.Browser, finish, proof)
			return err
		}, string(CodeProof)},
		"suspended meanwhile": {func(b *eid.Begun, finish string) error {
			c.card.state = verify.StateSuspended
			_, err := c.client.Fetch(t.Context(), c.key, b, finish)
			return err
		}, string(CodeNotInForce)},
		"nobody answers": {func(b *eid.Begun, finish string) error {
			c.card.err = errors.New("the ledger is shut")
			_, err := c.client.Fetch(t.Context(), c.key, b, finish)
			return err
		}, string(CodeNotInForce)},
		"too late": {func(b *eid.Begun, finish string) error {
			c.now = c.now.Add(time.Hour)
			_, err := c.client.Fetch(t.Context(), c.key, b, finish)
			return err
		}, string(eid.CodeExpired)},
	} {
		*c.card, c.now = word{state: verify.StateActive}, c.scene.Station.At
		b, err := c.client.Begin(t.Context(), c.key, []string{"name"})
		if err != nil {
			t.Fatal(err)
		}
		step, err := c.login(t, b)
		if err != nil {
			t.Fatal(err)
		}
		err = play.act(b, step.Finish)
		if got := string(CodeOf(err)) + string(eid.CodeOf(err)); got != play.want {
			t.Errorf("%s: %v, want %s", label, err, play.want)
		}
	}
}

// What cannot be asked is refused before there is a login; a decision that is not on the
// disk is none.
func TestDeskAsks(t *testing.T) {
	c := newCounter(t)
	if _, err := c.client.Begin(t.Context(), c.key, []string{"portrait"}); eid.CodeOf(err) != eid.CodeFields {
		t.Error(err)
	}
	for _, body := range []string{`{"fields":["name"],"thumbprint":"x"}`, `{"fields":["name"]}`, `{"x":1}`, `{}{}`, `[`, strings.Repeat(" ", maxBody+1)} {
		r, err := http.Post(c.address+"/credential/v1/logins", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("%.20s: %s", body, r.Status)
		}
	}
	for _, path := range []string{"/credential/status/7", "/credential/status/x", "/credential/status/-1"} {
		if _, err := c.client.Status(t.Context(), c.address+path); CodeOf(err) != CodeUnknown {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, uri := range []string{"https://evil.example/credential/status/0", c.address + ".evil.example/list", c.address + "/../x", c.address + "/credential/status/0?x", c.address} {
		if _, err := c.client.Status(t.Context(), uri); !errors.Is(err, ErrService) {
			t.Errorf("%s is fetched: %v", uri, err)
		}
	}
	c.log.err = errors.New("the disk is full")
	b, err := c.client.Begin(t.Context(), c.key, []string{"name"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.login(t, b); err == nil {
		t.Error("a login that is on no record")
	}
	if _, ok := c.desk.take(b.Session); ok {
		t.Error("its card is remembered")
	}
}

// Two logins with one card are judged at once, the other with altered files. By what the
// credential's card is known is what its own login showed: else its holder could have it
// followed by names that no list has.
func TestDeskTwoAtOnce(t *testing.T) {
	c := newCounter(t)
	kept := &memory{}
	c.issuer.c.Store = kept
	b, err := c.client.Begin(t.Context(), c.key, []string{"name"})
	if err != nil {
		t.Fatal(err)
	}
	var honest [][32]byte
	c.log.wait = func() {
		other, err := c.client.Begin(t.Context(), c.key, []string{"name"})
		if err != nil {
			t.Fatal(err)
		}
		agent := eid.NewNonce()
		r, err := c.desk.server.Open("there", other.Code, eid.Commitment(agent))
		if err != nil {
			t.Fatal(err)
		}
		held, err := c.scene.Hold()
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		s, err := card.Open(t.Context(), apdu.Over(held, apdu.Limits{}), card.Options{Passwords: c.scene.Station.Passwords})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		e, err := eid.Gather(t.Context(), s, *r, agent)
		if err != nil {
			t.Fatal(err)
		}
		honest = append(honest, sha256.Sum256(e.Files[lds.DG14]), sha256.Sum256(e.Files[lds.DG15]))
		e.Files[lds.DG14] = append(slices.Clone(e.Files[lds.DG14]), 0)
		if _, err := c.desk.server.Present(t.Context(), other.Session, agent, e); eid.CodeOf(err) != eid.CodeAltered {
			t.Fatalf("the other login: %v", err)
		}
	}
	step, err := c.login(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.Fetch(t.Context(), c.key, b, step.Finish); err != nil {
		t.Fatal(err)
	}
	for _, key := range kept.all[0].Card.Keys {
		if !slices.Contains(honest, key) {
			t.Errorf("the credential follows a card with the key %x", key)
		}
	}
}
