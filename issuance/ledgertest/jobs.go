package ledgertest

import (
	"context"
	"fmt"
	"runtime"
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

// Jobs makes appends of so many applications each, of people whom the ledger does not know,
// on every core: of long ledgers, most of the time goes into signing them.
func (o *Office) Jobs(t testing.TB, appends, batch int) []Job {
	jobs := make([]Job, appends)
	for i := range jobs {
		steps := make([]Step, batch)
		for j := range steps {
			o.jobs++
			steps[j] = o.Enrol(fmt.Sprintf("A-%d", o.jobs), fmt.Sprint(o.jobs), "")
		}
		state, err := o.load(context.Background(), steps)
		if err != nil {
			t.Fatal(err)
		}
		steps = o.registering(state, steps) // each the first of its stream: no need to apply them
		jobs[i] = Job{At: state.Head(), Entries: make([]issuance.Entry, len(steps)), Rows: make([]Octets, len(steps))}
		for j, s := range steps {
			if jobs[i].Entries[j], err = o.draft(state, s); err != nil {
				t.Fatal(err)
			}
		}
		share(t, len(steps), runtime.GOMAXPROCS(0), func(_, j int) error {
			e := &jobs[i].Entries[j]
			if err := steps[j].sign(e); err != nil {
				return err
			}
			leaf, payload, err := e.Encode()
			if err != nil {
				return err
			}
			all := slices.Concat(leaf, payload)
			for _, a := range e.Attach {
				all = append(all, a.Sealed...)
			}
			jobs[i].Rows[j] = Octets{slices.Clone(e.ID[:]), all}
			return nil
		})
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
	start := time.Now()
	share(t, len(jobs), callers, func(caller, i int) error { return do(caller, jobs[i]) })
	return time.Since(start)
}

// share lets so many callers do what there is from 0 to n, side by side.
func share(t testing.TB, n, callers int, do func(caller, i int) error) {
	var next atomic.Int64
	var work sync.WaitGroup
	for caller := range callers {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(caller, i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
}
