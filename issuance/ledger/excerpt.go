package ledger

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tamthe/tamthe/issuance"
)

// ErrExcerpt means that octets are no excerpt of a log, or are cut short.
var ErrExcerpt = errors.New("not an excerpt of a log")

// An excerpt carries the newest entries of a log from one store to another, with all that
// is kept beside them, verbatim:
//
//	22      "tamthe log excerpt v1" and a line feed
//	4       length of the checkpoint's signed note, at most 64 kB, and the note
//	8       number of entries that the receiver has already
//	for each entry from there up to the checkpoint's size:
//	  4     length of the leaf, at most 64 kB, and the leaf
//	  4     length of the payload, at most 64 kB, and the payload
//	  1     number of attachments, at most 32; for each:
//	    1   length of its name, and the name
//	    4   length of the sealed octets, at most issuance.MaxSealed, and those
//
// Integers are big-endian. Nothing of it is to be believed before the receiver has rebuilt
// the tree: the checkpoint signs the leaves, a leaf binds its payload, and that the digests
// of the attachments.
const excerptMagic = "tamthe log excerpt v1\n"

const (
	maxExcerptPart = 64 << 10
	maxExcerptFile = 32 // attachments of an entry
)

// Carried is one entry of an excerpt.
type Carried struct {
	Leaf, Payload []byte
	Attach        []issuance.Attachment // with Sealed
}

// ExcerptWriter writes an excerpt. After an error it must not be used.
type ExcerptWriter struct {
	w    *bufio.Writer
	left int64
}

// NewExcerpt begins an excerpt of the entries from the given index up to the size of the
// checkpoint, which has its note.
func NewExcerpt(w io.Writer, c *Checkpoint, from int64) (*ExcerptWriter, error) {
	if from < 0 || from > c.Size || len(c.Note) > maxExcerptPart {
		return nil, fmt.Errorf("write the excerpt: %d of %d entries: %w", from, c.Size, ErrExcerpt)
	}
	x := &ExcerptWriter{bufio.NewWriter(w), c.Size - from}
	x.w.WriteString(excerptMagic)
	x.long(c.Note)
	return x, x.number(8, uint64(from))
}

// Add writes the next entry.
func (x *ExcerptWriter) Add(c Carried) error {
	if x.left == 0 || len(c.Leaf) > maxExcerptPart || len(c.Payload) > maxExcerptPart || len(c.Attach) > maxExcerptFile {
		return fmt.Errorf("write the excerpt: %w: more or larger than it holds", ErrExcerpt)
	}
	x.left--
	x.long(c.Leaf)
	x.long(c.Payload)
	err := x.number(1, uint64(len(c.Attach)))
	for _, a := range c.Attach {
		if len(a.Name) > 255 || len(a.Sealed) > issuance.MaxSealed {
			return fmt.Errorf("write the excerpt: %w: attachment %q", ErrExcerpt, a.Name)
		}
		x.number(1, uint64(len(a.Name)))
		x.w.WriteString(a.Name)
		err = x.long(a.Sealed)
	}
	return err
}

// Close ends the excerpt; one that lacks entries is ErrExcerpt.
func (x *ExcerptWriter) Close() error {
	if x.left > 0 {
		return fmt.Errorf("write the excerpt: %w: %d entries are missing", ErrExcerpt, x.left)
	}
	return x.w.Flush()
}

// number and long return the first error of all that was written.
func (x *ExcerptWriter) number(octets int, v uint64) error {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	_, err := x.w.Write(b[8-octets:])
	return err
}

func (x *ExcerptWriter) long(b []byte) error {
	x.number(4, uint64(len(b)))
	_, err := x.w.Write(b)
	return err
}

// ExcerptReader reads an excerpt entry by entry.
type ExcerptReader struct {
	Note []byte // the checkpoint's signed note, which nobody has verified
	From int64

	r *bufio.Reader
}

// OpenExcerpt reads the head of an excerpt. Octets that are none are ErrExcerpt.
func OpenExcerpt(r io.Reader) (*ExcerptReader, error) {
	x := &ExcerptReader{r: bufio.NewReader(r)}
	magic := make([]byte, len(excerptMagic))
	if _, err := io.ReadFull(x.r, magic); err != nil || string(magic) != excerptMagic {
		return nil, fmt.Errorf("%w: it does not begin like one", ErrExcerpt)
	}
	var err error
	if x.Note, err = x.long(maxExcerptPart); err != nil {
		return nil, err
	}
	from, err := x.number(8)
	if err == nil && from >= 1<<62 {
		err = fmt.Errorf("%w: from entry %d on", ErrExcerpt, from)
	}
	x.From = int64(from)
	return x, err
}

// Next reads an entry. How many there are is for the checkpoint to say: beyond the last
// one the error is ErrExcerpt, and End tells whether that was all.
func (x *ExcerptReader) Next() (c Carried, err error) {
	if c.Leaf, err = x.long(maxExcerptPart); err != nil {
		return Carried{}, err
	}
	if c.Payload, err = x.long(maxExcerptPart); err != nil {
		return Carried{}, err
	}
	n, err := x.number(1)
	if err == nil && n > maxExcerptFile {
		err = fmt.Errorf("%w: %d attachments", ErrExcerpt, n)
	}
	for i := uint64(0); i < n && err == nil; i++ {
		var a issuance.Attachment
		if a, err = x.attachment(); err == nil {
			c.Attach = append(c.Attach, a)
		}
	}
	if err != nil {
		return Carried{}, err
	}
	return c, nil
}

func (x *ExcerptReader) attachment() (issuance.Attachment, error) {
	n, err := x.number(1)
	if err != nil {
		return issuance.Attachment{}, err
	}
	name, err := x.octets(int(n))
	if err != nil {
		return issuance.Attachment{}, err
	}
	sealed, err := x.long(issuance.MaxSealed)
	return issuance.Attachment{Name: string(name), Sealed: sealed}, err
}

// End makes sure that nothing follows.
func (x *ExcerptReader) End() error {
	if _, err := x.r.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it goes on after its last entry", ErrExcerpt)
	}
	return nil
}

func (x *ExcerptReader) number(octets int) (uint64, error) {
	b, err := x.octets(octets)
	if err != nil {
		return 0, err
	}
	var v uint64
	for _, o := range b {
		v = v<<8 | uint64(o)
	}
	return v, nil
}

func (x *ExcerptReader) long(most int) ([]byte, error) {
	n, err := x.number(4)
	if err != nil {
		return nil, err
	}
	if n > uint64(most) {
		return nil, fmt.Errorf("%w: a part of %d octets", ErrExcerpt, n)
	}
	return x.octets(int(n))
}

// octets reads so many, without believing their number before they are there.
func (x *ExcerptReader) octets(n int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(x.r, int64(n)))
	if err != nil {
		return nil, fmt.Errorf("read the excerpt: %w", err)
	}
	if len(b) != n {
		return nil, fmt.Errorf("%w: it is cut short", ErrExcerpt)
	}
	return b, nil
}
