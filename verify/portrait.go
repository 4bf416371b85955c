package verify

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"strings"
)

// shades are the characters of a portrait without colours, from dark to light.
const shades = " .:-=+*#%@"

// drawPortrait writes an image as text, columns wide: two pixels a character as half
// blocks with colours, one character a pair without.
func drawPortrait(w io.Writer, img image.Image, columns int, colours bool, margin string) {
	b := img.Bounds()
	rows := max(1, b.Dy()*columns/b.Dx()/2) // of characters, each as high as two pixels
	pixels := scale(img, columns, 2*rows)
	for y := range rows {
		var line strings.Builder
		line.WriteString(margin)
		for x := range columns {
			top, bottom := pixels[2*y][x], pixels[2*y+1][x]
			if colours {
				fmt.Fprintf(&line, "\x1b[38;2;%d;%d;%dm\x1b[48;2;%d;%d;%dm▀", top.R, top.G, top.B, bottom.R, bottom.G, bottom.B)
				continue
			}
			light := (int(luma(top)) + int(luma(bottom))) / 2
			line.WriteByte(shades[light*(len(shades)-1)/255])
		}
		if colours {
			line.WriteString("\x1b[0m")
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

func luma(c color.RGBA) uint8 { return color.GrayModel.Convert(c).(color.Gray).Y }

// scale shrinks an image by averaging the pixels that fall together.
func scale(img image.Image, width, height int) [][]color.RGBA {
	b := img.Bounds()
	out := make([][]color.RGBA, height)
	for y := range out {
		out[y] = make([]color.RGBA, width)
		for x := range out[y] {
			out[y][x] = average(img, image.Rect(
				b.Min.X+x*b.Dx()/width, b.Min.Y+y*b.Dy()/height,
				b.Min.X+(x+1)*b.Dx()/width, b.Min.Y+(y+1)*b.Dy()/height))
		}
	}
	return out
}

func average(img image.Image, r image.Rectangle) color.RGBA {
	r.Max.X, r.Max.Y = max(r.Max.X, r.Min.X+1), max(r.Max.Y, r.Min.Y+1)
	r = r.Intersect(img.Bounds())
	var red, green, blue, n uint64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			cr, cg, cb, _ := img.At(x, y).RGBA()
			red, green, blue, n = red+uint64(cr>>8), green+uint64(cg>>8), blue+uint64(cb>>8), n+1
		}
	}
	if n == 0 {
		return color.RGBA{}
	}
	return color.RGBA{uint8(red / n), uint8(green / n), uint8(blue / n), 255}
}
