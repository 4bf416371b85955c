package dist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// liar hands out what a map says in the place of published files.
type liar struct {
	an    *issuer
	files map[string]http.HandlerFunc
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f, ok := l.files[filepath.Base(r.URL.Path)]; ok {
		f(w, r)
		return
	}
	l.an.under().ServeHTTP(w, r)
}

// octets hands out octets, whatever was asked for.
func octets(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

func read(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// endless hands out octets for ever.
func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 1<<16)); err != nil {
			return
		}
	}
}

// TestHostile: whatever a server or what stands before it hands out, the device keeps the list
// that it has and says why.
func TestHostile(t *testing.T) {
	an, eve, other := newIssuer(t), newIssuer(t), newIssuer(t)
	an.publish() // list 1, head 2
	old := read(t, an.dir, HeadName)
	an.publish() // list 3, head 4
	url := ""
	lies := &liar{an: an}
	url = an.serve(lies)
	d := an.device()
	d.Idle = 200 * time.Millisecond
	d.fetch(url)
	d.knows(2)
	an.publish() // list 5, head 6
	eve.publish()
	other.key, other.uri = an.key, listURI+"0"
	other.publish()
	newest := read(t, an.dir, "5.status")
	older := append(read(t, an.dir, "3.status"), make([]byte, 100)...)[:len(newest)]
	edited := bytes.Clone(newest)
	edited[len(edited)/2] ^= 1
	silent := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(newest)))
		_, _ = w.Write(newest[:100])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	drips := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte{0})
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	}
	round := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path+"?x", http.StatusFound)
	}
	noPatch := http.HandlerFunc(http.NotFound)
	for name, tt := range map[string]struct {
		files map[string]http.HandlerFunc
		want  error
	}{
		"an older head":                    {map[string]http.HandlerFunc{"head": octets(old)}, pki.ErrRollback},
		"a stranger's head":                {map[string]http.HandlerFunc{"head": octets(read(t, eve.dir, HeadName))}, status.ErrSigner},
		"the head of another list":         {map[string]http.HandlerFunc{"head": octets(read(t, other.dir, HeadName))}, ErrAnother},
		"a list as the head":               {map[string]http.HandlerFunc{"head": octets(read(t, an.dir, "3.status"))}, status.ErrMalformed},
		"an endless head":                  {map[string]http.HandlerFunc{"head": endless}, ErrOther},
		"no head":                          {map[string]http.HandlerFunc{"head": http.NotFound}, ErrServer},
		"a head that leads round":          {map[string]http.HandlerFunc{"head": round}, ErrServer},
		"a head that comes in drips":       {map[string]http.HandlerFunc{"head": drips}, ErrServer},
		"a head that never comes":          {map[string]http.HandlerFunc{"head": silent}, ErrServer},
		"the list of another number":       {map[string]http.HandlerFunc{"3-5.patch": noPatch, "5.status": octets(older)}, ErrOther},
		"an edited list":                   {map[string]http.HandlerFunc{"3-5.patch": noPatch, "5.status": octets(edited)}, ErrOther},
		"a list cut short":                 {map[string]http.HandlerFunc{"3-5.patch": noPatch, "5.status": octets(newest[:500])}, ErrServer},
		"a list with more behind it":       {map[string]http.HandlerFunc{"3-5.patch": noPatch, "5.status": octets(append(bytes.Clone(newest), 0))}, ErrOther},
		"an endless list":                  {map[string]http.HandlerFunc{"3-5.patch": endless, "5.status": endless}, ErrOther},
		"a list that stops":                {map[string]http.HandlerFunc{"3-5.patch": noPatch, "5.status": silent}, ErrServer},
		"the patch of another list":        {map[string]http.HandlerFunc{"3-5.patch": octets(read(t, an.dir, "1-3.patch")), "5.status": noPatch}, ErrServer},
		"a list in the place of the patch": {map[string]http.HandlerFunc{"3-5.patch": octets(newest), "5.status": noPatch}, ErrServer},
	} {
		lies.files = tt.files
		before := slices.DeleteFunc(d.files(), isPart)
		if _, err := d.Fetch(t.Context(), url); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		if after := slices.DeleteFunc(d.files(), isPart); !slices.Equal(before, after) {
			t.Errorf("%s: %v became %v", name, before, after)
		}
		d.knows(2)
	}
	lies.files = nil
	d.fetch(url)
	d.knows(3)
	if got := d.files(); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// TestFetchAtOnce: two programs do not write the files of one address at once.
func TestFetchAtOnce(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	url := an.serve(an.under())
	d := an.device()
	d.fetch(url)
	unlock, err := durable.Lock(shelfOf(d.Dir, url+"/").path(".lock"), 0)
	if err != nil {
		t.Fatal(err)
	}
	an.publish()
	if _, err := d.Fetch(t.Context(), url); !errors.Is(err, durable.ErrBusy) {
		t.Errorf("%v", err)
	}
	d.knows(1)
	unlock()
	d.fetch(url)
	d.knows(2)
}

func isPart(name string) bool { return strings.HasSuffix(name, ".part") }

// TestOtherThanAsked: a device that was told which list to follow takes no other, from the first
// fetch on.
func TestOtherThanAsked(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	url := an.serve(an.under())
	d := an.device()
	d.List = listURI + "0"
	if _, err := d.Fetch(t.Context(), url); !errors.Is(err, ErrAnother) {
		t.Errorf("%v", err)
	}
	if got := d.files(); len(got) > 0 {
		t.Errorf("%v", got)
	}
	d.List = listURI
	d.fetch(url)
	for _, address := range []string{"ftp://x/y", "head", "http://", "http://127.0.0.1:1/"} {
		if _, err := d.Fetch(t.Context(), address); !errors.Is(err, ErrServer) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestRolledBackFolder: a device whose folder was emptied, or set back, takes no older head than
// it has seen.
func TestRolledBackFolder(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	lies := &liar{an: an}
	url := an.serve(lies)
	d := an.device()
	d.fetch(url)
	old := read(t, an.dir, HeadName)
	list := d.files()[0]
	first := read(t, d.Dir, list)
	an.publish()
	d.fetch(url)
	if err := os.RemoveAll(d.Dir); err != nil {
		t.Fatal(err)
	}
	lies.files = map[string]http.HandlerFunc{"head": octets(old)}
	if _, err := d.Fetch(t.Context(), url); !errors.Is(err, pki.ErrRollback) {
		t.Errorf("an emptied folder: %v", err)
	}
	lies.files = nil
	d.fetch(url)
	d.knows(2)
	// an older list is put in the place of the newer; the server says that nothing is new
	for _, name := range d.files() {
		if err := os.Remove(filepath.Join(d.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(d.Dir, list), first, 0o600); err != nil {
		t.Fatal(err)
	}
	d.fetch(url)
	d.knows(2)
}

// TestResume: a download that was cut goes on where it was, and what is of another file is
// fetched anew.
func TestResume(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	whole := read(t, an.dir, "1.status")
	asked := []string{}
	lies := &liar{an: an}
	cut := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
		_, _ = w.Write(whole[:len(whole)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	lies.files = map[string]http.HandlerFunc{"1.status": cut}
	counted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, filepath.Base(r.URL.Path)+" "+r.Header.Get("Range"))
		lies.ServeHTTP(w, r)
	})
	url := an.serve(counted)
	d := an.device()
	if _, err := d.Fetch(t.Context(), url); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %v", err)
	}
	lies.files = nil
	f := d.fetch(url)
	d.knows(1)
	if want := fmt.Sprintf("1.status bytes=%d-", len(whole)/2); asked[len(asked)-1] != want || f.Octets > int64(len(whole)/2)+2000 {
		t.Errorf("asked for %q, %d octets", asked, f.Octets)
	}
	for what, part := range map[string][]byte{"of another file": []byte("not that list"), "too long": bytes.Repeat([]byte{1}, len(whole)+7), "as long": bytes.Repeat([]byte{1}, len(whole))} {
		d := an.device()
		if err := os.MkdirAll(d.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(shelfOf(d.Dir, url+"/").partOf(1), part, 0o600); err != nil {
			t.Fatal(err)
		}
		d.fetch(url)
		d.knows(1)
		if got := d.files(); len(got) != 1 {
			t.Errorf("%s: %v is left", what, got)
		}
	}
}

// TestDowngrade: an https address does not send a device to an http one.
func TestDowngrade(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	plain := an.serve(an.under())
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain+"/"+filepath.Base(r.URL.Path), http.StatusFound)
	}))
	t.Cleanup(s.Close)
	d := an.device()
	d.HTTP = s.Client()
	if _, err := d.Fetch(t.Context(), s.URL+"/lists"); !errors.Is(err, ErrServer) {
		t.Errorf("%v", err)
	}
}

// TestSuddenDeath: what a device or a system that died left behind, between any two steps of an
// update, is a folder whose list is used, and the next fetch goes on.
func TestSuddenDeath(t *testing.T) {
	an := newIssuer(t)
	an.publish()
	url := an.serve(an.under())
	d := an.device()
	d.fetch(url)
	old := d.files()[0]
	list, state := read(t, d.Dir, old), read(t, d.Dir, filepath.Base(shelfOf(d.Dir, url+"/").path(".json")))
	an.publish()
	d.fetch(url)
	newer := d.files()[0]
	next := read(t, d.Dir, newer)
	stateName := filepath.Base(shelfOf("", url+"/").path(".json"))
	for what, tt := range map[string]struct {
		files map[string][]byte
		gone  uint32
	}{
		"before the first octet":   {map[string][]byte{old: list, stateName: state}, 1},
		"in the middle of writing": {map[string][]byte{old: list, stateName: state, newer + ".new": next[:len(next)/2]}, 1},
		"before renaming":          {map[string][]byte{old: list, stateName: state, newer + ".new": next}, 1},
		"before the old one went":  {map[string][]byte{old: list, stateName: state, newer: next}, 2},
		"before the state":         {map[string][]byte{stateName: state, newer: next}, 2},
		"writing the state":        {map[string][]byte{stateName: nil, newer: next, stateName + ".new": []byte("{")}, 2},
		"without the state":        {map[string][]byte{newer: next}, 2},
	} {
		d := an.device()
		if err := os.MkdirAll(d.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, b := range tt.files {
			if err := os.WriteFile(filepath.Join(d.Dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Log(what)
		d.knows(tt.gone)
		d.fetch(url)
		d.knows(2)
		if got := d.files(); len(got) != 1 || got[0] != newer {
			t.Errorf("%s: %v is left", what, got)
		}
	}
}
