package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// counting is a log key that counts what it signs.
type counting struct {
	note.Signer
	n atomic.Int64
}

func (c *counting) Sign(msg []byte) ([]byte, error) {
	c.n.Add(1)
	return c.Signer.Sign(msg)
}

// Appends that wait side by side share transactions; one that does not hold fails alone,
// with its own error, and so does one whose signature is bad.
func TestGroup(t *testing.T) {
	dir := t.TempDir()
	s, v := ledgertest.LogKey(t)
	key := &counting{Signer: s}
	l, err := sqlite.Create(t.Context(), filepath.Join(dir, "ledger.db"), ledgertest.Origin,
		sqlite.Options{Signer: key, Verifier: v, Checkpoints: filepath.Join(dir, "checkpoints")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.Must(t, o.Enrol("A-taken", "somebody", ""))
	const writers = 60
	type job struct {
		at      issuance.Head
		entries []issuance.Entry
		want    error
	}
	var jobs []job
	for i := range writers {
		app := fmt.Sprintf("A-%d", i)
		person := app
		if i%10 == 7 {
			person = "somebody" // who has an application open
		}
		at, entries, err := o.Build(t.Context(), false, o.Enrol(app, person, ""))
		if err != nil {
			t.Fatal(err)
		}
		j := job{at, entries, nil}
		switch i % 10 {
		case 7:
			j.want = errDuplicate
		case 3:
			last := &entries[len(entries)-1]
			last.Signature[5] ^= 1
			j.want = issuance.ErrSignature
		}
		jobs = append(jobs, j)
	}
	before := key.n.Load()
	start := make(chan struct{})
	got := make([]error, writers)
	var work sync.WaitGroup
	for i, j := range jobs {
		work.Go(func() {
			<-start
			got[i] = l.Append(context.Background(), j.at, j.entries...)
		})
	}
	close(start)
	work.Wait()
	for i, j := range jobs {
		_, duplicate := errors.AsType[*issuance.DuplicateError](got[i])
		switch {
		case j.want == nil && got[i] != nil, j.want == errDuplicate && !duplicate,
			j.want != nil && j.want != errDuplicate && !errors.Is(got[i], j.want):
			t.Errorf("append %d: %v, want %v", i, got[i], j.want)
		}
	}
	r, err := l.Verify(t.Context(), nil)
	if err != nil || !r.OK() {
		t.Fatalf("%+v %v", r, err)
	}
	streams, err := l.List(t.Context(), issuance.KindApplication)
	if err != nil || len(streams) != 1+writers*8/10 {
		t.Errorf("%d applications: %v", len(streams), err)
	}
	t.Logf("%d appends under %d checkpoints", writers*8/10, key.n.Load()-before)
	if key.n.Load()-before >= writers*8/10 {
		t.Error("no transaction was shared")
	}
}

var errDuplicate = errors.New("a duplicate")

// A caller who gives up while it waits leaves nothing behind; one whose append has begun
// gets its outcome.
func TestGroupCancelled(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	at, entries, err := o.Build(t.Context(), false, o.Enrol("A-1", "1", ""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Append(ctx, at, entries...); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if err := l.Append(t.Context(), at, entries...); err != nil {
		t.Errorf("again: %v", err)
	}
}
