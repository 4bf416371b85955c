package postgres_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/receipt"
)

// ledgerOf is what both stores have that a move is judged by.
type ledgerOf interface {
	issuance.Ledger
	Excerpt(ctx context.Context, w io.Writer, from int64) error
	Verifier(ctx context.Context) (note.Verifier, error)
	Verify(ctx context.Context, against *ledger.Checkpoint) (*ledger.Report, error)
	Prove(ctx context.Context, index int64) (*receipt.Proof, error)
	Taken(ctx context.Context, kind issuance.ClaimKind, after string, n int) ([]ledger.Taken, error)
	Checkpoint(ctx context.Context) (*ledger.Checkpoint, error)
}

// into carries a log from one store to what takes it.
func into(t *testing.T, from ledgerOf, take func(note.Verifier, *ledger.ExcerptReader) error) error {
	t.Helper()
	v, err := from.Verifier(t.Context())
	must(t, err)
	r, w := io.Pipe()
	go func() { w.CloseWithError(from.Excerpt(t.Context(), w, 0)) }()
	defer r.Close()
	x, err := ledger.OpenExcerpt(r)
	must(t, err)
	return take(v, x)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// digest is that of all that a ledger has, attachments among it.
func digest(t *testing.T, l ledgerOf) [32]byte {
	t.Helper()
	h := sha256.New()
	must(t, l.Excerpt(t.Context(), h, 0))
	return [32]byte(h.Sum(nil))
}

// filled is an SQLite ledger of so many applications: people, some cards, over a few months.
func filled(t *testing.T, path string, applications int) *sqlite.Ledger {
	t.Helper()
	s, _ := ledgertest.LogKey(t)
	l, err := sqlite.Create(t.Context(), path, ledgertest.Origin, sqlite.Options{Signer: s})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	for i := range 4 {
		o.IssueCard(t, fmt.Sprintf("A-%d", i), fmt.Sprintf("C-%d", i), fmt.Sprint("holder-", i), "")
	}
	o.IssueCard(t, "A-again", "C-again", "holder-1", "C-1")
	const batch = 500
	for from := 0; from < applications; from += batch {
		var steps []ledgertest.Step
		for i := from; i < min(from+batch, applications); i++ {
			steps = append(steps, o.Enrol(fmt.Sprintf("A-n%d", i), fmt.Sprint(i), ""))
		}
		steps[7].Attach = append(steps[7].Attach, issuance.Attachment{Name: "face", Sealed: []byte("another")}) // not in the order of names
		at, entries, err := o.Build(t.Context(), true, steps...)
		must(t, err)
		must(t, l.Append(t.Context(), at, entries...))
		if from%(applications/6+1) < batch {
			o.Wait(30 * 24 * time.Hour)
		}
	}
	o.Must(t, o.Cancel("A-n1", "1")) // releases what was taken months before
	o.IssueCard(t, "A-last", "C-last", "holder-2", "C-2")
	return l
}

// A log that moves from SQLite to PostgreSQL and back is the same in every place: its root, what
// is sealed beside it, what is claimed, and the receipts octet for octet. 20,000 entries, or a
// million with TAMTHE_SOAK.
func TestMove(t *testing.T) {
	applications := 10_000 // of two entries each
	if n := os.Getenv("TAMTHE_SOAK"); n != "" {
		applications = 500_000
		if n, err := strconv.Atoi(n); err == nil && n > 1 {
			applications = n / 2
		}
	}
	if testing.Short() {
		applications = 2_000
	}
	dsn := pgtest.Database(t)
	dir := t.TempDir()
	began := time.Now()
	lap := func(what string, n int64) {
		t.Logf("%s: %.1f s, %.0f entries/s", what, time.Since(began).Seconds(), float64(n)/time.Since(began).Seconds())
		began = time.Now()
	}
	first := filled(t, filepath.Join(dir, "first.db"), applications)
	size := sizeOf(t, first)
	lap("filled", size)
	must(t, into(t, first, func(v note.Verifier, x *ledger.ExcerptReader) error {
		_, err := postgres.Load(t.Context(), dsn, v, x)
		return err
	}))
	lap("SQLite to PostgreSQL", size)
	s, _ := ledgertest.LogKey(t)
	second, err := postgres.Open(t.Context(), dsn, postgres.Options{Signer: s})
	must(t, err)
	defer second.Close()
	sound(t, second)
	lap("rebuilt there", size)
	path := filepath.Join(dir, "third.db")
	must(t, into(t, second, func(v note.Verifier, x *ledger.ExcerptReader) error {
		_, err := sqlite.Load(t.Context(), path, v, x)
		return err
	}))
	lap("PostgreSQL to SQLite", size)
	third, err := sqlite.Open(t.Context(), path, sqlite.Options{Signer: s})
	must(t, err)
	defer third.Close()
	sound(t, third)
	lap("rebuilt there", size)

	want := digest(t, first)
	for name, l := range map[string]ledgerOf{"PostgreSQL": second, "SQLite again": third} {
		same(t, name, first, l)
		if digest(t, l) != want {
			t.Errorf("%s: the octets are others", name)
		}
		o := ledgertest.NewOffice(t, l) // under the same key it goes on
		o.Wait(300 * 24 * time.Hour)
		o.IssueCard(t, "A-new", "C-new", "holder-3", "C-3")
	}
}

func sizeOf(t *testing.T, l ledgerOf) int64 {
	t.Helper()
	c, err := l.Checkpoint(t.Context())
	must(t, err)
	return c.Size
}

func sound(t *testing.T, l ledgerOf) {
	t.Helper()
	if r, err := l.Verify(t.Context(), nil); err != nil || !r.OK() {
		t.Fatalf("it does not agree: %+v %v", r, err)
	}
}

// same holds claims and receipts of two ledgers against each other.
func same(t *testing.T, name string, a, b ledgerOf) {
	t.Helper()
	ca, err := a.Checkpoint(t.Context())
	must(t, err)
	cb, err := b.Checkpoint(t.Context())
	must(t, err)
	if !bytes.Equal(ca.Note, cb.Note) {
		t.Errorf("%s: another checkpoint", name)
	}
	for _, index := range []int64{0, 1, 20, ca.Size / 2, ca.Size - 1} {
		pa, err := a.Prove(t.Context(), index)
		must(t, err)
		pb, err := b.Prove(t.Context(), index)
		must(t, err)
		ta, err := pa.MarshalText()
		must(t, err)
		if tb, err := pb.MarshalText(); err != nil || !bytes.Equal(ta, tb) {
			t.Errorf("%s: another receipt for entry %d, %v", name, index, err)
		}
	}
	for _, kind := range []issuance.ClaimKind{issuance.ClaimNumber, issuance.ClaimChip, issuance.HoldApplication, issuance.HoldCard} {
		all := map[ledger.Taken]bool{}
		for i, l := range []ledgerOf{a, b} {
			for after, n := "", 1000; n == 1000; {
				some, err := l.Taken(t.Context(), kind, after, 1000)
				must(t, err)
				for _, c := range some {
					after = c.Claim.Value
					if i == 1 && !all[c] {
						t.Errorf("%s: %s is taken by another", name, kind)
					}
					all[c] = i == 0
				}
				n = len(some)
			}
		}
		for c, missing := range all {
			if missing {
				t.Fatalf("%s: %v is not taken", name, c)
			}
		}
	}
}

// A ledger is loaded whole or not at all, and never over one that is there.
func TestLoadRefuses(t *testing.T) {
	l := filled(t, filepath.Join(t.TempDir(), "ledger.db"), 100)
	var whole bytes.Buffer
	must(t, l.Excerpt(t.Context(), &whole, 0))
	changed := bytes.Clone(whole.Bytes())
	changed[len(changed)/2] ^= 1
	var later bytes.Buffer
	must(t, l.Excerpt(t.Context(), &later, 5))
	dsn := pgtest.Database(t)
	_, v := ledgertest.LogKey(t)
	load := func(octets []byte) error {
		x, err := ledger.OpenExcerpt(bytes.NewReader(octets))
		if err == nil {
			_, err = postgres.Load(t.Context(), dsn, v, x)
		}
		return err
	}
	for name, octets := range map[string][]byte{
		"cut short": whole.Bytes()[:whole.Len()-1], "changed": changed, "with an octet more": append(bytes.Clone(whole.Bytes()), 0), "not from its beginning": later.Bytes(),
	} {
		if err := load(octets); err == nil {
			t.Errorf("%s: it was loaded", name)
		}
		if there, err := postgres.There(t.Context(), dsn); there || err != nil {
			t.Errorf("%s: something is there, %v", name, err)
		}
	}
	must(t, load(whole.Bytes()))
	if err := load(whole.Bytes()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("loaded over another: %v", err)
	}
}

// A ledger that was moved takes nothing more, not from a program that is connected or waits for
// the log's row either; one whose copy failed goes on. It can be moved aside, and another come
// in its place.
func TestRetire(t *testing.T) {
	dsn := pgtest.Database(t)
	s, _ := ledgertest.LogKey(t)
	l, err := postgres.Create(t.Context(), dsn, ledgertest.Origin, postgres.Options{Signer: s})
	must(t, err)
	defer l.Close()
	other, err := postgres.Open(t.Context(), dsn, postgres.Options{Signer: s})
	must(t, err)
	defer other.Close()
	o := ledgertest.NewOffice(t, other)
	o.Found(t)
	fails := errors.New("no room")
	if err := l.Retire(t.Context(), func() error { return fails }); !errors.Is(err, fails) {
		t.Fatal(err)
	}
	o.Must(t, o.Enrol("A-1", "an", ""))
	size := sizeOf(t, l)
	waits := make(chan error)
	must(t, l.Retire(t.Context(), func() error {
		go func() { waits <- o.Do(context.Background(), o.Enrol("A-2", "binh", "")) }()
		time.Sleep(2 * time.Second)
		return nil
	}))
	if err := <-waits; !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("appended by a program that waited: %v", err)
	}
	if err := o.Do(t.Context(), o.Enrol("A-3", "chi", "")); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("appended by a program that was connected: %v", err)
	}
	if got := sizeOf(t, l); got != size {
		t.Errorf("%d entries, not %d", got, size)
	}
	must(t, postgres.Aside(t.Context(), dsn, "moved_20261126t180000z"))
	if there, err := postgres.There(t.Context(), dsn); there || err != nil {
		t.Error(there, err)
	}
	if err := o.Do(t.Context(), o.Enrol("A-4", "dung", "")); err == nil {
		t.Error("appended to what is not there")
	}
	if _, err := postgres.Open(t.Context(), dsn, postgres.Options{ReadOnly: true}); !errors.Is(err, ledger.ErrMoved) {
		t.Errorf("opened where it was: %v", err)
	}
	again, err := postgres.Create(t.Context(), dsn, ledgertest.Origin, postgres.Options{Signer: s})
	must(t, err)
	defer again.Close()
	conn, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	defer conn.Close(t.Context())
	var kept int64
	must(t, conn.QueryRow(t.Context(), "SELECT size FROM tamthe_moved_20261126t180000z.log").Scan(&kept))
	if kept != size {
		t.Errorf("what was moved aside has %d entries", kept)
	}
}
