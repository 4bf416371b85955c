package eid

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/relay"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// negative is a service on the network, with what whoever attacks it has.
type negative struct {
	*rig
	*testing.T
	url   string
	state verify.State // of the card
	ask   Ask
}

// Status is what the issuer says of the card.
func (n *negative) Status(context.Context, verify.CardRef) (verify.StatusAnswer, error) {
	return verify.StatusAnswer{State: n.state, AsOf: n.now, Exact: true}, nil
}

func newNegative(t *testing.T) *negative {
	t.Helper()
	n := &negative{T: t, state: verify.StateActive, ask: taxes()}
	var h http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	n.url = web.URL
	n.rig = newRig(t, func(c *Config) { c.URL, c.Options.Status = web.URL, n })
	h = n.Handler()
	return n
}

func (n *negative) party(id string) *Client {
	return &Client{URL: n.url, Party: id, Secret: id + "-secret"}
}

func (n *negative) begun() *Begun {
	n.Helper()
	b, err := n.party(n.ask.Party).Begin(n.Context(), n.ask)
	if err != nil {
		n.Fatal(err)
	}
	return b
}

func (n *negative) opened(b *Begun) *Login {
	n.Helper()
	l, err := (&Client{URL: n.url}).Open(n.Context(), b.Code)
	if err != nil {
		n.Fatal(err)
	}
	return l
}

// evidence is what an agent reads of a chip for a request that it believes in.
func (n *negative) evidence(s *card.Session, r Request, agent string) Evidence {
	n.Helper()
	e, err := Gather(n.Context(), s, r, agent)
	if err != nil {
		n.Fatal(err)
	}
	return e
}

// send presents evidence for a login, and answers for the chip.
func (n *negative) send(l *Login, s *card.Session, e Evidence) error {
	var next Next
	path := "/v2/agent/" + l.Request.Session
	if err := l.client.call(n.Context(), http.MethodPost, path+"/present", "", e.presented(l.agent), &next); err != nil {
		return err
	}
	step, err := next.step()
	if err != nil || step.Agreement == nil {
		return err
	}
	answer, err := Carry(n.Context(), s, step)
	if err != nil {
		return err
	}
	return l.client.call(n.Context(), http.MethodPost, path+"/answer", "", map[string]string{"agent": l.agent, "answer": hex.EncodeToString(answer.Bytes())}, &next)
}

// altered is a login whose evidence is changed before it is sent.
func (n *negative) altered(w apdu.Wire, alter func(*Evidence, *Login)) error {
	l, s := n.opened(n.begun()), session(n.T, w)
	e := n.evidence(s, l.Request, l.agent)
	alter(&e, l)
	return n.send(l, s, e)
}

// elsewhere is evidence that was honestly made for another request, sent to a login of the
// tax office; lie has whoever relays it say that it is for this one.
func (n *negative) elsewhere(lie bool, change func(*Request)) error {
	l, s := n.opened(n.begun()), session(n.T, n.chip)
	other := l.Request
	change(&other)
	e := n.evidence(s, other, l.agent)
	if lie {
		e.For = &SignedFor{l.Request.Server, l.Request.Party, l.Request.Session, l.Request.Nonce}
	}
	return n.send(l, s, e)
}

// files are those of the card, its portrait among them.
func (n *negative) files() map[lds.File][]byte {
	n.Helper()
	s := session(n.T, n.chip)
	r := Request{Fields: []string{"name"}}
	files := n.evidence(s, r, "").Files
	picture, err := s.ReadFile(n.Context(), lds.DG2, nil)
	if err != nil {
		n.Fatal(err)
	}
	files[lds.DG2] = picture
	return files
}

// post is the code of what the service says of a body.
func (n *negative) post(path, body string) error {
	resp, err := http.Post(n.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		n.Fatal(err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusOK {
		return err
	}
	return refusalIn(resp.StatusCode, reply)
}

// negatives is what is refused: by whom, and by which code, each by no other.
var negatives = []struct {
	what string
	want Code
	do   func(*negative) error
}{
	{"redeemed twice (replayed)", CodeReplayed, func(n *negative) error {
		b := n.begun()
		step, err := n.opened(b).Show(n.Context(), session(n.T, n.chip), false)
		if err != nil {
			return err
		}
		if _, err := n.party("tax").Redeem(n.Context(), b, step.Finish); err != nil {
			return err
		}
		_, err = n.party("tax").Redeem(n.Context(), b, step.Finish)
		return err
	}},
	{"evidence sent twice (replayed)", CodeTaken, func(n *negative) error {
		l, s := n.opened(n.begun()), session(n.T, n.chip)
		e := n.evidence(s, l.Request, l.agent)
		if err := n.send(l, s, e); err != nil {
			return err
		}
		return n.send(l, s, e)
	}},
	{"after its time (expired)", CodeExpired, func(n *negative) error {
		return n.altered(n.chip, func(*Evidence, *Login) { n.now = n.now.Add(6 * time.Minute) })
	}},
	{"for another service (wrong audience)", CodeAudience, func(n *negative) error {
		return n.elsewhere(false, func(r *Request) { r.Server = "https://other.example" })
	}},
	{"for another service, and a lie about it", CodeNonce, func(n *negative) error {
		return n.elsewhere(true, func(r *Request) { r.Server = "https://other.example" })
	}},
	{"for another nonce (wrong nonce)", CodeNonce, func(n *negative) error {
		return n.elsewhere(false, func(r *Request) { r.Nonce = random(16) })
	}},
	{"for another relying party (other RP)", CodeOther, func(n *negative) error {
		return n.elsewhere(false, func(r *Request) { r.Party = "shop" })
	}},
	{"for another login (relayed from another session)", CodeLogin, func(n *negative) error {
		return n.elsewhere(false, func(r *Request) { r.Session = random(16) })
	}},
	{"for another login, and a lie about it", CodeNonce, func(n *negative) error {
		return n.elsewhere(true, func(r *Request) { r.Session = random(16) })
	}},
	{"for fewer fields, and a lie about it", CodeNonce, func(n *negative) error {
		return n.elsewhere(true, func(r *Request) { r.Fields = []string{"birth"} })
	}},
	{"given to a phisher's login (cross-device phished)", CodeUnbound, func(n *negative) error {
		phishers := n.begun()
		if _, err := n.opened(phishers).Show(n.Context(), session(n.T, n.chip), false); err != nil {
			return err
		}
		_, err := n.party("tax").Redeem(n.Context(), phishers, "000000") // the victim keeps the code that ends it
		return err
	}},
	{"redeemed from another browser", CodeUnbound, func(n *negative) error {
		b, other := n.begun(), n.begun()
		step, err := n.opened(b).Show(n.Context(), session(n.T, n.chip), false)
		if err != nil {
			return err
		}
		_, err = n.party("tax").Redeem(n.Context(), &Begun{Session: b.Session, Browser: other.Browser}, step.Finish)
		return err
	}},
	{"redeemed by another party", CodeParty, func(n *negative) error {
		b := n.begun()
		step, err := n.opened(b).Show(n.Context(), session(n.T, n.chip), false)
		if err != nil {
			return err
		}
		_, err = n.party("shop").Redeem(n.Context(), b, step.Finish)
		return err
	}},
	{"of an agent that did not take the login", CodeTaken, func(n *negative) error {
		return n.altered(n.chip, func(_ *Evidence, l *Login) { l.agent = NewNonce() })
	}},
	{"a stolen card asking a higher acr", CodeLevel, func(n *negative) error {
		n.ask = Ask{Party: "desk", Purpose: "đăng ký", Fields: []string{"name"}, Level: Holder}
		return n.altered(n.chip, func(*Evidence, *Login) {})
	}},
	{"a thief who vouches for himself", CodeLevel, func(n *negative) error {
		n.ask = Ask{Party: "desk", Purpose: "đăng ký", Fields: []string{"name"}, Level: Holder}
		return n.altered(n.chip, func(e *Evidence, _ *Login) { e.Present = true })
	}},
	{"a clone (no AA key)", CodeClone, func(n *negative) error {
		return n.altered(clone(n.T, n.files()), func(*Evidence, *Login) {})
	}},
	{"a clone that shows no signature", CodeClone, func(n *negative) error {
		return n.altered(clone(n.T, n.files()), func(e *Evidence, _ *Login) { e.Signature = nil })
	}},
	{"another's portrait (swapped DG2)", CodeAltered, func(n *negative) error {
		picture := n.files()[lds.DG2]
		return n.altered(n.chip, func(e *Evidence, _ *Login) {
			e.Files[lds.DG2] = picture
			e.Files[lds.DG2][len(e.Files[lds.DG2])-1] ^= 1
		})
	}},
	{"another's name (changed DG1)", CodeAltered, func(n *negative) error {
		return n.altered(n.chip, func(e *Evidence, _ *Login) {
			e.Files[lds.DG1] = bytes.Replace(e.Files[lds.DG1], []byte("NGUYEN"), []byte("TRAN<<"), 1)
		})
	}},
	{"a changed signature of the issuer", CodeNotGenuine, func(n *negative) error {
		return n.altered(n.chip, func(e *Evidence, _ *Login) {
			e.Files[lds.SODFile] = bytes.Clone(e.Files[lds.SODFile])
			e.Files[lds.SODFile][len(e.Files[lds.SODFile])-1] ^= 1
		})
	}},
	{"a card that proves nothing", CodeUnproven, func(n *negative) error {
		return n.altered(n.chip, func(e *Evidence, _ *Login) { delete(e.Files, lds.DG14); e.Signature = nil })
	}},
	{"a card that its issuer revoked", CodeRevoked, func(n *negative) error {
		n.state = verify.StateRevoked
		return n.altered(n.chip, func(*Evidence, *Login) {})
	}},
	{"a card of which nothing is known", CodeInconclusive, func(n *negative) error {
		return n.altered(n.chip, func(e *Evidence, _ *Login) { delete(e.Files, lds.SODFile) })
	}},
	{"no evidence at all", CodeEvidence, func(n *negative) error {
		l := n.opened(n.begun())
		return n.post("/eid/v2/agent/"+l.Request.Session+"/present", `{"agent":"`+l.agent+`","files":{"DG1":"zz"}}`)
	}},
	{"more than a card holds", CodeEvidence, func(n *negative) error {
		return n.altered(n.chip, func(e *Evidence, _ *Login) { e.Files[lds.DG2] = make([]byte, maxFiles) })
	}},
	{"a login of nobody", CodeUnknown, func(n *negative) error {
		_, err := (&Client{URL: n.url}).Open(n.Context(), "00000000")
		return err
	}},
	{"an agent of another version", CodeProtocol, func(n *negative) error { return n.post("/eid/v1/agent/open", `{}`) }},
	{"no purpose", CodePurpose, func(n *negative) error {
		_, err := n.party("tax").Begin(n.Context(), Ask{Fields: []string{"name"}})
		return err
	}},
	{"more fields than were agreed (over-asking party)", CodeFields, func(n *negative) error {
		_, err := n.party("shop").Begin(n.Context(), Ask{Purpose: "bán rượu", Fields: []string{"number"}})
		return err
	}},
	{"another's secret", CodeParty, func(n *negative) error {
		_, err := (&Client{URL: n.url, Party: "tax", Secret: "shop-secret"}).Begin(n.Context(), taxes())
		return err
	}},
	{"more logins than were agreed", CodeRate, func(n *negative) error {
		for range 60 {
			n.begun()
		}
		_, err := n.party("tax").Begin(n.Context(), taxes())
		return err
	}},
	{"codes of logins guessed", CodeRate, func(n *negative) error {
		for range maxGuesses {
			if _, err := (&Client{URL: n.url}).Open(n.Context(), "00000000"); CodeOf(err) != CodeUnknown {
				return err
			}
		}
		_, err := (&Client{URL: n.url}).Open(n.Context(), n.begun().Code)
		return err
	}},
}

// TestNegativeList has everything that must be refused refused over HTTP, each by its own code,
// and every code met. go test ./verify/eid -run TestNegativeList -v prints the list.
func TestNegativeList(t *testing.T) {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	met := map[Code]bool{}
	for _, c := range negatives {
		t.Run(c.what, func(t *testing.T) {
			n := newNegative(t)
			err := c.do(n)
			if CodeOf(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
			met[CodeOf(err)] = true
			last := "-"
			if kept := n.store.kept; len(kept) > 0 {
				k := kept[len(kept)-1]
				if last = string(k.Code); last == "" {
					last = "accepted" // before what is refused here
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.what, CodeOf(err), last)
		})
	}
	for _, c := range overAsking {
		got := c.do(t)
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		fmt.Fprintf(w, "%s\t%s (by the agent)\t-\n", c.what, got)
	}
	w.Flush()
	t.Logf("what is refused, by which code, and what the record says of it last:\n%s", out.String())
	for _, c := range Codes() {
		if !met[c] {
			t.Errorf("nothing is refused by %s", c)
		}
	}
}

// overAsking are services that want more of the card than was agreed, or tell more: the
// citizen's agent refuses them.
var overAsking = []struct {
	what, want string
	do         func(*testing.T) string
}{
	{"a service that wants a VERIFY (over-asking server)", "foreign-command", func(t *testing.T) string {
		return hostile(t, `{"agreement":["0020000301FF"],"first":"0CB0810000"}`)
	}},
	{"a service that tells what was not agreed", "no-service", func(t *testing.T) string {
		return hostile(t, `{"finish":"123456","told":["number"]}`)
	}},
	{"a lent card asked for its portrait (over-asking server)", string(relay.CodeFile), lentPortrait},
}

// hostile is what an agent makes of a service that answers evidence so.
func hostile(t *testing.T, next string) string {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, next) }))
	defer web.Close()
	l := &Login{Request: Request{Session: "s", Server: web.URL, Party: "tax", Fields: []string{"name"}}, client: &Client{URL: web.URL}, agent: NewNonce()}
	return agentsCode(second(l.Show(t.Context(), session(t, newRig(t).chip), false)))
}

// lentPortrait is what an agent makes of a service that reads the portrait of a lent card.
func lentPortrait(t *testing.T) string {
	over := make(chan error, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			over <- err
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+relay.Protocol+"\r\n\r\n")
		wire := relay.Over(struct {
			io.Reader
			io.Writer
			io.Closer
		}{buffered, conn, conn}, 0)
		defer wire.Close()
		_, err = card.FarOver(apdu.Over(wire, apdu.Limits{})).ReadFile(context.Background(), lds.DG2)
		over <- err
	}))
	defer web.Close()
	l := &Login{Request: Request{Session: "s", Server: web.URL, Party: "bank", Fields: []string{"name"}, Relay: true}, client: &Client{URL: web.URL}, agent: NewNonce()}
	_, err := l.Lend(t.Context(), session(t, newRig(t).chip))
	if there := <-over; relay.CodeOf(there) != relay.CodeOf(err) {
		t.Errorf("the service is told %v, the citizen %v", there, err)
	}
	return agentsCode(err)
}

func agentsCode(err error) string {
	switch {
	case errors.Is(err, auth.ErrForeignCommand):
		return "foreign-command"
	case errors.Is(err, ErrService):
		return "no-service"
	}
	return string(relay.CodeOf(err))
}
