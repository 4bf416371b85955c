package console

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// maxCounting bounds a form with the numbers of blanks, in octets.
const maxCounting = 1 << 20

// stockPage is the stock of blank cards with what a stock keeper does.
type stockPage struct {
	Place    string
	Holdings []desk.Holding
	Batches  []string // that have blanks here
	Spoilage []desk.Spoilage
	Day      string
	Done     say // what was recorded; empty
	Today    time.Time
	May      bool
	Reasons  []string
	Compared *desk.Reconciliation
}

// stock shows where the blanks are, and what a stock keeper may do.
func (q *request) stock() error { return q.stockAfter(nil) }

func (q *request) stockAfter(compared *desk.Reconciliation) error {
	p := stockPage{
		Place: q.office.Place, Day: q.office.Now().Format(time.DateOnly), Done: stockDone[q.did()], Today: q.office.Now(), May: q.operator.May(issuance.StockKeeper),
		Reasons: issuance.Reasons(issuance.KindStock, issuance.Spoil), Compared: compared,
	}
	var err error
	if p.Holdings, err = q.office.Holdings(q.Context()); err != nil {
		return err
	}
	for _, h := range p.Holdings {
		if h.At == p.Place && !slices.Contains(p.Batches, h.Batch) {
			p.Batches = append(p.Batches, h.Batch)
		}
	}
	if p.Spoilage, err = q.office.Spoilage(q.Context(), p.Day); err != nil {
		return err
	}
	return q.render("desk_stock.html", p)
}

// stockDone says what was recorded of the stock.
var stockDone = map[issuance.Act]say{
	issuance.Receive: {"nhập kho", "blanks taken in"}, issuance.Move: {"chuyển phôi đi", "blanks moved"}, issuance.Spoil: {"ghi phôi hỏng", "blanks spoiled"},
	issuance.Destroy: {"tiêu hủy phôi hỏng", "spoiled blanks destroyed"}, issuance.Count: {"kiểm đếm", "the count"}, issuance.Close: {"chốt ngày", "the day is closed"},
}

// stockActs are the acts on a range of blanks.
var stockActs = map[issuance.Act]func(ctx context.Context, q *request, r desk.Range) error{
	issuance.Receive: func(ctx context.Context, q *request, r desk.Range) error {
		return q.office.ReceiveBlanks(ctx, r, strings.TrimSpace(q.PostFormValue("transport")))
	},
	issuance.Move: func(ctx context.Context, q *request, r desk.Range) error {
		return q.office.MoveBlanks(ctx, r, strings.TrimSpace(q.PostFormValue("to")))
	},
	issuance.Spoil: func(ctx context.Context, q *request, r desk.Range) error {
		return q.office.SpoilBlanks(ctx, r, q.PostFormValue("reason"))
	},
	issuance.Destroy: func(ctx context.Context, q *request, r desk.Range) error { return q.office.DestroyBlanks(ctx, r) },
}

// actOnStock does one act on the stock.
func (q *request) actOnStock() error {
	act := issuance.Act(q.PathValue("act"))
	path := "/desk/stock?done=" + string(act)
	if act == "compare" {
		return q.compare()
	}
	do := stockActs[act]
	if do == nil && act != issuance.Count && act != issuance.Close {
		return errNoPage
	}
	return q.once(func() (string, error) {
		forget, err := q.pair()
		if err != nil {
			return "", err
		}
		defer forget()
		switch act {
		case issuance.Count:
			return path, q.count()
		case issuance.Close:
			_, err := q.office.CloseDay(q.Context())
			return path, err
		}
		if act == issuance.Spoil && !slices.Contains(issuance.Reasons(issuance.KindStock, act), q.PostFormValue("reason")) {
			return "", errReason
		}
		span, err := desk.ParseSpan(strings.TrimSpace(q.PostFormValue("numbers")))
		if err != nil {
			return "", err
		}
		r := desk.Range{Batch: strings.TrimSpace(q.PostFormValue("batch")), First: span.First, Last: span.Last, At: q.office.Place}
		return path, do(q.Context(), q, r)
	})
}

// count records how many blanks of a batch were found: a number, or the list of those found.
func (q *request) count() error {
	batch, list := strings.TrimSpace(q.PostFormValue("batch")), []byte(q.PostFormValue("list"))
	if len(strings.TrimSpace(string(list))) == 0 {
		n, err := strconv.ParseUint(strings.TrimSpace(q.PostFormValue("count")), 10, 48)
		if err != nil {
			return errNumber
		}
		return q.office.Count(q.Context(), batch, n, nil)
	}
	found, err := desk.ParseNumbers(list)
	if err != nil {
		return err
	}
	return q.office.Count(q.Context(), batch, desk.Total(found), list)
}

// compare names the blanks that are missing, or too many. Nothing is recorded.
func (q *request) compare() error {
	found, err := desk.ParseNumbers([]byte(q.PostFormValue("list")))
	if err != nil {
		return err
	}
	if found == nil {
		found = []desk.Span{} // nothing was found, which is not the same as not looked for
	}
	r, err := q.office.Reconcile(q.Context(), strings.TrimSpace(q.PostFormValue("batch")), found)
	if err != nil {
		return err
	}
	return q.stockAfter(r)
}
