package sqlite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

var intakeAt = time.Date(2026, 11, 26, 8, 0, 0, 123000, time.UTC)

func aCase(n int) (intake.Case, *intake.Kept) {
	c := intake.Case{
		Code: fmt.Sprintf("I-%d", n), Portal: "dvc", Name: fmt.Sprintf("K-%d", n), State: intake.Received, Filed: true, Revision: 1, Reason: "lost", Person: "p",
		Received: intakeAt, Since: intakeAt,
	}
	m := &intake.Kept{
		Portal: "dvc", Request: fmt.Sprintf("r-%d", n), Code: c.Code, Act: intake.File, Revision: 1, Received: intakeAt, Digest: [32]byte{1}, Signature: "s",
		Sealed: []byte("sealed"), Receipt: intake.Signed{Body: []byte("{}"), Signature: "t"},
	}
	return c, m
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newIntake(t *testing.T) (*sqlite.Intake, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "intake.db")
	ok(t, sqlite.CreateIntake(t.Context(), path, 7))
	i, err := sqlite.OpenIntake(t.Context(), path)
	ok(t, err)
	t.Cleanup(func() { ok(t, i.Close()) })
	return i, path
}

// What is kept comes back as it was; a version is taken once, and so are a message's name and a
// revision.
func TestIntake(t *testing.T) {
	i, path := newIntake(t)
	ctx := t.Context()
	if err := sqlite.CreateIntake(ctx, path, 0); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if _, err := sqlite.OpenLogins(ctx, path); !errors.Is(err, ledger.ErrNotOurs) {
		t.Error(err)
	}
	c, m := aCase(1)
	ok(t, i.Keep(ctx, c, m))
	got, err := i.Message(ctx, "dvc", "r-1")
	ok(t, err)
	c.Version = 1
	byName, err := i.Named(ctx, "dvc", "K-1")
	ok(t, err)
	if !reflect.DeepEqual(got, m) || byName != c {
		t.Errorf("%+v\n%+v", got, byName)
	}
	_, err = i.Message(ctx, "hue", "r-1")
	wants(t, "another portal's message", err, intake.ErrUnknown)
	_, err = i.Of(ctx, "")
	wants(t, "the case of no application", err, intake.ErrUnknown)

	first, _ := aCase(1)
	wants(t, "the same case again", i.Keep(ctx, first, nil), intake.ErrConflict)
	first.Code = "I-other"
	wants(t, "another code for it", i.Keep(ctx, first, nil), intake.ErrConflict)
	next, again := c, *m
	again.Revision = 2
	wants(t, "a message's name again", i.Keep(ctx, next, &again), intake.ErrConflict)
	again.Request, again.Revision = "r-1b", 1
	wants(t, "a revision again", i.Keep(ctx, next, &again), intake.ErrRevision)
	again.Revision = 2
	ok(t, i.Keep(ctx, next, &again))
	wants(t, "an old version", i.Keep(ctx, next, nil), intake.ErrConflict)
	if k, err := i.Case(ctx, "I-1"); err != nil || k.Version != 2 {
		t.Errorf("%+v, %v", k, err)
	}
	copied := path + ".copy"
	ok(t, i.Backup(ctx, copied))
	wants(t, "a copy over another", i.Backup(ctx, copied), fs.ErrExist)
	second, err := sqlite.OpenIntake(ctx, copied)
	ok(t, err)
	defer second.Close()
	if n, err := second.Counts(ctx, intake.Received); err != nil || n != 1 {
		t.Errorf("%d cases in the copy, %v", n, err)
	}
	if e, err := i.Events(ctx, "dvc", 0, 10); err != nil || len(e) != 1 || e[0].State != intake.Received || e[0].Case != "K-1" {
		t.Errorf("%+v, %v", e, err)
	}
}

func wants(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, not %v", what, err, want)
	}
}

// Content goes and nothing else does; the ledger is followed step by step.
func TestIntakeFollows(t *testing.T) {
	i, _ := newIntake(t)
	ctx := t.Context()
	c, m := aCase(1)
	ok(t, i.Keep(ctx, c, m))
	if list, err := i.Sealed(ctx); err != nil || len(list) != 0 {
		t.Errorf("an open case's content is to go: %v, %v", list, err)
	}
	c.Version, c.State, c.App, c.Since = 1, intake.AtDesk, "A-1", intakeAt.Add(time.Hour)
	ok(t, i.Keep(ctx, c, nil))
	if list, err := i.Sealed(ctx); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	ok(t, i.Forget(ctx, "I-1"))
	if k, err := i.Content(ctx, "I-1", 1); err != nil || k.Sealed != nil || k.Digest != m.Digest {
		t.Errorf("%+v, %v", k, err)
	}
	at, err := i.Followed(ctx)
	ok(t, err)
	if at != 7 {
		t.Errorf("followed up to %d", at)
	}
	c.Version, c.State = 2, intake.Approved
	wants(t, "a step from elsewhere", i.Follow(ctx, 6, 9, []intake.Case{c}), intake.ErrConflict)
	old := c
	old.Version = 1
	wants(t, "a case of before", i.Follow(ctx, 7, 9, []intake.Case{old}), intake.ErrConflict)
	if at, err := i.Followed(ctx); err != nil || at != 7 {
		t.Errorf("half a step: %d, %v", at, err)
	}
	ok(t, i.Follow(ctx, 7, 9, []intake.Case{c}))
	if list, err := i.Cases(ctx, intake.Approved, intake.Ready); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	e, err := i.Events(ctx, "dvc", 1, 10)
	ok(t, err)
	if len(e) != 2 || e[0].State != intake.AtDesk || e[1].State != intake.Approved || e[0].Seq >= e[1].Seq {
		t.Errorf("%+v", e)
	}
}

// Of many programs at once that keep the same version one does; a reader with a cursor sees
// every event once.
func TestIntakeAtOnce(t *testing.T) {
	_, path := newIntake(t)
	ctx := t.Context()
	var kept atomic.Int32
	var wg sync.WaitGroup
	const programs, cases = 4, 20
	for range programs {
		wg.Go(func() {
			i, err := sqlite.OpenIntake(ctx, path)
			if err != nil {
				t.Error(err)
				return
			}
			defer i.Close()
			for n := range cases {
				c, m := aCase(n)
				if err := i.Keep(ctx, c, m); err == nil {
					kept.Add(1)
				} else if !errors.Is(err, intake.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]int{}
	i, err := sqlite.OpenIntake(ctx, path)
	ok(t, err)
	defer i.Close()
	for after := int64(0); len(seen) < cases && !t.Failed(); {
		list, err := i.Events(ctx, "dvc", after, 3)
		ok(t, err)
		for _, e := range list {
			seen[e.Code]++
			after = e.Seq
		}
	}
	wg.Wait()
	if kept.Load() != cases {
		t.Errorf("%d kept", kept.Load())
	}
	for code, n := range seen {
		if n != 1 {
			t.Errorf("%s seen %d times", code, n)
		}
	}
}
