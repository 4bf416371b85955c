package postgres_test

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// A ledger stays as quick as it was: entries a second at the beginning and at the end of a
// long one, both against a bare insert of the same octets in the same server at the same
// time, since the machine has its moods. TAMTHE_SOAK takes it to ten million entries, or as
// many as it says if it says more than one; by default it goes to a few thousand, and no
// figure is judged.
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
	first, last := ratios[0]+ratios[1], ratios[windows-2]+ratios[windows-1]
	t.Logf("the last fifth is %.2f of the first", last/first)
	if soak && last < 0.85*first {
		t.Errorf("the ledger slows down: %.2f", last/first)
	}
	r, err := a.ledger.Rehash(t.Context())
	if err != nil || !r.OK() || r.Size < int64(size) {
		t.Errorf("%+v %v", r, err)
	}
}
