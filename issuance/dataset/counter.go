package dataset

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

// counter counts keys. It holds so many of them in memory; then they go, sorted, into a file
// of their own, and so many files become one.
type counter struct {
	temp string
	most int
	keys map[string]*int64
	runs []*os.File
}

// maxRuns is how many files are merged at once.
const maxRuns = 32

func newCounter(temp string, most int) *counter {
	return &counter{temp: temp, most: most, keys: map[string]*int64{}}
}

// add counts a key, which stays the caller's.
func (c *counter) add(key []byte, n int64) error {
	if p, ok := c.keys[string(key)]; ok {
		*p += n
		return nil
	}
	if len(c.keys) >= c.most {
		if err := c.spill(); err != nil {
			return err
		}
	}
	c.keys[string(key)] = &n
	return nil
}

// spill empties the memory into a file.
func (c *counter) spill() error {
	if len(c.runs) >= maxRuns {
		if err := c.merge(); err != nil {
			return err
		}
	}
	err := c.run(func(put func([]byte, int64) error) error {
		for _, key := range slices.Sorted(maps.Keys(c.keys)) {
			if err := put([]byte(key), *c.keys[key]); err != nil {
				return err
			}
		}
		return nil
	})
	clear(c.keys)
	return err
}

// merge makes one file of all.
func (c *counter) merge() error {
	old := c.runs
	c.runs = nil
	err := c.run(func(put func([]byte, int64) error) error { return merged(old, put) })
	for _, f := range old {
		err = errors.Join(err, f.Close())
		_ = os.Remove(f.Name())
	}
	return err
}

// run makes a file of keys in their order. It has no name any more where the system allows
// that, so that nothing of it is left whatever happens.
func (c *counter) run(fill func(put func([]byte, int64) error) error) error {
	f, err := os.CreateTemp(c.temp, ".tamthe-*")
	if err != nil {
		return err
	}
	_ = os.Remove(f.Name()) // else close does it
	c.runs = append(c.runs, f)
	w := bufio.NewWriterSize(f, 1<<16)
	err = fill(func(key []byte, n int64) error {
		b := binary.AppendUvarint(w.AvailableBuffer(), uint64(len(key)))
		b = append(b, key...)
		_, err := w.Write(binary.AppendUvarint(b, uint64(n)))
		return err
	})
	return errors.Join(err, w.Flush())
}

// each calls f with all keys in their order, and forgets them.
func (c *counter) each(f func(key []byte, n int64) error) error {
	if len(c.runs) > 0 {
		if err := c.spill(); err != nil {
			return err
		}
		return errors.Join(merged(c.runs, f), c.close())
	}
	for _, key := range slices.Sorted(maps.Keys(c.keys)) {
		if err := f([]byte(key), *c.keys[key]); err != nil {
			return err
		}
	}
	return c.close()
}

func (c *counter) close() error {
	var err error
	for _, f := range c.runs {
		err = errors.Join(err, f.Close())
		_ = os.Remove(f.Name())
	}
	c.runs, c.keys = nil, map[string]*int64{}
	return err
}

// head is the next key of a file.
type head struct {
	r   *bufio.Reader
	key []byte
	n   int64
}

// next reads it; io.EOF after the last.
func (h *head) next() error {
	size, err := binary.ReadUvarint(h.r)
	if err != nil {
		return err
	}
	if size > places*(maxValue+1) {
		return fmt.Errorf("a key of %d octets", size)
	}
	h.key = slices.Grow(h.key[:0], int(size))[:size]
	if _, err := io.ReadFull(h.r, h.key); err != nil {
		return cutOff(err)
	}
	n, err := binary.ReadUvarint(h.r)
	h.n = int64(n)
	return cutOff(err)
}

// cutOff is the error of a file that ends within a key: that is not its end.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

type heads []*head

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return bytes.Compare(h[i].key, h[j].key) < 0 }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)        { *h = append(*h, x.(*head)) }
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// merged calls f with the keys of all files in their order, each once.
func merged(files []*os.File, f func(key []byte, n int64) error) error {
	var all heads
	for _, file := range files {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		h := &head{r: bufio.NewReaderSize(file, 1<<16)}
		switch err := h.next(); {
		case err == io.EOF:
			continue
		case err != nil:
			return err
		}
		all = append(all, h)
	}
	heap.Init(&all)
	var key []byte
	var n int64
	for len(all) > 0 {
		h := all[0]
		if key != nil && bytes.Equal(key, h.key) {
			n += h.n
		} else {
			if key != nil {
				if err := f(key, n); err != nil {
					return err
				}
			}
			key, n = append(key[:0], h.key...), h.n
		}
		switch err := h.next(); {
		case err == io.EOF:
			heap.Pop(&all)
		case err != nil:
			return err
		default:
			heap.Fix(&all, 0)
		}
	}
	if key == nil {
		return nil
	}
	return f(key, n)
}
