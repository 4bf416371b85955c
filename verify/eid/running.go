package eid

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// errClosing is told to who would begin a login that could not come to an end.
var errClosing = errors.New("the service is being stopped")

// Close refuses to begin logins from now on, and Ready says so: whoever balances load sends
// no more. What is under way can still be answered.
func (s *Server) Close() { s.closing.Store(true) }

// Ready says why logins cannot be begun, if it is so: the service is being stopped, or its
// store, where that can be asked, keeps nothing.
func (s *Server) Ready(ctx context.Context) error {
	if s.closing.Load() {
		return errClosing
	}
	if store, ok := s.c.Store.(interface{ Ready(context.Context) error }); ok {
		return store.Ready(ctx)
	}
	return nil
}

// health answers whether the service runs, and whether it can do its work.
func (s *Server) health(mux *http.ServeMux) {
	ok := func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }
	mux.HandleFunc("GET /health", ok)
	mux.HandleFunc("GET /healthz", ok)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			s.c.Log.Warn("not ready", "error", err)
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		ok(w, r)
	})
}

// gauges are what the service shows whenever its metrics are asked for.
func (s *Server) gauges() error {
	m := s.c.Metrics
	errs := []error{
		m.Gauge("eid_logins_open", "Logins under way.", func() float64 { n, _ := s.table.count(s.c.Now()); return float64(n) }),
		m.Gauge("eid_logins_remembered", "Logins that ended and are there to say so.", func() float64 { _, n := s.table.count(s.c.Now()); return float64(n) }),
		m.Gauge("eid_logins_most", "Logins that may be under way at once.", func() float64 { return float64(s.c.Sessions) }),
	}
	if s.c.Options.Trust != nil {
		for name, at := range newest(s.c.Options.Trust.CRLs()) {
			errs = append(errs, m.Gauge("eid_crl_age_seconds", "Age of an issuer's newest revocation list.", func() float64 {
				return s.c.Now().Sub(at).Seconds()
			}, "issuer", name))
		}
	}
	return errors.Join(errs...)
}

// newest are the times of the newest list of each issuer.
func newest(lists []*cert.CRL) map[string]time.Time {
	at := map[string]time.Time{}
	for _, l := range lists {
		if name := l.Issuer.String(); l.ThisUpdate.After(at[name]) {
			at[name] = l.ThisUpdate
		}
	}
	return at
}

// refuses counts a call that was refused, and logs one that failed otherwise.
func (s *Server) refuses(call string, err *error) {
	switch code := CodeOf(*err); {
	case code != "":
		s.c.Metrics.Refused(call, string(code))
	case *err != nil:
		s.c.Metrics.Refused(call, string(CodeOutOfOrder))
		s.c.Log.Error("call failed", "call", call, "error", *err)
	}
}

// decided tells of a decision that is on the record.
func (s *Server) decided(ctx context.Context, d Decision) {
	s.c.Metrics.Decided(d.Party, string(d.Code), string(d.Level))
	code := string(d.Code)
	if code == "" {
		code = "accepted"
	}
	s.c.Log.LogAttrs(ctx, slog.LevelInfo, "login decided", slog.String("session", d.Session), slog.String("party", d.Party),
		slog.String("level", string(d.Level)), slog.String("proof", d.Proof), slog.String("code", code), slog.Any("reasons", d.Reasons))
}
