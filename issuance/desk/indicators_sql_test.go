package desk

import (
	"bytes"
	"database/sql"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/population"
)

//go:embed indicators.sql
var independent string

// twoMonths has an office do some of everything in September and October 2026.
func (r *rig) twoMonths(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	b := &book{people: map[vn.Number]population.Record{}}
	for n := range 40 {
		p := person(n)
		b.people[p.Number] = population.RecordOf(p)
	}
	for n := 5; n < 9; n++ {
		other := b.people[person(n).Number]
		other.Father = "Trần Văn Khác"
		b.people[person(n).Number] = other
	}
	r.an.Register, r.binh.Register = b, b
	for _, o := range []*Office{r.an, r.binh} {
		o.Calendar = Calendar{Holidays: []string{"2026-09-02", "2026-10-05"}}
	}
	var cards []string
	for n := range 24 {
		e := enrolment(n)
		e.Reason = []string{"first", "age", "unit"}[n%3]
		r.an.Place = []string{here, "hue"}[n%2]
		app := must(r.an.Enrol(ctx, e))(t)
		if n%8 != 7 {
			must(r.an.AskRegister(ctx, app))(t)
		}
		r.an.Place = here
		switch {
		case n%4 == 3:
			check(t, r.binh.Reject(ctx, app, []string{"documents", "portrait"}[n/4%2]))
		case n%8 == 6:
			check(t, r.an.Cancel(ctx, app, "withdrawn"))
		case n%4 == 0 && n < 16:
			if n >= 5 && n < 9 {
				check(t, r.binh.AcceptDifference(ctx, app, "documents"))
			}
			check(t, r.binh.Approve(ctx, app))
			c := blank()
			card := r.personalised(t, app, c, r.plan())
			r.checked(t, card, c)
			r.now = r.now.AddDate(0, 0, n*11/10) // the last of them late
			check(t, r.binh.Deliver(ctx, card, Handover{}))
			cards = append(cards, card)
		}
		r.now = r.now.Add(9 * time.Hour)
	}
	check(t, r.binh.Revoke(ctx, cards[0], "lost"))
	r.now = time.Date(2026, 11, 3, 8, 0, 0, 0, r.now.Location())
}

// counted is one exact count.
type counted struct {
	month, table, sort, column string
	n                          int
}

// exactly are the counts of a period before they are rounded.
func exactly(t *testing.T, o *Office, months []time.Time) map[counted]bool {
	t.Helper()
	c := newCounts(months, nil)
	check(t, o.Events(t.Context(), months[len(months)-1].AddDate(0, 1, 0), Facts{Ages: true, Differences: true}, c.event))
	list := map[counted]bool{}
	for i, m := range c.months {
		for _, table := range m.tables {
			for sort, cells := range table.cells {
				for j, n := range cells {
					if n > 0 && table.by != "age" && table.by != "difference" {
						list[counted{months[i].Format("2006-01"), table.by, sort, table.names[j], n}] = true
					}
				}
			}
		}
		days := 0
		for _, d := range m.days {
			days += d
		}
		if days > 0 {
			list[counted{months[i].Format("2006-01"), "cards", "all", "working days", days}] = true
		}
	}
	return list
}

// What a report counts comes out of the ledger's file by SQL that shares nothing with the
// program, by its driver and by the command line of SQLite.
func TestIndicatorsBySQL(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.twoMonths(t)
	from, to := time.Date(2026, 9, 1, 0, 0, 0, 0, r.now.Location()), time.Date(2026, 10, 31, 0, 0, 0, 0, r.now.Location())
	want := exactly(t, r.an, must(r.an.WholeMonths(from, to))(t))
	r.monthsStandAlone(t, from, to)
	holidays := string(must(json.Marshal(r.an.Calendar.Holidays))(t))

	db := must(sql.Open("sqlite3", "file:"+r.path("ledger.db")+"?mode=ro"))(t)
	defer db.Close()
	db.SetMaxOpenConns(1) // its temporary tables
	statements := strings.Split(strings.TrimSuffix(strings.TrimSpace(independent), ";"), ";\n")
	args := []any{sql.Named("first", "2026-09-01"), sql.Named("last", "2026-10-31"), sql.Named("zone", "+7 hours"), sql.Named("holidays", holidays)}
	for _, statement := range statements[:len(statements)-1] {
		if _, err := db.Exec(statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		args = nil // the first keeps them
	}
	rows := must(db.Query(statements[len(statements)-1]))(t)
	defer rows.Close()
	got := map[counted]bool{}
	for rows.Next() {
		var l counted
		var published int
		check(t, rows.Scan(&l.month, &l.table, &l.sort, &l.column, &l.n, &published))
		if l.n > 0 {
			got[l] = true
		}
		if published != rounded(l.n) {
			t.Errorf("%+v is published as %d", l, published)
		}
	}
	check(t, rows.Err())
	compareLines(t, "the driver", got, want)

	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Log("no sqlite3 on the path: by the driver alone")
		return
	}
	cmd := exec.CommandContext(t.Context(), shell, "-readonly", "-csv", r.path("ledger.db"), "-cmd", ".parameter init",
		"-cmd", ".parameter set :first \"'2026-09-01'\"", "-cmd", ".parameter set :last \"'2026-10-31'\"",
		"-cmd", ".parameter set :zone \"'+7 hours'\"", "-cmd", fmt.Sprintf(".parameter set :holidays \"'%s'\"", strings.ReplaceAll(holidays, `"`, `\"`)))
	cmd.Stdin = strings.NewReader(independent)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got = map[counted]bool{}
	for _, f := range must(csv.NewReader(bytes.NewReader(out)).ReadAll())(t) {
		l := counted{f[0], f[1], f[2], f[3], 0}
		_, err := fmt.Sscan(f[4], &l.n)
		check(t, err)
		if l.n > 0 {
			got[l] = true
		}
	}
	compareLines(t, "sqlite3", got, want)
}

func compareLines(t *testing.T, by string, got, want map[counted]bool) {
	t.Helper()
	for l := range want {
		if !got[l] {
			t.Errorf("by %s nothing says %+v", by, l)
		}
	}
	for l := range got {
		if !want[l] {
			t.Errorf("by %s: %+v", by, l)
		}
	}
	if len(want) < 40 {
		t.Errorf("only %d counts are compared", len(want))
	}
	t.Logf("%d counts agree by %s", len(want), by)
}

// monthsStandAlone: a month is published the same in reports of other periods, with what was
// counted elsewhere too.
func (r *rig) monthsStandAlone(t *testing.T, from, to time.Time) {
	t.Helper()
	checkpoint := Source{Name: "inspections", Tables: []Table{{By: "verdict", Names: []string{"inspections"}}}, Each: func(each func(Outside) error) error {
		for n := range 40 {
			if err := each(Outside{At: from.AddDate(0, 0, 2*n), Table: "verdict", Count: "inspections", Sort: []string{"accept", "refer"}[n%3%2]}); err != nil {
				return err
			}
		}
		return nil
	}}
	both := must(r.an.Indicators(t.Context(), from, to, checkpoint))(t)
	first := must(r.an.Indicators(t.Context(), from, from.AddDate(0, 1, -1), checkpoint))(t)
	second := must(r.an.Indicators(t.Context(), from.AddDate(0, 1, 0), to, checkpoint))(t)
	for i, alone := range []*Indicators{first, second} {
		a, b := must(json.Marshal(alone.Months[0]))(t), must(json.Marshal(both.Months[i]))(t)
		if len(alone.Months) != 1 || !bytes.Equal(a, b) {
			t.Errorf("month %d is told in two ways:\n%s\n%s", i+1, a, b)
		}
		if !bytes.Contains(a, []byte(`{"sort":"accept","cells":[10]}`)) || !bytes.Contains(a, []byte(`{"by":"difference","names":["differences"],"rows":[{"sort":`)) && i == 0 {
			t.Errorf("%s", a)
		}
	}
	if both.Zone != "+07:00" || len(both.Off) != 2 || len(both.Months) != 2 || both.Sources[1] != "inspections" || second.Months[0].Lists[0].Age < 50 {
		t.Errorf("%+v", both)
	}
}
