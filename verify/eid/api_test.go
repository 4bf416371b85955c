package eid

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// served is a service on the network, and its address.
func served(t *testing.T) (*rig, string) {
	t.Helper()
	var h http.Handler
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	r := newRig(t, func(c *Config) { c.URL = web.URL })
	h = r.Handler()
	return r, web.URL
}

// A party, its citizen's browser and agent, over HTTP.
func TestLoginOverHTTP(t *testing.T) {
	r, url := served(t)
	ctx := t.Context()
	tax, agent := &Client{URL: url, Party: "tax", Secret: "tax-secret"}, &Client{URL: url}
	b, err := tax.Begin(ctx, taxes())
	if err != nil {
		t.Fatal(err)
	}
	l, err := agent.Open(ctx, b.Code)
	if err != nil || l.Request.Name != "Cục Thuế" || strings.Join(l.Request.Fields, " ") != "birth name" {
		t.Fatalf("%+v %v", l, err)
	}
	step, err := l.Show(ctx, session(t, r.chip), false)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := tax.State(ctx, b); err != nil || state != "decided" {
		t.Error(state, err)
	}
	_, err = tax.Redeem(ctx, b, "no")
	wantCode(t, "redeemed by a wrong code", err, CodeUnbound)
	token, err := tax.Redeem(ctx, b, step.Finish)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := tax.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Verify(token, keys, url, "tax", "n-1", r.now); err != nil || c.Fields["birth"] != "1990-02-15" {
		t.Errorf("%+v %v", c, err)
	}
	_, err = tax.Redeem(ctx, b, step.Finish)
	wantCode(t, "again", err, CodeReplayed)
	_, err = agent.Open(ctx, b.Code)
	wantCode(t, "taken again", err, CodeTaken)
	_, err = (&Client{URL: url, Party: "tax", Secret: "guess"}).Begin(ctx, taxes())
	wantCode(t, "another secret", err, CodeParty)
	_, err = (&Client{URL: url + "/x"}).Open(ctx, b.Code)
	if err == nil {
		t.Error("another path answers")
	}
}

// What the service does not understand it refuses, with a reason and without a word of what
// was sent.
func TestBadRequests(t *testing.T) {
	_, url := served(t)
	for what, c := range map[string]struct {
		path, body string
		want       int
	}{
		"no JSON":                {"/eid/v2/agent/open", "{", 400},
		"an unknown field":       {"/eid/v2/agent/open", `{"code":"1","commitment":"2","x":3}`, 422},
		"no commitment":          {"/eid/v2/agent/open", `{"code":"12345678","commitment":"secret-text"}`, 400},
		"an older agent":         {"/eid/v1/agent/open", `{"code":"12345678","agent":"` + NewNonce() + `"}`, 410},
		"no such login":          {"/eid/v2/agent/open", `{"code":"12345678","commitment":"` + Commitment(NewNonce()) + `"}`, 404},
		"no such session":        {"/eid/v2/agent/nobody/present", `{"agent":"` + NewNonce() + `","files":{}}`, 404},
		"a file of no card":      {"/eid/v2/agent/nobody/present", `{"agent":"a","files":{"DG99":"00"}}`, 400},
		"octets that are none":   {"/eid/v2/agent/nobody/present", `{"agent":"a","files":{"DG1":"zz"}}`, 400},
		"an answer that is none": {"/eid/v2/agent/nobody/answer", `{"agent":"a","answer":"9"}`, 400},
		"too long":               {"/eid/v2/agent/open", `{"code":"` + strings.Repeat("1", 5<<20) + `","commitment":""}`, 413},
	} {
		resp, err := http.Post(url+c.path, "application/json", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		reply, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		var p Problem
		if err := json.Unmarshal(reply, &p); err != nil || p.Code == "" {
			t.Errorf("%s: no code: %s", what, reply)
		}
		if resp.StatusCode != c.want || strings.Contains(string(reply), "secret-text") {
			t.Errorf("%s: %d %s", what, resp.StatusCode, reply)
		}
	}
	resp, err := http.Get(url + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]any
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) != 6 {
		t.Errorf("%v %+v", err, doc)
	}
}

// An agent that follows a hostile service does nothing but the protocol, and one that meant
// another service goes no further.
func TestHostileService(t *testing.T) {
	r, _ := served(t)
	reply := ""
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, reply) }))
	defer web.Close()
	c := &Client{URL: web.URL}
	reply = `{"session":"s","server":"https://eid.example"}`
	if _, err := c.Open(t.Context(), "1"); err == nil {
		t.Error("a service that says it is another was believed")
	}
	reply = `{"session":"s","server":"` + web.URL + `","party":"tax","fields":[],"nonce":"n","expires":"` + time.Now().UTC().Format(time.RFC3339) + `"}`
	for what, next := range map[string]string{
		"a VERIFY":        `{"agreement":["0020000301FF"],"first":"0CB0810000"}`,
		"a STORE DATA":    `{"agreement":["002241A400","0086000000"],"first":"0CE2000000"}`,
		"no command":      `{"agreement":["zz"],"first":"00"}`,
		"nothing at last": `{"agreement":["002241A400","0086000000"],"first":""}`,
		"rubbish":         `[]`,
	} {
		l := &Login{client: c, agent: NewNonce()}
		l.Request.Session = "s"
		reply = next
		s := session(t, r.chip)
		if _, err := l.Show(t.Context(), s, false); err == nil {
			t.Errorf("%s: followed", what)
		}
		s.Close()
	}
}

// Who attends a counter says over the network, as the party, that the bearer is the holder.
func TestAttendedOverHTTP(t *testing.T) {
	r, url := served(t)
	desk := &Client{URL: url, Party: "desk", Secret: "desk-secret"}
	for secret, want := range map[string]Code{"desk-secret": "", "guess": CodeLevel} {
		b, err := desk.Begin(t.Context(), Ask{Purpose: "đăng ký", Fields: []string{"name"}, Level: Holder})
		if err != nil {
			t.Fatal(err)
		}
		l, err := (&Client{URL: url, Party: "desk", Secret: secret}).Open(t.Context(), b.Code)
		if err != nil {
			t.Fatal(err)
		}
		s := session(t, r.chip)
		_, err = l.Show(t.Context(), s, true)
		if s.Close(); CodeOf(err) != want {
			t.Errorf("attended by %s: %v, want %q", secret, err, want)
		}
	}
}

// Who guesses codes of logins is soon not answered any more, and nobody else notices.
func TestGuessing(t *testing.T) {
	r, _ := served(t)
	h, codes := r.Handler(), 0
	open := func(from, code string) int {
		q := httptest.NewRequest(http.MethodPost, "/eid/v2/agent/open", strings.NewReader(`{"code":"`+code+`","commitment":"`+Commitment(NewNonce())+`"}`))
		q.RemoteAddr = from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		return w.Code
	}
	for range maxGuesses {
		codes += open("[2001:db8::1]:4000", "00000000")
	}
	if codes != maxGuesses*http.StatusNotFound {
		t.Errorf("guesses are answered by %d on average", codes/maxGuesses)
	}
	b := r.begin(t, taxes())
	for from, want := range map[string]int{
		"[2001:db8::1]:4001": 429, "[2001:db8:0:0:9::2]:4000": 429, // the same network
	} {
		if got := open(from, b.Code); got != want {
			t.Errorf("%s: %d, want %d", from, got, want)
		}
	}
	if got := open("[2001:db8:0:1::1]:4000", b.Code); got != http.StatusOK {
		t.Errorf("a neighbour: %d", got)
	}
	b = r.begin(t, taxes())
	if got := open("192.0.2.7:4000", b.Code); got != http.StatusOK {
		t.Errorf("another: %d", got)
	}
}

// An agent shows its citizen nothing that is not what the chip will sign, and hands on
// nothing that a service made up.
func TestLyingService(t *testing.T) {
	reply, elsewhere := "", ""
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if elsewhere != "" {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
			return
		}
		io.WriteString(w, reply)
	}))
	defer web.Close()
	ask := Request{
		Session: "s", Server: web.URL, Party: "tax", Name: "Cục Thuế", Purpose: "nộp tờ khai thuế", Fields: []string{"birth", "name"}, Level: Possession, Nonce: "n",
	}
	open := func(change func(*Request)) error {
		r := ask
		change(&r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		reply = string(b)
		_, err = (&Client{URL: web.URL}).Open(t.Context(), "1")
		return err
	}
	if err := open(func(*Request) {}); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Request){
		"two fields in one":      func(r *Request) { r.Fields = []string{"birth name"} },
		"a field of no card":     func(r *Request) { r.Fields = []string{"portrait"} },
		"a field twice":          func(r *Request) { r.Fields = []string{"name", "name"} },
		"no purpose":             func(r *Request) { r.Purpose = " " },
		"a purpose of two lines": func(r *Request) { r.Purpose = "nộp\r\nđã huỷ" },
		"a name that turns":      func(r *Request) { r.Name = "Cục \u202eThuế" },
		"no party":               func(r *Request) { r.Party = "" },
		"a level of its own":     func(r *Request) { r.Level = "certain" },
		"no level":               func(r *Request) { r.Level = "" },
	} {
		if err := open(change); !errors.Is(err, ErrService) {
			t.Errorf("%s: %v", what, err)
		}
	}

	r := newRig(t)
	for what, next := range map[string]string{
		"a field that was not agreed": `{"finish":"123456","told":["number"]}`,
		"no code":                     `{"told":["name"]}`,
		"a code with more in it":      `{"finish":"1\u001b[2J6","told":["name"]}`,
	} {
		reply = next
		s := session(t, r.chip)
		l := &Login{Request: ask, client: &Client{URL: web.URL}, agent: NewNonce()}
		if _, err := l.Show(t.Context(), s, false); !errors.Is(err, ErrService) {
			t.Errorf("%s: %v", what, err)
		}
		s.Close()
	}

	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer other.Close()
	elsewhere = other.URL
	if _, err := (&Client{URL: web.URL}).Open(t.Context(), "1"); !errors.Is(err, ErrService) || asked {
		t.Errorf("sent elsewhere: %v", err)
	}
}
