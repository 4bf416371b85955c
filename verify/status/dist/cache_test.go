package dist

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"
)

// cache stands before a server as RFC 9111 has it: it hands out what it has while that is fresh,
// with its Age, asks whether it is still good when it is not, and lets through whoever says
// no-cache.
type cache struct {
	mu    sync.Mutex
	from  http.Handler
	now   time.Time
	kept  map[string]kept
	asked map[string]int // of the server, by path and answer
}

type kept struct {
	at     time.Time
	answer *httptest.ResponseRecorder
}

var maxAge = regexp.MustCompile(`max-age=([0-9]+)`)

func (c *cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, have := c.kept[r.URL.Path]
	if have {
		life, _ := strconv.Atoi(maxAge.FindStringSubmatch(k.answer.Header().Get("Cache-Control"))[1])
		if age := c.now.Sub(k.at); age > time.Duration(life)*time.Second || r.Header.Get("Cache-Control") == "no-cache" {
			k, have = c.ask(r, k)
		}
	} else {
		k, have = c.ask(r, kept{})
	}
	if !have {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	for name, v := range k.answer.Header() {
		w.Header()[name] = v
	}
	w.Header().Set("Age", fmt.Sprint(int(c.now.Sub(k.at).Seconds())))
	if tag := k.answer.Header().Get("ETag"); r.Header.Get("If-None-Match") == tag {
		w.Header().Del("Content-Length")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(k.answer.Body.Bytes())
}

// ask asks the server for the whole file, unless what is kept is still good.
func (c *cache) ask(r *http.Request, k kept) (kept, bool) {
	q := httptest.NewRequestWithContext(r.Context(), http.MethodGet, r.URL.Path, nil)
	if k.answer != nil {
		q.Header.Set("If-None-Match", k.answer.Header().Get("ETag"))
	}
	a := httptest.NewRecorder()
	c.from.ServeHTTP(a, q)
	c.asked[fmt.Sprint(r.URL.Path, " ", a.Code)]++
	switch a.Code {
	case http.StatusNotModified:
		k.at = c.now
	case http.StatusOK:
		k = kept{c.now, a}
	default:
		return k, false
	}
	c.kept[r.URL.Path] = k
	return k, true
}

// TestCache: through a cache many devices cost the server one answer a file, a head is not older
// than a minute, and a head that was handed out earlier is no rollback.
func TestCache(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	c := &cache{from: an.under(), now: an.now, kept: map[string]kept{}, asked: map[string]int{}}
	url := an.serve(c)
	var devices []*device
	for range 5 {
		d := an.device()
		d.fetch(url)
		d.fetch(url)
		d.knows(1)
		devices = append(devices, d)
	}
	if c.asked["/lists/head 200"] != 1 || c.asked["/lists/1.status 200"] != 1 {
		t.Errorf("%v", c.asked)
	}
	c.now = c.now.Add(2 * time.Minute)
	devices[0].fetch(url)
	if c.asked["/lists/head 304"] != 1 {
		t.Errorf("a head of two minutes: %v", c.asked)
	}
	an.publish()
	for _, d := range devices {
		if f := d.fetch(url); f.Steps != 0 {
			t.Errorf("within the minute: %+v", f)
		}
	}
	c.now = c.now.Add(2 * time.Minute)
	for _, d := range devices {
		if f := d.fetch(url); f.Steps != 1 {
			t.Errorf("after the minute: %+v", f)
		}
		d.knows(2)
	}
	if c.asked["/lists/1-3.patch 200"] != 1 || c.asked["/lists/3.status 200"] != 0 {
		t.Errorf("%v", c.asked)
	}

	// a device that saw the next head elsewhere asks past the cache
	an.publish()
	direct := an.serve(an.under())
	d := an.device()
	d.fetch(direct)
	if f := d.fetch(url); f.To != 5 {
		t.Errorf("%+v", f)
	}
}
