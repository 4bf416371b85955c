package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// excerpt is what a log says from an index on.
func excerpt(t testing.TB, l *sqlite.Ledger, from int64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.Excerpt(t.Context(), &b, from); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func takeOver(t testing.TB, m *sqlite.Ledger, octets []byte) error {
	t.Helper()
	x, err := ledger.OpenExcerpt(bytes.NewReader(octets))
	if err != nil {
		return err
	}
	_, err = m.Follow(t.Context(), x)
	return err
}

func mirror(t testing.TB) *sqlite.Ledger {
	t.Helper()
	_, v := ledgertest.LogKey(t)
	m, err := sqlite.CreateMirror(t.Context(), filepath.Join(t.TempDir(), "mirror.db"), v, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// A mirror that followed a log step by step holds what the log holds, octet for octet, and
// agrees with its checkpoint; excerpts that overlap change nothing.
func TestFollow(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	o, m := ledgertest.NewOffice(t, l), mirror(t)
	o.Found(t)
	var size int64
	for i, person := range []string{"an", "binh", "chi"} {
		o.IssueCard(t, "A-"+person, "C-"+person, person, "")
		if err := takeOver(t, m, excerpt(t, l, max(0, size-int64(i)))); err != nil {
			t.Fatal(err)
		}
		size = checkpoint(t, l).Size
		if got := checkpoint(t, m); got.Size != size || string(got.Note) != string(checkpoint(t, l).Note) {
			t.Fatalf("the mirror's checkpoint is of %d entries, the log has %d", got.Size, size)
		}
	}
	if !bytes.Equal(excerpt(t, m, 0), excerpt(t, l, 0)) {
		t.Error("the mirror's octets are not the log's")
	}
	report, err := m.Verify(t.Context(), nil)
	if err != nil || !report.OK() {
		t.Errorf("the mirror does not agree: %v %v", report, err)
	}
	if err := m.Append(t.Context(), nil, issuance.Entry{}); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("append to a mirror: %v", err)
	}
	if err := takeOver(t, l, excerpt(t, m, 0)); !errors.Is(err, ledger.ErrReadOnly) {
		t.Errorf("follow into a log of one's own: %v", err)
	}
	_, v := ledgertest.LogKey(t)
	if _, err := sqlite.CreateMirror(t.Context(), filepath.Join(t.TempDir(), "no", "mirror.db"), v, sqlite.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a mirror in no folder: %v", err)
	}
}

// No octet of an excerpt can change without its being refused, whole, and nothing of it is
// in the mirror afterwards.
func TestFollowChanged(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	m := mirror(t)
	if err := takeOver(t, m, excerpt(t, l, 0)); err != nil {
		t.Fatal(err)
	}
	from := checkpoint(t, m).Size
	o.Must(t, o.Enrol("A-1", "an", ""))
	good := excerpt(t, l, from)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if err := takeOver(t, m, bad); err == nil {
			t.Fatalf("octet %d of %d changed and taken", i, len(good))
		}
	}
	for _, n := range []int{0, 10, len(good) - 1} {
		if err := takeOver(t, m, good[:n]); !errors.Is(err, ledger.ErrExcerpt) {
			t.Errorf("cut to %d octets: %v", n, err)
		}
	}
	if err := takeOver(t, m, append(bytes.Clone(good), 0)); !errors.Is(err, ledger.ErrExcerpt) {
		t.Errorf("with an octet more: %v", err)
	}
	if got := checkpoint(t, m).Size; got != from {
		t.Fatalf("the mirror has %d entries after refusals, not %d", got, from)
	}
	if err := takeOver(t, m, good); err != nil {
		t.Fatal(err)
	}
}

// A log that was put back and goes on otherwise, or one from which entries are missing, is
// not followed.
func TestFollowFork(t *testing.T) {
	here, there := open(t, t.TempDir()), open(t, t.TempDir())
	defer here.Close()
	defer there.Close()
	m := mirror(t)
	for _, l := range []*sqlite.Ledger{here, there} {
		o := ledgertest.NewOffice(t, l)
		o.Found(t)
		o.Must(t, o.Enrol("A-1", "an", ""))
	}
	if err := takeOver(t, m, excerpt(t, here, 0)); err != nil {
		t.Fatal(err)
	}
	size := checkpoint(t, m).Size
	if err := takeOver(t, m, excerpt(t, there, 0)); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("another log of the same key: %v", err)
	}
	o := ledgertest.NewOffice(t, there)
	o.Must(t, o.Enrol("A-2", "binh", ""))
	if err := takeOver(t, m, excerpt(t, there, size)); err == nil {
		t.Error("a fork that goes on was followed")
	}
	o.Must(t, o.Enrol("A-3", "chi", ""))
	if err := takeOver(t, m, excerpt(t, there, size+1)); !errors.Is(err, ledger.ErrBehind) {
		t.Errorf("entries missing: %v", err)
	}
	older := excerpt(t, here, 0)
	o = ledgertest.NewOffice(t, here)
	o.Must(t, o.Enrol("A-4", "dung", ""))
	if err := takeOver(t, m, excerpt(t, here, size)); err != nil {
		t.Fatal(err)
	}
	if err := takeOver(t, m, older); !errors.Is(err, ledger.ErrRolledBack) {
		t.Errorf("an older state of the log: %v", err)
	}
}

func checkpoint(t testing.TB, l *sqlite.Ledger) *ledger.Checkpoint {
	t.Helper()
	c, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func FuzzExcerpt(f *testing.F) {
	l := open(f, f.TempDir())
	ledgertest.NewOffice(f, l).Found(f)
	f.Add(excerpt(f, l, 0))
	l.Close()
	f.Fuzz(func(t *testing.T, octets []byte) {
		x, err := ledger.OpenExcerpt(bytes.NewReader(octets))
		for err == nil {
			_, err = x.Next()
		}
		if !errors.Is(err, ledger.ErrExcerpt) {
			t.Errorf("%v is no ErrExcerpt", err)
		}
	})
}
