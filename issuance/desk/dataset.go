package desk

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/dataset"
)

// DatasetOptions are what WriteDataset needs besides the ledger.
type DatasetOptions struct {
	From, To time.Time // first and last day, of whole months
	Ages     bool      // whether ages are told, from sealed data
	Origin   string    // name of the log
	Tool     string    // version of the program
	Temp     string    // folder for what does not fit into memory; "" is the system's
}

// WriteDataset writes what was done in whole months that are over as rows about nobody, and
// says what it wrote: see package dataset. It takes the same memory however long the ledger is.
func (o *Office) WriteDataset(ctx context.Context, out io.Writer, d DatasetOptions) (made dataset.Provenance, result dataset.Result, err error) {
	months, err := o.WholeMonths(d.From, d.To)
	if err != nil {
		return made, result, err
	}
	from, end := months[0], months[len(months)-1].AddDate(0, 1, 0)
	size, root, err := o.Extent(ctx, end)
	if err != nil {
		return made, result, err
	}
	made = dataset.Provenance{
		Origin: d.Origin, Size: size, Root: hex.EncodeToString(root[:]), From: from.Format(time.DateOnly),
		To: end.AddDate(0, 0, -1).Format(time.DateOnly), Office: o.Place, Zone: o.zone(end), Tool: d.Tool, Ages: d.Ages,
	}
	w := dataset.New(out, dataset.Options{Provenance: made, Temp: d.Temp})
	defer func() { err = errors.Join(err, w.Close()) }()
	err = o.Events(ctx, end, Facts{Ages: d.Ages}, func(e Event) error {
		if e.Again || e.Day.Before(from) {
			return nil
		}
		return w.Add(e.row())
	})
	if err != nil {
		return made, result, err
	}
	result, err = w.Finish()
	return made, result, err
}

// row is the event as a data set takes it. The age is told of one act of a case only: whoever
// has the log knows which acts are of one case, and the ages among which it is in each group
// would leave one together.
func (e Event) row() dataset.Event {
	if e.Act != string(issuance.Enrol) {
		e.Age = ""
	}
	return dataset.Event{
		Day: e.Day, Document: e.Document, Act: e.Act, Cause: e.Cause, Why: e.Why, Office: e.Office, Register: e.Register,
		Days: e.Days, InTerm: e.InTerm, Age: e.Age,
	}
}
