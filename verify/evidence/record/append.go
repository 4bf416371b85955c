package record

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/evidence"
)

// What callers branch on.
var (
	ErrMissing = errors.New("there is no record of inspections")
	ErrBusy    = errors.New("another program is writing the record of inspections")
)

// patience is how long to wait for another program's entry.
const patience = 5 * time.Second

// TamperError says where a record is not what its device signed.
type TamperError struct {
	Entry uint64 // the first entry that is wrong; 0 for none in particular
	Why   string
	Err   error // may be nil
}

// Error says what and where.
func (e *TamperError) Error() string {
	text := "the record of inspections was tampered with: " + e.Why
	if e.Entry > 0 {
		text = fmt.Sprintf("the record of inspections was tampered with at entry %d: %s", e.Entry, e.Why)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap is the cause.
func (e *TamperError) Unwrap() error { return e.Err }

// Append adds an entry under the device's key and returns it as it stands in the record. The
// folder is made if it is not there. One program at a time writes; others wait, and get
// ErrBusy after five seconds. A record that is not as this device signed it is a
// *TamperError, and nothing is added; the look at it is short, Verify's is thorough.
func Append(dir string, d *evidence.Device, e Entry) (_ Entry, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Entry{}, err
	}
	unlock, err := lock(dir, patience)
	if err != nil {
		return Entry{}, err
	}
	defer unlock()
	f, err := os.OpenFile(filepath.Join(dir, entriesFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return Entry{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	head, err := readHead(dir)
	if err != nil {
		return Entry{}, err
	}
	return extend(dir, f, head, d, e)
}

// extend adds the entry behind the head of a record that is locked.
func extend(dir string, f *os.File, head *Head, d *evidence.Device, e Entry) (Entry, error) {
	if head != nil && head.Seal.Device() != d.ID() {
		return Entry{}, &TamperError{Why: "its head is another device's"}
	}
	torn, err := end(f, head)
	if err != nil {
		return Entry{}, err
	}
	if torn {
		if err := put(f, head.line, head.Size); err != nil {
			return Entry{}, err
		}
	}
	id := d.ID()
	e.Number, e.Previous, e.Mended, e.Device = 1, make(evidence.Hex, sha256.Size), torn, id[:]
	size := int64(0)
	if head != nil {
		e.Number, e.Previous, size = head.Entries+1, head.Hash, head.Size
	}
	line, err := e.encode()
	if err != nil {
		return Entry{}, err
	}
	next, err := newHead(line, e, size+int64(len(line))+1, d)
	if err != nil {
		return Entry{}, err
	}
	if err := next.write(dir); err != nil {
		return Entry{}, err
	}
	return e, put(f, line, next.Size)
}

// put writes the line that ends at size, on the disk. The head has it already: what is cut
// off here is mended by the next.
func put(f *os.File, line []byte, size int64) error {
	begin := size - int64(len(line)) - 1
	if err := f.Truncate(begin); err != nil {
		return err
	}
	if _, err := f.WriteAt(append(line[:len(line):len(line)], '\n'), begin); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return durable.Sync(filepath.Dir(f.Name()))
}

// end looks at the end of a record: whether it is the last line of the head, or what a
// power cut left of that, perhaps nothing. Anything else is a *TamperError.
func end(f *os.File, head *Head) (torn bool, err error) {
	want, begin, number := []byte(nil), int64(0), uint64(0)
	if head != nil {
		want = append(head.line[:len(head.line):len(head.line)], '\n')
		begin, number = head.Size-int64(len(want)), head.Entries
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return false, err
	case info.Size() < begin:
		return false, &TamperError{number, "the record ends before it", nil}
	case info.Size() > begin+int64(len(want)):
		return false, &TamperError{number + 1, "nobody signed it", nil}
	}
	got := make([]byte, info.Size()-begin)
	if _, err := io.ReadFull(io.NewSectionReader(f, begin, int64(len(got))), got); err != nil {
		return false, err
	}
	switch {
	case bytes.Equal(got, want):
		return false, nil
	case bytes.HasSuffix(got, []byte("\n")):
		return false, &TamperError{number, "it is not the entry that was signed", nil}
	}
	return true, before(f, head, begin)
}

// before looks whether what ends there is the line before the head's: a torn line may only
// follow that.
func before(f *os.File, head *Head, begin int64) error {
	e, err := ParseEntry(head.line)
	if err != nil {
		return &TamperError{head.Entries, "it cannot be read", err}
	}
	b := make([]byte, min(begin, maxLine+1))
	if _, err := f.ReadAt(b, begin-int64(len(b))); err != nil {
		return err
	}
	line := bytes.TrimSuffix(b, []byte("\n"))
	sum := sha256.Sum256(line[bytes.LastIndexByte(line, '\n')+1:])
	if begin > 0 && !bytes.Equal(sum[:], e.Previous) {
		return &TamperError{head.Entries - 1, "it is not the entry before the last", nil}
	}
	return nil
}

// lock keeps other programs from writing the record, and waits for one that does: ErrBusy.
func lock(dir string, patience time.Duration) (unlock func(), err error) {
	unlock, err = durable.Lock(filepath.Join(dir, lockFile), patience)
	if errors.Is(err, durable.ErrBusy) {
		err = ErrBusy
	}
	return unlock, err
}

// readSmall reads a regular file of at most so many octets.
func readSmall(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is no regular file of at most %d octets", path, most)
	}
	return io.ReadAll(io.LimitReader(f, most))
}
