package console

import (
	"html/template"
	"slices"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/issuance/desk"
)

// statisticsPage counts what became of applications.
type statisticsPage struct {
	From, To     string
	Groups       []group
	Turnaround   template.HTML
	Days         []bar
	Cards        int
	Within, Term int
	Total        desk.Count
}

// group is the counts told apart by one thing.
type group struct {
	ID   string
	Name say
	Rows []groupRow
	Plot template.HTML
}

type groupRow struct {
	Sort string
	desk.Count
}

// statistics counts what became of applications in a time, by default the last thirty days.
func (q *request) statistics() error {
	from, to, err := q.period()
	if err != nil {
		return err
	}
	p := statisticsPage{From: from.Format(time.DateOnly), To: to.Format(time.DateOnly), Term: desk.Term}
	for _, by := range []struct {
		id, kind string
		name     say
		sorts    desk.Sorts
		of       func(desk.Count) string
	}{
		{"by-reason", "reason", say{"Theo lý do cấp", "By reason"}, desk.Sorts{Reason: true}, func(c desk.Count) string { return c.Reason }},
		{"by-age", "age", say{"Theo độ tuổi", "By age"}, desk.Sorts{Age: true}, func(c desk.Count) string { return c.Age }},
		{"by-office", "office", say{"Theo nơi làm việc", "By office"}, desk.Sorts{Office: true}, func(c desk.Count) string { return c.Office }},
		{"by-day", "day", say{"Theo ngày", "By day"}, desk.Sorts{Day: true}, func(c desk.Count) string { return c.Day }},
	} {
		counts, err := q.office.Statistics(q.Context(), from, to, by.sorts)
		if err != nil {
			return err
		}
		g := group{ID: by.id, Name: by.name}
		var bars []bar
		for _, c := range counts {
			name := q.sortName(by.kind, by.of(c))
			g.Rows = append(g.Rows, groupRow{name, c})
			bars = append(bars, bar{Name: name, One: c.Issued, Two: c.Enrolled})
			if by.kind == "reason" {
				p.add(c)
			}
		}
		g.Plot = plot(by.name.in(q.lang), bars)
		p.Groups = append(p.Groups, g)
	}
	if err := q.turnaround(&p, from, to); err != nil {
		return err
	}
	return q.render("desk_statistics.html", p)
}

// sortName is what a sort of counts is called.
func (q *request) sortName(kind, sort string) string {
	switch kind {
	case "reason":
		return desk.ReasonText(sort, q.lang)
	case "age":
		return nameOf(ageWords, sort).in(q.lang)
	case "day":
		if day, err := time.Parse(time.DateOnly, sort); err == nil {
			return day.Format("02/01/2006")
		}
	}
	return sort
}

func (p *statisticsPage) add(c desk.Count) {
	p.Total.Enrolled += c.Enrolled
	p.Total.Approved += c.Approved
	p.Total.Rejected += c.Rejected
	p.Total.Cancelled += c.Cancelled
	p.Total.Issued += c.Issued
}

// turnaround counts cards by the working days that they took, against the term of the law.
func (q *request) turnaround(p *statisticsPage, from, to time.Time) error {
	days, within, err := q.office.Turnaround(q.Context(), from, to)
	if err != nil {
		return err
	}
	p.Cards, p.Within = len(days), within
	if len(days) == 0 {
		return nil
	}
	counts := make([]int, min(slices.Max(days), 2*desk.Term)+1)
	for _, d := range days {
		counts[min(d, len(counts)-1)]++
	}
	for d, n := range counts {
		name := strconv.Itoa(d) + say{" ngày", " days"}.in(q.lang)
		if d == 2*desk.Term {
			name = "≥ " + name
		}
		p.Days = append(p.Days, bar{Name: name, One: n, Over: d > desk.Term})
	}
	p.Turnaround = plot(say{"Số ngày làm việc từ tiếp nhận đến trả thẻ", "Working days from application to card"}.in(q.lang), p.Days)
	return nil
}

// period reads from when to when: at most a year.
func (q *request) period() (from, to time.Time, err error) {
	to = q.office.Now()
	from = to.AddDate(0, 0, -29)
	for name, at := range map[string]*time.Time{"from": &from, "to": &to} {
		if text := q.FormValue(name); text != "" {
			if *at, err = time.ParseInLocation(time.DateOnly, text, q.office.Now().Location()); err != nil {
				return from, to, errDates
			}
		}
	}
	if to.Before(from) || to.Sub(from) > 366*24*time.Hour {
		return from, to, errDates
	}
	return from, to, nil
}
