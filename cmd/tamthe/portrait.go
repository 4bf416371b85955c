package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
)

// errPortraitSize says that no JPEG of the size asked for can be drawn.
var errPortraitSize = errors.New("portrait does not fit the size asked for")

// drawPortrait draws an invented face as a JPEG of exactly size octets: a person who
// does not exist, so that a demonstration needs nobody's photograph. What the
// compressed picture leaves free is filled by comment segments, which decoders skip.
func drawPortrait(size int) ([]byte, error) {
	img := drawFace(480, 640)
	for quality := 92; quality >= 40; quality -= 4 {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		if fill := size - b.Len(); fill == 0 || fill >= 4 && fill < 1<<16 {
			return withComment(b.Bytes(), fill), nil
		}
	}
	return nil, errPortraitSize
}

// withComment puts a comment segment of fill octets behind the start of image marker.
func withComment(picture []byte, fill int) []byte {
	if fill == 0 {
		return picture
	}
	out := append([]byte{}, picture[:2]...)
	out = append(out, 0xFF, 0xFE)
	out = binary.BigEndian.AppendUint16(out, uint16(fill-2))
	text := []byte("SPECIMEN ")
	for n := 0; n < fill-4; n++ {
		out = append(out, text[n%len(text)])
	}
	return append(out, picture[2:]...)
}

// drawFace paints background, shoulders, neck, head, hair, eyes, brows, nose and mouth
// as shaded shapes, the nearest last.
func drawFace(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	fw, fh := float64(w), float64(h)
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, faceAt(float64(x)/fw, float64(y)/fh))
		}
	}
	return img
}

func faceAt(x, y float64) color.RGBA {
	c := color.RGBA{uint8(206 - 30*y), uint8(218 - 24*y), uint8(232 - 18*y), 255}
	skin := shade(color.RGBA{226, 178, 142, 255}, 1.08-0.35*math.Abs(x-0.47))
	hair := shade(color.RGBA{38, 30, 28, 255}, 1+0.5*math.Sin(60*x)*math.Sin(9*y))
	if inside(x, y, 0.50, 0.41, 0.25, 0.27) || inside(x, y, 0.5, 0.55, 0.25, 0.28) {
		c = hair
	}
	if inside(x, y, 0.5, 1.08, 0.44, 0.32) {
		c = shade(color.RGBA{52, 84, 128, 255}, 1.1-0.4*math.Abs(x-0.45))
	}
	if x > 0.41 && x < 0.59 && y > 0.62 && y < 0.82-math.Abs(x-0.5)*0.6 {
		c = shade(skin, 0.86)
	}
	if inside(x, y, 0.5, 0.47, 0.19, 0.25) {
		c = skin
	}
	if y < 0.36 && inside(x, y, 0.5, 0.42, 0.20, 0.24) && y < 0.31+0.12*math.Abs(x-0.44) {
		c = hair
	}
	for _, eye := range []float64{0.425, 0.575} {
		switch {
		case inside(x, y, eye, 0.452, 0.013, 0.014):
			c = color.RGBA{30, 22, 20, 255}
		case inside(x, y, eye, 0.452, 0.033, 0.015):
			c = color.RGBA{242, 240, 236, 255}
		case inside(x, y, eye, 0.414, 0.045, 0.009):
			c = hair
		}
	}
	if inside(x, y, 0.5, 0.535, 0.026, 0.016) {
		c = shade(skin, 0.88)
	}
	if inside(x, y, 0.5, 0.612, 0.062, 0.017) {
		c = color.RGBA{176, 92, 88, 255}
	}
	return c
}

func inside(x, y, cx, cy, rx, ry float64) bool {
	return (x-cx)*(x-cx)/(rx*rx)+(y-cy)*(y-cy)/(ry*ry) < 1
}

func shade(c color.RGBA, f float64) color.RGBA {
	scale := func(v uint8) uint8 { return uint8(min(255, max(0, float64(v)*f))) }
	return color.RGBA{scale(c.R), scale(c.G), scale(c.B), 255}
}
