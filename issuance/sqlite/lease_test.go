package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

func TestLeases(t *testing.T) {
	dir := t.TempDir()
	a, b := open(t, dir), open(t, dir)
	defer a.Close()
	defer b.Close()
	ledgertest.RunLeases(t, a, b)
}

// at opens the ledger of a folder with a clock for its leases.
func at(t *testing.T, dir string, clock func() time.Time) *sqlite.Ledger {
	t.Helper()
	o := options(t, dir)
	o.Clock = clock
	l, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestLeaseClock: the machine's clock is set a day ahead while somebody holds a lease, and
// back again while somebody else does: nobody waits for a day, and each who lost it is told.
func TestLeaseClock(t *testing.T) {
	dir := t.TempDir()
	open(t, dir).Close()
	var ahead time.Duration
	l := at(t, dir, func() time.Time { return time.Now().Add(ahead) })
	lease := func(holder string) ledger.Lease {
		t.Helper()
		x, err := l.Lease(t.Context(), "application/A-1", holder, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	first := lease("an")
	ahead = 24 * time.Hour
	second := lease("binh")
	var held *ledger.LeaseError
	if _, err := l.Renew(t.Context(), first, time.Minute); !errors.As(err, &held) || !held.Lost || held.Holder != "binh" {
		t.Error(err)
	}
	ahead = 0
	if _, err := l.Lease(t.Context(), "application/A-1", "an", time.Minute); !errors.As(err, &held) || held.Left != ledger.MaxLease {
		t.Errorf("%v: %+v", err, held)
	}
	ahead = ledger.MaxLease + time.Minute
	third := lease("an")
	if third.Epoch <= second.Epoch || second.Epoch <= first.Epoch {
		t.Errorf("epochs %d, %d, %d", first.Epoch, second.Epoch, third.Epoch)
	}
}

// TestLeasesOfOlderFiles: a ledger of the first schema can be read as it is, without leases,
// and gets them when it is opened for writing. One that is only read gives none.
func TestLeasesOfOlderFiles(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	db := raw(t, dir)
	if _, err := db.Exec("DROP TABLE lease; DROP TABLE status; DROP TABLE status_list; DELETE FROM migration WHERE number > 1; PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	o := options(t, dir)
	o.ReadOnly = true
	old, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if list, err := old.Leases(t.Context()); err != nil || list != nil {
		t.Errorf("%+v: %v", list, err)
	}
	if _, err := old.Lease(t.Context(), "application/A-1", "an", time.Minute); !errors.Is(err, ledger.ErrReadOnly) {
		t.Error(err)
	}
	if r, err := old.Verify(t.Context(), nil); err != nil || !r.OK() {
		t.Errorf("%+v %v", r, err)
	}
	l := open(t, dir)
	defer l.Close()
	if _, err := l.Lease(t.Context(), "application/A-1", "an", time.Minute); err != nil {
		t.Error(err)
	}
	if list, err := old.Leases(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%+v: %v", list, err)
	}
}
