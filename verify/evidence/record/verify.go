package record

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// State is what a record was found to be.
type State struct {
	Head Head
	Torn bool // a power cut tore the last entry off; the head has it, and the next inspection mends it
}

// Verify reads a record from its beginning and holds it against its signed head, which must be
// that of the device, and against an older head that was kept elsewhere, if there is one.
// What is wrong is a *TamperError; a folder without a record is ErrMissing, and one that is
// locked for long ErrBusy. Entries that are appended meanwhile are not looked at.
func Verify(dir string, device [32]byte, kept *Head) (State, error) {
	r, err := open(dir)
	if err != nil {
		return State{}, err
	}
	defer r.entries.Close()
	c := &checker{hash: make([]byte, sha256.Size), heads: []*Head{r.head, kept}}
	for _, h := range c.heads {
		if h != nil && h.Seal.Device() != device {
			return State{}, &TamperError{Why: "its head is another device's"}
		}
	}
	err = c.follow(r.whole()) // says where, which a look at the end cannot
	if err == nil {
		err = r.atEnd
	}
	if err == nil && r.torn {
		err = c.next(r.head.line)
	}
	if err != nil {
		return State{}, err
	}
	for _, h := range c.heads {
		if h != nil && h.Entries > c.number {
			return State{}, &TamperError{c.number + 1, "the record ends before it, and its device signed more", nil}
		}
	}
	if r.head == nil {
		return State{}, ErrMissing
	}
	return State{*r.head, r.torn}, nil
}

// opened is a record as it stood at one time.
type opened struct {
	head    *Head // nil without
	entries *os.File
	torn    bool  // see end
	atEnd   error // likewise
}

// open looks at a record while nobody appends to it. A folder that cannot be locked for that
// is one that nobody can write to.
func open(dir string) (*opened, error) {
	unlock, err := lock(dir, patience)
	switch {
	case errors.Is(err, ErrBusy):
		return nil, err
	case err == nil:
		defer unlock()
	}
	r := &opened{}
	if r.head, err = readHead(dir); err != nil {
		return nil, err
	}
	r.entries, err = os.Open(filepath.Join(dir, entriesFile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && r.head == nil:
		return nil, ErrMissing
	case errors.Is(err, fs.ErrNotExist):
		return nil, &TamperError{Why: "its entries are gone"}
	case err != nil:
		return nil, err
	}
	r.torn, r.atEnd = end(r.entries, r.head)
	return r, nil
}

// whole is the lines as they were then, and all that is there if something was wrong.
func (r *opened) whole() io.Reader {
	switch {
	case r.atEnd != nil || r.head == nil:
		return r.entries
	case r.torn:
		return io.LimitReader(r.entries, r.head.Size-int64(len(r.head.line))-1)
	}
	return io.LimitReader(r.entries, r.head.Size)
}

// checker follows the chain.
type checker struct {
	number uint64
	hash   []byte
	heads  []*Head
}

// follow reads the whole entries.
func (c *checker) follow(r io.Reader) error {
	for line, err := range lines(r) {
		if err != nil {
			return err
		}
		if err := c.next(line); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) next(line []byte) error {
	c.number++
	e, err := ParseEntry(line)
	switch {
	case err != nil:
		return &TamperError{c.number, "it cannot be read", err}
	case !bytes.Equal(e.Previous, c.hash):
		return &TamperError{c.number, "it does not continue the one before", nil}
	case e.Number != c.number:
		return &TamperError{c.number, "its number is another", nil}
	}
	sum := sha256.Sum256(line)
	c.hash = sum[:]
	for _, h := range c.heads {
		if h != nil && h.Entries == c.number && !bytes.Equal(h.Hash, c.hash) {
			return &TamperError{c.number, "it is not the entry that was signed", nil}
		}
	}
	return nil
}

// Entries yields the whole entries of a record in their order, each with its line without
// the end. It looks at no hash: Verify does. An error ends it.
func Entries(dir string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(filepath.Join(dir, entriesFile))
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrMissing
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		for line, err := range lines(f) {
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// lines yields whole lines without their ends; what follows the last end is left. A line
// that is too long is a *TamperError.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buffered := bufio.NewReaderSize(r, maxLine+1)
		for {
			line, err := buffered.ReadSlice('\n')
			switch {
			case errors.Is(err, bufio.ErrBufferFull):
				yield(nil, &TamperError{Why: "a line is longer than any entry"})
				return
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(nil, err)
				return
			}
			if !yield(bytes.TrimSuffix(line, []byte("\n")), nil) {
				return
			}
		}
	}
}
