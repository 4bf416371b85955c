package desk

import (
	"context"
	"errors"

	"github.com/tamthe/tamthe/issuance"
)

// errFault is a failure of the ledger that a test has ordered.
var errFault = errors.New("the ledger fails")

// faulty is a ledger whose at-th append fails, before it is written or after, and every
// one from then on until it is mended.
type faulty struct {
	Store
	at    int
	after bool
	n     int
}

func (f *faulty) Append(ctx context.Context, at issuance.Head, e ...issuance.Entry) error {
	f.n++
	if f.at == 0 || f.n < f.at {
		return f.Store.Append(ctx, at, e...)
	}
	if f.n == f.at && f.after {
		if err := f.Store.Append(ctx, at, e...); err != nil {
			return err
		}
	}
	return errFault
}

// happened says whether the fault came about.
func (f *faulty) happened() bool { return f.at > 0 && f.n >= f.at }
