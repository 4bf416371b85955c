package picture

import (
	"errors"
	"fmt"
)

// huffman is a table of canonical codes of up to 16 bits (IAFIS-IC-0110 annex B, as in
// JPEG): for each length the first code, how many there are, and where their values begin.
type huffman struct {
	first, count, value [17]int
	values              []byte
}

// tables reads one or more Huffman tables.
func (f *wsqFile) tables(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 || int(s[0]) >= len(f.huffman) {
			return errors.New("broken Huffman table")
		}
		h := &huffman{}
		code, n := 0, 0
		for size := 1; size <= 16; size++ {
			code <<= 1
			h.first[size], h.count[size], h.value[size] = code, int(s[size]), n
			code, n = code+h.count[size], n+h.count[size]
			if code > 1<<size {
				return errors.New("more codes than a Huffman table has")
			}
		}
		if n > 256 || len(s) < 17+n {
			return errors.New("broken Huffman table")
		}
		h.values = s[17 : 17+n]
		f.huffman[s[0]] = h
		s = s[17+n:]
	}
	return nil
}

// Values of the Huffman codes (IAFIS-IC-0110, the table of input symbols): 1 to 100 are
// runs of as many zeros, 107 to 254 the coefficients -73 to 74, and what lies between says
// what the next 8 or 16 bits are.
const (
	lastRun     = 100
	positive8   = 101
	negative8   = 102
	positive16  = 103
	negative16  = 104
	run8        = 105
	run16       = 106
	lastValue   = 254
	valueOfZero = 180
)

// block decodes coefficients into coded from n on, until the next marker, and returns how
// many there are now.
func (f *wsqFile) block(header []byte, coded []int16, n int) (int, error) {
	if len(header) != 1 || int(header[0]) >= len(f.huffman) || f.huffman[header[0]] == nil {
		return 0, errors.New("block without a Huffman table")
	}
	h := f.huffman[header[0]]
	r := &wsqBits{rest: f.rest}
	for {
		symbol, ok, err := r.symbol(h)
		if err != nil {
			return 0, err
		}
		if !ok {
			f.rest = r.rest
			return n, nil
		}
		run, value, err := r.coefficient(symbol)
		if err != nil {
			return 0, err
		}
		if run > len(coded)-n {
			return 0, fmt.Errorf("more than %d coefficients", len(coded))
		}
		if value != 0 {
			coded[n] = value
		}
		n += run
	}
}

// coefficient reads what follows a symbol: a run of zeros, or one value.
func (r *wsqBits) coefficient(symbol byte) (run int, value int16, err error) {
	switch {
	case symbol == 0 || symbol > lastValue:
		return 0, 0, fmt.Errorf("symbol %d", symbol)
	case symbol <= lastRun:
		return int(symbol), 0, nil
	case symbol > run16:
		return 1, int16(symbol) - valueOfZero, nil
	}
	size := 8
	if symbol == positive16 || symbol == negative16 || symbol == run16 {
		size = 16
	}
	bits, err := r.bits(size)
	if err != nil {
		return 0, 0, err
	}
	switch symbol {
	case run8, run16:
		return bits, 0, nil
	case negative8, negative16:
		bits = -bits
	}
	if bits != int(int16(bits)) {
		return 0, 0, fmt.Errorf("coefficient %d", bits)
	}
	return 1, int16(bits), nil
}

// wsqBits reads bits up to the next marker. FF in the data is followed by 00.
type wsqBits struct {
	rest []byte
	last byte
	left int // bits of last that are not read
}

// bit returns false at a marker, which stays unread.
func (r *wsqBits) bit() (bit int, ok bool, err error) {
	if r.left == 0 {
		if len(r.rest) < 2 {
			return 0, false, errWSQShort // a marker is always to come
		}
		r.last, r.left = r.rest[0], 8
		switch {
		case r.last != 0xFF:
			r.rest = r.rest[1:]
		case r.rest[1] == 0:
			r.rest = r.rest[2:]
		default:
			r.left = 0
			return 0, false, nil
		}
	}
	r.left--
	return int(r.last>>r.left) & 1, true, nil
}

func (r *wsqBits) bits(n int) (int, error) {
	v := 0
	for range n {
		bit, ok, err := r.bit()
		if err != nil || !ok {
			return 0, errors.Join(err, errWSQShort)
		}
		v = v<<1 | bit
	}
	return v, nil
}

// symbol reads a code. At a marker, before which ones may fill the octet, it returns false.
func (r *wsqBits) symbol(h *huffman) (symbol byte, ok bool, err error) {
	code := 0
	for size := 1; size <= 16; size++ {
		bit, ok, err := r.bit()
		if err != nil || !ok {
			return 0, false, err
		}
		code = code<<1 | bit
		if i := code - h.first[size]; i >= 0 && i < h.count[size] {
			return h.values[h.value[size]+i], true, nil
		}
	}
	return 0, false, errors.New("no Huffman code")
}
