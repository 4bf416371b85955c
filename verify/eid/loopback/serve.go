package loopback

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Add("Vary", "Origin")
	if code := a.foreign(r); code != "" { // and not a word that its page could read
		tell(w, statuses[code], Told{Code: string(code)})
		return
	}
	origin := r.Header.Get("Origin")
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	if err := a.answer(w, r, origin); err != nil {
		if c, ok := errors.AsType[refusal](err); ok {
			tell(w, statuses[Code(c)], Told{Code: string(c)})
			return
		}
		tell(w, http.StatusForbidden, a.c.Tell(err))
	}
}

// refusal is a Code as an error.
type refusal Code

func (r refusal) Error() string { return string(r) }

// foreign says why a request is of nobody who may ask; "" if it is.
func (a *Agent) foreign(r *http.Request) Code {
	origins := r.Header.Values("Origin")
	switch {
	case r.Host != a.c.Address.String():
		return CodeHost
	case len(origins) == 0:
		return CodeNoOrigin
	case slices.Contains(origins, "null"):
		return CodeNullOrigin
	case len(origins) != 1 || !slices.Contains(a.c.Origins, origins[0]):
		return CodeOrigin
	}
	return ""
}

// preflight lets the browser send what a page of an allowed origin asks. A page of the public
// network that asks this machine needs to be told so (Private Network Access §3.1.2).
func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", "authorization, content-type")
	h.Set("Access-Control-Max-Age", "0")
	h.Add("Vary", "Access-Control-Request-Private-Network")
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	w.WriteHeader(http.StatusNoContent)
}

// answer does what there is to do.
func (a *Agent) answer(w http.ResponseWriter, r *http.Request, origin string) error {
	verb := map[string]func(context.Context, *http.Request, string, string) (any, error){
		"/agent/v1/pair": a.pair, "/agent/v1/login": a.login,
	}[r.URL.Path]
	if verb == nil || r.Method != http.MethodPost {
		return refusal(CodeVerb)
	}
	var in struct {
		Code string `json:"code"`
	}
	if r.Header.Get("Content-Type") != "application/json" { // a form, which a browser sends without asking
		return refusal(CodeMalformed)
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if d.Decode(&in) != nil || in.Code == "" || len(in.Code) > 20 || strings.Trim(in.Code, "0123456789 ") != "" {
		return refusal(CodeMalformed)
	}
	if _, err := d.Token(); err != io.EOF {
		return refusal(CodeMalformed)
	}
	// People and cards take longer than a server lets a request be: a server without limits,
	// or a test's, is none to change.
	limits, until := http.NewResponseController(w), time.Now().Add(loginTime+time.Minute)
	_, _ = limits.SetReadDeadline(until), limits.SetWriteDeadline(until)
	out, err := verb(r.Context(), r, origin, strings.ReplaceAll(in.Code, " ", ""))
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(out)
}

// login does one login for a paired page, if no other is under way.
func (a *Agent) login(ctx context.Context, r *http.Request, origin, code string) (any, error) {
	if !a.paired(r, origin) {
		return nil, refusal(CodeUnpaired)
	}
	if !a.session.TryLock() {
		return nil, refusal(CodeBusy)
	}
	defer a.session.Unlock()
	ctx, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	f, err := a.c.Login(ctx, origin, code)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func tell(w http.ResponseWriter, status int, t Told) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(t) // whoever is gone has no use for it
}
