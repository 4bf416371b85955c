package cms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/eid/meter"
)

// Profile is what the office makes cards of, as a credential profile.
type Profile struct {
	ID, Name, Description string
}

// Config is what a service works with.
type Config struct {
	Systems   []System
	Issuer    *Issuer // of tokens; nil: bearer tokens of the systems' own only
	Authority string  // who issues, as requests and credentials have it
	Profile   Profile
	Office    Office
	Store     Store
	Now       func() time.Time
	Log       *slog.Logger // nil: silent. What it is told holds no personal data
}

// Server answers systems of others. It may be used by many goroutines at once.
type Server struct {
	c     Config
	rates meter.Meter
}

// New makes a service; what cannot be is an error.
func New(c Config) (*Server, error) {
	if c.Office == nil || c.Store == nil || c.Now == nil || c.Profile.ID == "" {
		return nil, errors.New("cms needs an office, a store, a clock and a profile")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	seen := map[string]bool{}
	for _, y := range c.Systems {
		if !isName(y.ID) || seen[y.ID] {
			return nil, fmt.Errorf("system %q: each has a name of its own", y.ID)
		}
		if len(y.Scopes) == 0 || slices.ContainsFunc(y.Scopes, func(s string) bool { return !slices.Contains(Scopes(), s) }) {
			return nil, fmt.Errorf("system %s: its scopes are some of %s", y.ID, strings.Join(Scopes(), ", "))
		}
		seen[y.ID] = true
	}
	return &Server{c: c}, nil
}

// call is one call of the interface, read as far as they are alike.
type call struct {
	*caller
	ctx        context.Context
	id         string // of the request or credential in the address
	name       string // of the transaction
	attributes []string
	body       []byte
}

// operation answers a call; out nil is an answer without a body.
type operation func(*call) (status int, out any, err error)

// Handler is the service over HTTP.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, o := range map[string]struct {
		scope string
		do    operation
	}{
		"POST /v1/credentialRequests/{id}":        {RequestWrite, s.createRequest},
		"GET /v1/credentialRequests/{id}":         {RequestRead, s.readRequest},
		"PUT /v1/credentialRequests/{id}":         {RequestWrite, s.updateRequest},
		"POST /v1/credentialRequests/{id}/cancel": {RequestWrite, s.cancelRequest},
		"POST /v1/credentials":                    {CredentialRead, s.findCredentials},
		"GET /v1/credentials/{id}":                {CredentialRead, s.readCredential},
		"PUT /v1/credentials/{id}":                {CredentialWrite, s.updateCredential},
		"POST /v1/credentials/{id}/suspend":       {CredentialWrite, s.suspend},
		"POST /v1/credentials/{id}/unsuspend":     {CredentialWrite, s.unsuspend},
		"POST /v1/credentials/{id}/revoke":        {CredentialWrite, s.revoke},
		"POST /v1/credentials/{id}/status":        {CredentialWrite, s.setStatus},
		"POST /v1/credentialProfiles":             {ProfileRead, s.findProfiles},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, pattern, o.scope, o.do) })
	}
	mux.HandleFunc("GET /healthz", s.health)
	return mux
}

// health says ok where a call could be stored.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.c.Store.Commands(r.Context(), Waiting); err != nil {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ok\n")
}

// strangers is how many calls a minute one network may make that no system signed in for.
const strangers = 60

func (s *Server) serve(w http.ResponseWriter, r *http.Request, what, scope string, do operation) {
	w.Header().Set("Cache-Control", "no-store")
	who, err := s.caller(r)
	switch {
	case err != nil && !s.rates.Pass("from "+meter.Network(r.RemoteAddr), strangers, s.c.Now()):
		s.tooMany(w)
		return
	case err != nil:
		w.Header().Set("WWW-Authenticate", `Bearer realm="cms"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !s.rates.Pass("system "+who.ID, rate(who.System), s.c.Now()):
		s.tooMany(w)
		return
	case !slices.Contains(who.scopes, scope):
		s.c.Log.Info("refused", "system", who.ID, "what", what, "why", "scope")
		w.Header().Set("WWW-Authenticate", `Bearer realm="cms", error="insufficient_scope", scope="`+scope+`"`)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	c, err := s.read(w, r, who)
	var status int
	var out any
	if err == nil {
		status, out, err = do(c)
	}
	s.answer(w, who.ID, what, status, out, err)
}

func rate(y *System) int {
	if y.Rate > 0 {
		return y.Rate
	}
	return 120
}

func (s *Server) tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "60")
	s.write(w, http.StatusTooManyRequests, wireError{CodeRate, "too many calls"})
}

// read reads what is alike in all calls.
func (s *Server) read(w http.ResponseWriter, r *http.Request, who *caller) (*call, error) {
	c := &call{caller: who, ctx: r.Context(), id: r.PathValue("id"), attributes: r.URL.Query()["attributes"]}
	if r.PathValue("id") != "" && !isName(c.id) {
		return nil, problem(CodeName, "the name in the address is of letters, digits, dots, hyphens and underscores, and not digits alone")
	}
	all := r.URL.Query()["transactionId"]
	if len(all) != 1 || all[0] == "" || len(all[0]) > maxText {
		return nil, problem(CodeTransaction, "one transactionId of at most 200 octets is wanted")
	}
	c.name = transactionName(who.ID, all[0])
	if len(c.attributes) > 32 || slices.ContainsFunc(c.attributes, func(a string) bool { return !isWord(a) }) {
		return nil, problem(CodeFormat, "attributes are names of attributes, each in a parameter of its own")
	}
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody)); err != nil {
		return nil, problem(CodeFormat, "the body is too long, or was cut")
	}
	if len(c.body) > 0 {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return nil, problem(CodeFormat, "the body is application/json")
		}
	}
	return c, nil
}

// wireError is the interface's own.
type wireError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// answer says what came of a call, by the statuses of the interface.
func (s *Server) answer(w http.ResponseWriter, system, what string, status int, out any, err error) {
	if err == nil {
		s.write(w, status, out)
		return
	}
	p, wrong := errors.AsType[*Problem](err)
	switch {
	case wrong:
		s.write(w, http.StatusBadRequest, wireError{p.Code, p.Message})
	case errors.Is(err, ErrUnknown):
		w.WriteHeader(http.StatusNotFound)
	case errors.Is(err, ErrExists):
		w.WriteHeader(http.StatusConflict)
	case errors.Is(err, ErrClosed):
		w.WriteHeader(http.StatusForbidden)
	default:
		s.c.Log.Error("failed", "system", system, "what", what, "err", err)
		s.write(w, http.StatusInternalServerError, wireError{CodeDown, "the office's own trouble: send the same again later"})
		return
	}
	s.c.Log.Info("refused", "system", system, "what", what, "why", strings.SplitN(err.Error(), ":", 2)[0])
}

func (s *Server) write(w http.ResponseWriter, status int, out any) {
	if out == nil {
		w.WriteHeader(status)
		return
	}
	b, err := json.Marshal(out)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"code":12,"message":"the office's own trouble"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}
