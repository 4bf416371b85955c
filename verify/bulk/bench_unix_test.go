//go:build unix

package bulk

import (
	"context"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
)

// The document of the benchmarks: DG1 of 95 octets, DG2 of 20 KB, DG13 of some 600, DG14 and
// DG15; and how often each side is measured, in turn.
const (
	pictureSize = 20_000
	rounds      = 9
	perRound    = 256
)

// BenchmarkJudge says how the CPU time of judging a document whose signer is known compares
// with that of hashing its groups and one verification by OpenSSL on the same machine, in
// the same run, measured in turn; and how many allocations a document costs.
func BenchmarkJudge(b *testing.B) {
	if _, err := exec.LookPath("openssl"); err != nil {
		testdata.Missing(b, "openssl", "there is no openssl to compare with")
	}
	for _, s := range suites {
		b.Run(s.name, func(b *testing.B) {
			o := newOffice(b, s)
			cards := o.cards(64, pictureSize)
			j := New(o.options())
			judgeAll(b, j, cards)
			judgeAll(b, j, cards)
			var ours, hashes, openssl series
			for range rounds {
				openssl.add(opensslVerification(b, s.openssl))
				judgeAll(b, j, cards) // the caches are openssl's
				for range 2 {
					ours.add(cpu(func() { judgeAll(b, j, cards) }) / perRound)
					hashes.add(cpu(func() { hashAll(s, cards) }) / perRound)
				}
			}
			if ours.noisy() || hashes.noisy() || openssl.noisy() {
				b.Skipf("the machine is too busy: %v, %v, %v", ours, hashes, openssl)
			}
			b.ReportMetric(ours.median()/(hashes.median()+openssl.median()), "x-raw")
			b.ReportMetric(ours.min()/(hashes.min()+openssl.min()), "x-raw-least")
			b.ReportMetric(testing.AllocsPerRun(10, func() { judgeOne(b, j, cards[5]) }), "allocs-doc")
		})
	}
}

// BenchmarkJudgeWorkers says how much faster two workers are than one, by the clock.
func BenchmarkJudgeWorkers(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("one processor")
	}
	o := newOffice(b, suites[3])
	cards := o.cards(64, pictureSize)
	j := New(o.options())
	judgeAll(b, j, cards)
	clock := func(workers int) float64 {
		start := time.Now()
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for range 4 {
					judgeAll(b, j, cards)
				}
			})
		}
		all.Wait()
		return float64(time.Since(start)) / float64(workers)
	}
	var one, two series
	for range rounds {
		one.add(clock(1))
		two.add(clock(2))
	}
	b.ReportMetric(one.min()/two.min(), "x-one")
}

func judgeOne(b testing.TB, j *Judge, files verify.Files) {
	if r, err := j.Files(context.Background(), files); err != nil || r.Verdict != verify.Accept {
		b.Errorf("%v, %v %v", err, r.Verdict, r.Reasons)
	}
}

func judgeAll(b testing.TB, j *Judge, cards []verify.Files) {
	for i := range perRound {
		judgeOne(b, j, cards[i%len(cards)])
	}
}

func hashAll(s suite, cards []verify.Files) {
	var buffer [64]byte
	for i := range perRound {
		for f, raw := range cards[i%len(cards)] {
			if f.Number() > 0 {
				cert.AppendDigest(buffer[:0], s.alg.Hash, raw)
			}
		}
	}
}

// cpu is the processor time that the program spends in f, in nanoseconds.
func cpu(f func()) float64 {
	runtime.GC()
	before := spent()
	f()
	return float64(spent() - before)
}

func spent() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

var verifyRate = regexp.MustCompile(`\s([0-9.]+)\s*$`)

// opensslVerification is the processor time of one verification by `openssl speed`.
func opensslVerification(b *testing.B, name string) float64 {
	b.Helper()
	out, err := exec.Command("openssl", "speed", "-seconds", "1", name).Output()
	if err != nil {
		b.Fatal(err)
	}
	m := verifyRate.FindSubmatch(out)
	if m == nil {
		b.Fatalf("openssl speed %s says %s", name, out)
	}
	rate, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil || rate <= 0 {
		b.Fatalf("openssl speed %s: %q", name, m[1])
	}
	return 1e9 / rate
}

// series is a row of measurements.
type series []float64

func (s *series) add(v float64) { *s = append(*s, v) }

func (s series) min() float64 { return slices.Min(s) }

func (s series) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	return sorted[len(sorted)/2]
}

// noisy says that the measurements are worth nothing.
func (s series) noisy() bool { return s.median() > 1.3*s.min() }

// The document is what the figures are said for.
func TestBenchmarkedDocument(t *testing.T) {
	files := newOffice(t, suites[3]).cards(1, pictureSize)[0]
	for f, want := range map[lds.File][2]int{lds.DG1: {95, 95}, lds.DG2: {20_000, 20_200}, lds.DG13: {300, 904}, lds.DG14: {150, 200}, lds.DG15: {90, 100}} {
		if n := len(files[f]); n < want[0] || n > want[1] {
			t.Errorf("%v has %d octets", f, n)
		}
	}
}
