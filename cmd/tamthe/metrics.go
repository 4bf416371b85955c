package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// logTo is a service's log: on standard error, and as JSON at the end of a file, if one is
// named.
func (p *program) logTo(path string) (log *slog.Logger, done func(), err error) {
	if path == "" {
		return slog.New(said{p}), func() {}, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return slog.New(slog.NewMultiHandler(said{p}, slog.NewJSONHandler(f, nil))), func() { _ = f.Close() }, nil
}

// metricsListener shows counts on an address of this machine, beside a service; where no
// address is given it is nil, and shows nothing.
type metricsListener struct {
	l      net.Listener
	web    *http.Server
	ended  chan error
	health http.HandlerFunc // of a service that listens nowhere else; nil: it says so itself
}

// listenMetrics listens on this machine only: counts are for who runs the service.
func listenMetrics(ctx context.Context, address string) (*metricsListener, error) {
	if address == "" {
		return nil, nil
	}
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, usagef("--metrics %s: an address of this machine", address)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &metricsListener{l: l}, nil
}

// serve begins to answer; close ends it.
func (m *metricsListener) serve(h http.Handler) {
	if m == nil {
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h)
	if m.health != nil {
		mux.HandleFunc("GET /healthz", m.health)
	}
	m.web = &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10}
	m.ended = make(chan error, 1)
	go func() { m.ended <- m.web.Serve(m.l) }()
}

// close ends it and waits for it.
func (m *metricsListener) close() error {
	switch {
	case m == nil:
		return nil
	case m.web == nil:
		return m.l.Close()
	}
	err := m.web.Close()
	if e := <-m.ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}
