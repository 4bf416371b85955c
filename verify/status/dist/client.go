package dist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// ErrAnother says that an address hands out another list than it did, or than was asked for.
var ErrAnother = errors.New("another list than this device follows there")

// Client keeps a device's folder of lists at what is published. It is for one goroutine.
type Client struct {
	Dir     string         // the folder of lists
	Signers status.Signers // whose lists are taken
	Memory  status.Memory  // what was seen before; nil remembers what lies in the folder
	// Now is the device's clock. It decides Fetched.Overdue and nothing else: what is taken is
	// told by numbers and signatures, so that a clock that is wrong keeps nothing away. It must
	// not be nil.
	Now func() time.Time

	List string        // URI of the list that must come; "" is the one that came first
	HTTP *http.Client  // nil: an ordinary one
	Idle time.Duration // how long a server may be silent; 0 is half a minute

	octets int64 // that came so far
}

// Fetched is what a fetch did.
type Fetched struct {
	List       string
	From, To   uint64 // numbers of the snapshots before and now; From is 0 if there was none
	Steps      int    // patches that were applied; 0 if the snapshot came whole, or nothing new
	Octets     int64  // that came
	NextUpdate time.Time
	Overdue    bool // what is published is older than its publisher promised
}

// Fetch takes from an address what is newer there. Whatever goes wrong, the lists of the folder
// stay as they were. Errors: those of status.Parse, pki.ErrRollback for an older head than was
// seen, ErrAnother, ErrOther, ErrServer, and durable.ErrBusy while another program fetches from there.
func (c *Client) Fetch(ctx context.Context, address string) (*Fetched, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%w: not an http or https address", ErrServer)
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	c.octets = 0
	f := &fetch{c: c, base: base, shelf: shelfOf(c.Dir, base.String())}
	unlock, err := durable.Lock(f.shelf.path(".lock"), 0)
	if err != nil {
		return nil, err
	}
	defer unlock()
	f.state = f.shelf.load(base.String())
	if f.held, err = f.shelf.held(c.Signers); err != nil {
		return nil, err
	}
	return f.run(ctx)
}

// fetch is one fetch from one address.
type fetch struct {
	c     *Client
	base  *url.URL
	shelf shelf
	state state
	held  *status.List // nil: none is here
}

func (f *fetch) url(name string) string { return f.base.JoinPath(name).String() }

func (f *fetch) run(ctx context.Context) (*Fetched, error) {
	out := &Fetched{List: f.state.List, NextUpdate: f.state.NextUpdate}
	if f.held != nil {
		out.From, out.To = f.held.Sequence, f.held.Sequence
	}
	head, next, err := f.head(ctx)
	if err != nil {
		return nil, err
	}
	if head != nil {
		if out.Steps, err = f.follow(ctx, head); err != nil {
			return nil, err
		}
		if err := f.shelf.save(next); err != nil {
			return nil, err
		}
		out.List, out.To, out.NextUpdate = head.URI, head.Base, head.NextUpdate
	}
	out.Octets, out.Overdue = f.c.octets, f.c.Now().After(out.NextUpdate)
	return out, nil
}

// head fetches the head and holds it against what was seen; nil if it is the one that was
// there, and what it leads to is here. A cache that hands out an older one is passed by once.
func (f *fetch) head(ctx context.Context) (h *status.Head, next state, err error) {
	h, next, err = f.askHead(ctx, false)
	if errors.Is(err, pki.ErrRollback) {
		return f.askHead(ctx, true)
	}
	return h, next, err
}

func (f *fetch) askHead(ctx context.Context, anew bool) (*status.Head, state, error) {
	q := request{url: f.url(HeadName), most: status.MaxHead, headers: map[string]string{}}
	switch {
	case anew:
		q.headers["Cache-Control"] = "no-cache"
	case f.held != nil && f.held.Sequence == f.state.Snapshot: // else an answer of "as before" would not do
		if f.state.ETag != "" {
			q.headers["If-None-Match"] = f.state.ETag
		}
		if f.state.Modified != "" {
			q.headers["If-Modified-Since"] = f.state.Modified
		}
	}
	r, err := f.c.do(ctx, q)
	if err != nil {
		return nil, state{}, err
	}
	defer r.Body.Close()
	if r.StatusCode == http.StatusNotModified && len(q.headers) > 0 && !anew {
		return nil, f.state, nil
	}
	if err := wants(r, http.StatusOK); err != nil {
		return nil, state{}, err
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, state{}, fmt.Errorf("%s: %w", q.url, err)
	}
	h, err := status.ParseHead(b, f.c.Signers)
	if err == nil {
		err = f.believe(h)
	}
	if err != nil {
		return nil, state{}, fmt.Errorf("%s: %w", q.url, err)
	}
	return h, state{f.state.URL, h.URI, h.Sequence, h.Base, h.NextUpdate, r.Header.Get("ETag"), r.Header.Get("Last-Modified")}, nil
}

// believe holds a head against the list that is followed here and against what was seen.
func (f *fetch) believe(h *status.Head) error {
	for _, want := range []string{f.c.List, f.state.List} {
		if want != "" && h.URI != want {
			return fmt.Errorf("%w: %q, not %q", ErrAnother, h.URI, want)
		}
	}
	m := pki.Mark{Kind: "status-head", Issuer: strings.ToLower(h.Country) + ":" + h.URI, Sequence: h.Sequence, Signed: h.Signed, Digest: h.Digest}
	if before := f.state.Number; h.Sequence < before || f.held != nil && f.held.URI == h.URI && h.Base < f.held.Sequence {
		seen := m
		seen.Sequence = max(before, h.Sequence+1)
		return &pki.RollbackError{Seen: seen, Given: m}
	}
	if f.c.Memory == nil {
		return nil
	}
	return f.c.Memory.Note(m)
}
