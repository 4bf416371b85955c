package eid

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/apdutest"
	"github.com/tamthe/tamthe/apdu/relay"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/lds"
)

// relaying is a service whose party has it read cards itself, and that party.
func relaying(t *testing.T, web *httptest.Server, start func()) (*rig, *Client) {
	t.Helper()
	var h http.Handler
	web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })
	start()
	t.Cleanup(web.Close)
	r := newRig(t, func(c *Config) {
		c.URL = web.URL
		c.Parties = append(c.Parties, Party{ID: "bank", Name: "Ngân hàng", Purposes: []string{"mở tài khoản"}, Fields: []string{"name", "birth", "residence"}, Kind: "organisation", Proofs: []string{ProofRelay}, Secret: sha("bank-secret")})
	})
	h = r.Handler()
	return r, &Client{URL: web.URL, Party: "bank", Secret: "bank-secret", HTTP: web.Client()}
}

func account() Ask {
	return Ask{Party: "bank", Purpose: "mở tài khoản", Fields: []string{"name", "birth"}, Nonce: "n-1"}
}

// tap sees what goes over a wire.
type tap struct {
	apdu.Wire
	sent, got [][]byte
}

func (w *tap) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	a, err := w.Wire.Exchange(ctx, b)
	w.sent, w.got = append(w.sent, bytes.Clone(b)), append(w.got, bytes.Clone(a))
	return a, err
}

// The service reads the card itself, over TLS too: whoever lends it sees heads of commands
// and nothing of the citizen.
func TestRelay(t *testing.T) {
	plain := httptest.NewUnstartedServer(nil)
	secure := httptest.NewUnstartedServer(nil)
	secure.EnableHTTP2 = true
	secure.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	for what, web := range map[*httptest.Server]func(){plain: plain.Start, secure: secure.StartTLS} {
		r, bank := relaying(t, what, web)
		b, err := bank.Begin(t.Context(), account())
		if err != nil {
			t.Fatal(err)
		}
		l, err := (&Client{URL: bank.URL, HTTP: bank.HTTP}).Open(t.Context(), b.Code)
		if err != nil || !l.Request.Relay {
			t.Fatalf("%+v %v", l, err)
		}
		wire := &tap{Wire: r.chip}
		s := session(t, wire)
		opened := len(wire.sent)
		step, err := l.Show(t.Context(), s, false)
		if err != nil || strings.Join(step.Told, " ") != "birth name" {
			t.Fatalf("%+v %v", step, err)
		}
		token, err := bank.Redeem(t.Context(), b, step.Finish)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Verify(token, r.keys, bank.URL, "bank", "n-1", r.now)
		if err != nil || c.Fields["name"] != "Nguyễn Thị Thử Nghiệm" || len(c.Fields) != 2 {
			t.Errorf("%+v %v", c, err)
		}
		if d := r.store.kept[0]; d.Proof != "active relay" || d.Code != "" {
			t.Errorf("kept %+v", d)
		}
		// Once the service has its own keys nothing but READ BINARY by short identifiers goes by.
		var files []byte
		for i, sent := range wire.sent[opened:] {
			if sent[1] == 0xB0 && sent[2]&0x80 != 0 {
				files = append(files, sent[2]&0x1F)
			}
			if bytes.Contains(wire.got[opened+i], []byte("NGUYEN")) {
				t.Error("who lends the card reads along")
			}
		}
		if !slices.Equal(files, []byte{14, 15, 0x1D, 1, 13}) { // DG14, DG15, EF.SOD, DG1, DG13
			t.Errorf("read %x", files)
		}
		if _, err := s.ReadFile(t.Context(), lds.DG1, nil); err == nil {
			t.Error("the session goes on")
		}
	}
}

// A party that has the service read cards itself takes nothing else, and neither does the
// service of who is not the login's agent, or twice.
func TestRelayOnly(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	r, bank := relaying(t, web, web.Start)
	open := func() *Login {
		b, err := bank.Begin(t.Context(), account())
		if err != nil {
			t.Fatal(err)
		}
		l, err := (&Client{URL: bank.URL}).Open(t.Context(), b.Code)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	l.Request.Relay = false
	_, err := l.Show(t.Context(), session(t, r.chip), false)
	wantCode(t, "files that the agent read", err, CodeUnproven)
	_, err = l.Lend(t.Context(), session(t, r.chip))
	wantCode(t, "lent after that", err, CodeTaken)
	l = open()
	_, err = l.Show(t.Context(), session(t, r.chip), true)
	wantCode(t, "a bearer whom somebody saw", err, CodeLevel)
	other := *l
	other.agent = NewNonce()
	_, err = other.Lend(t.Context(), session(t, r.chip))
	wantCode(t, "another agent", err, CodeTaken)
	if _, err = l.Lend(t.Context(), session(t, r.chip)); err != nil {
		t.Errorf("after that: %v", err)
	}
	_, err = l.Lend(t.Context(), session(t, r.chip))
	wantCode(t, "lent twice", err, CodeTaken)

	l = open()
	for what, header := range map[string]string{"no upgrade": "", "to another protocol": "websocket"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, bank.URL+"/eid/v2/agent/"+l.Request.Session+"/relay", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Eid-Agent", l.agent)
		if header != "" {
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", header)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusGone || !bytes.Contains(b, []byte(CodeProtocol)) {
			t.Errorf("%s: %d %s", what, resp.StatusCode, b)
		}
	}
}

// Bad cards, and a hand in between, each have their code; what only broke can be tried again.
func TestRelayBadCards(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	r, bank := relaying(t, web, web.Start)
	lend := func(b *Begun, w apdu.Wire, alter ...apdutest.Fault) error {
		l, err := (&Client{URL: bank.URL}).Open(t.Context(), b.Code)
		if err != nil {
			t.Fatal(err)
		}
		_, err = l.Lend(t.Context(), session(t, apdutest.With(w, alter...)))
		return err
	}
	begin := func() *Begun {
		b, err := bank.Begin(t.Context(), account())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}

	var wire *tap
	for range 2 { // a chip that is opened again is opened by other commands
		wire = &tap{Wire: r.chip}
		if err := lend(begin(), wire); err != nil {
			t.Fatal(err)
		}
	}
	n, sealed := len(wire.sent), slices.IndexFunc(wire.sent, func(b []byte) bool { return b[1] == 0x88 })
	sealed += 3 // MSE, GENERAL AUTHENTICATE, and the first that is sealed
	if wire.sent[sealed][0] != 0x0C || wire.sent[sealed][1] != 0xB0 {
		t.Fatalf("command %d is %X", sealed, wire.sent[sealed])
	}

	s := session(t, r.chip)
	files := map[lds.File][]byte{lds.CardAccess: s.Access().CardAccess}
	for _, f := range []lds.File{lds.SODFile, lds.DG1, lds.DG13, lds.DG14, lds.DG15} {
		b, err := s.ReadFile(t.Context(), f, nil)
		if err != nil {
			t.Fatal(err)
		}
		files[f] = b
	}
	s.Close()
	wantCode(t, "a clone", lend(begin(), clone(t, files)), CodeClone)
	wantCode(t, "a card without keys", farRefusal(errNoKey), CodeUnproven)
	wantCode(t, "the first sealed answer changed", lend(begin(), r.chip, apdutest.Flip(sealed, 40)), CodeClone)
	wantCode(t, "a later one changed", lend(begin(), r.chip, apdutest.Flip(n-1, 40)), CodeAltered)

	kept := len(r.store.kept)
	b := begin()
	l, err := (&Client{URL: bank.URL}).Open(t.Context(), b.Code)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{sealed - 2, sealed, n - 1} {
		s := session(t, apdutest.With(r.chip, apdutest.Remove(at)))
		if _, err := l.Lend(t.Context(), s); !errors.Is(err, apdu.ErrRemoved) {
			t.Errorf("removed at %d: %v", at, err)
		}
		s.Close()
		for state := ""; state != "open"; { // the server learns it behind the agent
			if state, err = bank.State(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			k := r.table.session(b.Session)
			if k.mu.Lock(); k.stage != open {
				state = ""
			}
			k.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}
	if len(r.store.kept) != kept {
		t.Errorf("what only broke was decided: %+v", r.store.kept[kept:])
	}
	if _, err := l.Lend(t.Context(), session(t, r.chip)); err != nil {
		t.Errorf("lent again: %v", err)
	}
}

// A service that asks more of the card than was agreed gets nothing: whoever lends the card
// stops it by the code of what it tried.
func TestRelayOverAsking(t *testing.T) {
	r := newRig(t)
	file := func(f lds.File) func(context.Context, *card.Far) error {
		return func(ctx context.Context, c *card.Far) error {
			_, err := c.ReadFile(ctx, f)
			return err
		}
	}
	agreed := func(next func(context.Context, *card.Far) error) func(context.Context, *card.Far) error {
		return func(ctx context.Context, c *card.Far) error {
			raw, err := c.ReadFile(ctx, lds.DG14)
			if err != nil {
				return err
			}
			key, err := firstKey(raw)
			if err != nil {
				return err
			}
			if _, err := c.Chip1(ctx, *key, lds.SODFile); err != nil {
				return err
			}
			return next(ctx, c)
		}
	}
	for what, c := range map[string]struct {
		ask  func(context.Context, *card.Far) error
		want relay.Code
	}{
		"the portrait":         {file(lds.DG2), relay.CodeFile},
		"fingers":              {file(lds.DG3), relay.CodeFile},
		"irises":               {file(lds.DG4), relay.CodeFile},
		"fields not agreed":    {file(lds.DG13), relay.CodeFile},
		"the portrait, sealed": {agreed(file(lds.DG2)), relay.CodeFile},
		"fields, sealed":       {agreed(file(lds.DG13)), relay.CodeFile},
		"another signature": {func(ctx context.Context, c *card.Far) error {
			_, err := c.InternalAuthenticate(ctx, [8]byte{1})
			return err
		}, relay.CodeChallenge},
		"nothing but what is due": {agreed(func(ctx context.Context, c *card.Far) error { return nil }), ""},
		"to read it all forever":  {func(ctx context.Context, c *card.Far) error { return forever(ctx, c) }, relay.CodeAmount},
	} {
		over := make(chan error, 1)
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
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
			over <- c.ask(context.Background(), card.FarOver(apdu.Over(wire, apdu.Limits{})))
		}))
		l := &Login{Request: Request{Session: "s", Server: web.URL, Party: "bank", Fields: []string{"birth"}, Relay: true}, client: &Client{URL: web.URL}, agent: NewNonce()}
		_, err := l.Lend(t.Context(), session(t, r.chip))
		there := <-over
		if c.want == "" {
			if there != nil || !errors.Is(err, ErrService) {
				t.Errorf("%s: %v here, %v there", what, err, there)
			}
		} else if relay.CodeOf(err) != c.want || relay.CodeOf(there) != c.want {
			t.Errorf("%s: %v here, %v there, want %s", what, err, there, c.want)
		}
		web.Close()
	}
}

func forever(ctx context.Context, c *card.Far) error {
	for {
		if _, err := c.ReadFile(ctx, lds.SODFile); err != nil {
			return err
		}
	}
}

// Nothing is left of cards that were lent: no connection, nobody who waits for one, and no
// place that is taken.
func TestRelayLeavesNothing(t *testing.T) {
	web := httptest.NewUnstartedServer(nil)
	r, bank := relaying(t, web, web.Start)
	lend := func(n int) {
		for i := range n {
			b, err := bank.Begin(t.Context(), account())
			if err != nil {
				t.Fatal(err)
			}
			l, err := (&Client{URL: bank.URL}).Open(t.Context(), b.Code)
			if err != nil {
				t.Fatal(err)
			}
			s := session(t, r.chip)
			if i%2 == 1 {
				s = session(t, apdutest.With(r.chip, apdutest.Remove(14)))
			}
			if _, err := l.Lend(t.Context(), s); (err == nil) != (i%2 == 0) {
				t.Fatal(i, err)
			}
			s.Close()
		}
		http.DefaultClient.CloseIdleConnections()
		bank.HTTP.CloseIdleConnections()
	}
	lend(2)
	before := runtime.NumGoroutine()
	lend(40)
	until := time.Now().Add(10 * time.Second) // those that end are still ending
	for runtime.NumGoroutine() > before+2 || r.relays.Load() != 0 {
		if time.Now().After(until) {
			t.Fatalf("%d goroutines, %d before; %d cards", runtime.NumGoroutine(), before, r.relays.Load())
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.relays.Store(maxRelays)
	b, err := bank.Begin(t.Context(), account())
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&Client{URL: bank.URL}).Open(t.Context(), b.Code)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Lend(t.Context(), session(t, r.chip))
	wantCode(t, "a card too many", err, CodeRate)
	r.relays.Store(0)
	if _, err := l.Lend(t.Context(), session(t, r.chip)); err != nil {
		t.Errorf("a place is free: %v", err)
	}
}
