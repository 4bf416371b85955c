package sqlite_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify/eid"
)

// A decision is kept once and comes back as it was; of many at once for one session one is
// kept.
func TestLogins(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "logins.db")
	if _, err := sqlite.OpenLogins(ctx, path); !errors.Is(err, ledger.ErrMissing) {
		t.Error(err)
	}
	if err := sqlite.CreateLogins(ctx, path); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.CreateLogins(ctx, path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	l, err := sqlite.OpenLogins(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 26, 8, 0, 0, 123000, time.UTC)
	want := eid.Decision{
		Session: "s-0", Time: at, Party: "tax", Purpose: "nộp tờ khai thuế", Fields: []string{"birth", "name"}, Level: eid.Possession,
		Proof: "active agreement", Code: eid.CodeClone, Reasons: []string{"chip-key-mismatch"}, Card: [32]byte{1}, Evidence: [32]byte{2},
	}
	if err := l.Decide(ctx, want); err != nil {
		t.Fatal(err)
	}
	other := want
	other.Code = ""
	if err := l.Decide(ctx, other); !errors.Is(err, eid.ErrDecided) {
		t.Errorf("decided again: %v", err)
	}
	var kept atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := l.Decide(ctx, eid.Decision{Session: "s-1", Time: at.Add(time.Second)}); err == nil {
				kept.Add(1)
			} else if !errors.Is(err, eid.ErrDecided) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if kept.Load() != 1 {
		t.Errorf("%d of eight were kept", kept.Load())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = sqlite.OpenLogins(ctx, path); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var got []eid.Decision
	read := func(from, to time.Time) int {
		got = nil
		if err := l.Each(ctx, from, to, func(d eid.Decision) error { got = append(got, d); return nil }); err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	if read(at, at.Add(time.Second)) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v", got)
	}
	if read(time.Time{}, at.Add(time.Hour)) != 2 || read(at.Add(time.Hour), at.Add(2*time.Hour)) != 0 {
		t.Error("another time")
	}
	for i, text := range []string{"", "not a database", string(make([]byte, 200))} {
		bad := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlite.OpenLogins(ctx, bad); !errors.Is(err, ledger.ErrNotOurs) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Nobody fails for another's fault: of decisions that wait together those are kept that the
// file takes, and one that was made before is told as such.
func TestDecidedTogether(t *testing.T) {
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "logins.db")
	if err := sqlite.CreateLogins(ctx, path); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.OpenLogins(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Exec(ctx, "CREATE TRIGGER no BEFORE INSERT ON login WHEN NEW.party = 'bad' BEGIN SELECT raise(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	decision := func(session, party string) eid.Decision {
		return eid.Decision{Session: session, Party: party, Time: at}
	}
	errs := l.Together(decision("s-1", "tax"), decision("s-2", "bad"), decision("s-3", "tax"), decision("s-1", "tax"))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil || !errors.Is(errs[3], eid.ErrDecided) {
		t.Errorf("told %v", errs)
	}
	var kept []string
	if err := l.Each(ctx, at, at.Add(time.Second), func(d eid.Decision) error { kept = append(kept, d.Session); return nil }); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(kept, []string{"s-1", "s-3"}) {
		t.Errorf("kept %v", kept)
	}
}
