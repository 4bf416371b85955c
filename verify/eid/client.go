package eid

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/lds"
)

// ErrService means that a service does not answer, or not as one.
var ErrService = errors.New("the service does not answer as one of e-authentication")

// Client talks to a service, as a citizen's agent or as a relying party.
type Client struct {
	URL    string       // before /eid/v1
	Party  string       // for a relying party
	Secret string       // and its secret
	HTTP   *http.Client // nil: one that waits ten seconds
}

// Begin opens a login for the party.
func (c *Client) Begin(ctx context.Context, a Ask) (*Begun, error) {
	var b Begun
	err := c.call(ctx, http.MethodPost, "/v1/logins", "", map[string]any{"purpose": a.Purpose, "fields": append([]string{}, a.Fields...), "level": first(a.Level), "nonce": a.Nonce}, &b)
	return &b, err
}

func first(l Level) Level {
	if l == "" {
		return Possession
	}
	return l
}

// State is how a login stands: begun, open, decided or redeemed; or a *Refusal.
func (c *Client) State(ctx context.Context, b *Begun) (string, error) {
	var out stateOutput
	err := c.call(ctx, http.MethodGet, "/v1/logins/"+b.Session, b.Browser, nil, &out)
	return out.State, err
}

// Redeem gives the assertion.
func (c *Client) Redeem(ctx context.Context, b *Begun, finish string) (string, error) {
	var out redeemOutput
	err := c.call(ctx, http.MethodPost, "/v1/logins/"+b.Session+"/redeem", "", map[string]string{"browser": b.Browser, "finish": finish}, &out)
	return out.Assertion, err
}

// Keys are what assertions verify under.
func (c *Client) Keys(ctx context.Context) ([]byte, error) {
	var keys json.RawMessage
	err := c.call(ctx, http.MethodGet, "/v1/keys", "", nil, &keys)
	return keys, err
}

// Login is a login as a citizen's agent has it.
type Login struct {
	Request Request
	Read    []lds.File // that Show read of the card, or let the service read
	client  *Client
	agent   string
}

// Open takes the login of a code. The request says who asks for what; it must be of the
// service that was meant.
func (c *Client) Open(ctx context.Context, code string) (*Login, error) {
	l := &Login{client: c, agent: NewNonce()}
	if err := c.call(ctx, http.MethodPost, "/v2/agent/open", "", map[string]string{"code": code, "commitment": Commitment(l.agent)}, &l.Request); err != nil {
		return nil, err
	}
	if l.Request.Server != strings.TrimSuffix(c.URL, "/") {
		return nil, fmt.Errorf("%w: it says that it is another", ErrService)
	}
	if !l.Request.plain() {
		return nil, fmt.Errorf("%w: what it asks cannot be shown as it is", ErrService)
	}
	return l, nil
}

// Show presents an open card, whose holder agreed to what the request asks, and gives what
// the citizen redeems the login with. The session is over afterwards. Present says that
// who attends the counter saw that the bearer is the holder; the client is the party's then.
func (l *Login) Show(ctx context.Context, s *card.Session, present bool) (*Step, error) {
	if l.Request.Relay {
		if present {
			return nil, refuse(CodeLevel) // there is nobody to say so by this way
		}
		return l.Lend(ctx, s)
	}
	e, err := Gather(ctx, s, l.Request, l.agent)
	if err != nil {
		return nil, err
	}
	l.Read = slices.Sorted(maps.Keys(e.Files))
	e.Present = present
	var n Next
	path := "/v2/agent/" + l.Request.Session
	if err := l.client.call(ctx, http.MethodPost, path+"/present", "", e.presented(l.agent), &n); err != nil {
		return nil, err
	}
	step, err := n.step()
	if err != nil {
		return nil, err
	}
	if step.Agreement == nil {
		return l.last(step)
	}
	r, err := Carry(ctx, s, step)
	if err != nil {
		return nil, err
	}
	n = Next{}
	if err := l.client.call(ctx, http.MethodPost, path+"/answer", "", map[string]string{"agent": l.agent, "answer": hex.EncodeToString(r.Bytes())}, &n); err != nil {
		return nil, err
	}
	if step, err = n.step(); err != nil {
		return nil, err
	}
	return l.last(step)
}

// last is the step that ends a login: six digits, and what was told of what was agreed to.
func (l *Login) last(s *Step) (*Step, error) {
	unasked := slices.ContainsFunc(s.Told, func(f string) bool { return !slices.Contains(l.Request.Fields, f) })
	if s.Agreement != nil || len(s.Finish) != 6 || strings.Trim(s.Finish, "0123456789") != "" || unasked {
		return nil, ErrService
	}
	return s, nil
}

const maxReply = 1 << 20

// call makes one call.
func (c *Client) call(ctx context.Context, method, path, browser string, in, out any) error {
	var b []byte
	if in != nil {
		var err error
		if b, err = json.Marshal(in); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+"/eid"+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%w: its address is none", ErrService)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Party != "" {
		req.SetBasicAuth(c.Party, c.Secret)
	}
	if browser != "" {
		req.Header.Set("Eid-Browser", browser)
	}
	resp, err := c.web().Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: it cannot be reached", ErrService)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil || len(reply) > maxReply {
		return ErrService
	}
	if resp.StatusCode != http.StatusOK {
		return refusalIn(resp.StatusCode, reply)
	}
	if json.Unmarshal(reply, out) != nil {
		return ErrService
	}
	return nil
}

// web is a client of the caller's own to change.
func (c *Client) web() *http.Client {
	one := http.Client{Timeout: 10 * time.Second}
	if c.HTTP != nil {
		one = *c.HTTP
	}
	// What is said is for this service and none that it names.
	one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &one
}

// refusalIn reads an answer that is no success.
func refusalIn(status int, reply []byte) error {
	var p Problem
	if json.Unmarshal(reply, &p) != nil || p.Code == "" || p.Code == CodeOutOfOrder {
		return fmt.Errorf("%w: HTTP status %d", ErrService, status)
	}
	return refuse(p.Code, p.Reasons...)
}
