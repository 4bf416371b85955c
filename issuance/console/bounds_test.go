package console

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// bare is a console with no office, for what it holds of its own.
func bare() *Console {
	now := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	return &Console{
		config: Config{Now: func() time.Time { now = now.Add(time.Millisecond); return now }, Idle: time.Minute},
		jobs:   map[string]*job{},
	}
}

// Jobs that ended are there for their pages only: a busy office is not kept from its next
// card by those of the last ten minutes.
func TestEndedJobsKeepNobodyOut(t *testing.T) {
	c := bare()
	var jobs []*job
	admit := func() error {
		j := &job{id: randomID()}
		jobs = append(jobs, j)
		return c.admit(j)
	}
	for i := range 2 * maxJobs {
		if err := admit(); err != nil {
			t.Fatalf("job %d: %v", i, err)
		}
		jobs[i].ended = c.config.Now()
	}
	if len(c.jobs) != maxJobs || c.jobs[jobs[0].id] != nil || c.jobs[jobs[maxJobs].id] == nil {
		t.Errorf("%d jobs are remembered, and not the newest", len(c.jobs))
	}
	for range maxJobs {
		if err := admit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := admit(); !errors.Is(err, errBusyPages) {
		t.Errorf("more than may run: %v", err)
	}
}

// What was sent to a locked session outlives a session that was locked again while its
// operator was asked whether it is to be done.
func TestWaitingOutlivesAnotherLock(t *testing.T) {
	c, s := bare(), &session{}
	send := func(path string) {
		r := httptest.NewRequest("POST", path, strings.NewReader("form=1"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		(&request{Request: r, c: c, w: httptest.NewRecorder(), session: s}).wait()
	}
	send("/desk/cards/C-1/deliver")
	for _, path := range []string{"/waiting", "/waiting/drop"} {
		send(path)
		if k := s.kept(false); k == nil || k.path != "/desk/cards/C-1/deliver" {
			t.Errorf("%s took its place: %v", path, k)
		}
	}
}

// A session whose key is being used is not locked for want of pages: the card that is being
// made comes to its end first.
func TestUseKeepsAwake(t *testing.T) {
	c := bare()
	s := &session{key: &turns{}, timer: time.NewTimer(time.Hour)}
	_, done := s.use(time.Hour)
	if c.idle(s); s.locked() {
		t.Error("locked under the hands of whoever uses it")
	}
	done()
	if c.idle(s); !s.locked() {
		t.Error("open though nobody uses it")
	}
}

// A job that panics, as one that reads a hostile card might, ends itself alone, and says so.
func TestPanicEndsItsJobAlone(t *testing.T) {
	c := bare()
	c.config.Log = slog.New(slog.DiscardHandler)
	s := &session{key: &gone{}, timer: time.NewTimer(time.Hour)}
	q := &request{Request: httptest.NewRequest("POST", "/", nil), c: c, session: s, lang: "vi"}
	j := &job{}
	if _, err := q.run(j, "/back", func(context.Context, report) (string, error) { panic("hostile") }); err != nil {
		t.Fatal(err)
	}
	c.running.Wait()
	if now, _ := j.state(); now.Error == nil || now.Error.Code != errPanic.code || now.Back != "/back" {
		t.Errorf("the job ended as %+v", now)
	}
	if s.users != 0 {
		t.Errorf("the key is in use by %d", s.users)
	}
}
