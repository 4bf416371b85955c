// Package apdutest plays cards to tests: recorded ones, and the faults that a connection
// to a card may have.
package apdutest

import (
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu/trace"
)

// Play returns a card that answers as the record says, to be used as a Transmitter or as
// a Wire. The test fails if the record can't be read, or if at the test's end something
// of it has not been asked for.
func Play(t testing.TB, record string) *trace.Player {
	t.Helper()
	exchanges, err := trace.Parse(strings.NewReader(record))
	if err != nil {
		t.Fatal(err)
	}
	p := trace.Play(exchanges)
	t.Cleanup(func() {
		if n := p.Rest(); n > 0 && !t.Failed() {
			t.Errorf("%d of %d exchanges were not asked for", n, len(exchanges))
		}
	})
	return p
}
