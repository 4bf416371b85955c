package postgres_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// TestWatched: a monitor that may only read follows the database: honest growth is quiet, and
// what somebody with all rights changes, cuts off or lacks is told with the next look.
func TestWatched(t *testing.T) {
	for name, test := range map[string]struct {
		statement string
		code      monitor.Code
	}{
		"changed leaf":   {freshLeaf, monitor.Rewritten},
		"no leaf":        {`UPDATE entry SET leaf = '\x00' WHERE idx = 24`, monitor.Rewritten},
		"deleted row":    {"DELETE FROM entry WHERE idx = 24", monitor.Missing},
		"no checkpoint":  {"UPDATE log SET checkpoint = ''", monitor.BadCheckpoint},
		"cut checkpoint": {"UPDATE log SET checkpoint = substr(checkpoint, 1, 100)", monitor.BadCheckpoint},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := at(t, dir)
			o := ledgertest.NewOffice(t, l)
			o.Found(t)
			reader := "r_" + strings.ToLower(strings.ReplaceAll(filepath.Base(filepath.Dir(dir)), "/", "_"))
			conn := raw(t, dir)
			for _, s := range []string{"DROP ROLE IF EXISTS " + reader, "CREATE ROLE " + reader + " LOGIN IN ROLE tamthe_reader"} {
				if _, err := conn.Exec(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			_, v := ledgertest.LogKey(t)
			far, err := postgres.Open(t.Context(), strings.Replace(address(t, dir), "user=postgres", "user="+reader, 1), postgres.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer far.Close()
			state, err := sqlite.OpenWatch(t.Context(), filepath.Join(dir, "watch.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer state.Close()
			m := monitor.New(monitor.Options{
				State: state, Keys: []note.Verifier{v}, Sources: []monitor.Source{monitor.Store("database", far)},
				Now: func() time.Time { return o.Pass(time.Second) },
			})
			look := func() []monitor.Alarm {
				t.Helper()
				r, err := m.Check(t.Context())
				if err != nil || len(r.Away) > 0 {
					t.Fatalf("%v, %v", r.Away, err)
				}
				return r.Raised
			}
			for _, who := range []string{"ann", "bob"} {
				if list := look(); len(list) > 0 {
					t.Fatalf("false alarms: %v", list)
				}
				o.IssueCard(t, "A-"+who, "C-"+who, who, "")
			}
			if list := look(); len(list) > 0 {
				t.Fatalf("false alarms: %v", list)
			}
			tamper(t, dir, test.statement)
			if list := look(); len(list) != 1 || list[0].Code != test.code {
				t.Errorf("%v, want %s", list, test.code)
			}
		})
	}
}
