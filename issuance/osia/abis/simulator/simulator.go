// Package simulator is a biometric register for trying out: it speaks the ABIS interface of
// OSIA over HTTP, keeps what it is given in memory, and finds pictures that are alike. It can
// be told to answer late, twice, out of order, wrongly, or not at all.
package simulator

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Fault is what a simulator does with one question instead of answering it.
type Fault struct {
	Silent  bool          // it takes the question and never answers
	Later   time.Duration // it answers so much later
	Twice   bool          // it calls back two times
	Held    bool          // it calls back when Release is called, not before
	Foreign bool          // it names another question of ours
	Garbage []byte        // it answers with these octets
	Status  int           // it answers with this status of HTTP
	Error   bool          // it calls back that it could not
}

// Simulator is the register. The zero value answers at once, where it may, and knows nobody.
type Simulator struct {
	Token     string // who asks has this bearer token; empty: everybody may
	Threshold int    // of likeness, 1 to 1000, from which on two are one; 900 if 0
	// Fault is asked what to do with a question of a kind: insert, identify, delete, verify.
	// Nil: answer it.
	Fault func(op string) Fault
	// Callback calls back; nil: by plain HTTP.
	Client *http.Client

	mu       sync.Mutex
	faces    []kept
	tasks    map[string]*task
	held     []*task
	calls    sync.WaitGroup
	received []string
}

// kept is one encounter.
type kept struct {
	person, id string
	galleries  []string
	print      faceprint
	body       []byte // as it was given
}

// task is a question that is answered by calling back.
type task struct {
	id, transaction, callback string
	kind                      string // of the content
	body                      []byte
	status                    string
}

func name() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

func (s *Simulator) fault(op string) Fault {
	s.mu.Lock()
	s.received = append(s.received, op)
	s.mu.Unlock()
	if s.Fault == nil {
		return Fault{}
	}
	return s.Fault(op)
}

// Received lists what it was asked to do so far.
func (s *Simulator) Received() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Faces is how many encounters it keeps.
func (s *Simulator) Faces() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faces)
}

// Handler is the register over HTTP.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	const one = "/v1/persons/{person}/encounters/{encounter}"
	mux.HandleFunc("POST "+one, func(w http.ResponseWriter, r *http.Request) { s.insert(w, r, false) })
	mux.HandleFunc("PUT "+one, func(w http.ResponseWriter, r *http.Request) { s.insert(w, r, true) })
	mux.HandleFunc("GET "+one, s.read)
	mux.HandleFunc("DELETE "+one, s.delete)
	mux.HandleFunc("POST /v1/identify/{gallery}", s.identify)
	mux.HandleFunc("POST /v1/verify/{gallery}/{person}", s.verify)
	mux.HandleFunc("GET /v1/galleries", s.galleries)
	mux.HandleFunc("GET /v1/tasks/{task}/status", s.status)
	mux.HandleFunc("POST /v1/tasks/{task}/redeliver", s.redeliver)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+s.Token)) != 1 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if r.URL.Query().Get("transactionId") == "" {
			answer(w, http.StatusBadRequest, wireError{1, "no transactionId"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// done answers a question: at once, where nobody is to be called back, or by a task.
func (s *Simulator) done(w http.ResponseWriter, r *http.Request, op string, status int, body []byte) {
	f := s.fault(op)
	back := r.URL.Query().Get("callback")
	switch {
	case f.Status != 0:
		answer(w, f.Status, wireError{f.Status, "as it was told to"})
		return
	case back == "":
		if f.Garbage != nil {
			body = f.Garbage
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write(body)
		return
	}
	t := &task{id: name(), transaction: r.URL.Query().Get("transactionId"), callback: back, kind: "application/json", body: body, status: "PENDING"}
	if status == http.StatusNoContent {
		t.body = []byte(`"OK"`)
	}
	if f.Error {
		t.kind, t.body = "application/error+json", []byte(`{"code":7,"message":"as it was told to"}`)
	}
	if f.Garbage != nil {
		t.body = f.Garbage
	}
	id := t.id
	if f.Foreign {
		t.transaction = "B-of-somebody-else"
	}
	s.mu.Lock()
	if s.tasks == nil {
		s.tasks = map[string]*task{}
	}
	s.tasks[id] = t
	if f.Held {
		s.held = append(s.held, t)
	}
	s.mu.Unlock()
	answer(w, http.StatusAccepted, map[string]string{"taskId": id})
	if !f.Silent && !f.Held {
		s.later(t, f.Later, f.Twice)
	}
}

// later calls back in a goroutine of its own, which Wait waits for.
func (s *Simulator) later(t *task, after time.Duration, twice bool) {
	s.calls.Go(func() {
		time.Sleep(after)
		s.call(t)
		if twice {
			s.call(t)
		}
	})
}

// Release calls back for everything that was held, the newest first, and waits until it has.
func (s *Simulator) Release() {
	s.mu.Lock()
	list := s.held
	s.held = nil
	s.mu.Unlock()
	for _, t := range slices.Backward(list) {
		s.call(t)
	}
}

// Wait waits for all that it is about to call back.
func (s *Simulator) Wait() { s.calls.Wait() }

// call calls back once.
func (s *Simulator) call(t *task) {
	u, err := url.Parse(t.callback)
	if err != nil {
		return
	}
	q := u.Query()
	q.Set("transactionId", t.transaction)
	q.Set("taskId", t.id)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(t.body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", t.kind)
	c := s.Client
	if c == nil {
		c = http.DefaultClient
	}
	resp, err := c.Do(req)
	word := "RESPONSE_ERROR"
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusNoContent {
			word = "COMPLETED"
		}
	}
	s.mu.Lock()
	t.status = word
	s.mu.Unlock()
}
