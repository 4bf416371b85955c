package openjpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"strconv"

	"github.com/tamthe/tamthe/card/picture"
)

// pnm is a header of PGM, PPM or PAM in its binary form, as OpenJPEG writes them.
type pnm struct {
	width, height, depth, most int
	rest                       []byte
}

// decodePNM decodes one image of 1 to 4 components of up to 16 bits within the caps of
// package picture. Samples become 8 bits; a fourth component, or a second, is opacity.
func decodePNM(b []byte) (image.Image, error) {
	p := pnm{rest: b}
	if !p.header() {
		return nil, fmt.Errorf("%w: header of PNM", picture.ErrPicture)
	}
	size := 1
	if p.most > 0xFF {
		size = 2
	}
	if p.width < 1 || p.height < 1 || p.width > picture.MaxSide || p.height > picture.MaxSide ||
		p.width*p.height > picture.MaxPixels || p.depth < 1 || p.depth > 4 || p.most < 1 || p.most > 0xFFFF ||
		len(p.rest) != p.width*p.height*p.depth*size {
		return nil, fmt.Errorf("%w: PNM of %d by %d, %d components up to %d, %d octets", picture.ErrPicture,
			p.width, p.height, p.depth, p.most, len(p.rest))
	}
	return p.image(size), nil
}

func (p *pnm) image(size int) image.Image {
	sample := func(i int) uint8 {
		v := int(p.rest[i*size])
		if size == 2 {
			v = v<<8 | int(p.rest[i*size+1])
		}
		return uint8((min(v, p.most)*255 + p.most/2) / p.most)
	}
	r := image.Rect(0, 0, p.width, p.height)
	if p.depth == 1 {
		g := image.NewGray(r)
		for i := range g.Pix {
			g.Pix[i] = sample(i)
		}
		return g
	}
	img := image.NewNRGBA(r)
	for i := range p.width * p.height {
		c, at := color.NRGBA{A: 255}, i*p.depth
		c.R = sample(at)
		if c.G, c.B = c.R, c.R; p.depth > 2 {
			c.G, c.B = sample(at+1), sample(at+2)
		}
		if p.depth%2 == 0 {
			c.A = sample(at + p.depth - 1)
		}
		copy(img.Pix[4*i:], []byte{c.R, c.G, c.B, c.A})
	}
	return img
}

// header reads P5, P6 or P7 up to the samples.
func (p *pnm) header() bool {
	switch p.word() {
	case "P5":
		p.depth = 1
	case "P6":
		p.depth = 3
	case "P7":
		return p.fields()
	default:
		return false
	}
	p.width, p.height, p.most = p.number(), p.number(), p.number()
	return true
}

// fields reads the named numbers of PAM.
func (p *pnm) fields() bool {
	for range 16 {
		switch p.word() {
		case "WIDTH":
			p.width = p.number()
		case "HEIGHT":
			p.height = p.number()
		case "DEPTH":
			p.depth = p.number()
		case "MAXVAL":
			p.most = p.number()
		case "TUPLTYPE":
			p.word()
		case "ENDHDR":
			return true
		default:
			return false
		}
	}
	return false
}

// number reads a word that is one, else 0.
func (p *pnm) number() int {
	n, err := strconv.ParseUint(p.word(), 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// word reads a word and the one space behind it, after spaces and comments.
func (p *pnm) word() string {
	for {
		p.rest = bytes.TrimLeft(p.rest, " \t\r\n")
		if !bytes.HasPrefix(p.rest, []byte("#")) {
			break
		}
		_, p.rest, _ = bytes.Cut(p.rest, []byte("\n"))
	}
	end := bytes.IndexAny(p.rest, " \t\r\n")
	if end < 0 {
		return ""
	}
	word := string(p.rest[:end])
	p.rest = p.rest[end+1:]
	return word
}
