package postgres_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// TestExcerpt: another engine's mirror follows the log by its excerpts, whole and in pieces,
// and has the same tree, streams and attachments.
func TestExcerpt(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := at(t, dir)
	_, v := ledgertest.LogKey(t)
	mirror, err := sqlite.CreateMirror(t.Context(), filepath.Join(dir, "mirror.db"), v, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer mirror.Close()
	follow := func(from int64) *ledger.Checkpoint {
		t.Helper()
		var b bytes.Buffer
		if err := l.Excerpt(t.Context(), &b, from); err != nil {
			t.Fatal(err)
		}
		x, err := ledger.OpenExcerpt(&b)
		if err != nil {
			t.Fatal(err)
		}
		c, err := mirror.Follow(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	whole := follow(0)
	o := ledgertest.NewOffice(t, l)
	nextMonth(t, dir)
	o.Must(t, o.Enrol("A-9", "zoe", ""))
	o.Must(t, o.Approve("A-9"))
	last := follow(whole.Size - 20)
	if r, err := mirror.Verify(t.Context(), last); err != nil || !r.OK() || r.Size != last.Size || last.Size <= whole.Size {
		t.Errorf("%+v %v", r, err)
	}
	entries, err := l.Stream(t.Context(), issuance.Application("A-9"))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range entries[0].Attach {
		ours, err := l.Attachment(t.Context(), entries[0].ID, a.Name)
		if err != nil {
			t.Fatal(err)
		}
		if theirs, err := mirror.Attachment(t.Context(), entries[0].ID, a.Name); err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("attachment %s: %v", a.Name, err)
		}
	}
}
