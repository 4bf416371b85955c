package simulator

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"math/bits"
)

// print of a face is what two pictures of the same are alike in: for each of 16 by 16 places of
// the picture whether it is darker than the one right of it. It is no biometry; it has what a
// simulator needs: the same picture is the same, compressed otherwise it is near, another one
// is far.
type faceprint [4]uint64

// maxPixels bounds a picture before it is decoded.
const maxPixels = 4 << 20

var errPicture = errors.New("no picture of a face")

// printOf reads a JPEG.
func printOf(b []byte) (f faceprint, err error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil || c.Width < 17 || c.Height < 16 || c.Width*c.Height > maxPixels {
		return f, errPicture
	}
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return f, errPicture
	}
	for y := range 16 {
		left := brightness(m, 0, y)
		for x := range 16 {
			right := brightness(m, x+1, y)
			if left < right {
				f[y/4] |= 1 << (y%4*16 + x)
			}
			left = right
		}
	}
	return f, nil
}

// brightness is the mean of one of 17 by 16 places of a picture.
func brightness(m image.Image, x, y int) (mean uint64) {
	b := m.Bounds()
	x0, x1 := b.Min.X+b.Dx()*x/17, b.Min.X+b.Dx()*(x+1)/17
	y0, y1 := b.Min.Y+b.Dy()*y/16, b.Min.Y+b.Dy()*(y+1)/16
	for py := y0; py < y1; py++ {
		for px := x0; px < x1; px++ {
			r, g, bl, _ := m.At(px, py).RGBA()
			mean += uint64(299*r+587*g+114*bl) / 1000
		}
	}
	return mean / uint64((x1-x0)*(y1-y0)) >> 4 // what compression changes makes no difference
}

// likeness of two is 0 to 1000; a thousand are the same.
func likeness(a, b faceprint) int {
	differ := 0
	for i := range a {
		differ += bits.OnesCount64(a[i] ^ b[i])
	}
	return 1000 - 1000*differ/256
}
