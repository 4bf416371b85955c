package dataset

import (
	"errors"
	"io"
	"testing"
)

// A file that was cut off within a key is an error: what stood behind it is not left out in
// silence.
func TestCutOffFile(t *testing.T) {
	for cut := int64(1); cut <= 5; cut++ {
		c := newCounter(t.TempDir(), 10)
		if err := errors.Join(c.add([]byte("a"), 1), c.add([]byte("bcd"), 300), c.spill()); err != nil {
			t.Fatal(err)
		}
		info, err := c.runs[0].Stat()
		if err == nil {
			err = c.runs[0].Truncate(info.Size() - cut)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := c.each(func([]byte, int64) error { return nil }); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("without its last %d octets: %v", cut, err)
		}
	}
}
