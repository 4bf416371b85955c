package sqlite_test

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/desk"
)

// A data set of a long ledger takes the memory of a short one. TAMTHE_SOAK takes a million
// applications, or as many as it says if it says more than one.
func TestDatasetOfLongLedger(t *testing.T) {
	if testing.Short() {
		t.Skip("a long ledger takes time")
	}
	sizes := []int{500, 3_000}
	if os.Getenv("TAMTHE_SOAK") != "" {
		sizes = []int{100_000, 1_000_000}
		if n, err := strconv.Atoi(os.Getenv("TAMTHE_SOAK")); err == nil && n > 1 {
			sizes = []int{n / 10, n}
		}
	}
	a := newAppendBench(t)
	var peaks []uint64
	made := 0
	for _, size := range sizes {
		for ; made < size; made += 500 {
			a.ours(t, a.office.Jobs(t, 1, 500), 1)
		}
		o := desk.Office{Store: a.ledger, Now: func() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }, Place: "hanoi"}
		options := desk.DatasetOptions{
			From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), Origin: a.ledger.Origin(), Temp: t.TempDir(),
		}
		debug.FreeOSMemory()
		stop := watchHeap()
		begun := time.Now()
		of, result, err := o.WriteDataset(t.Context(), io.Discard, options)
		peaks = append(peaks, stop())
		if err != nil {
			t.Fatal(err)
		}
		// One act of each application, unless March is over before the last of them.
		if of.Size < int64(size) || result.Rows+result.Withheld < int64(min(size, 500)) {
			t.Errorf("%+v of %+v", result, of)
		}
		t.Logf("%d entries: %d rows, %.0f applications/s, heap at most %d MB", of.Size, result.Rows, float64(size)/time.Since(begun).Seconds(), peaks[len(peaks)-1]>>20)
	}
	if peaks[1] > 2*peaks[0]+32<<20 {
		t.Errorf("the heap grows from %d to %d octets", peaks[0], peaks[1])
	}
}

// watchHeap looks at the heap until it is stopped, and says how large it was at most.
func watchHeap() (stop func() uint64) {
	var peak atomic.Uint64
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse+m.StackInuse))
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(quit)
		<-done
		return peak.Load()
	}
}
