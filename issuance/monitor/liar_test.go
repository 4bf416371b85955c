package monitor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/monitor"
)

// TestLiars: whatever the log's server does is bounded, and told.
func TestLiars(t *testing.T) {
	endless := func(w http.ResponseWriter, in *http.Request) {
		block := make([]byte, 64<<10)
		for in.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		path string // that is answered otherwise
		lie  http.HandlerFunc
		code monitor.Code // "": nothing is known
	}{
		"endless checkpoint": {"/checkpoint", endless, monitor.Misbehaves},
		"endless bundle":     {"/tile/entries/", endless, monitor.Misbehaves},
		"endless tile":       {"/tile/0/", endless, monitor.Misbehaves},
		"sent elsewhere": {"/tile/0/", func(w http.ResponseWriter, in *http.Request) {
			http.Redirect(w, in, "http://192.0.2.1/", http.StatusFound)
		}, monitor.Misbehaves},
		"checkpoint is none": {"/checkpoint", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, monitor.BadCheckpoint},
		"empty checkpoint":   {"/checkpoint", func(http.ResponseWriter, *http.Request) {}, monitor.BadCheckpoint},
		"cut bundle":         {"/tile/entries/", cut(1), monitor.Missing},
		"empty bundle":       {"/tile/entries/", func(http.ResponseWriter, *http.Request) {}, monitor.Missing},
		"partial tile":       {"/tile/0/", cut(65), monitor.TileChanged},
		"no tile":            {"/tile/0/", http.NotFound, monitor.Missing},
		"no bundle":          {"/tile/entries/", http.NotFound, monitor.Missing},
		"no checkpoint":      {"/checkpoint", http.NotFound, ""},
		"broken":             {"/tile/", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) }, ""},
		"hangs up":           {"/tile/", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""},
		"answers too late":   {"/tile/", func(_ http.ResponseWriter, in *http.Request) { <-in.Context().Done() }, ""},
		"sends drop by drop": {"/tile/", drops, ""},
		"says a false length": {"/tile/0/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99999999")
			_, _ = w.Write([]byte("x"))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := time.Minute
			if test.code == "" {
				patience = 2 * time.Second
			}
			r := newRig(t)
			r.issue(t, "ann")
			r.export(t)
			honest := http.FileServer(http.Dir(r.path("www")))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
				if strings.HasPrefix(in.URL.Path, test.path) {
					test.lie(w, in)
					return
				}
				honest.ServeHTTP(w, in)
			}))
			defer server.Close()
			r.o.Sources = []monitor.Source{monitor.Published(server.URL, &http.Client{Timeout: patience})}
			r.start()
			round, err := r.m.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if test.code == "" {
				if len(round.Away) != 1 || len(round.Raised) > 0 {
					t.Errorf("%v, %v", round.Away, round.Raised)
				}
				return
			}
			if len(round.Raised) != 1 || round.Raised[0].Code != test.code {
				t.Errorf("%v, %v", round.Away, round.Raised)
			}
			if k, err := known(t, r); err != nil || k.Size != 0 {
				t.Errorf("%d entries were believed, %v", k.Size, err)
			}
		})
	}
}

// TestSlow: a server that answers each request in time, and is not done in days, is away; the other
// sources are read, and it is when it is in order again.
func TestSlow(t *testing.T) {
	r := newRig(t)
	r.issue(t, "ann")
	r.export(t)
	slow := true
	files := http.FileServer(http.Dir(r.path("www")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if slow && strings.HasPrefix(in.URL.Path, "/tile/") {
			<-in.Context().Done()
			return
		}
		files.ServeHTTP(w, in)
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r.o.Sources = []monitor.Source{monitor.Published(server.URL, &http.Client{}), monitor.Published(r.path("www"), nil)}
	r.start()
	r.m.Hurry(2 * time.Second)
	for range 2 { // the entries are read from the other, and again from this one
		round, err := r.m.Check(ctx)
		if err != nil || len(round.Away) != 1 || !errors.Is(round.Away[0], monitor.ErrAway) || len(round.Raised) > 0 || len(round.Logs) != 1 || round.Logs[0].Size == 0 {
			t.Fatalf("%v, %v", round, err)
		}
	}
	slow = false
	if round, err := r.m.Check(ctx); err != nil || len(round.Away) > 0 || len(round.Raised) > 0 {
		t.Errorf("%v, %v", round, err)
	}
}

// cut gives so many octets.
func cut(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, n)) }
}

// drops never comes to an end, slowly.
func drops(w http.ResponseWriter, in *http.Request) {
	for in.Context().Err() == nil {
		_, _ = w.Write([]byte{0})
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
	}
}

// TestServed: an honest server is quiet, also while the log is published anew between two
// answers.
func TestServed(t *testing.T) {
	r := newRig(t)
	r.export(t)
	files := http.FileServer(http.Dir(r.path("www")))
	between := func() {}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		files.ServeHTTP(w, in)
		if in.URL.Path == "/checkpoint" {
			between()
		}
	}))
	defer server.Close()
	r.o.Sources = []monitor.Source{monitor.Published(server.URL+"/", nil)}
	r.start()
	between = func() {
		for range 30 { // a bundle becomes full, and its part goes
			r.office.Must(t, r.office.Enrol("A-"+r.office.Pass(0).Format("150405"), "p"+r.office.Pass(0).Format("150405"), ""))
		}
		r.export(t)
	}
	for range 6 {
		r.quiet(t)
	}
	between = func() {}
	r.quiet(t)
	if k, err := known(t, r); err != nil || k.Size < 350 {
		t.Errorf("%d entries, %v", k.Size, err)
	}
}

// TestPartialTiles: a full tile may be longer than what its checkpoint signs of it.
func TestPartialTiles(t *testing.T) {
	r := newRig(t)
	r.issue(t, "ann")
	r.export(t)
	c, err := r.ledger.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	part := filepath.Join(r.path("www"), ledger.TilePath("0", 0, int(c.Size)))
	b, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	for range 256 {
		b = append(b, make([]byte, 32)...)
	}
	put(t, filepath.Join(r.path("www"), ledger.TilePath("0", 0, 0)), b[:256*32])
	os.Remove(part)
	r.quiet(t)
}
