package postgres_test

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// A ledger stays as quick as it was: entries a second in each tenth of a long one from the
// second on, against a bare insert of the same octets in the same server at the same time, since
// the machine has its moods. TAMTHE_SOAK takes it to ten million entries, or as many as it says
// if it says more than one; by default it goes to a few thousand, and of the figures only the
// memory of the audit is judged.
func TestLongLedger(t *testing.T) {
	if testing.Short() {
		t.Skip("a long ledger takes time")
	}
	applications, batch, soak := 2_000, 50, os.Getenv("TAMTHE_SOAK") != ""
	if soak {
		applications, batch = 5_000_000, 500 // of two entries each
		if n, err := strconv.Atoi(os.Getenv("TAMTHE_SOAK")); err == nil && n > 1 {
			applications = n / 2
		}
	}
	const windows = 10
	a := newAppendBench(t, 1)
	var ratios []float64
	size := 0
	for w := range windows {
		var ours, theirs time.Duration
		entries := 0
		for range applications / windows / batch {
			jobs := a.office.Jobs(t, 1, batch)
			ours += a.ours(t, jobs)
			theirs += a.theirs(t, jobs)
			entries += 2 * batch
		}
		size += entries
		ratios = append(ratios, float64(theirs)/float64(ours))
		t.Logf("part %d, up to %d entries: %.0f entries/s, %.3f of a bare insert", w+1, size, float64(entries)/ours.Seconds(), ratios[w])
	}
	mean, worst := 0.0, 0.0
	for _, r := range ratios[1:] { // of a ledger that is long: the first part is of one that is not
		mean += r / (windows - 1)
	}
	for _, r := range ratios[1:] {
		worst = max(worst, math.Abs(r/mean-1))
	}
	t.Logf("from the second part on %.3f of a bare insert, ± %.0f %%", mean, 100*worst)
	if soak && worst > 0.15 {
		t.Errorf("the ledger is not as quick as it was: ± %.0f %%", 100*worst)
	}
	for name, audit := range map[string]func() (*ledger.Report, error){
		"rehash": func() (*ledger.Report, error) { return a.ledger.Rehash(t.Context()) },
		"audit":  func() (*ledger.Report, error) { return a.ledger.Verify(t.Context(), nil) },
	} {
		start := time.Now()
		var r *ledger.Report
		var err error
		peak := memory(func() { r, err = audit() })
		if err != nil || !r.OK() || r.Size < int64(size) {
			t.Fatalf("%+v %v", r, err)
		}
		t.Logf("%s of %d entries: %.0f entries/s, at most %d MB", name, r.Size, float64(r.Size)/time.Since(start).Seconds(), peak>>20)
		if peak > 200<<20 {
			t.Errorf("the %s took %d MB", name, peak>>20)
		}
	}
}

// memory is how much the program had in use at most while f ran.
func memory(f func()) (peak uint64) {
	debug.FreeOSMemory()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse+m.StackInuse)
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak
}
