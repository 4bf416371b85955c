package virtual

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A memory is a row of records behind a heading. Each has its length twice, the second
// time inverted, then its kind, its body and a CRC-32C over all of that. A power cut can
// only shorten the last record; that is dropped when the memory is read. Anything else is
// damage.
const (
	heading    = "tamthe chip\x00\x01" // the last octet is the version
	headSize   = 8
	crcSize    = 4
	maxRecord  = 1 << 20
	maxMemory  = 64 << 20
	recordRoom = headSize + 1 + crcSize // octets of a record beyond its body
)

// errTorn says that the power failed in the midst of a write.
var errTorn = errors.New("the power failed in the midst of a write")

// memory is the chip's non-volatile memory. Without a file it lives in the process.
type memory struct {
	file *os.File
	size int64  // of the whole records
	bare []byte // in place of the file
	hook func(n int) bool
	n    int // writes since the hook was set
	torn bool
}

type record struct {
	kind byte
	body []byte
}

func (r record) encode() []byte {
	n := uint32(1 + len(r.body))
	b := binary.BigEndian.AppendUint32(make([]byte, 0, recordRoom+len(r.body)), n)
	b = binary.BigEndian.AppendUint32(b, ^n)
	b = append(append(b, r.kind), r.body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// nextRecord takes a record off the front of b. An error of io.ErrUnexpectedEOF is a torn
// end, ErrCorrupt damage.
func nextRecord(b []byte) (record, []byte, error) {
	if len(b) < headSize {
		return record{}, nil, io.ErrUnexpectedEOF
	}
	n := binary.BigEndian.Uint32(b)
	if n != ^binary.BigEndian.Uint32(b[4:]) || n < 1 || n > maxRecord {
		return record{}, nil, ErrCorrupt
	}
	end := headSize + int(n)
	if len(b) < end+crcSize {
		return record{}, nil, io.ErrUnexpectedEOF
	}
	if crc32.Checksum(b[:end], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(b[end:]) {
		return record{}, nil, ErrCorrupt
	}
	return record{b[headSize], b[headSize+1 : end : end]}, b[end+crcSize:], nil
}

// createMemory begins a memory. A path of "" keeps it in the process.
func createMemory(path string) (*memory, error) {
	m := &memory{size: int64(len(heading))}
	if path == "" {
		m.bare = []byte(heading)
		return m, nil
	}
	f, err := openLocked(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	m.file = f
	if _, err := f.Write([]byte(heading)); err != nil {
		f.Close()
		os.Remove(path)
		return nil, err
	}
	return m, nil
}

// openMemory takes hold of a memory file.
func openMemory(path string) (*memory, error) {
	f, err := openLocked(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	return &memory{file: f}, nil
}

// load reads all whole records, in order, into apply and cuts off a torn end.
func (m *memory) load(apply func(record) error) error {
	b := m.bare
	if m.file != nil {
		var err error
		if _, err = m.file.Seek(0, io.SeekStart); err == nil {
			b, err = io.ReadAll(io.LimitReader(m.file, maxMemory+1))
		}
		if err != nil {
			return err
		}
	}
	if len(b) < len(heading) || string(b[:len(heading)]) != heading || len(b) > maxMemory {
		return ErrNotChip
	}
	rest := b[len(heading):]
	for len(rest) > 0 {
		r, next, err := nextRecord(rest)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err == nil {
			err = apply(r)
		}
		if err != nil {
			return fmt.Errorf("record at octet %d: %w", len(b)-len(rest), err)
		}
		rest = next
	}
	m.torn = false
	m.size = int64(len(b) - len(rest))
	return m.cut()
}

// cut drops what stands after the last whole record.
func (m *memory) cut() error {
	if m.file == nil {
		m.bare = m.bare[:m.size]
		return nil
	}
	if err := m.file.Truncate(m.size); err != nil {
		return err
	}
	_, err := m.file.Seek(m.size, io.SeekStart)
	return err
}

// write appends a record, durable before it returns. It is errTorn when the hook has the
// power fail, and then leaves half of the record. Any other error leaves nothing.
func (m *memory) write(r record) error {
	if m.torn {
		return errTorn
	}
	b := r.encode()
	m.n++
	if m.hook != nil && !m.hook(m.n) {
		m.torn = true
		b = b[:len(b)/2]
	}
	if m.file == nil {
		m.bare = append(m.bare, b...)
	} else {
		_, err := m.file.Write(b)
		if err == nil {
			err = m.file.Sync()
		}
		if err != nil {
			return errors.Join(err, m.cut())
		}
	}
	if m.torn {
		return errTorn
	}
	m.size += int64(len(b))
	return nil
}

func (m *memory) close() error {
	if m.file == nil {
		return nil
	}
	return m.file.Close() // and with it the lock
}
