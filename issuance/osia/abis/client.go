package abis

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Secret is a bearer token that does not print itself.
type Secret string

// Format prints none of it.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(secret)") }

// Client is the office's side. It may be used by several goroutines at once.
type Client struct {
	URL     string // before /v1
	Token   Secret // with the scopes abis.encounter.write, abis.identify, abis.verify, abis.task.read, abis.task.update
	Gallery string // in which faces are kept and looked for
	Back    string // address at which a Receiver is called; empty: the register is to answer at once
	HTTP    *http.Client
}

// Reply is what a register said at once: the answer, or that it answers later.
type Reply struct {
	Task   string // it calls back; empty where Answer is there
	Answer []byte
}

// Insert has a face kept for a person, under the application's name. One that is there by that
// name is put in its place.
func (c *Client) Insert(ctx context.Context, q Question, secret string, jpeg []byte) (Reply, error) {
	in := encounter{Status: "ACTIVE", Type: "card-application", Galleries: []string{c.Gallery}, Biometric: face(jpeg)}
	path := "/v1/persons/" + url.PathEscape(q.Person) + "/encounters/" + url.PathEscape(q.App)
	r, err := c.ask(ctx, http.MethodPost, path, q, secret, in)
	if errors.Is(err, ErrExists) {
		r, err = c.ask(ctx, http.MethodPut, path, q, secret, in)
	}
	return r, err
}

// Identify asks who looks the same.
func (c *Client) Identify(ctx context.Context, q Question, secret string, jpeg []byte) (Reply, error) {
	in := identifyRequest{map[string]any{"biometricType": []string{"FACE"}}, face(jpeg)}
	return c.ask(ctx, http.MethodPost, "/v1/identify/"+url.PathEscape(c.Gallery), q, secret, in)
}

// Delete has what was inserted forgotten. What is not there is forgotten: no error.
func (c *Client) Delete(ctx context.Context, q Question, secret string) (Reply, error) {
	path := "/v1/persons/" + url.PathEscape(q.Person) + "/encounters/" + url.PathEscape(q.App)
	r, err := c.ask(ctx, http.MethodDelete, path, q, secret, nil)
	if errors.Is(err, ErrUnknown) {
		return Reply{Answer: []byte(`"OK"`)}, nil
	}
	return r, err
}

// Verify asks whether a face is that of a person of whom the register keeps one. It asks for
// an answer at once; ErrUnknown: the register keeps none.
func (c *Client) Verify(ctx context.Context, transaction, person string, jpeg []byte) (bool, error) {
	path := "/v1/verify/" + url.PathEscape(c.Gallery) + "/" + url.PathEscape(person)
	status, b, err := c.call(ctx, http.MethodPost, path, url.Values{"transactionId": {transaction}}, verifyRequest{face(jpeg)})
	if err != nil {
		return false, err
	}
	if status != http.StatusOK {
		return false, refusal(status, b)
	}
	var v struct {
		Decision *bool `json:"decision"`
	}
	if err := decode(b, &v); err != nil || v.Decision == nil {
		return false, fmt.Errorf("%w: no decision", ErrAnswer)
	}
	return *v.Decision, nil
}

// Galleries lists the galleries that the register has.
func (c *Client) Galleries(ctx context.Context, transaction string) ([]string, error) {
	status, b, err := c.call(ctx, http.MethodGet, "/v1/galleries", url.Values{"transactionId": {transaction}}, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, refusal(status, b)
	}
	var list []string
	return list, decode(b, &list)
}

// Status is what the register says of a question that it answers later: its word for it, such
// as PENDING. ErrUnknown: it knows nothing of it.
func (c *Client) Status(ctx context.Context, q Question) (string, error) {
	path := "/v1/tasks/" + url.PathEscape(q.Task) + "/status"
	status, b, err := c.call(ctx, http.MethodGet, path, url.Values{"transactionId": {q.ID}}, nil)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", refusal(status, b)
	}
	var word string
	if err := decode(b, &word); err != nil {
		return "", err
	}
	return word, nil
}

// Redeliver asks the register to call back once more.
func (c *Client) Redeliver(ctx context.Context, q Question) error {
	path := "/v1/tasks/" + url.PathEscape(q.Task) + "/redeliver"
	status, b, err := c.call(ctx, http.MethodPost, path, url.Values{"transactionId": {q.ID}}, nil)
	if err == nil && status != http.StatusNoContent {
		err = refusal(status, b)
	}
	return err
}

// ask makes a call that may be answered later.
func (c *Client) ask(ctx context.Context, method, path string, q Question, secret string, in any) (Reply, error) {
	query := url.Values{"transactionId": {q.ID}}
	if c.Back != "" {
		query.Set("callback", strings.TrimSuffix(c.Back, "/")+CallbackPath+secret)
	}
	status, b, err := c.call(ctx, method, path, query, in)
	if err != nil {
		return Reply{}, err
	}
	switch status {
	case http.StatusOK:
		if err := check(q.Op, b); err != nil {
			return Reply{}, err
		}
		return Reply{Answer: b}, nil
	case http.StatusNoContent:
		if q.Op == Delete {
			return Reply{Answer: []byte(`"OK"`)}, nil
		}
	case http.StatusAccepted:
		var t taskID
		if err := decode(b, &t); err != nil || !isID(t.Task) {
			return Reply{}, fmt.Errorf("%w: no name of the task", ErrAnswer)
		}
		return Reply{Task: t.Task}, nil
	}
	return Reply{}, refusal(status, b)
}

// call makes one call of the interface.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in any) (int, []byte, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return 0, nil, fmt.Errorf("write the question: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("ask the biometric register: its address is none")
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+string(c.Token))
	return c.exchange(req)
}

// exchange sends a request and reads the bounded answer. It follows nobody elsewhere: a face
// is for one register only.
func (c *Client) exchange(req *http.Request) (int, []byte, error) {
	web := http.Client{Timeout: 30 * time.Second}
	if c.HTTP != nil {
		web = *c.HTTP
	}
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := web.Do(req)
	if err != nil {
		if ctx := req.Context().Err(); errors.Is(ctx, context.Canceled) {
			return 0, nil, ctx
		}
		return 0, nil, ErrUnavailable // the error behind it holds the address asked
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return 0, nil, ErrUnavailable
	case len(b) > MaxAnswer:
		return 0, nil, fmt.Errorf("%w: more than %d octets", ErrAnswer, MaxAnswer)
	}
	return resp.StatusCode, b, nil
}

// refusal is what a status that is no success means.
func refusal(status int, b []byte) error {
	switch {
	case status == http.StatusNotFound:
		return ErrUnknown
	case status == http.StatusConflict:
		return ErrExists
	case status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("%w: HTTP status %d", ErrUnavailable, status)
	case status < 400:
		return fmt.Errorf("%w: HTTP status %d", ErrAnswer, status)
	}
	var e wireError
	_ = json.Unmarshal(b, &e) // the code is all that is told, if there is one
	return &RefusedError{status, e.Code}
}
