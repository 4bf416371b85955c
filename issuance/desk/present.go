package desk

import "context"

// present refuses, before a chip is touched, what a ledger would not take now: one that a
// desk only hands in to may be there to read while nobody appends.
func (o *Office) present(ctx context.Context) error {
	s, ok := o.Store.(interface {
		Present(ctx context.Context) error
	})
	if !ok {
		return nil
	}
	return s.Present(ctx)
}
