package console

import (
	"crypto"
	"crypto/rand"
	"io"
	"net/http"
	"sync"
	"time"
)

// cookie names the session. The prefix makes browsers refuse one from elsewhere: it is
// Secure, which they take on localhost too, and for this host alone.
const cookie = "__Host-tamthe"

// session is one browser in which somebody logged in. Once it is locked its key is gone,
// and what was being sent waits until the same operator is back.
type session struct {
	id       string
	operator string
	began    time.Time
	done     *done // goes on in the session that takes its place

	mu      sync.Mutex
	key     crypto.Signer // nil while locked
	users   int           // requests and jobs that sign with it now
	timer   *time.Timer
	over    bool
	shut    bool // locked by its operator; the key is gone with its last use
	waiting *waiting
}

// turns is a key that several requests may use at once: one after the other.
type turns struct {
	mu  sync.Mutex
	key crypto.Signer
}

func (t *turns) Public() crypto.PublicKey { return t.key.Public() }

func (t *turns) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.key.Sign(random, digest, opts)
}

func (t *turns) Destroy() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k, ok := t.key.(interface{ Destroy() }); ok {
		k.Destroy()
	}
}

// maxWaiting bounds what a locked session keeps of what was sent, in octets.
const maxWaiting = 4 << 20

// waiting is what was sent to a locked session.
type waiting struct {
	path, kind string // kind is its Content-Type
	body       []byte
}

// begin starts a session with an unlocked key.
func (c *Console) begin(w http.ResponseWriter, operator string, key crypto.Signer, old *session) {
	s := &session{id: rand.Text(), operator: operator, began: c.config.Now(), key: &turns{key: key}, done: &done{}}
	if old != nil && old.operator == operator {
		s.waiting, s.done = old.kept(false), old.done
	}
	s.timer = time.AfterFunc(c.config.Idle, func() { c.idle(s) })
	c.mu.Lock()
	if old != nil {
		delete(c.sessions, old.id)
	}
	if len(c.sessions) >= maxSessions {
		c.evict()
	}
	c.sessions[s.id] = s
	closed := c.closed
	c.mu.Unlock()
	if old != nil {
		old.end()
	}
	if closed {
		s.end()
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: s.id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// evict makes room by ending a session, a locked one if there is any, else the oldest.
func (c *Console) evict() {
	var worst *session
	for _, s := range c.sessions {
		if worst == nil || s.locked() && !worst.locked() || s.locked() == worst.locked() && s.began.Before(worst.began) {
			worst = s
		}
	}
	delete(c.sessions, worst.id)
	worst.end()
}

// of finds the session of a request, locked or not.
func (c *Console) of(r *http.Request) *session {
	k, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[k.Value]
	if s == nil {
		return nil
	}
	if age := c.config.Now().Sub(s.began); age > lifetime || age < 0 {
		delete(c.sessions, s.id)
		s.end()
		return nil
	}
	return s
}

// idle locks a session that nobody used, unless its key is being used now.
func (c *Console) idle(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users > 0 {
		s.timer.Reset(c.config.Idle)
		return
	}
	s.forget()
}

// use returns the session's key and counts the use; nil while it is locked. What returns it
// must be called once.
func (s *session) use(idle time.Duration) (crypto.Signer, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil || s.over || s.shut {
		return nil, nil
	}
	s.users++
	s.timer.Reset(idle)
	return s.key, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.users--; (s.over || s.shut) && s.users == 0 {
			s.forget()
		}
	}
}

func (s *session) locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key == nil || s.shut
}

// lock lets nothing more be done with the key; what is being done is, and then it is gone.
func (s *session) lock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut = true; s.users == 0 {
		s.forget()
	}
}

// end makes the session unusable; its key is gone with its last use.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
	if s.users == 0 {
		s.forget()
	}
}

// forget destroys the key. The caller holds the lock.
func (s *session) forget() {
	if k, ok := s.key.(interface{ Destroy() }); ok {
		k.Destroy()
	}
	s.key = nil
}

// keep remembers what was sent to a locked session.
func (s *session) keep(w *waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = w
}

// kept is what was sent to it, which is given back once where take is set.
func (s *session) kept(take bool) *waiting {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting
	if take {
		s.waiting = nil
	}
	return w
}
