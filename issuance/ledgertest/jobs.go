package ledgertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Job is one append, and the octets that it holds.
type Job struct {
	At      issuance.Head
	Entries []issuance.Entry
	Rows    []Octets
}

// Octets are what an entry is to a store that knows nothing of it: an identity, and leaf,
// payload and attachments as one.
type Octets = struct{ ID, All []byte }

// Acts makes so many appends of one entry each: applications of people whom the ledger knows.
func (o *Office) Acts(t testing.TB, n int) []Job {
	var known []Step
	for i := range n {
		name := fmt.Sprint(o.jobs + i + 1)
		known = append(known, o.Enrol("A-of-"+name, name, ""), o.Cancel("A-of-"+name, name))
	}
	o.Must(t, known...)
	return o.Jobs(t, n, 1)
}

// Jobs makes appends of so many applications each, of people whom the ledger does not know.
func (o *Office) Jobs(t testing.TB, appends, batch int) []Job {
	jobs := make([]Job, appends)
	for i := range jobs {
		steps := make([]Step, batch)
		for j := range steps {
			o.jobs++
			steps[j] = o.Enrol(fmt.Sprintf("A-%d", o.jobs), fmt.Sprint(o.jobs), "")
		}
		at, entries, err := o.Build(context.Background(), true, steps...)
		if err != nil {
			t.Fatal(err)
		}
		jobs[i] = Job{At: at, Entries: entries}
		for _, e := range entries {
			leaf, payload, err := e.Encode()
			if err != nil {
				t.Fatal(err)
			}
			all := slices.Concat(leaf, payload)
			for _, a := range e.Attach {
				all = append(all, a.Sealed...)
			}
			jobs[i].Rows = append(jobs[i].Rows, Octets{slices.Clone(e.ID[:]), all})
		}
	}
	return jobs
}

// Count is the number of entries in jobs.
func Count(jobs []Job) int {
	n := 0
	for _, j := range jobs {
		n += len(j.Entries)
	}
	return n
}

// Side lets so many callers do the jobs side by side, and says how long it took.
func Side(t testing.TB, jobs []Job, callers int, do func(caller int, j Job) error) time.Duration {
	var next atomic.Int64
	var work sync.WaitGroup
	start := time.Now()
	for caller := range callers {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				if err := do(caller, jobs[i]); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	return time.Since(start)
}
