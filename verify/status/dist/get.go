package dist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

var (
	// ErrServer says that a server did not answer as one that hands out lists.
	ErrServer = errors.New("the server does not hand out the list")
	// ErrOther says that what came is not what the head promises: another file, cut short, or
	// too long.
	ErrOther = errors.New("not the file that the head of the list promises")
)

// idle is how long a server may be silent, and leastHeard what it has to say in that time not to be:
// one that drips would hold a device for days.
const (
	idle       = 30 * time.Second
	leastHeard = 4 << 10
)

// request asks for one file.
type request struct {
	url     string
	headers map[string]string
	most    int64 // octets of the answer
}

// do sends a request. The answer's body ends with an error where it has more octets than asked
// for, and where the server is silent for long; it must be closed.
func (c *Client) do(ctx context.Context, q request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, nil)
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	r.Header.Set("Accept-Encoding", "identity") // lists do not compress, and parts are of the file itself
	for name, value := range q.headers {
		r.Header.Set(name, value)
	}
	silent := time.AfterFunc(c.idle(), func() { cancel(errSilent) })
	answer, err := c.http().Do(r)
	if err != nil {
		silent.Stop()
		if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
			err = cause
		}
		cancel(nil)
		return nil, fmt.Errorf("%w: %w", ErrServer, err)
	}
	answer.Body = &body{Reader: io.LimitReader(answer.Body, q.most+1), from: answer.Body, left: q.most, silent: silent, c: c, ctx: ctx, cancel: cancel}
	return answer, nil
}

var errSilent = errors.New("it has been silent for too long")

func (c *Client) idle() time.Duration {
	if c.Idle > 0 {
		return c.Idle
	}
	return idle
}

// http is the client to ask with: it does not let itself be sent from https to http.
func (c *Client) http() *http.Client {
	own := http.Client{}
	if c.HTTP != nil {
		own = *c.HTTP
	}
	own.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) >= 5:
			return errors.New("it sends from one address to the next")
		case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
			return errors.New("it sends to an address without TLS")
		}
		return nil
	}
	return &own
}

type body struct {
	io.Reader
	from   io.ReadCloser
	left   int64
	silent *time.Timer
	since  int // octets that came since it was set
	c      *Client
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.c.octets += int64(n)
	if b.left -= int64(n); b.left < 0 {
		return n, fmt.Errorf("%w: it is longer", ErrOther)
	}
	if b.since += n; b.since >= leastHeard || err == io.EOF {
		b.since = 0
		b.silent.Reset(b.c.idle())
	}
	if cause := context.Cause(b.ctx); err != nil && err != io.EOF && errors.Is(cause, errSilent) {
		err = fmt.Errorf("%w: %w", ErrServer, cause)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *body) Close() error {
	b.silent.Stop()
	b.cancel(nil)
	return b.from.Close()
}

// wants is an answer's error if it has not the status.
func wants(r *http.Response, code int) error {
	if r.StatusCode != code {
		return fmt.Errorf("%w: %s: %s", ErrServer, r.Request.URL.Redacted(), r.Status)
	}
	return nil
}

// small fetches a file of which the size is known, at once.
func (c *Client) small(ctx context.Context, url string, size uint64) ([]byte, error) {
	r, err := c.do(ctx, request{url: url, most: int64(size)})
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if err := wants(r, http.StatusOK); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", url, err)
	}
	return b, nil
}

// resume fetches a file of a size to where a part of it may lie already.
func (c *Client) resume(ctx context.Context, url, path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil || have == size {
		return err
	}
	q := request{url: url, most: size}
	if have > 0 && have < size {
		q.headers = map[string]string{"Range": fmt.Sprintf("bytes=%d-", have)}
	}
	r, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	switch {
	case r.StatusCode == http.StatusPartialContent && strings.HasPrefix(r.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)):
	case r.StatusCode == http.StatusOK: // from the beginning
		if have, err = 0, f.Truncate(0); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable: // what is here is of something else
		err = errors.Join(wants(r, http.StatusOK), f.Truncate(0))
	default:
		err = wants(r, http.StatusOK)
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r.Body)
	if err == nil && have+n < size {
		err = fmt.Errorf("%w: it was cut short, %d octets of %d", ErrServer, have+n, size)
	}
	if err == nil && have+n > size {
		err = fmt.Errorf("%w: it is longer", ErrOther)
	}
	return errors.Join(err, f.Sync())
}
