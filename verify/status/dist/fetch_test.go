package dist

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify/status"
)

// TestFetch: the first fetch brings the snapshot, later ones the patches from there, and when
// nothing is new next to nothing.
func TestFetch(t *testing.T) {
	an := newIssuer(t)
	url := an.serve(an.under())
	d := an.device()
	first := an.publish()
	if f := d.fetch(url); f.From != 0 || f.To != first.Snapshot.Sequence || f.Steps != 0 || f.List != listURI || f.Overdue {
		t.Errorf("%+v", f)
	}
	d.knows(1)
	if f := d.fetch(url); f.From != f.To || f.Octets != 0 {
		t.Errorf("nothing new: %+v", f)
	}
	an.publish()
	third := an.publish()
	f := d.fetch(url + "/")
	if f.From != first.Snapshot.Sequence || f.To != third.Snapshot.Sequence || f.Steps != 2 {
		t.Errorf("two publications later: %+v", f)
	}
	d.knows(3)
	published, err := os.ReadFile(filepath.Join(an.dir, nameOfSnapshot(third.Snapshot.Sequence)))
	if err != nil {
		t.Fatal(err)
	}
	here := d.files()
	if len(here) != 1 || !strings.HasSuffix(here[0], status.Extension) {
		t.Fatalf("%v", here)
	}
	if b, err := os.ReadFile(filepath.Join(d.Dir, here[0])); err != nil || !bytes.Equal(b, published) {
		t.Errorf("it is another list than was published: %v", err)
	}
	an.now = an.now.Add(30 * time.Hour)
	if f := d.fetch(url); !f.Overdue {
		t.Errorf("a day without a new list: %+v", f)
	}
}

// TestPublish: the head leads to what lies there, whenever it is read; what nobody is led to
// any more goes, and other files stay.
func TestPublish(t *testing.T) {
	an := newIssuer(t)
	if err := os.WriteFile(filepath.Join(an.dir, "index.html"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		an.publish()
	}
	// lists have odd numbers, heads even ones
	if got, want := names(t, an.dir), []string{"1-3.patch", "3-5.patch", "5-7.patch", "5.status", "7.status", "head", "index.html"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	before := names(t, an.dir)
	good := an.pub.Head
	an.pub.Head = func(*status.List, uint64, []status.Step) ([]byte, error) { return nil, os.ErrPermission }
	if _, err := an.pub.Publish(); err == nil {
		t.Error("published without a head")
	}
	for _, name := range before {
		if _, err := os.Stat(filepath.Join(an.dir, name)); err != nil {
			t.Errorf("a publication that failed took %s", name)
		}
	}
	d := an.device()
	d.fetch(an.serve(an.under()))
	d.knows(4)
	an.pub.Head = good
	an.publish()
	d.fetch(an.serve(an.under()))
	d.knows(5)
}

// TestPublishLate: whoever signed before another, and comes after, publishes nothing.
func TestPublishLate(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	good := an.pub.Head
	an.pub.Head = func(l *status.List, size uint64, steps []status.Step) ([]byte, error) {
		late, err := good(l, size, steps)
		an.pub.Head = good
		an.publish()
		return late, err
	}
	if _, err := an.pub.Publish(); err == nil || !strings.Contains(err.Error(), ErrNewer.Error()) {
		t.Errorf("%v", err)
	}
	d := an.device()
	d.fetch(an.serve(an.under()))
	d.knows(2)
}

// TestPublishRevived: a list in which a revoked card is in force again is not published.
func TestPublishRevived(t *testing.T) {
	an := newIssuer(t)
	an.gone = 3
	an.publish()
	before := read(t, an.dir, HeadName)
	an.gone = 1
	if _, err := an.pub.Publish(); !errors.Is(err, status.ErrRevived) {
		t.Errorf("%v", err)
	}
	if !bytes.Equal(read(t, an.dir, HeadName), before) {
		t.Error("there is another head")
	}
}

// TestWorthwhile: a way that is longer than the snapshot is not offered.
func TestWorthwhile(t *testing.T) {
	var steps []status.Step
	for i := range 100 {
		steps = append(steps, status.Step{From: uint64(i + 1), File: status.File{Size: 10}})
	}
	if got := worthwhile(steps, 1<<20); len(got) != mostSteps || got[len(got)-1].From != 100 {
		t.Errorf("%d steps", len(got))
	}
	if got := worthwhile(steps, 35); len(got) != 3 {
		t.Errorf("%d steps for 35 octets", len(got))
	}
	if got := worthwhile(steps, 5); len(got) != 0 {
		t.Errorf("%d steps for 5 octets", len(got))
	}
}

// TestWholeAgain: a device that was away for longer than the head tells fetches the snapshot.
func TestWholeAgain(t *testing.T) {
	an := newIssuer(t)
	url := an.serve(an.under())
	d := an.device()
	an.publish()
	d.fetch(url)
	for range mostSteps + 3 {
		an.publish()
	}
	if f := d.fetch(url); f.Steps != 0 || f.To != an.number-1 {
		t.Errorf("%+v", f)
	}
	d.knows(an.gone)
}

// TestHandler: what a cache and a cut download need to know.
func TestHandler(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	if err := os.WriteFile(filepath.Join(an.dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := an.serve(an.under())
	ask := func(method, name string, headers ...string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		return a
	}
	head, list := ask("GET", "head"), ask("GET", "1.status")
	if got := head.Header.Get("Cache-Control"); got != headCache {
		t.Errorf("the head: %s", got)
	}
	if got := list.Header.Get("Cache-Control"); got != forEver {
		t.Errorf("the list: %s", got)
	}
	size := list.ContentLength
	for what, tt := range map[string]struct {
		answer *http.Response
		code   int
		length int64
	}{
		"by its tag":             {ask("GET", "head", "If-None-Match", head.Header.Get("ETag")), 304, 0},
		"by its time":            {ask("GET", "head", "If-Modified-Since", head.Header.Get("Last-Modified")), 304, 0},
		"of another tag":         {ask("GET", "head", "If-None-Match", `"x"`), 200, head.ContentLength},
		"the list by its tag":    {ask("GET", "1.status", "If-None-Match", list.Header.Get("ETag")), 304, 0},
		"a part":                 {ask("GET", "1.status", "Range", "bytes=100-"), 206, size - 100},
		"a part of another file": {ask("GET", "1.status", "Range", "bytes=100-", "If-Range", `"x"`), 200, size},
		"after the end":          {ask("GET", "1.status", "Range", "bytes=99999999-"), 416, -1},
		"headers only":           {ask("HEAD", "1.status"), 200, size},
		"written to":             {ask("PUT", "head"), 405, -1},
		"another file":           {ask("GET", "secret"), 404, -1},
		"a folder":               {ask("GET", ""), 404, -1},
		"out of the folder":      {ask("GET", "%2e%2e/secret"), 404, -1},
		"that is not there":      {ask("GET", "9.status"), 404, -1},
	} {
		if tt.answer.StatusCode != tt.code || tt.length >= 0 && max(tt.answer.ContentLength, 0) != tt.length {
			t.Errorf("%s: %s, %d octets", what, tt.answer.Status, tt.answer.ContentLength)
		}
	}
	an.publish()
	if again := ask("GET", "head"); again.Header.Get("ETag") == head.Header.Get("ETag") {
		t.Error("another head has the same tag")
	}
}
