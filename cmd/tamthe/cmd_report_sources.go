package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// reportSources are what a report counts besides the ledger: this device's record of
// inspections, if there is one and nobody changed it, and the logins that were asked for.
func (p *program) reportSources(ctx context.Context, o reportOptions) (list []desk.Source, done func(), err error) {
	done = func() {}
	dir := p.home.path(inspectionsDir)
	if _, err := os.Stat(dir); err == nil {
		id, err := p.ownDevice()
		if err == nil {
			_, err = record.Verify(dir, id, nil)
		}
		switch {
		case errors.Is(err, record.ErrMissing):
		case err != nil:
			return nil, done, err
		default:
			list = append(list, inspectionsSource(dir))
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, done, err
	}
	if o.logins != "" {
		l, err := sqlite.OpenLogins(ctx, filepath.Join(o.logins, eidLogins))
		if err != nil {
			return nil, done, err
		}
		done = func() { _ = l.Close() }
		list = append(list, loginsSource(ctx, l))
	}
	return list, done, nil
}

// inspectionsSource counts inspections by verdict, by how the chip was opened, and what they
// found. Inspections of SPECIMEN cards are told as such.
func inspectionsSource(dir string) desk.Source {
	return desk.Source{
		Name:   "inspections",
		Tables: []desk.Table{{By: "verdict", Names: []string{"inspections"}}, {By: "access", Names: []string{"inspections"}}, {By: "finding", Names: []string{"findings"}}},
		Each: func(each func(desk.Outside) error) error {
			for line, err := range record.Entries(dir) {
				if err != nil {
					return err
				}
				e, err := record.ParseEntry(line)
				if err != nil {
					return err
				}
				verdict := e.Verdict.String()
				if e.Specimen {
					verdict += " (specimen)"
				}
				counted := []desk.Outside{
					{At: e.Time, Table: "verdict", Count: "inspections", Sort: verdict},
					{At: e.Time, Table: "access", Count: "inspections", Sort: first(e.Access, "none")},
				}
				if e.Verb == record.Compare { // the same inspection, with the officer's answer
					counted = nil
				}
				for _, c := range e.Checks {
					if c.Reason != "" && (e.Verb != record.Compare || c.ID == verify.CheckHolder) {
						counted = append(counted, desk.Outside{At: e.Time, Table: "finding", Count: "findings", Sort: string(c.Reason)})
					}
				}
				for _, c := range counted {
					if err := each(c); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
}

// loginsSource counts decisions of e-authentication by what came of them, by level and by who
// asked.
func loginsSource(ctx context.Context, l *sqlite.Logins) desk.Source {
	names := []string{"logins"}
	return desk.Source{
		Name:   "logins",
		Tables: []desk.Table{{By: "login", Names: names}, {By: "login_level", Names: names}, {By: "login_party", Names: names}},
		Each: func(each func(desk.Outside) error) error {
			return l.Each(ctx, time.Unix(0, 0), time.Unix(1<<40, 0), func(d eid.Decision) error {
				for table, sort := range map[string]string{"login": first(string(d.Code), "accepted"), "login_level": first(string(d.Level), "none"), "login_party": d.Party} {
					if err := each(desk.Outside{At: d.Time, Table: table, Count: "logins", Sort: sort}); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

// wholeMonths reads --from and --to, which must both be there.
func (p *program) wholeMonths(verb, from, to string) (first, last time.Time, err error) {
	if from == "" || to == "" {
		return first, last, usagef("%s goes with --from and --to", verb)
	}
	if first, err = p.dayFlag("--from", from); err != nil {
		return first, last, err
	}
	last, err = p.dayFlag("--to", to)
	return first, last, err
}
