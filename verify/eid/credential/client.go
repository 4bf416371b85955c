package credential

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/eid"
)

// ErrService means that a service does not answer, or not as an issuer of credentials.
var ErrService = errors.New("the service does not answer as an issuer of credentials")

// Client talks to an issuer.
type Client struct {
	URL  string
	HTTP *http.Client // nil: one that waits thirty seconds
	Now  func() time.Time
}

// Begin opens a login for a credential with these fields, for a key.
func (c *Client) Begin(ctx context.Context, key crypto.Signer, fields []string) (*eid.Begun, error) {
	key, err := plain(key)
	if err != nil {
		return nil, err
	}
	jwk, err := publicJWK(key.Public())
	if err != nil {
		return nil, err
	}
	var b eid.Begun
	return &b, c.call(ctx, http.MethodPost, "/credential/v1/logins", asking{append([]string{}, fields...), jwk.KeyID}, &b)
}

// Fetch gives the credential of a login, once the card was shown, and looks whether it is for
// the key and of the service.
func (c *Client) Fetch(ctx context.Context, key crypto.Signer, b *eid.Begun, finish string) (string, error) {
	proof, err := prove(key, strings.TrimSuffix(c.URL, "/"), b.Session, c.Now())
	if err != nil {
		return "", err
	}
	var f fetched
	if err := c.call(ctx, http.MethodPost, "/credential/v1/logins/"+b.Session+"/credential", fetching{b.Browser, finish, proof}, &f); err != nil {
		return "", err
	}
	held, err := ParseHeld(f.Credential)
	if err != nil || held.Issuer() != strings.TrimSuffix(c.URL, "/") {
		return "", fmt.Errorf("%w: it issued something else", ErrService)
	}
	if _, err := held.Present(key, c.URL, b.Session, nil, c.Now()); err != nil {
		return "", fmt.Errorf("%w: not for this key: %w", ErrService, err)
	}
	return f.Credential, nil
}

// Keys fetches an issuer's keys from its metadata.
func (c *Client) Keys(ctx context.Context) ([]byte, error) {
	var m struct {
		Issuer string          `json:"issuer"`
		Keys   json.RawMessage `json:"jwks"`
	}
	if err := c.call(ctx, http.MethodGet, "/.well-known/jwt-vc-issuer", nil, &m); err != nil {
		return nil, err
	}
	if m.Issuer != strings.TrimSuffix(c.URL, "/") {
		return nil, fmt.Errorf("%w: it says that it is another", ErrService)
	}
	return m.Keys, nil
}

// Status fetches a status list of the issuer's: an address elsewhere is an error, for whoever
// shows a credential could name any.
func (c *Client) Status(ctx context.Context, uri string) (string, error) {
	path, ok := strings.CutPrefix(uri, strings.TrimSuffix(c.URL, "/")+"/")
	if !ok || strings.ContainsAny(path, "?#\\") || strings.Contains(path, "..") {
		return "", fmt.Errorf("%w: its status list lies elsewhere", ErrService)
	}
	b, err := c.fetch(ctx, http.MethodGet, "/"+path, nil, maxStatusToken)
	return strings.TrimSpace(string(b)), err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	b, err := c.fetch(ctx, method, path, in, 1<<20)
	if err != nil {
		return err
	}
	if json.Unmarshal(b, out) != nil {
		return ErrService
	}
	return nil
}

func (c *Client) fetch(ctx context.Context, method, path string, in any, most int64) ([]byte, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	web := c.HTTP
	if web == nil {
		web = &http.Client{Timeout: 30 * time.Second}
	}
	r, err := web.Do(q)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrService, err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil || int64(len(b)) > most {
		return nil, ErrService
	}
	if r.StatusCode == http.StatusOK {
		return b, nil
	}
	var p problem
	if json.Unmarshal(b, &p) != nil {
		return nil, ErrService
	}
	switch {
	case slices.Contains(Codes(), Code(p.Code)):
		return nil, refuse(Code(p.Code))
	case slices.Contains(eid.Codes(), eid.Code(p.Code)):
		return nil, &eid.Refusal{Code: eid.Code(p.Code)}
	}
	return nil, ErrService
}
