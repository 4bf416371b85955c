package monitor_test

import (
	"fmt"
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

// mirror is a rig whose log is read at a server that may show any checkpoint.
func mirror(t *testing.T) (r *rig, shows *func() []byte) {
	t.Helper()
	r = newRig(t)
	r.export(t)
	files := http.FileServer(http.Dir(r.path("www")))
	var checkpoint func() []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if in.URL.Path == "/checkpoint" && checkpoint != nil {
			_, _ = w.Write(checkpoint())
			return
		}
		files.ServeHTTP(w, in)
	}))
	t.Cleanup(server.Close)
	r.o.Sources = []monitor.Source{monitor.Published(server.URL, nil)}
	r.start()
	r.quiet(t)
	return r, &checkpoint
}

// inventor gives another checkpoint each time: none, one of a log made up, one of the log by
// another key.
func inventor(t *testing.T) map[string]func() []byte {
	t.Helper()
	key, err := otherSigner()
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	signed := func(origin string) []byte {
		n++
		c, err := ledger.SignCheckpoint(origin, n, [32]byte{byte(n)}, key)
		if err != nil {
			t.Fatal(err)
		}
		return c.Note
	}
	return map[string]func() []byte{
		"none": func() []byte { n++; return fmt.Append(nil, "nonsense ", n) },
		"made up": func() []byte {
			return []byte(strings.ReplaceAll(string(signed(key.Name())), key.Name()+"\n", fmt.Sprint("log", n, ".example\n")))
		},
		"other key": func() []byte { return signed(key.Name()) },
	}
}

// standing are the alarms that nobody looked at.
func (r *rig) standing(t *testing.T) []monitor.Alarm {
	t.Helper()
	list, err := r.watch.Alarms(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (r *rig) acknowledge(t *testing.T) {
	t.Helper()
	for _, a := range r.standing(t) {
		if err := r.watch.Acknowledge(t.Context(), a.ID, r.now); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDrowned: a mirror, or the wire to it, that gives what no log signed, another thing each
// time, is one alarm, with the newest evidence. It ends with what is as it should be; whether
// the next is another alarm is up to who looked at the first.
func TestDrowned(t *testing.T) {
	for name, invent := range inventor(t) {
		t.Run(name, func(t *testing.T) {
			r, shows := mirror(t)
			*shows = invent
			a := r.check(t)
			if len(a) != 1 {
				t.Fatalf("%v", a)
			}
			var last []byte
			*shows = func() []byte { last = invent(); return last }
			for n := range 3 {
				if n == 1 {
					r.start()
				}
				r.quiet(t)
			}
			if list := r.standing(t); len(list) != 1 || !strings.HasSuffix(list[0].Detail, " (4 times)") {
				t.Errorf("%v", list)
			}
			if string(r.evidence(t, a[0], "checkpoint")) != string(last) {
				t.Error("the newest evidence is not kept")
			}
			for range 3 { // now and then it is honest
				*shows = nil
				r.quiet(t)
				*shows = invent
				r.quiet(t)
			}
			r.acknowledge(t)
			r.quiet(t)
			*shows = nil
			r.quiet(t)
			*shows = invent
			if again := r.check(t); len(again) != 1 || again[0].ID == a[0].ID || again[0].Code != a[0].Code {
				t.Errorf("%v", again)
			}
		})
	}
}

// TestDrownedBeside: the same of a place with what others were shown.
func TestDrownedBeside(t *testing.T) {
	r := newRig(t)
	r.export(t)
	invent := inventor(t)["other key"]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(invent()) }))
	defer server.Close()
	r.o.Also = []string{server.URL + "/checkpoint"}
	r.start()
	r.alarms(t, monitor.OtherKey)
	r.quiet(t)
	r.quiet(t)
}

// TestLieWithholds: who lies for longer than a day gives no entries, though somebody looked at
// the first lie.
func TestLieWithholds(t *testing.T) {
	for name, invent := range inventor(t) {
		t.Run(name, func(t *testing.T) {
			r, shows := mirror(t)
			*shows = invent
			if list := r.check(t); len(list) != 1 {
				t.Fatalf("%v", list)
			}
			r.acknowledge(t)
			r.now = r.now.Add(23 * time.Hour)
			r.quiet(t)
			r.start()
			r.now = r.now.Add(2 * time.Hour)
			r.alarms(t, monitor.Withheld)
			*shows = nil
			r.quiet(t)
			r.now = r.now.Add(25 * time.Hour)
			r.quiet(t)
		})
	}
}

// TestEvidenceBounded: evidence fills no disk; that of a fork is kept all the same.
func TestEvidenceBounded(t *testing.T) {
	r, shows := mirror(t)
	for n := range 2_000 {
		if err := os.MkdirAll(filepath.Join(r.path("evidence"), fmt.Sprint("x", n)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	*shows = inventor(t)["none"]
	list := r.alarms(t, monitor.BadCheckpoint)
	if _, err := os.Stat(filepath.Join(r.path("evidence"), list[0].ID)); !os.IsNotExist(err) {
		t.Errorf("the evidence grows: %v", err)
	}
	*shows = func() []byte {
		c, err := ledger.SignCheckpoint(r.key.Name(), 7, [32]byte{1}, r.signer)
		if err != nil {
			t.Fatal(err)
		}
		return c.Note
	}
	fork := find(t, r.check(t), monitor.Fork)
	if len(r.evidence(t, fork, "shown")) == 0 {
		t.Error("a fork without evidence")
	}
}

// TestEvidenceCut: the monitor ended while it put evidence in place of older evidence.
func TestEvidenceCut(t *testing.T) {
	r, shows := mirror(t)
	*shows = inventor(t)["none"]
	a := r.alarms(t, monitor.BadCheckpoint)[0]
	*shows = nil
	dir := filepath.Join(r.path("evidence"), a.ID)
	whole := r.evidence(t, a, "checkpoint")
	put(t, filepath.Join(dir+".new", "checkpoint"), []byte("half of it"))
	r.start()
	r.quiet(t)
	if got := r.evidence(t, a, "checkpoint"); string(got) != string(whole) {
		t.Errorf("%q takes the place of what is whole", got)
	}
	if err := os.Rename(dir, dir+".new"); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "part"), nil) // of the older
	r.start()
	r.quiet(t)
	if got := r.evidence(t, a, "checkpoint"); string(got) != string(whole) {
		t.Errorf("%q takes the place of what is whole", got)
	}
	for _, left := range []string{dir + ".new", filepath.Join(dir, "part")} {
		if _, err := os.Stat(left); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", left, err)
		}
	}
}
