// Package metrics counts what a service over the network does, for Prometheus.
//
// It is told nothing of citizens: labels are the names of relying parties, which the
// operator gave, codes and levels, each from a closed list, and routes, never addresses.
package metrics

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the counts of one service. A nil one counts nothing. It is safe for concurrent
// use.
type Metrics struct {
	registry *prometheus.Registry
	begun    *prometheus.CounterVec
	decided  *prometheus.CounterVec
	redeemed *prometheus.CounterVec
	refused  *prometheus.CounterVec
	judge    prometheus.Observer
	store    *prometheus.HistogramVec
	web      *prometheus.HistogramVec
}

// fine are bounds of histograms from a tenth of a millisecond to some seconds.
var fine = prometheus.ExponentialBuckets(0.0001, 2.5, 13)

// live is what lives in the heap, without the garbage that lies beside it.
var live = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)}

// New makes counts that stand at zero, and the process's own beside them.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tamthe_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "tamthe_" + name, Help: help, Buckets: fine}, labels)
		m.registry.MustRegister(h)
		return h
	}
	m.begun = counter("eid_logins_begun_total", "Logins that a party began.", "party")
	m.decided = counter("eid_logins_decided_total", "Logins that were decided and are on the record; code is accepted or why not.", "party", "code", "level")
	m.redeemed = counter("eid_assertions_total", "Assertions given out.", "party", "level")
	m.refused = counter("eid_calls_refused_total", "Calls that were refused without a decision.", "call", "code")
	m.judge = histogram("eid_judge_seconds", "How long evidence was judged.").WithLabelValues()
	m.store = histogram("eid_store_seconds", "How long a decision took to be on the record.", "outcome")
	m.web = histogram("http_request_seconds", "How long a request was answered.", "route", "status")
	m.registry.MustRegister(collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(live)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Gauge shows what f says whenever it is asked for; name is without the prefix that all have.
// Labels come in pairs of name and value.
func (m *Metrics) Gauge(name, help string, f func() float64, labels ...string) error {
	if m == nil {
		return nil
	}
	pairs := prometheus.Labels{}
	for i := 0; i+1 < len(labels); i += 2 {
		pairs[labels[i]] = labels[i+1]
	}
	return m.registry.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tamthe_" + name, Help: help, ConstLabels: pairs}, f))
}

// Count makes a count that stands at zero, and returns what adds to it; name is without the
// prefix that all have. The values of its labels come from a closed list, in their order.
func (m *Metrics) Count(name, help string, labels ...string) func(n int, values ...string) {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tamthe_" + name, Help: help}, labels)
	m.registry.MustRegister(c)
	return func(n int, values ...string) { c.WithLabelValues(values...).Add(float64(n)) }
}

// Spread makes a histogram over the bounds, and returns what adds to it.
func (m *Metrics) Spread(name, help string, bounds ...float64) func(v float64) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "tamthe_" + name, Help: help, Buckets: bounds})
	m.registry.MustRegister(h)
	return h.Observe
}

// Fine are bounds of a Spread of seconds, from a tenth of a millisecond to some seconds.
func Fine() []float64 { return slices.Clone(fine) }

// Begun counts a login that a party began.
func (m *Metrics) Begun(party string) {
	if m != nil {
		m.begun.WithLabelValues(party).Inc()
	}
}

// Decided counts a decision: "" is accepted.
func (m *Metrics) Decided(party, code, level string) {
	if m == nil {
		return
	}
	if code == "" {
		code = "accepted"
	}
	m.decided.WithLabelValues(party, code, level).Inc()
}

// Redeemed counts an assertion that was given out.
func (m *Metrics) Redeemed(party, level string) {
	if m != nil {
		m.redeemed.WithLabelValues(party, level).Inc()
	}
}

// Refused counts a call that was refused without a decision.
func (m *Metrics) Refused(call, code string) {
	if m != nil {
		m.refused.WithLabelValues(call, code).Inc()
	}
}

// Judged says how long evidence was judged.
func (m *Metrics) Judged(d time.Duration) {
	if m != nil {
		m.judge.Observe(d.Seconds())
	}
}

// Stored says how long a decision took to be kept, or not to be.
func (m *Metrics) Stored(d time.Duration, err error) {
	if m == nil {
		return
	}
	outcome := "kept"
	if err != nil {
		outcome = "failed"
	}
	m.store.WithLabelValues(outcome).Observe(d.Seconds())
}

// Handler shows the counts. It is for who runs the service: not for the network.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Web counts what h answers, by the pattern of the route, other where there is none.
func (m *Metrics) Web(h http.Handler) http.Handler {
	if m == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, seen := time.Now(), &watched{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(seen, r)
		route := r.Pattern
		if route == "" || route == "/" {
			route = "other"
		}
		m.web.WithLabelValues(route, strconv.Itoa(seen.status)).Observe(time.Since(began).Seconds())
	})
}

// watched notices the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *watched) WriteHeader(status int) {
	if !w.wrote && status >= 200 || status == http.StatusSwitchingProtocols {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is beneath.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush implements http.Flusher.
func (w *watched) Flush() {
	if err := http.NewResponseController(w.ResponseWriter).Flush(); errors.Is(err, http.ErrNotSupported) {
		return
	}
}
