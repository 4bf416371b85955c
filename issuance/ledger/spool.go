package ledger

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// spool keeps small records until they are compared, in memory while they are few, else in
// files of their own by their key: an audit of any length needs no more memory than one
// file's records take. The keys are hashes under a secret of the audit's own, so that the
// files tell nothing and nobody can prepare two of one key.
type spool struct {
	secret [32]byte
	few    []record
	most   int    // records in memory
	dir    string // "" while they are few
	files  [parts]*os.File
	to     [parts]*bufio.Writer
	order  uint64
}

const (
	parts   = 64
	maxFew  = 100_000
	sizeOf  = 16 + 8 + 8 + 8 + 1
	maxFile = 1 << 16 // octets that wait for each file
)

// record is one thing that the log or a table says.
type record struct {
	key   [16]byte // of the claim or stream
	value uint64   // what is said of it
	index int64    // of the entry that says so, or that the table names
	order uint64   // in which they came
	kind  recordKind
}

type recordKind uint8

const (
	logClaim recordKind = iota + 1
	logHold
	logRelease
	logStream
	tableClaim
	tableHold
	tableStream
	logPlace
	tablePlace
)

func newSpool() *spool {
	s := &spool{most: maxFew}
	rand.Read(s.secret[:])
	return s
}

// hash is the key of texts.
func (s *spool) hash(texts ...string) [16]byte {
	h := sha256.New()
	h.Write(s.secret[:])
	for _, t := range texts {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(t)))
		h.Write(n[:])
		io.WriteString(h, t)
	}
	return [16]byte(h.Sum(nil))
}

// word is a hash of eight octets.
func (s *spool) word(texts ...string) uint64 {
	h := s.hash(texts...)
	return binary.BigEndian.Uint64(h[:])
}

func (s *spool) add(r record) error {
	s.order++
	r.order = s.order
	if s.dir == "" {
		if s.few = append(s.few, r); len(s.few) <= s.most {
			return nil
		}
		return s.spill()
	}
	return s.write(r)
}

// spill begins the files.
func (s *spool) spill() (err error) {
	if s.dir, err = os.MkdirTemp("", "tamthe-audit-"); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	for i := range parts {
		if s.files[i], err = os.Create(filepath.Join(s.dir, fmt.Sprint(i))); err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		s.to[i] = bufio.NewWriterSize(s.files[i], maxFile)
	}
	for _, r := range s.few {
		if err := s.write(r); err != nil {
			return err
		}
	}
	s.few = nil
	return nil
}

func (s *spool) write(r record) error {
	b := make([]byte, 0, sizeOf)
	b = append(b, r.key[:]...)
	b = binary.BigEndian.AppendUint64(b, r.value)
	b = binary.BigEndian.AppendUint64(b, uint64(r.index))
	b = binary.BigEndian.AppendUint64(b, r.order)
	b = append(b, byte(r.kind))
	_, err := s.to[r.key[0]%parts].Write(b)
	return err
}

// each gives the records in groups that hold all of a key, each in the order in which
// they came. It may be asked once.
func (s *spool) each(f func([]record) error) error {
	if s.dir == "" {
		return f(s.few)
	}
	for i := range parts {
		list, err := s.read(i)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if err := f(list); err != nil {
			return err
		}
	}
	return nil
}

func (s *spool) read(i int) ([]record, error) {
	if err := s.to[i].Flush(); err != nil {
		return nil, err
	}
	if _, err := s.files[i].Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	from := bufio.NewReaderSize(s.files[i], maxFile)
	var list []record
	b := make([]byte, sizeOf)
	for {
		if _, err := io.ReadFull(from, b); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		list = append(list, record{
			key: [16]byte(b), value: binary.BigEndian.Uint64(b[16:]), index: int64(binary.BigEndian.Uint64(b[24:])),
			order: binary.BigEndian.Uint64(b[32:]), kind: recordKind(b[40]),
		})
	}
	slices.SortFunc(list, func(a, b record) int { return cmp.Compare(a.order, b.order) })
	return list, nil
}

// close removes the files.
func (s *spool) close() error {
	var err error
	for _, f := range s.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}
