package pcsc

import (
	"slices"
	"strings"
)

// pick chooses as Pick does.
func pick(readers []Reader, substring string) (Reader, error) {
	matching := slices.DeleteFunc(slices.Clone(readers), func(r Reader) bool {
		return !strings.Contains(strings.ToLower(r.Name), strings.ToLower(substring))
	})
	if i := slices.IndexFunc(matching, func(r Reader) bool { return r.Name == substring }); i >= 0 {
		matching = matching[i : i+1] // a whole name is not ambiguous, though it begin another
	}
	if len(matching) == 0 {
		return Reader{}, ErrNoReader
	}
	ready := slices.DeleteFunc(slices.Clone(matching), func(r Reader) bool { return !r.Card })
	switch len(ready) {
	case 0:
		return Reader{}, ErrNoCard
	case 1:
		return ready[0], nil
	}
	return Reader{}, &AmbiguousError{Readers: ready}
}
