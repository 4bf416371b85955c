//go:build linux && cgo

package clustertest

import (
	"bytes"
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// TestFailover (F16): eight desks issue cards while the primary and its agent are killed,
// or its network is cut. No act that was acknowledged is lost or doubled, no card is stuck,
// and the log adds up.
//
// In a soak twenty times and ten, else once each.
func TestFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute long")
	}
	kills, cuts := 1, 1
	if os.Getenv("TAMTHE_SOAK") != "" {
		kills, cuts = 20, 10
	}
	o := newOffice(t)
	d := o.openDesks(t, 8, 2)
	defer func() {
		d.close()
		d.settled(t)
	}()
	d.goOn(t, 40)
	killed := d.suffer(t, kills, (*Node).Kill, (*Node).Start)
	cut := d.suffer(t, cuts, (*Node).Cut, (*Node).Join)
	t.Logf("%d kills: outage %s", len(killed), spread(killed))
	t.Logf("%d cuts: outage %s", len(cut), spread(cut))
}

// suffer lets something happen to the primary so many times, and mends it each time once
// another has taken over. It returns how long nothing was acknowledged.
func (d *desks) suffer(t *testing.T, n int, harm, mend func(*Node, testing.TB)) (outages []time.Duration) {
	t.Helper()
	for range n {
		old, from := d.o.cluster.Primary(t), time.Now()
		harm(old, t)
		next := d.o.cluster.Primary(t)
		if next == old {
			t.Fatalf("%s is the primary still", old.Name)
		}
		d.goOn(t, 20)
		outages = append(outages, d.gap(from, time.Now()))
		mend(old, t)
		d.o.cluster.Settle(t)
		d.goOn(t, 20)
		if t.Failed() {
			break
		}
	}
	return outages
}

// spread is the median and the greatest.
func spread(all []time.Duration) string {
	slices.Sort(all)
	if len(all) == 0 {
		return "none"
	}
	round := func(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
	return "p50 " + round(all[len(all)/2]) + ", max " + round(all[len(all)-1])
}

// settled holds what must be so when the desks have stopped.
func (d *desks) settled(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	l := d.o.open(t, d.o.cluster.DSN())
	seen, doubled, tree := map[[16]byte]int{}, 0, &ledger.Tree{}
	check(t, l.Entries(ctx, 0, func(_ int64, leaf, payload []byte) error {
		e, err := issuance.ParseEntry(leaf, payload)
		if err != nil {
			return err
		}
		if seen[e.ID]++; seen[e.ID] > 1 {
			doubled++
		}
		tree.Append(tlog.RecordHash(leaf))
		return nil
	}))
	lost := 0
	for id := range d.acked {
		if seen[id] == 0 {
			lost++
		}
	}
	stuck := d.stuck(t, l)
	if lost+doubled+stuck > 0 {
		t.Errorf("lost %d, doubled %d, stuck %d", lost, doubled, stuck)
	}
	c := must(l.Checkpoint(ctx))(t)
	if root := tree.Root(); c.Size != tree.Size() || !bytes.Equal(c.Root[:], root[:]) {
		t.Errorf("the entries add up to %d, %x; the checkpoint says %d, %x", tree.Size(), root, c.Size, c.Root)
	}
	if report := must(l.Verify(ctx, nil))(t); !report.OK() {
		t.Errorf("the ledger is not sound: %v", report.Findings)
	}
	t.Logf("%d entries, %d of them acknowledged to the desks, %d cards finished, %d spoiled: lost %d, doubled %d, stuck %d; begun again after %v",
		c.Size, len(d.acked), len(d.finished), d.spoiled, lost, doubled, stuck, d.repeats)
}

// stuck counts the applications that were not issued, and cards that are neither in a
// holder's hand nor spoiled.
func (d *desks) stuck(t *testing.T, l interface {
	List(context.Context, issuance.Kind, ...issuance.Phase) ([]issuance.Summary, error)
},
) (n int) {
	t.Helper()
	for kind, ends := range map[issuance.Kind][]issuance.Phase{
		issuance.KindApplication: {issuance.Issued},
		issuance.KindCard:        {issuance.Active, issuance.Spoiled},
	} {
		for _, s := range must(l.List(context.Background(), kind))(t) {
			if !slices.Contains(ends, s.Phase) {
				t.Errorf("%s %s is %s", s.Stream.Kind, s.Stream.ID, s.Phase)
				n++
			}
		}
	}
	return n
}
