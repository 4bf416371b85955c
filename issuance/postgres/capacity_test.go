package postgres_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tamthe/tamthe/issuance/capacity"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

// relations are the tables of the ledger, with what one row of each is to the model.
var relations = map[capacity.Name]string{
	capacity.EntryOctets:      "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'tamthe.entry'::regclass",
	capacity.IdentityOctets:   "SELECT pg_total_relation_size('tamthe.identity')",
	capacity.StreamOctets:     "SELECT pg_total_relation_size('tamthe.stream')",
	capacity.ClaimOctets:      "SELECT pg_total_relation_size('tamthe.claim')",
	capacity.PlaceOctets:      "SELECT pg_total_relation_size('tamthe.status')",
	capacity.AttachmentOctets: "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'tamthe.attachment'::regclass",
}

// rows count them. Attachments of the test office are some thirty octets, which the model
// counts besides.
var rows = map[capacity.Name]string{
	capacity.EntryOctets: "entry", capacity.IdentityOctets: "identity", capacity.StreamOctets: "stream", capacity.ClaimOctets: "claim",
	capacity.PlaceOctets: "status", capacity.AttachmentOctets: "attachment",
}

// TestCoefficients: what the capacity model says of a row is what it takes here. It issues
// cards and looks at what the tables grew by, vacuumed as a server does in time; and at what
// the journal grows by if each act is an append of its own.
func TestCoefficients(t *testing.T) {
	cards := 1000
	if testing.Short() {
		cards = 100
	}
	c := pgtest.New(t, "autovacuum = off", "checkpoint_timeout = 1d", "max_wal_size = 4GB")
	dsn := c.Database(t)
	l := open(t, dsn, t.TempDir())
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	ask := func(text string) (n float64) {
		if err := conn.QueryRow(t.Context(), "SELECT ("+text+")::float8").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const journal = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
	wal, entries := ask(journal), ask("SELECT count(*) FROM tamthe.entry")
	for i := range 20 {
		name := fmt.Sprint(i)
		o.IssueCard(t, "A-"+name, "C-"+name, name, "")
	}
	judge(t, capacity.JournalOctets, (ask(journal)-wal)/(ask("SELECT count(*) FROM tamthe.entry")-entries))
	size, count := map[capacity.Name]float64{}, map[capacity.Name]float64{}
	for name, text := range relations {
		size[name], count[name] = ask(text), ask("SELECT count(*) FROM tamthe."+rows[name])
	}
	issueTogether(t, o, 20, cards, func() {
		if _, err := conn.Exec(t.Context(), "VACUUM tamthe.stream, tamthe.status"); err != nil {
			t.Fatal(err)
		}
	})
	for name, text := range relations {
		judge(t, name, (ask(text)-size[name])/(ask("SELECT count(*) FROM tamthe."+rows[name])-count[name]))
	}
}

// issueTogether takes cards from application into their holders' hands, each act of all in
// one append.
func issueTogether(t *testing.T, o *ledgertest.Office, from, n int, between func()) {
	t.Helper()
	var acts [][]ledgertest.Step
	for i := from; i < from+n; i++ {
		name := fmt.Sprint(i)
		life := [][]ledgertest.Step{{o.Enrol("A-"+name, name, "")}, {o.Approve("A-" + name)}, o.Begin("A-"+name, "C-"+name)}
		for _, s := range o.Journal("A-"+name, "C-"+name) {
			life = append(life, []ledgertest.Step{s})
		}
		life = append(life, []ledgertest.Step{o.Check("C-" + name)}, o.Deliver("A-"+name, "C-"+name, name, ""))
		if acts == nil {
			acts = make([][]ledgertest.Step, len(life))
		}
		for j, steps := range life {
			acts[j] = append(acts[j], steps...)
		}
	}
	for _, steps := range acts {
		o.Must(t, steps...)
		between()
	}
}

// judge lets a table be a fifth off, for it grows by pages.
func judge(t *testing.T, name capacity.Name, measured float64) {
	t.Helper()
	want := capacity.Value(name)
	t.Logf("%s: %.0f, the model says %.0f", name, measured, want)
	if !testing.Short() && (measured > 1.2*want || measured < 0.8*want) {
		t.Errorf("%s: %.0f, the model says %.0f", name, measured, want)
	}
}
