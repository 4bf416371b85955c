package sqlite_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// A ledger stays as quick as it was: entries a second at the beginning and at the end of a
// long one, both against a bare insert at the same time, since the machine has its moods.
// TAMTHE_SOAK takes it to ten million entries, or as many as it says if it says more than
// one, holds the audit to 200 MB and says what it took; by default it goes to a few thousand,
// and of the figures only the memory is judged.
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
	a := newAppendBench(t)
	if full, err := a.ledger.Pragma(t.Context(), "synchronous"); err != nil || full != "2" {
		t.Fatalf("synchronous is %q, not FULL: %v", full, err)
	}
	var ratios []float64
	for w := range windows {
		var ours, theirs time.Duration
		entries := 0
		for range applications / windows / batch {
			jobs := a.office.Jobs(t, 1, batch)
			ours += a.ours(t, jobs, 1)
			theirs += a.theirs(t, jobs)
			entries += ledgertest.Count(jobs)
		}
		ratios = append(ratios, float64(theirs)/float64(ours))
		t.Logf("part %d, %d entries: %.0f entries/s, %.3f of a bare insert", w+1, entries, float64(entries)/ours.Seconds(), ratios[w])
	}
	first, last := ratios[0]+ratios[1], ratios[windows-2]+ratios[windows-1]
	t.Logf("the last fifth is %.2f of the first", last/first)
	if soak && (last < 0.85*first) {
		t.Errorf("the ledger slows down: %.2f", last/first)
	}

	debug.FreeOSMemory()
	var peak uint64
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
	start := time.Now()
	r, err := a.ledger.Verify(t.Context(), nil)
	close(stop)
	<-done
	if err != nil || !r.OK() {
		t.Fatalf("%+v %v", r, err)
	}
	t.Logf("audit of %d entries: %.0f entries/s, at most %d MB", r.Size, float64(r.Size)/time.Since(start).Seconds(), peak>>20)
	if peak > 200<<20 {
		t.Errorf("the audit took %d MB", peak>>20)
	}
}
