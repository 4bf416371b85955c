package console

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/receipt"
)

// Bounds of one page of the ledger.
const (
	entryRows = 50
	entryScan = 100_000 // entries that a page looks at, at most
)

// kinds are the kinds of streams, in the order of the filter.
var kinds = []issuance.Kind{
	issuance.KindApplication, issuance.KindCard, issuance.KindPerson, issuance.KindStock, issuance.KindDay, issuance.KindOperator, issuance.KindKey,
	issuance.KindCeremony, issuance.KindDesk, issuance.KindConflict,
}

// entryFilter is which entries are listed.
type entryFilter struct {
	Kind     issuance.Kind
	Name     string
	From, To string // days, both counted in
	first    time.Time
	last     time.Time // the begin of the day after
	at       int64
}

// filter reads the filter of a page; without any, the page is the ledger's last.
func (q *request) filter(size int64) (f entryFilter, err error) {
	f.Kind, f.Name, f.From, f.To = issuance.Kind(q.FormValue("kind")), q.FormValue("name"), q.FormValue("from"), q.FormValue("to")
	if f.Kind != "" && !slices.Contains(kinds, f.Kind) {
		return f, errQuery
	}
	if f.Name != "" {
		kind := cmp.Or(f.Kind, kindOf(f.Name))
		if _, err := issuance.ParseStreamID(string(kind) + "/" + f.Name); err != nil {
			return f, errQuery
		}
		f.Kind = kind
	}
	for _, d := range []struct {
		text string
		into *time.Time
	}{{f.From, &f.first}, {f.To, &f.last}} {
		if d.text == "" {
			continue
		}
		if *d.into, err = time.ParseInLocation(time.DateOnly, d.text, q.c.config.Now().Location()); err != nil {
			return f, errQuery
		}
	}
	if !f.last.IsZero() {
		f.last = f.last.AddDate(0, 0, 1)
	}
	if at := q.FormValue("at"); at != "" {
		if f.at, err = receipt.ParseSize(at); err != nil {
			return f, errQuery
		}
	} else if !f.narrow() {
		f.at = max(0, size-entryRows)
	}
	return f, nil
}

// kindOf is the kind of what a name looks like.
func kindOf(name string) issuance.Kind {
	if len(name) > 2 && name[:2] == "C-" {
		return issuance.KindCard
	}
	return issuance.KindApplication
}

func (f entryFilter) narrow() bool { return f.Kind != "" || f.From != "" || f.To != "" }

func (f entryFilter) takes(e *issuance.Entry) bool {
	return (f.Kind == "" || e.Stream.Kind == f.Kind) && (f.Name == "" || e.Stream.ID == f.Name) &&
		(f.first.IsZero() || !e.Time.Before(f.first)) && (f.last.IsZero() || e.Time.Before(f.last))
}

// link is the page of the same filter at a place.
func (f entryFilter) link(at int64) string {
	v := url.Values{"at": {strconv.FormatInt(at, 10)}}
	for name, value := range map[string]string{"kind": string(f.Kind), "name": f.Name, "from": f.From, "to": f.To} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/audit/entries?" + v.Encode()
}

// entryRow is one entry in a list: what the public leaf says, and no more.
type entryRow struct {
	Index    int64
	Time     time.Time
	Act      issuance.Act
	Stream   issuance.StreamID
	Operator actor
	Second   *actor
}

// actor is who signed: the name of the key, and who stands behind it.
type actor struct{ Name, Person string }

// actors finds operators by their keys.
type actors map[issuance.KeyID]issuance.Operator

func (q *request) actors() (actors, error) {
	list, err := q.office.Operators(q.Context())
	if err != nil {
		return nil, err
	}
	a := actors{}
	for _, o := range list {
		a[o.Key] = o
	}
	return a, nil
}

func (a actors) of(k issuance.KeyID) actor {
	if o, ok := a[k]; ok {
		return actor{o.Name, o.Person}
	}
	return actor{k.String()[:16], k.String()} // nobody's: a person of its own
}

func (a actors) row(index int64, e *issuance.Entry) entryRow {
	r := entryRow{Index: index, Time: e.Time, Act: e.Act, Stream: e.Stream, Operator: a.of(e.Operator)}
	if !e.Second.IsZero() {
		second := a.of(e.Second)
		r.Second = &second
	}
	return r
}

var errEnough = errors.New("enough")

// auditEntries lists entries in the order of the log.
func (q *request) auditEntries() error {
	l := q.c.config.Ledger
	c, err := l.Checkpoint(q.Context())
	if err != nil {
		return err
	}
	f, err := q.filter(c.Size)
	if err != nil {
		return err
	}
	who, err := q.actors()
	if err != nil {
		return err
	}
	data := struct {
		entryFilter
		Kinds              []issuance.Kind
		Rows               []entryRow
		Size               int64
		First, Older, Next string
	}{entryFilter: f, Kinds: kinds, Size: c.Size}
	next := int64(-1)
	err = l.Entries(q.Context(), f.at, func(index int64, leaf, _ []byte) error {
		if len(data.Rows) == entryRows || index-f.at == entryScan {
			next = index
			return errEnough
		}
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if f.takes(&e) {
			data.Rows = append(data.Rows, who.row(index, &e))
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if next >= 0 {
		data.Next = f.link(next)
	}
	if f.at > 0 {
		data.First = f.link(0)
		if !f.narrow() {
			data.Older = f.link(max(0, f.at-entryRows))
		}
	}
	return q.render("audit_entries.html", data)
}
