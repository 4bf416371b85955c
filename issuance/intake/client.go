package intake

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ErrService means that a service does not answer, or not as one: what was asked is asked
// again later.
var ErrService = errors.New("the service of intake does not answer as one")

// Client is a portal's side. It may be used by several goroutines at once.
type Client struct {
	URL    string // of the service, without a path
	Portal string
	Signer *Signer
	Office []crypto.PublicKey // what the office's answers verify under; see Client.Keys and ParseKeys
	HTTP   *http.Client       // nil: one that waits ten seconds
}

// NewSalt draws the salt of a message.
func NewSalt() string { return randomName() }

func randomName() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Seal makes the octets of a message and signs them, for the portal to store before it sends
// them: only the same octets are the same message.
func (c *Client) Seal(m Message) (Signed, error) {
	m.To, m.Portal = c.URL, c.Portal
	if m.Salt == "" {
		m.Salt = NewSalt()
	}
	b, err := json.Marshal(m)
	if err != nil {
		return Signed{}, err
	}
	return c.Signer.Sign(b)
}

// Send sends a message and returns the receipt, which the office signed for these octets.
// Errors: *Refusal; ErrService, ErrSignature: send it again later.
func (c *Client) Send(ctx context.Context, m Signed) (*Receipt, error) {
	var r Receipt
	if _, err := c.call(ctx, http.MethodPost, "/messages", &m, &r); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(m.Body)
	if r.Schema != receiptSchema || r.Portal != c.Portal || r.Digest != hex.EncodeToString(sum[:]) || r.Office != c.URL {
		return nil, fmt.Errorf("%w: the receipt is for something else", ErrService)
	}
	return &r, nil
}

// Status asks how the case of a receipt stands.
func (c *Client) Status(ctx context.Context, code string) (*Status, error) {
	var s Status
	if _, err := c.call(ctx, http.MethodGet, "/status/"+url.PathEscape(code), nil, &s); err != nil {
		return nil, err
	}
	if s.Schema != statusSchema || s.Code != code {
		return nil, fmt.Errorf("%w: the status is of another case", ErrService)
	}
	return &s, nil
}

// Events asks for the portal's events after a cursor.
func (c *Client) Events(ctx context.Context, after int64, now time.Time) (*Events, error) {
	a := Ask{To: c.URL, Portal: c.Portal, Request: randomName(), Time: now.UTC(), After: after}
	b, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	in, err := c.Signer.Sign(b)
	if err != nil {
		return nil, err
	}
	var e Events
	if _, err := c.call(ctx, http.MethodPost, "/events", &in, &e); err != nil {
		return nil, err
	}
	if e.Schema != eventsSchema || e.Portal != c.Portal || e.Request != a.Request {
		return nil, fmt.Errorf("%w: the events are for somebody else", ErrService)
	}
	return &e, nil
}

// Keys fetches what the office says that its answers verify under. Whoever believes them
// compares them with what the office handed over.
func (c *Client) Keys(ctx context.Context) ([]crypto.PublicKey, error) {
	b, err := c.KeySet(ctx)
	if err != nil {
		return nil, err
	}
	return ParseKeys(b)
}

// KeySet is Keys as the service writes them.
func (c *Client) KeySet(ctx context.Context) ([]byte, error) {
	b, _, err := c.fetch(ctx, http.MethodGet, "/keys", nil)
	return b, err
}

const maxReply = 1 << 20

// call makes one call whose answer the office signed.
func (c *Client) call(ctx context.Context, method, path string, in *Signed, out any) (Signed, error) {
	b, signature, err := c.fetch(ctx, method, path, in)
	if err != nil {
		return Signed{}, err
	}
	s := Signed{b, signature}
	if err := VerifyAnswer(s, c.Office); err != nil {
		return Signed{}, err
	}
	if json.Unmarshal(b, out) != nil {
		return Signed{}, ErrService
	}
	return s, nil
}

func (c *Client) fetch(ctx context.Context, method, path string, in *Signed) (body []byte, signature string, err error) {
	var content io.Reader
	if in != nil {
		content = bytes.NewReader(in.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+"/intake/v1"+path, content)
	if err != nil {
		return nil, "", fmt.Errorf("%w: its address is none", ErrService)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set(Header, in.Signature)
	}
	web := c.HTTP
	if web == nil {
		web = &http.Client{Timeout: 10 * time.Second}
	}
	one := *web // what is said is for this service and none that it names
	one.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := one.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, "", fmt.Errorf("%w: it cannot be reached", ErrService)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil || len(b) > maxReply {
		return nil, "", ErrService
	}
	if resp.StatusCode != http.StatusOK {
		var r Refusal
		if json.Unmarshal(b, &r) != nil || r.Code == "" || r.Code == CodeDown {
			return nil, "", fmt.Errorf("%w: HTTP status %d", ErrService, resp.StatusCode)
		}
		return nil, "", &r
	}
	return b, resp.Header.Get(Header), nil
}
