package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/evidence"
)

// The files of a record.
const (
	entriesFile = "inspections.jsonl"
	headFile    = "head"
	lockFile    = "lock"
)

const headSchema = "tamthe/inspection-head/1"

// maxHead bounds a head, in octets.
const maxHead = 4096

// ErrHead says that a head is none, or its seal is wrong.
var ErrHead = errors.New("not a signed head of a record of inspections")

// Head is how far a record reached when the device signed it. Kept elsewhere, it finds a
// record that was put back.
type Head struct {
	headBody
	Seal evidence.Seal `json:"seal"`

	line []byte // the last entry, which the file keeps behind the head
}

type headBody struct {
	Schema  string       `json:"schema"`
	Entries uint64       `json:"entries"`
	Size    int64        `json:"size"` // of the entries, in octets
	Hash    evidence.Hex `json:"hash"` // SHA-256 of the last line
	Time    time.Time    `json:"time"`
}

// Line is the entry that the head covers last; nil for a head from elsewhere.
func (h Head) Line() []byte { return h.line }

// newHead has the device sign that the record reaches to this line.
func newHead(line []byte, e Entry, size int64, d *evidence.Device) (Head, error) {
	sum := sha256.Sum256(line)
	b := headBody{headSchema, e.Number, size, sum[:], e.Time}
	body, err := json.Marshal(b)
	if err != nil {
		return Head{}, err
	}
	seal, err := d.Seal(body)
	return Head{b, seal, line}, err
}

// ParseHead reads a head and verifies its seal; whose it is, Seal.Device tells. Errors wrap
// ErrHead.
func ParseHead(text []byte) (Head, error) {
	var h Head
	if len(text) > maxHead {
		return Head{}, ErrHead
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return Head{}, fmt.Errorf("%w: %w", ErrHead, err)
	}
	again, err := json.Marshal(h)
	if err != nil || h.Schema != headSchema || h.Entries == 0 || len(h.Hash) != sha256.Size || !bytes.Equal(again, bytes.TrimSuffix(text, []byte("\n"))) {
		return Head{}, ErrHead
	}
	body, err := json.Marshal(h.headBody)
	if err == nil {
		err = h.Seal.Verify(body)
	}
	if err != nil {
		return Head{}, fmt.Errorf("%w: %w", ErrHead, err)
	}
	return h, nil
}

// readHead reads the head of a record with its last entry; nil if there is none.
func readHead(dir string) (*Head, error) {
	text, err := readSmall(filepath.Join(dir, headFile), maxHead+maxLine+2)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	head, line, _ := bytes.Cut(text, []byte("\n"))
	line, ended := bytes.CutSuffix(line, []byte("\n"))
	h, err := ParseHead(head)
	if err != nil {
		return nil, &TamperError{Why: "its signed head cannot be read", Err: err}
	}
	if sum := sha256.Sum256(line); !ended || !bytes.Equal(sum[:], h.Hash) || h.Size < int64(len(line))+1 {
		return nil, &TamperError{h.Entries, "its copy at the head is another", nil}
	}
	h.line = line
	return &h, nil
}

// write puts the head in the place of the one before, whole or not at all.
func (h Head) write(dir string) (err error) {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	text = fmt.Appendf(text, "\n%s\n", h.line)
	return durable.Replace(filepath.Join(dir, headFile), text, 0o600)
}
