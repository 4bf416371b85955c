package console

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// Inspections is the record of what was inspected on this machine; see verify/evidence/record.
type Inspections interface {
	// Append adds an inspection in the name of the officer whose key this is.
	Append(verb string, r *verify.Report, officer crypto.PublicKey) (record.Entry, error)
	// Slip is what the citizen is given of an inspection on record: what was read, by whom and
	// for what, and no value of the card. nil where the office gives none.
	Slip(e record.Entry, r *verify.Report, lang verify.Lang) ([]byte, error)
	// Entries yields the entries, the oldest first.
	Entries() iter.Seq2[[]byte, error]
	// Verify holds the record against what the device signed.
	Verify() (record.State, error)
}

var errNotRecorded = &problem{"not-recorded", 0, say{"Lần kiểm tra này không ghi được vào sổ của máy", "This inspection could not be put on record"}, say{"Kết luận vẫn đúng. Báo người quản trị: sổ hoặc đĩa của máy chủ có lỗi.", "The verdict stands. Tell the administrator: the record or the server's disk has a fault."}}

// note puts an inspection on record; that it could not is shown beside the verdict, which it
// does not change: a checkpoint whose disk is full must still refuse.
func (q *request) note(verb string, r *verify.Report) (*record.Entry, *Failure) {
	var err error = errNotRecorded
	var e record.Entry
	if i := q.c.config.Inspections; i != nil {
		e, err = i.Append(verb, r, q.office.Signer.Public())
	}
	if err == nil {
		return &e, nil
	}
	f := q.c.config.Explain(err, q.lang)
	q.c.config.Log.ErrorContext(q.Context(), "inspection not recorded", "code", f.Code)
	return nil, errNotRecorded.told(q.lang)
}

// slip is the citizen's slip of an inspection on record, in both languages; nil without.
func (q *request) slip(e *record.Entry, r *verify.Report) (texts map[string][]byte) {
	if e == nil {
		return nil
	}
	for _, lang := range []string{"vi", "en"} {
		text, err := q.c.config.Inspections.Slip(*e, r, verify.Lang(lang))
		if err != nil {
			q.c.config.Log.ErrorContext(q.Context(), "no slip", "code", q.c.config.Explain(err, q.lang).Code)
		}
		if text == nil {
			return nil
		}
		if texts == nil {
			texts = map[string][]byte{}
		}
		texts[lang] = text
	}
	return texts
}

// historyPage is one page of the record: no names, no numbers of persons or documents.
type historyPage struct {
	Rows    []historyRow
	Older   uint64 // the page before it begins below this number; 0: there is none
	Entries uint64
	Wrong   *Failure // the record is not as the device signed it
}

type historyRow struct {
	Number          uint64
	Time            time.Time
	Verb            say
	Light, Sign     string
	Word            string
	Reasons         []verify.Reason
	Why             string
	Card            string // the first sixteen digits of its CardID
	Access, Officer string // the first eight digits of the officer's pseudonym
	Mine            bool
}

const historyRows = 50

var verbs = map[string]say{
	"verify": {"kiểm tra", "inspection"}, "compare": {"so người", "bearer compared"}, "read": {"đọc thẻ", "reading"},
	"read-interrupted": {"đọc dở", "reading, interrupted"},
}

// inspections shows the record of this machine, the newest first.
func (q *request) inspections() error {
	before, err := strconv.ParseUint(q.FormValue("before"), 10, 64)
	if err != nil {
		before = 1 << 62
	}
	p := historyPage{}
	if q.c.config.Inspections == nil {
		return q.render("check_history.html", p)
	}
	rows, err := q.history(before)
	if err != nil && !errors.Is(err, record.ErrMissing) {
		return err
	}
	p.Rows = rows
	if n := len(rows); n == historyRows && rows[n-1].Number > 1 {
		p.Older = rows[n-1].Number
	}
	s, err := q.c.config.Inspections.Verify()
	p.Entries = s.Head.Entries
	if err != nil && !errors.Is(err, record.ErrMissing) {
		f := q.c.config.Explain(err, q.lang)
		p.Wrong = &f
	}
	return q.render("check_history.html", p)
}

// history reads the newest entries below a number, newest first.
func (q *request) history(before uint64) ([]historyRow, error) {
	me, err := evidence.Pseudonym(q.office.Signer.Public())
	if err != nil {
		return nil, err
	}
	var last []record.Entry
	for line, err := range q.c.config.Inspections.Entries() {
		if err != nil {
			return nil, err
		}
		e, err := record.ParseEntry(line)
		if err != nil {
			return nil, err
		}
		if e.Number >= before {
			break
		}
		if last = append(last, e); len(last) > historyRows {
			last = last[1:]
		}
	}
	slices.Reverse(last)
	rows := make([]historyRow, len(last))
	for i, e := range last {
		rows[i] = q.historyRow(e, me[:])
	}
	return rows, nil
}

func (q *request) historyRow(e record.Entry, me []byte) historyRow {
	row := historyRow{
		Number: e.Number, Time: e.Time.In(q.c.config.Now().Location()), Light: lights[min(e.Verdict, verify.Refuse)], Sign: signs[min(e.Verdict, verify.Refuse)],
		Card: first16(e.Card), Access: verify.Escape(e.Access), Mine: bytes.Equal(e.Officer, me),
	}
	row.Word = e.Verdict.Word(verify.Lang(q.lang))
	var ok bool
	if row.Verb, ok = verbs[e.Verb]; !ok {
		row.Verb = say{verify.Escape(e.Verb), verify.Escape(e.Verb)}
	}
	if len(e.Officer) > 0 {
		row.Officer = hex.EncodeToString(e.Officer)[:8]
	}
	if row.Reasons = reasons(e); len(row.Reasons) > 0 {
		row.Why = row.Reasons[0].Words(verify.Lang(q.lang)).Cause
	}
	return row
}

// reasons are why an inspection was not accepted: what failed before what is not known.
func reasons(e record.Entry) (list []verify.Reason) {
	if e.Verdict == verify.Accept {
		return nil
	}
	for _, o := range []verify.Outcome{verify.Failed, verify.Undetermined} {
		for _, c := range e.Checks {
			if r := verify.Reason(verify.Escape(string(c.Reason))); c.Outcome == o && r != "" && !slices.Contains(list, r) {
				list = append(list, r)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	return list
}

func first16(s string) string { return s[:min(16, len(s))] }
