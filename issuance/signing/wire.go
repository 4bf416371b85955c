package signing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/issuance"
)

// What goes over the wire: one request, one answer, each a frame of four octets of length
// and that many octets. An answer begins with an octet that says what it is: 0 a security
// object, else the number of a refusal, with its text behind.

// maxAnswer bounds an answer in octets: a security object, or the text of a refusal.
const maxAnswer = 64 << 10

// maxText bounds the text of a refusal.
const maxText = 1 << 10

// refusals are what a caller at the other end can tell apart, by their place; a place is
// never given to another. What is not among them is ErrFailed there.
var refusals = []error{
	nil, ErrFailed, ErrRequest, ErrNotApproved, ErrEvidence, ErrNoSigner, ErrCap, ErrStaleCRL, ErrLog, ErrWitness, ErrLost, ErrListFull,
	issuance.ErrChanged, issuance.ErrOperator, issuance.ErrRole, issuance.ErrSignature, issuance.ErrFourEyes, issuance.ErrConflict,
	issuance.ErrEntry, issuance.ErrLink,
}

// ErrFailed means that a service at the other end of a wire failed in a way that it does not
// tell. It may be asked again.
var ErrFailed = errors.New("the signing service failed")

// answer encodes what a service says.
func answer(sod []byte, err error) []byte {
	if err == nil {
		return append([]byte{0}, sod...)
	}
	for i, known := range refusals {
		if i > 1 && errors.Is(err, known) {
			return append([]byte{byte(i)}, text(err)...)
		}
	}
	return []byte{1} // what else goes wrong there is nobody's business here
}

func text(err error) string {
	s := err.Error()
	return s[:min(len(s), maxText)]
}

// remote is a refusal of a service at the other end: its text is what was said there.
type remote struct {
	text string
	kind error
}

func (r *remote) Error() string { return r.text }
func (r *remote) Unwrap() error { return r.kind }

// readAnswer decodes what a service said.
func readAnswer(b []byte) ([]byte, error) {
	switch {
	case len(b) == 0 || int(b[0]) >= len(refusals):
		return nil, fmt.Errorf("%w: an answer that is none", ErrFailed)
	case b[0] == 0 && len(b) > 1:
		return b[1:], nil
	case b[0] == 0:
		return nil, fmt.Errorf("%w: an empty answer", ErrFailed)
	case b[0] == 1:
		return nil, ErrFailed
	}
	return nil, &remote{printable(b[1:min(len(b), 1+maxText)]), refusals[b[0]]}
}

// printable keeps what cannot play tricks on a terminal.
func printable(b []byte) string {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c < ' ' || c > '~' {
			c = '?'
		}
		out = append(out, c)
	}
	return string(out)
}

func writeFrame(w io.Writer, b []byte) error {
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	_, err := w.Write(append(frame, b...))
	return err
}

// readFrame reads a frame of at most so many octets. io.EOF says that there was none.
func readFrame(r io.Reader, most int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > uint32(most) {
		return nil, fmt.Errorf("a frame of %d octets, at most %d are taken", n, most)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return b, nil
}
