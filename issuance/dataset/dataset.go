// Package dataset writes what offices did in whole months as one Parquet file about nobody.
//
// A row is one act of one case: what was done, where, for which reason, how many working days
// after the application. It has no name of a case, card, person or officer, no time of day and
// no place in the log, and rows of one case have nothing in common that others have not: each
// combination of values in a month stands in the file at least K times, from as many cases.
// Where it would not, columns are told as [Any], the day first, the office and the reasons
// last; what is rare even then is left out. An applicant's age, the one column that is in no
// public leaf, is told only where at least two ages are K times each among rows that are
// otherwise equal, so that who finds a case in the published log does not learn it. The caller
// tells it of one act of a case: the groups of several have few ages in common.
//
// What is told of a month depends on that month alone, so that files of periods that overlap
// tell together what one of them tells.
//
// Rows are counted, not kept: what does not fit into memory is sorted in files. The same
// events in any order give the same octets.
package dataset

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// K is how many rows of a month at least have the same values, and are of as many cases.
const K = 5

// Any is what a column holds where its value would tell too much.
const Any = "*"

// ErrValue means that an event has a value that no column takes.
var ErrValue = errors.New("a value that no column takes")

// Event is one act of one case. An act that a case had before in the same month must not be
// added again: the rows that are alike would be of fewer cases than K.
type Event struct {
	Day      time.Time // in the place where it was done; its time of day is not looked at
	Document string    // kind of document
	Act      string
	Cause    string // why the document was applied for
	Why      string // reason or outcome of the act; "" if it has none
	Office   string
	Register string // what the register of the population had said last; none if it was not asked
	Days     int    // working days since the application; negative if that says nothing of the act
	InTerm   string // yes or no: whether a card was handed over in time; "" for other acts
	Age      string // band of the applicant's age; "" if it is told nowhere in the file
}

// The places of an event's values in its key, which groups of equal rows are sorted by. Age
// is the last: what is before it is the group.
const (
	atMonth = iota
	atDocument
	atAct
	atCause
	atWhy
	atOffice
	atRegister
	atDays
	atInTerm
	atDay
	atAge
	places
)

// coarser lists what each level tells no more, besides what those before it do not.
var coarser = [...][]int{{}, {atDay}, {atRegister, atDays, atInTerm}, {atOffice}, {atCause, atWhy}}

// maxValue bounds a value, in octets.
const maxValue = 64

// Options of New.
type Options struct {
	Provenance Provenance
	Temp       string // folder for files that are gone when the Writer is closed; "" is the system's
	Distinct   int    // how many different rows are held in memory; 100,000 if 0
}

// Writer gathers events and writes the file when all are there. It must be closed.
type Writer struct {
	out    io.Writer
	o      Options
	levels [len(coarser)]*counter
	key    []byte
	rare   int64 // rows that are not told
}

// New makes a Writer of a file.
func New(out io.Writer, o Options) *Writer {
	w := &Writer{out: out, o: o}
	if w.o.Distinct <= 0 {
		w.o.Distinct = 100_000
	}
	for i := range w.levels {
		w.levels[i] = newCounter(o.Temp, w.o.Distinct)
	}
	return w
}

// Add adds an event. The error is ErrValue, or that of a full disk.
func (w *Writer) Add(e Event) error {
	days := ""
	if e.Days >= 0 {
		days = span(e.Days)
	}
	w.key = e.Day.AppendFormat(w.key[:0], "2006-01")
	for _, v := range [...]string{e.Document, e.Act, e.Cause, e.Why, e.Office, e.Register, days, e.InTerm} {
		if len(v) > maxValue || v == Any || strings.ContainsRune(v, 0) {
			return fmt.Errorf("%w: %q", ErrValue, v)
		}
		w.key = append(append(w.key, 0), v...)
	}
	w.key = e.Day.AppendFormat(append(w.key, 0), time.DateOnly)
	if len(e.Age) > maxValue || e.Age == Any || strings.ContainsRune(e.Age, 0) {
		return fmt.Errorf("%w: %q", ErrValue, e.Age)
	}
	w.key = append(append(w.key, 0), e.Age...)
	return w.levels[0].add(w.key, 1)
}

// span is how many working days, as the file tells them: what Law 26/2023 Art. 26 gives an
// office ends one of the spans.
func span(days int) string {
	switch {
	case days == 0:
		return "0"
	case days <= 3:
		return "1-3"
	case days <= 7:
		return "4-7"
	case days <= 14:
		return "8-14"
	}
	return "15+"
}

// Result is what a file holds.
type Result struct {
	Rows     int64
	Withheld int64 // rows too rare to be told, to the nearest multiple of K
	Octets   int64
}

// Finish writes the file.
func (w *Writer) Finish() (Result, error) {
	f := newFile(w.out, w.o.Provenance)
	for level := range w.levels {
		if err := w.emit(level, f); err != nil {
			return Result{}, fmt.Errorf("write the data set: %w", err)
		}
	}
	withheld := (w.rare + K/2) / K * K
	err := f.finish(withheld)
	if err != nil {
		return Result{}, fmt.Errorf("write the data set: %w", err)
	}
	return Result{Rows: f.rows, Withheld: withheld, Octets: f.out.n}, nil
}

// Close forgets what was gathered.
func (w *Writer) Close() error {
	var err error
	for _, c := range w.levels {
		err = errors.Join(err, c.close())
	}
	return err
}
