package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

const (
	maxJobs = 32
	jobKept = 10 * time.Minute // after its end
)

// job is work that takes longer than a page: it goes on when the browser leaves, and shows
// how far it has come.
type job struct {
	id, operator string
	title        say
	lang         string
	away         bool // no card is needed for it
	cancel       context.CancelFunc

	mu      sync.Mutex
	now     step
	changed chan struct{} // closed when now changes, then made anew
	ended   time.Time
}

// step is how far a job has come, as its page is told.
type step struct {
	What  string   `json:"what,omitempty"`
	Done  int      `json:"done,omitempty"`
	Total int      `json:"total,omitempty"` // 0: not known
	Next  string   `json:"next,omitempty"`  // where the browser goes: the job is done
	Error *Failure `json:"error,omitempty"` // the job ended with it
	Back  string   `json:"back,omitempty"`
}

func (s step) over() bool { return s.Next != "" || s.Error != nil }

// report says how far a job has come: the step in the page's language, and of how many.
type report func(what string, done, total int)

func (j *job) set(s step) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now.over() {
		return
	}
	j.now = s
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *job) state() (step, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.now, j.changed
}

// start runs work in the operator's name and sends the browser to its page; back is where
// one goes after it failed. The session is not locked meanwhile. work returns the path of
// the page that shows what came of it.
func (q *request) start(title say, back string, work func(ctx context.Context, r report) (next string, err error)) error {
	path, err := q.launch(title, back, work)
	if err != nil {
		return err
	}
	return q.redirect(path)
}

// launch is start without sending the browser anywhere: it returns the path of the job's page.
func (q *request) launch(title say, back string, work func(ctx context.Context, r report) (next string, err error)) (string, error) {
	return q.run(&job{title: title}, back, work)
}

// run is launch for a job of which more than its title is said.
func (q *request) run(j *job, back string, work func(ctx context.Context, r report) (next string, err error)) (string, error) {
	_, done := q.session.use(q.c.config.Idle)
	if done == nil {
		return "", errStopping
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), 10*time.Minute)
	j.id, j.operator, j.lang, j.cancel, j.changed = randomID(), q.operator.Name, q.lang, cancel, make(chan struct{})
	if err := q.c.admit(j); err != nil {
		cancel()
		done()
		return "", err
	}
	go func() {
		defer q.c.running.Done()
		defer done()
		defer cancel()
		next, err := q.survive(ctx, work, func(what string, done, total int) { j.set(step{What: what, Done: done, Total: total}) })
		end := step{Next: next, Back: back}
		if err != nil {
			f, _ := q.explain(err)
			end = step{Error: &f, Back: back}
		} else if next == "" {
			end.Next = back
		}
		j.set(end)
		q.c.mu.Lock()
		j.ended = q.c.config.Now()
		q.c.mu.Unlock()
	}()
	return "/jobs/" + j.id, nil
}

// survive does the work of a job. A panic in it ends that job alone: other officers' cards are
// being made in the same process.
func (q *request) survive(ctx context.Context, work func(context.Context, report) (string, error), r report) (next string, err error) {
	defer func() {
		if p := recover(); p != nil {
			q.c.config.Log.ErrorContext(ctx, "a job panicked", "stack", string(debug.Stack()))
			next, err = "", errPanic
		}
	}()
	return work(ctx, r)
}

var errPanic = &problem{"internal", http.StatusInternalServerError, say{"Chương trình gặp lỗi của chính nó", "The program met a fault of its own"}, say{"Việc này đã dừng, không gì khác bị ảnh hưởng. Báo người quản trị: nhật ký máy chủ có chi tiết.", "This job ended, and nothing else is touched. Tell the administrator: the server's log has the details."}}

// admit counts a job in, and forgets those that ended long ago, or first where there is no
// room: only jobs that are running keep others out.
func (c *Console) admit(j *job) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Now()
	for id, old := range c.jobs {
		if !old.ended.IsZero() && now.Sub(old.ended) > jobKept {
			delete(c.jobs, id)
		}
	}
	if c.closed {
		return errStopping
	}
	if len(c.jobs) >= maxJobs && !c.dropEnded() {
		return errBusyPages
	}
	c.jobs[j.id] = j
	c.running.Add(1)
	return nil
}

// dropEnded forgets the job that ended first; false where all are running. The caller holds
// the lock.
func (c *Console) dropEnded() bool {
	var first *job
	for _, j := range c.jobs {
		if !j.ended.IsZero() && (first == nil || j.ended.Before(first.ended)) {
			first = j
		}
	}
	if first == nil {
		return false
	}
	delete(c.jobs, first.id)
	return true
}

// job finds the operator's own job of the page.
func (q *request) job() (*job, error) {
	q.c.mu.Lock()
	defer q.c.mu.Unlock()
	j := q.c.jobs[q.PathValue("job")]
	if j == nil || j.operator != q.operator.Name {
		return nil, errNoPage
	}
	return j, nil
}

func (c *Console) jobRoutes(mux *http.ServeMux) {
	mux.Handle("GET /jobs/{job}", c.page(func(q *request) error {
		j, err := q.job()
		if err != nil {
			return err
		}
		now, _ := j.state()
		if now.Next != "" {
			return q.redirect(now.Next)
		}
		return q.render("job.html", struct {
			ID    string
			Title say
			Now   step
			Away  bool
		}{j.id, j.title, now, j.away})
	}))
	mux.Handle("GET /jobs/{job}/events", c.page((*request).events))
}

// events tells the page, as server-sent events, how far the job has come until it ends.
func (q *request) events() error {
	j, err := q.job()
	if err != nil {
		return err
	}
	out := http.NewResponseController(q.w)
	_ = out.SetWriteDeadline(time.Now().Add(11 * time.Minute))
	q.w.Header().Set("Content-Type", "text/event-stream")
	for {
		now, changed := j.state()
		b, err := json.Marshal(now)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(q.w, "data: %s\n\n", b); err != nil {
			return nil // the browser left
		}
		if err := out.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) || now.over() {
			return nil
		}
		select {
		case <-changed:
		case <-q.c.stop:
			return nil
		case <-q.Context().Done():
			return nil
		}
	}
}
