package trace

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tamthe/tamthe/apdu"
)

// Recorder is a Transmitter that writes down what passes through it, less the personal
// data. It serves one goroutine at a time and one card.
type Recorder struct {
	next  apdu.Transmitter
	w     io.Writer
	files files
	err   error
}

// Record returns a Recorder in front of t that writes to w.
func Record(t apdu.Transmitter, w io.Writer) *Recorder {
	return &Recorder{next: t, w: w, files: files{masks: map[uint16]*mask{}}}
}

// Transmit passes c on and returns what comes back, unchanged. Failure to write is not
// its business: see Err.
func (r *Recorder) Transmit(ctx context.Context, c apdu.Command) (apdu.Response, error) {
	answer, err := r.next.Transmit(ctx, c)
	shown := c
	if secretData(c) {
		shown.Data = filler(len(c.Data))
	}
	if b, encodeErr := encode(shown); encodeErr == nil {
		r.write("> %X\n", b)
	} else {
		r.write("# not a command: %v\n", encodeErr)
	}
	if err != nil {
		r.write("! %s\n", oneLine(err.Error()))
		return answer, err
	}
	r.write("< %X\n", apdu.Response{Data: r.files.mask(c, answer), Status: answer.Status}.Bytes())
	return answer, nil
}

// Note writes a comment.
func (r *Recorder) Note(text string) { r.write("# %s\n", oneLine(text)) }

// Err is the first failure to write, after which nothing more was written.
func (r *Recorder) Err() error { return r.err }

func (r *Recorder) write(format string, a ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, a...)
	}
}

// encode chooses the short encoding where it will do.
func encode(c apdu.Command) ([]byte, error) {
	return c.Encode(len(c.Data) > apdu.MaxShort || c.Le > apdu.MaxShortLe)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// secretData says whether the data of the command are left out.
func secretData(c apdu.Command) bool {
	switch c.INS {
	case 0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D, // VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER
		0xD0, 0xD1, 0xD6, 0xD7, // WRITE and UPDATE BINARY
		0xD2, 0xDC, 0xDD, 0xE2, // WRITE, UPDATE and APPEND RECORD; STORE DATA
		0xD8,       // PUT KEY
		0xDA, 0xDB: // PUT DATA
		return true
	}
	return false
}
