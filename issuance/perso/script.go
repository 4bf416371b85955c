package perso

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// ErrScript says that octets are no script, or no answers to the script that was sent.
var ErrScript = errors.New("not a script, or not its answers")

// Bounds of a script.
const (
	maxSteps  = 4096
	maxScript = 4 << 20 // octets of one, and of the answers to one
	maxAPDU   = 65544
)

// Script is a row of commands that a centre has protected for a chip at a desk. The desk
// understands none of them. It sends one after the other and stops where an answer is not
// the one foretold.
type Script struct {
	Salt  [16]byte // of the digests
	Steps []Step
}

// Step is a command of a script.
type Step struct {
	Command []byte // encoded
	// Want is Digest of the only answer after which the script goes on. Zeros stand for any
	// that is OK. Whoever has just the digest cannot make the answer up.
	Want [32]byte
}

// Digest is what a step says of an answer, with its status.
func (s *Script) Digest(answer []byte) [32]byte {
	return sha256.Sum256(append(s.Salt[:len(s.Salt):len(s.Salt)], answer...))
}

func (s *Script) wanted(step int, answer []byte) bool {
	if s.Steps[step].Want == [32]byte{} {
		r, err := apdu.ParseResponse(answer)
		return err == nil && r.Status == apdu.OK
	}
	got := s.Digest(answer)
	return subtle.ConstantTimeCompare(got[:], s.Steps[step].Want[:]) == 1
}

// Answers are what a desk saw: an answer for each command sent, and how it ended.
type Answers struct {
	List [][]byte // with their status, of the commands in their order
	End  End
}

// End is how a desk's work on a script ended.
type End byte

// The ends.
const (
	Finished  End = iota // every command was sent
	Stopped              // the last answer is not the one foretold
	Removed              // the next command had no answer: the card is gone
	Reset                // … another program has reset it
	TimedOut             // … it took too long
	Abandoned            // … an earlier one was never answered
	NoAnswer             // … for another reason
	ends
)

// endErrors are what a Transmit returns for each end without an answer.
var endErrors = map[End]error{
	Removed: apdu.ErrRemoved, Reset: apdu.ErrReset, TimedOut: apdu.ErrTimeout, Abandoned: apdu.ErrAbandoned,
	NoAnswer: errors.New("the desk got no answer from the card"),
}

// endOf is the end for what a link says.
func endOf(err error) End {
	for _, e := range []End{Removed, Reset, TimedOut, Abandoned} {
		if errors.Is(err, endErrors[e]) {
			return e
		}
	}
	return NoAnswer
}

// Both forms begin with an octet that tells them apart, and a version.
const (
	formScript  = 'S'
	formAnswers = 'A'
	formVersion = 1
)

// MarshalBinary encodes the script.
func (s *Script) MarshalBinary() ([]byte, error) {
	b := append([]byte{formScript, formVersion}, s.Salt[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.Steps)))
	for _, step := range s.Steps {
		b = append(appendOctets(b, step.Command), step.Want[:]...)
	}
	if len(s.Steps) > maxSteps || len(b) > maxScript {
		return nil, fmt.Errorf("script of %d commands, %d octets: %w", len(s.Steps), len(b), ErrScript)
	}
	return b, nil
}

// ParseScript decodes a script.
func ParseScript(b []byte) (*Script, error) {
	r := reader{b: b, ok: len(b) <= maxScript}
	s := &Script{}
	r.head(formScript)
	copy(s.Salt[:], r.take(len(s.Salt)))
	n := r.count()
	for i := 0; i < n && r.ok; i++ {
		step := Step{Command: r.octets()}
		copy(step.Want[:], r.take(len(step.Want)))
		s.Steps = append(s.Steps, step)
	}
	if !r.ok || n == 0 || len(r.b) > 0 {
		return nil, ErrScript
	}
	return s, nil
}

// MarshalBinary encodes the answers.
func (a *Answers) MarshalBinary() ([]byte, error) {
	b := []byte{formAnswers, formVersion, byte(a.End)}
	b = binary.BigEndian.AppendUint16(b, uint16(len(a.List)))
	for _, x := range a.List {
		b = appendOctets(b, x)
	}
	if len(a.List) > maxSteps || len(b) > maxScript {
		return nil, fmt.Errorf("%d answers, %d octets: %w", len(a.List), len(b), ErrScript)
	}
	return b, nil
}

// ParseAnswers decodes answers.
func ParseAnswers(b []byte) (*Answers, error) {
	r := reader{b: b, ok: len(b) <= maxScript}
	a := &Answers{}
	r.head(formAnswers)
	if v := r.take(1); r.ok {
		a.End = End(v[0])
	}
	n := r.count()
	for i := 0; i < n && r.ok; i++ {
		a.List = append(a.List, r.octets())
	}
	if !r.ok || a.End >= ends || len(r.b) > 0 {
		return nil, ErrScript
	}
	return a, nil
}

func appendOctets(b, v []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
}

// reader reads fields, and is not ok from the first that is missing.
type reader struct {
	b  []byte
	ok bool
}

func (r *reader) take(n int) []byte {
	if !r.ok || n > len(r.b) {
		r.ok = false
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) head(form byte) {
	v := r.take(2)
	r.ok = r.ok && v[0] == form && v[1] == formVersion
}

func (r *reader) count() int {
	v := r.take(2)
	if !r.ok {
		return 0
	}
	n := int(binary.BigEndian.Uint16(v))
	r.ok = n <= maxSteps
	return n
}

// octets reads an encoded command or answer.
func (r *reader) octets() []byte {
	v := r.take(4)
	if !r.ok {
		return nil
	}
	n := binary.BigEndian.Uint32(v)
	if n < 2 || n > maxAPDU {
		r.ok = false
		return nil
	}
	return r.take(int(n))
}
