package portal

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// session is one browser's.
type session struct {
	id      string
	began   time.Time
	login   *pending // a login under way
	citizen *citizen // who logged in
}

const (
	sessionLife = 30 * time.Minute
	maxSessions = 10_000
)

func random() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// cookie is the name of the session's: by TLS no other host can set it.
func (p *Portal) cookie() string {
	if strings.HasPrefix(p.c.URL, "https://") {
		return "__Host-portal"
	}
	return "portal"
}

// known is the session of a browser; nil without one.
func (p *Portal) known(r *http.Request) *session {
	c, err := r.Cookie(p.cookie())
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sessions[c.Value]
	if s == nil || p.c.Now().Sub(s.began) > sessionLife {
		return nil
	}
	return s
}

// begin gives a browser a session of its own. Who logs in gets a new one, so that nobody
// knows it from before.
func (p *Portal) begin(q *request, s *session) {
	s.id, s.began = random(), p.c.Now()
	p.mu.Lock()
	if q.session != nil {
		delete(p.sessions, q.session.id)
	}
	for id, old := range p.sessions {
		if s.began.Sub(old.began) > sessionLife || len(p.sessions) >= maxSessions {
			delete(p.sessions, id)
		}
	}
	p.sessions[s.id] = s
	p.mu.Unlock()
	q.session = s
	http.SetCookie(q.w, &http.Cookie{
		Name: p.cookie(), Value: s.id, Path: "/", HttpOnly: true, Secure: strings.HasPrefix(p.c.URL, "https://"), SameSite: http.SameSiteLaxMode,
	})
}

func (p *Portal) logout(q *request) error {
	p.begin(q, &session{})
	return q.redirect("/")
}
