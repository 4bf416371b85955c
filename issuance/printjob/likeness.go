package printjob

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"math"

	"github.com/tamthe/tamthe/card/picture"
)

// The raster on which a printed portrait is compared with the ordered one, and how alike they must be.
const (
	rasterW, rasterH = 40, 60
	alike            = 0.9
)

// comparePortrait says why the picture of a printed portrait is not that of the ordered
// one, or nothing. It finds the wrong picture, and one that is turned, mirrored, cut off or
// not printed at all; whose face it is, is for people and for programs that compare faces.
func (c Card) comparePortrait(printed []byte) string {
	if len(printed) == 0 {
		return Unread
	}
	got, err := decode(printed)
	if err != nil {
		return Unread
	}
	want, err := decode(c.Portrait)
	if err != nil {
		return Differs
	}
	box, ok := Portrait(c.Design)
	if !ok {
		return Differs
	}
	b := want.Bounds()
	box.X, box.Y = 0, 0
	in := box.Within(b.Dx(), b.Dy())
	here := Box{in.X / box.W, in.Y / box.H, in.W / box.W, in.H / box.H}
	if correlation(raster(want, Box{0, 0, 1, 1}), raster(got, here)) < alike {
		return Differs
	}
	return ""
}

func decode(b []byte) (image.Image, error) {
	return picture.Decode(context.Background(), bytes.Clone(b), picture.Options{})
}

// raster is the brightness of a part of a picture, given in shares of its width and height,
// averaged over the cells of the raster.
func raster(img image.Image, part Box) []float64 {
	const fine = 4 // samples a cell, each way
	out := make([]float64, rasterW*rasterH)
	b := img.Bounds()
	for i := range rasterH * fine {
		for j := range rasterW * fine {
			x := part.X + (float64(j)+0.5)/(rasterW*fine)*part.W
			y := part.Y + (float64(i)+0.5)/(rasterH*fine)*part.H
			at := img.At(b.Min.X+int(x*float64(b.Dx())), b.Min.Y+int(y*float64(b.Dy())))
			v := float64(color.GrayModel.Convert(at).(color.Gray).Y)
			out[i/fine*rasterW+j/fine] += v / (fine * fine)
		}
	}
	return out
}

// correlation is that of two rasters, 1 for the same picture however bright, 0 for two that
// have nothing to do with each other or of which one is empty.
func correlation(a, b []float64) float64 {
	var ma, mb float64
	for i := range a {
		ma += a[i] / float64(len(a))
		mb += b[i] / float64(len(b))
	}
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
