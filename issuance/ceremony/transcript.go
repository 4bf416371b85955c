package ceremony

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Record is one line of a transcript: JSON in one form, its fields in this order.
type Record struct {
	N         int    `json:"n"`
	At        string `json:"at"`   // RFC 3339, UTC, to the microsecond
	Kind      string `json:"kind"` // begin, a kind of step, challenge, end, stop, sign
	Step      int    `json:"step,omitempty"`
	Who       string `json:"who,omitempty"`
	Prompt    string `json:"prompt,omitempty"`
	Answer    string `json:"answer,omitempty"`
	Item      string `json:"item,omitempty"`   // a file, key or act
	Digest    string `json:"digest,omitempty"` // SHA-256 of the item, or of the script
	Key       string `json:"key,omitempty"`    // of a custodian, as ledgers have it
	Signature string `json:"signature,omitempty"`
	Text      string `json:"text,omitempty"` // of begin: the script itself
	Rehearsal bool   `json:"rehearsal,omitempty"`
	Prev      string `json:"prev"` // SHA-256 of the line before, with its end
}

// The kinds of records beside those of steps.
const (
	kindBegin = "begin"
	kindEnd   = "end"
	kindStop  = "stop"
	kindSign  = "sign"
)

const timeForm = "2006-01-02T15:04:05.000000Z"

// line is the one form of a record.
func (r Record) line() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// start is what the first record has for the line before it.
var start = sum([]byte("tamthe ceremony v1"))

// writer appends records.
type writer struct {
	out  io.Writer
	now  func() time.Time
	n    int
	prev string
}

// add appends a record. The line is written whole before anything else happens.
func (w *writer) add(r Record) error { return w.append(w.place(r)) }

// place gives a record its number, its time and the hash of the line before.
func (w *writer) place(r Record) Record {
	r.N, r.At, r.Prev = w.n+1, w.now().UTC().Format(timeForm), w.prev
	return r
}

func (w *writer) append(r Record) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	if _, err := w.out.Write(line); err != nil {
		return fmt.Errorf("write the transcript: %w", err)
	}
	w.n, w.prev = r.N, sum(line)
	return nil
}

// signed is what a custodian signs at the end: the hash of their own record, which holds that
// of the line before, as it is without the signature.
func (r Record) signed() ([]byte, error) {
	r.Signature = ""
	line, err := r.line()
	return []byte(sum(line)), err
}

// Digest is what a ledger holds of a transcript.
func Digest(transcript []byte) [32]byte { return sha256.Sum256(transcript) }

// read takes a transcript apart: every line is in its one form, follows the one before, and
// is no earlier.
func read(b []byte) ([]Record, error) {
	if len(b) > maxTranscript {
		return nil, fmt.Errorf("%w: %d octets", ErrTranscript, len(b))
	}
	var list []Record
	prev, last := start, ""
	for n := 1; len(b) > 0; n++ {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return nil, fmt.Errorf("%w: line %d has no end", ErrTranscript, n)
		}
		line := b[:end+1]
		var r Record
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrTranscript, n, err)
		}
		same, err := r.line()
		_, timed := time.Parse(timeForm, r.At)
		switch {
		case err != nil || !bytes.Equal(same, line):
			return nil, fmt.Errorf("%w: line %d is not in its one form", ErrTranscript, n)
		case r.N != n || r.Prev != prev:
			return nil, fmt.Errorf("%w: line %d does not follow the one before", ErrTranscript, n)
		case timed != nil || r.At < last:
			return nil, fmt.Errorf("%w: the time of line %d", ErrTranscript, n)
		}
		list, prev, last, b = append(list, r), sum(line), r.At, b[end+1:]
	}
	return list, nil
}
