package picture

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
)

// Markers of a WSQ file (IAFIS-IC-0110 §3, table of marker codes).
const (
	wsqSOI = 0xFFA0
	wsqEOI = 0xFFA1
	wsqSOF = 0xFFA2 // frame header
	wsqSOB = 0xFFA3 // block of coded coefficients
	wsqDTT = 0xFFA4 // filter taps
	wsqDQT = 0xFFA5 // quantisation
	wsqDHT = 0xFFA6 // Huffman tables
	wsqCOM = 0xFFA8
)

const (
	maxWSQSegments = 256
	minWSQSide     = 32 // five levels of the transform leave one sample of it
	wsqBands       = 60 // of 64; the last four are never coded
)

var errWSQShort = errors.New("cut short")

// wsqFile is what the tables of a file say, and how far it has been read.
type wsqFile struct {
	rest          []byte
	width, height int // 0 before the frame header
	shift, scale  float64
	low, high     []float32 // synthesis taps; nil before they are told
	bins          *wsqBins
	huffman       [8]*huffman
}

// wsqBins is the quantisation of the subbands: the place of the value within a bin, and the
// widths of each band's bins and of its zero bin. A band of width 0 is not coded.
type wsqBins struct {
	centre      float64
	width, zero [wsqBands]float64
}

// sizeWSQ is what the frame header says, wherever it lies among the tables.
func sizeWSQ(img []byte) (width, height int) {
	f := wsqFile{rest: img}
	if m, err := f.marker(); err != nil || m != wsqSOI {
		return 0, 0
	}
	for range maxWSQSegments {
		m, err := f.marker()
		if err != nil {
			break
		}
		s, err := f.segment()
		if err != nil || m == wsqSOB {
			break
		}
		if m == wsqSOF && len(s) >= 6 {
			return int(binary.BigEndian.Uint16(s[4:])), int(binary.BigEndian.Uint16(s[2:]))
		}
	}
	return 0, 0
}

// decodeWSQ decodes a grey image of one frame. Filters are of odd length, as those of all
// certified encoders' standard filter; others are refused.
func decodeWSQ(ctx context.Context, img []byte) (image.Image, error) {
	f := wsqFile{rest: img}
	if m, err := f.marker(); err != nil || m != wsqSOI {
		return nil, errors.New("no start of image")
	}
	var coded []int16
	var p wsqPlan
	n := 0
	for range maxWSQSegments {
		m, err := f.marker()
		if err != nil {
			return nil, err
		}
		if m == wsqEOI {
			if n < len(coded) || coded == nil {
				return nil, fmt.Errorf("%d coefficients of %d", n, len(coded))
			}
			return f.reconstruct(ctx, p, coded)
		}
		s, err := f.segment()
		if err != nil {
			return nil, err
		}
		if m != wsqSOB {
			if err := f.table(m, s); err != nil {
				return nil, err
			}
			continue
		}
		if coded == nil {
			if f.width == 0 || f.bins == nil || f.low == nil {
				return nil, errors.New("block before its tables")
			}
			p = planWSQ(f.width, f.height)
			coded = make([]int16, p.coded(f.bins))
		}
		if n, err = f.block(s, coded, n); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("too many segments")
}

// table takes one of the segments that are no block.
func (f *wsqFile) table(marker uint16, s []byte) error {
	switch marker {
	case wsqSOF:
		return f.frame(s)
	case wsqDTT:
		return f.taps(s)
	case wsqDQT:
		return f.quantisation(s)
	case wsqDHT:
		return f.tables(s)
	case wsqCOM:
		return nil
	}
	return fmt.Errorf("marker %04X", marker)
}

func (f *wsqFile) marker() (uint16, error) {
	if len(f.rest) < 2 {
		return 0, errWSQShort
	}
	m := binary.BigEndian.Uint16(f.rest)
	f.rest = f.rest[2:]
	return m, nil
}

// segment reads a length, which counts itself, and what stands behind it.
func (f *wsqFile) segment() ([]byte, error) {
	if len(f.rest) < 2 {
		return nil, errWSQShort
	}
	size := int(binary.BigEndian.Uint16(f.rest))
	if size < 2 || size > len(f.rest) {
		return nil, errWSQShort
	}
	s := f.rest[2:size]
	f.rest = f.rest[size:]
	return s, nil
}

// frame reads the frame header. The image is unscaled by its shift and scale at the end.
func (f *wsqFile) frame(s []byte) error {
	if len(s) != 15 || f.width != 0 {
		return errors.New("frame header")
	}
	f.height, f.width = int(binary.BigEndian.Uint16(s[2:])), int(binary.BigEndian.Uint16(s[4:]))
	if f.width < minWSQSide || f.height < minWSQSide {
		return fmt.Errorf("%d by %d pixels", f.width, f.height)
	}
	f.shift, f.scale = decimal(s[6:]), decimal(s[9:])
	return sizes(WSQ, 0, f.width, f.height)
}

// decimal reads an exponent octet and a number of 16 bits: n / 10^exponent.
func decimal(s []byte) float64 {
	return float64(binary.BigEndian.Uint16(s[1:])) * math.Pow10(-int(s[0]))
}

// taps reads the halves of the symmetric analysis filters, from the middle outwards, and
// makes the synthesis filters of them: the other one's taps with alternating signs.
func (f *wsqFile) taps(s []byte) error {
	if len(s) < 2 {
		return errWSQShort
	}
	low, high := int(s[0]), int(s[1])
	if low%2 == 0 || high%2 == 0 || low > maxTaps || high > maxTaps {
		return fmt.Errorf("filters of %d and %d taps", low, high)
	}
	if s = s[2:]; len(s) != 6*((low+1)/2+(high+1)/2) {
		return errWSQShort
	}
	f.high, s = mirrored(s, low)
	f.low, _ = mirrored(s, high)
	return nil
}

func mirrored(s []byte, n int) (taps []float32, rest []byte) {
	taps = make([]float32, n)
	for i := range (n + 1) / 2 {
		v := float64(binary.BigEndian.Uint32(s[2:])) * math.Pow10(-int(s[1]))
		if (s[0] != 0) != (i%2 == 1) {
			v = -v
		}
		taps[n/2-i], taps[n/2+i] = float32(v), float32(v)
		s = s[6:]
	}
	return taps, s
}

func (f *wsqFile) quantisation(s []byte) error {
	if len(s) != 3+64*6 {
		return errors.New("quantisation table")
	}
	b := &wsqBins{centre: decimal(s)}
	s = s[3:]
	for i := range 64 {
		width, zero := decimal(s[6*i:]), decimal(s[6*i+3:])
		switch {
		case i < wsqBands:
			b.width[i], b.zero[i] = width, zero
		case width != 0:
			return fmt.Errorf("subband %d is coded", i)
		}
	}
	if f.bins != nil {
		return errors.New("second quantisation table")
	}
	f.bins = b
	return nil
}

// reconstruct puts coefficients to their places, joins the subbands and unscales the image.
func (f *wsqFile) reconstruct(ctx context.Context, p wsqPlan, coded []int16) (image.Image, error) {
	samples := p.place(f.bins, coded)
	for _, j := range p.joins {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		j.run(samples, f.width, f.low, f.high)
	}
	img := image.NewGray(image.Rect(0, 0, f.width, f.height))
	for i, v := range samples {
		if grey := float64(v)*f.scale + f.shift + 0.5; grey >= 255 {
			img.Pix[i] = 255
		} else if grey > 0 {
			img.Pix[i] = byte(grey)
		}
	}
	return img, nil
}
