package gp

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// DGI is a data group of personalisation (Card Specification §11.11): what STORE DATA
// carries.
type DGI struct {
	Tag   uint16
	Value []byte // at most MaxDGI octets
}

// MaxDGI is the largest value of a DGI in octets.
const MaxDGI = 0xFFFF

// maxBlocks is how many blocks a sequence has at most: P2 counts them.
const maxBlocks = 256

// P1 of STORE DATA: data in DGI format, not encrypted beyond the channel.
const (
	storeDGI  = 0x08
	lastBlock = 0x80
)

// append encodes the DGI: tag, length in one octet or in FF and two, value.
func (d DGI) append(b []byte) []byte {
	b = append(b, byte(d.Tag>>8), byte(d.Tag))
	if n := len(d.Value); n < 0xFF {
		b = append(b, byte(n))
	} else {
		b = append(b, 0xFF, byte(n>>8), byte(n))
	}
	return append(b, d.Value...)
}

func (d DGI) size() int {
	if len(d.Value) < 0xFF {
		return 3 + len(d.Value)
	}
	return 5 + len(d.Value)
}

// StoreBlocks is how many STORE DATA commands DGIs take with blocks of a size.
func StoreBlocks(block int, dgis ...DGI) int {
	n := 0
	for _, s := range sequences(block, dgis) {
		n += (len(s) + block - 1) / block
	}
	return n
}

// sequences packs DGIs into as few sequences of at most maxBlocks blocks as their order
// allows. A DGI that is larger by itself makes a sequence that is too long.
func sequences(block int, dgis []DGI) [][]byte {
	var out [][]byte
	var s []byte
	for _, d := range dgis {
		if len(s) > 0 && len(s)+d.size() > block*maxBlocks {
			out, s = append(out, s), nil
		}
		s = d.append(s)
	}
	if len(s) > 0 {
		out = append(out, s)
	}
	return out
}

// StoreData is Store with its usual options.
func (h *Channel) StoreData(ctx context.Context, block int, dgis []DGI, stored func(done, total int)) error {
	return h.Store(ctx, Storing{Block: block, Stored: stored}, dgis)
}

// Storing says how Store goes about it.
type Storing struct {
	Block  int                         // octets of a command's data; see MaxCommand
	Begin  func(context.Context) error // called before each sequence of blocks, if not nil
	Open   bool                        // the last block is not marked as such: more will come
	Stored func(done, total int)       // told after each block how many octets are written of how many, if not nil
}

// Store writes DGIs in their order with STORE DATA. A sequence of blocks counts to 256;
// more data make further sequences, but one DGI must fit one, else it is apdu.ErrTooLong
// before anything is sent. An error leaves on the card the DGIs before, and an unknown
// part of the current one.
func (h *Channel) Store(ctx context.Context, o Storing, dgis []DGI) error {
	block := o.Block
	seqs := sequences(block, dgis)
	done, total := 0, 0
	for _, s := range seqs {
		if block < 1 || len(s) > block*maxBlocks {
			return fmt.Errorf("STORE DATA: sequence of %d octets: %w", len(s), apdu.ErrTooLong)
		}
		total += len(s)
	}
	for _, d := range dgis {
		if len(d.Value) > MaxDGI {
			return fmt.Errorf("STORE DATA: DGI %04X of %d octets: %w", d.Tag, len(d.Value), apdu.ErrTooLong)
		}
	}
	for _, s := range seqs {
		if o.Begin != nil {
			if err := o.Begin(ctx); err != nil {
				return err
			}
		}
		for n := 0; len(s) > 0; n++ {
			part := s[:min(block, len(s))]
			s = s[len(part):]
			c := apdu.Command{
				CLA: claPlain, INS: insStoreData, P1: storeDGI, P2: byte(n),
				Data: part, Le: apdu.MaxShortLe,
			}
			if len(s) == 0 && !o.Open {
				c.P1 |= lastBlock
			}
			if _, err := h.expect(ctx, c, nil); err != nil {
				return fmt.Errorf("block %d: %w", n, err)
			}
			done += len(part)
			if o.Stored != nil {
				o.Stored(done, total)
			}
		}
	}
	return nil
}

// Part is a piece of a DGI's value as blocks bring it.
type Part struct {
	Tag    uint16
	Size   int    // of the whole value
	Offset int    // of Data in it
	Data   []byte // empty only if Size is 0
}

// Blocks puts STORE DATA commands together at the chip's end. Its zero value waits for
// the first block of a sequence.
type Blocks struct {
	next   int // number of the block to come; 0 outside a sequence
	head   []byte
	open   bool // within a value
	tag    uint16
	size   int
	offset int
}

// Reset forgets an unfinished sequence.
func (s *Blocks) Reset() { *s = Blocks{} }

// Process takes one command and hands the pieces of values in it to store, which keeps no
// slice. A block out of turn, another format, a sequence that ends within a DGI, or a
// status other than OK from store ends the sequence and is returned.
func (s *Blocks) Process(c apdu.Command, store func(Part) apdu.Status) apdu.Status {
	status := s.process(c, store)
	if status != apdu.OK || c.P1&lastBlock != 0 {
		s.Reset()
	}
	return status
}

func (s *Blocks) process(c apdu.Command, store func(Part) apdu.Status) apdu.Status {
	if c.P1&^lastBlock != storeDGI {
		return apdu.WrongP1P2
	}
	if c.P2 == 0 && s.next < maxBlocks {
		s.Reset()
	}
	if int(c.P2) != s.next {
		return apdu.ConditionsNotSatisfied
	}
	s.next++
	for b := c.Data; len(b) > 0; {
		var status apdu.Status
		if b, status = s.feed(b, store); status != apdu.OK {
			return status
		}
	}
	if c.P1&lastBlock != 0 && (s.open || len(s.head) > 0) {
		return apdu.WrongData
	}
	return apdu.OK
}

// feed consumes a tag and length, octet by octet, or a piece of a value.
func (s *Blocks) feed(b []byte, store func(Part) apdu.Status) ([]byte, apdu.Status) {
	if !s.open {
		s.head, b = append(s.head, b[0]), b[1:]
		switch n := len(s.head); {
		case n == 3 && s.head[2] != 0xFF:
			s.size = int(s.head[2])
		case n == 5:
			s.size = int(s.head[3])<<8 | int(s.head[4])
		default:
			return b, apdu.OK
		}
		s.tag, s.offset, s.open, s.head = uint16(s.head[0])<<8|uint16(s.head[1]), 0, true, nil
		if s.size > 0 {
			return b, apdu.OK
		}
	}
	data := b[:min(len(b), s.size-s.offset)]
	status := store(Part{Tag: s.tag, Size: s.size, Offset: s.offset, Data: data})
	s.offset += len(data)
	s.open = s.offset < s.size
	return b[len(data):], status
}
