package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/testdata"
)

// watching is a watcher of a small office's log.
func watching(t *testing.T, o watchOptions) (*watcher, *witness.Witness, *bytes.Buffer) {
	t.Helper()
	dir := t.TempDir()
	signer, v := ledgertest.LogKey(t)
	l, err := sqlite.Create(t.Context(), filepath.Join(dir, "ledger.db"), ledgertest.Origin, sqlite.Options{Signer: signer, Verifier: v})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ledgertest.NewOffice(t, l).Found(t)
	if _, err := ledger.Export(t.Context(), filepath.Join(dir, "www"), l); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	p := &program{out: &out, err: &out, now: func() time.Time { return now }}
	o.dir, o.logs, o.every, o.repeat = filepath.Join(dir, "w"), []string{filepath.Join(dir, "www"), "sqlite:" + filepath.Join(dir, "ledger.db")}, time.Minute, time.Hour
	key, err := witness.OpenKey(filepath.Join(o.dir, "key"), "auditor.example")
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(o.dir, key, p.now, v)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	state, err := sqlite.OpenWatch(t.Context(), o.memory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	x, err := newWatcher(p, o, []note.Verifier{v}, w, state)
	if err != nil {
		t.Fatal(err)
	}
	return x, w, &out
}

func answer(h http.Handler, in *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, in)
	return out
}

// TestWatcher: it is healthy while nothing stands, tells an alarm once an hour until it is
// acknowledged, also one of a checkpoint that the witness was asked to cosign, and counts.
func TestWatcher(t *testing.T) {
	var told int
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, in *http.Request) {
		if told++; told == 1 {
			http.Error(w, "later", http.StatusServiceUnavailable) // it is told again
		}
	}))
	defer hook.Close()
	x, w, out := watching(t, watchOptions{alarmURL: hook.URL})
	health := func() int {
		return answer(http.HandlerFunc(x.health), httptest.NewRequest(http.MethodGet, "/healthz", nil)).Code
	}
	if health() != http.StatusServiceUnavailable {
		t.Error("healthy before it looked")
	}
	look := func() {
		t.Helper()
		r, open, err := x.look(t.Context())
		if err != nil || len(r.Away) > 0 {
			t.Fatalf("%v, %v", r, err)
		}
		x.tellAll(t.Context(), open)
	}
	look()
	if health() != http.StatusOK || out.Len() > 0 {
		t.Errorf("not healthy: %s", out)
	}
	signer, _ := ledgertest.LogKey(t)
	newest, err := w.Newest(ledgertest.Origin) // the monitor has it cosigned
	if err != nil {
		t.Fatal(err)
	}
	c, err := ledger.SignCheckpoint(ledgertest.Origin, x.seen.Logs[0].Size, [32]byte{1}, signer)
	if err != nil {
		t.Fatal(err)
	}
	body := "old " + strings.Split(string(newest), "\n")[1] + "\n\n" + string(c.Note)
	if code := answer(w, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body))).Code; code != witness.Unprocessable {
		t.Fatalf("status %d", code)
	}
	for range 3 {
		look()
	}
	if told != 2 || strings.Count(out.String(), " fork ") != 2 || health() != http.StatusServiceUnavailable {
		t.Errorf("told %d times: %s", told, out)
	}
	counts := answer(http.HandlerFunc(x.metrics), httptest.NewRequest(http.MethodGet, "/metrics", nil)).Body.String()
	for _, want := range []string{`tamthe_watch_alarms{code="fork"} 1`, `tamthe_watch_alarms{code="silent"} 0`, `tamthe_watch_entries{log="ledger.test"} 19`, "tamthe_watch_away 0"} {
		if !strings.Contains(counts, want+"\n") {
			t.Errorf("no %s in\n%s", want, counts)
		}
	}
	if err := x.state.Acknowledge(context.Background(), x.open[0].ID, x.p.now()); err != nil {
		t.Fatal(err)
	}
	look()
	if health() != http.StatusOK {
		t.Error("not healthy once the alarm is acknowledged")
	}
}

// TestRefusedFlood: whoever asks the witness for what is public with nonsense for a proof, however
// often, hides no fork.
func TestRefusedFlood(t *testing.T) {
	x, w, _ := watching(t, watchOptions{})
	if _, open, err := x.look(t.Context()); err != nil || len(open) > 0 {
		t.Fatalf("%v, %v", open, err)
	}
	signer, _ := ledgertest.LogKey(t)
	size := x.seen.Logs[0].Size
	public, err := ledger.SignCheckpoint(ledgertest.Origin, size+5, [32]byte{2}, signer)
	if err != nil {
		t.Fatal(err)
	}
	fork, err := ledger.SignCheckpoint(ledgertest.Origin, size, [32]byte{1}, signer)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(note []byte) {
		t.Helper()
		body := fmt.Sprintf("old %d\n\n%s", size, note)
		if code := answer(w, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body))).Code; code != witness.Unprocessable {
			t.Fatalf("status %d", code)
		}
	}
	for range 2000 {
		ask(public.Note)
	}
	ask(fork.Note)
	if _, open, err := x.look(t.Context()); err != nil || len(open) != 1 || open[0].Code != monitor.Fork {
		t.Errorf("%v, %v", open, err)
	}
	if len(x.refused) > 0 {
		t.Errorf("%d are told again", len(x.refused))
	}
}

// TestWatcherInTrouble: what the watcher cannot do is no good look, and keeps it from telling no
// alarm that stands, nor from reading what it can.
func TestWatcherInTrouble(t *testing.T) {
	x, w, out := watching(t, watchOptions{})
	if _, open, err := x.look(t.Context()); err != nil || len(open) > 0 {
		t.Fatalf("%v, %v", open, err)
	}
	signer, _ := ledgertest.LogKey(t)
	c, err := ledger.SignCheckpoint(ledgertest.Origin, 7, [32]byte{1}, signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.m.Witnessed(t.Context(), c.Note); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(x.o.dir, "*", "checkpoint"))
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	if err := os.WriteFile(list[0], []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Newest(ledgertest.Origin); err == nil {
		t.Fatal("a damaged checkpoint")
	}
	last := x.last
	now := last.Add(time.Hour)
	x.p.now = func() time.Time { return now }
	r, open, err := x.look(t.Context())
	if !errors.Is(err, witness.ErrState) || len(open) != 1 || r == nil || len(r.Logs) != 1 || x.last != last {
		t.Errorf("%v, %v, %v, %v", r, open, err, x.last)
	}
	if err := x.once(t.Context()); !errors.Is(err, verdictError(exitRefused)) || strings.Count(out.String(), " fork ") != 1 || !strings.Contains(out.String(), "tamthe: ") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestAlarmWords: each alarm is said in both languages.
func TestAlarmWords(t *testing.T) {
	for _, c := range monitor.Codes() {
		if w := alarmWords[c]; w.en == "" || w.vi == "" {
			t.Errorf("no words for %s", c)
		}
	}
	if len(alarmWords) != len(monitor.Codes()) {
		t.Errorf("%d words for %d codes", len(alarmWords), len(monitor.Codes()))
	}
}

// TestDrop: readers hand in what somebody signed, and nothing else.
func TestDrop(t *testing.T) {
	dir := t.TempDir()
	x, _, _ := watching(t, watchOptions{drop: dir})
	var file struct {
		Cases []struct{ Files map[string]string }
	}
	if err := json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &file); err != nil {
		t.Fatal(err)
	}
	sod, err := hex.DecodeString(file.Cases[0].Files["EF.SOD"])
	if err != nil {
		t.Fatal(err)
	}
	post := func(b []byte) int {
		return answer(http.HandlerFunc(x.drop), httptest.NewRequest(http.MethodPost, "/sod", bytes.NewReader(b))).Code
	}
	for range 2 {
		if code := post(sod); code != http.StatusAccepted {
			t.Errorf("status %d", code)
		}
	}
	forged := bytes.Clone(sod)
	forged[len(forged)-1] ^= 1
	for _, b := range [][]byte{forged, nil, []byte("w"), make([]byte, monitor.MaxSOD+1)} {
		if code := post(b); code != http.StatusBadRequest {
			t.Errorf("%d octets: status %d", len(b), code)
		}
	}
	if list, err := os.ReadDir(filepath.Join(dir, "strange")); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	counts := answer(http.HandlerFunc(x.metrics), httptest.NewRequest(http.MethodGet, "/metrics", nil)).Body.String()
	for _, want := range []string{`tamthe_watch_drop{by="ours"} 0`, `tamthe_watch_drop{by="strange"} 1`, "tamthe_watch_drop_most 50000"} {
		if !strings.Contains(counts, want+"\n") {
			t.Errorf("no %s in\n%s", want, counts)
		}
	}
}

// TestWatchDatabase: --log takes a ledger in PostgreSQL, without a password that others would see.
func TestWatchDatabase(t *testing.T) {
	dsn := pgtest.Database(t)
	signer, v := ledgertest.LogKey(t)
	l, err := postgres.Create(t.Context(), dsn, ledgertest.Origin, postgres.Options{Signer: signer, Verifier: v})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	x, _, _ := watching(t, watchOptions{})
	if _, err := x.p.logSource("postgres:" + dsn + " password=geheim"); !errors.Is(err, errPassword) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("with a password: %v", err)
	}
	s, err := x.p.logSource("postgres:" + dsn)
	if err != nil {
		t.Fatal(err)
	}
	m := monitor.New(monitor.Options{State: x.state, Keys: []note.Verifier{v}, Sources: []monitor.Source{s}, Now: func() time.Time { return o.Pass(0) }})
	for _, least := range []int64{19, 30} {
		r, err := m.Check(t.Context())
		if err != nil || len(r.Away) > 0 || len(r.Raised) > 0 || r.Logs[0].Size < least {
			t.Fatalf("%v, %v", r, err)
		}
		if least == 19 {
			o.IssueCard(t, "A-1", "C-1", "ann", "")
		}
	}
}
