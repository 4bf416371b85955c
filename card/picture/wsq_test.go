package picture

import (
	"bytes"
	"errors"
	"image"
	"math"
	"os"
	"testing"
)

// print is an invented fingerprint: ridges around a centre, with dust.
func print(w, h int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	seed := uint32(1)
	for y := range h {
		for x := range w {
			dx, dy := float64(x)-float64(w)*0.48, float64(y)-float64(h)*0.42
			r := math.Hypot(dx, dy*0.8)
			v := 128 + 90*math.Sin(r*0.7+2*math.Atan2(dy, dx))*math.Exp(-r*r/float64(w*h))
			seed = seed*1664525 + 1013904223
			img.Pix[y*w+x] = byte(max(0, min(255, v+float64(seed>>28)-8)))
		}
	}
	return img
}

// NBIS of NIST encoded the invented print, at 2.25 and 0.75 bits a pixel, and decoded what
// it wrote: ours agrees with that to one level of grey in one pixel of a thousand, and with
// the print as well as the bit rate lets it.
func TestWSQ(t *testing.T) {
	for _, tt := range []struct {
		name          string
		width, height int
		psnr          float64
	}{{"nbis-97x131", 97, 131, 38}, {"nbis-77x128", 77, 128, 32}} {
		got := decodeFile(t, tt.name+".wsq")
		want := decodeFile(t, tt.name+".png")
		if got.Rect != want.Rect || got.Rect.Dx() != tt.width || got.Rect.Dy() != tt.height {
			t.Fatalf("%s: %v", tt.name, got.Rect)
		}
		original := print(tt.width, tt.height)
		differ, square := 0, 0.0
		for i := range got.Pix {
			switch d := int(got.Pix[i]) - int(want.Pix[i]); {
			case d > 1 || d < -1:
				t.Fatalf("%s: pixel %d off by %d", tt.name, i, d)
			case d != 0:
				differ++
			}
			e := float64(got.Pix[i]) - float64(original.Pix[i])
			square += e * e
		}
		if differ > len(got.Pix)/1000 {
			t.Errorf("%s: %d pixels differ", tt.name, differ)
		}
		if psnr := 10 * math.Log10(255*255*float64(len(got.Pix))/square); psnr < tt.psnr {
			t.Errorf("%s: %.1f dB", tt.name, psnr)
		}
	}
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeFile(t *testing.T, name string) *image.Gray {
	t.Helper()
	img, err := Decode(t.Context(), testFile(t, name), Options{})
	if err != nil {
		t.Fatal(name, err)
	}
	return img.(*image.Gray)
}

// Each fault in a file is an error and no picture.
func TestWSQRefuses(t *testing.T) {
	sound := testFile(t, "nbis-97x131.wsq")
	at := func(marker string) int {
		i := bytes.Index(sound, []byte(marker))
		if i < 0 {
			t.Fatalf("no %X", marker)
		}
		return i
	}
	frame, taps, bins, codes, block := at("\xFF\xA2"), at("\xFF\xA4"), at("\xFF\xA5"), at("\xFF\xA6"), at("\xFF\xA3")
	set := func(i int, b ...byte) []byte {
		c := bytes.Clone(sound)
		copy(c[i:], b)
		return c
	}
	without := func(i int) []byte {
		size := 2 + int(sound[i+2])<<8 + int(sound[i+3])
		return append(bytes.Clone(sound[:i]), sound[i+size:]...)
	}
	twice := func(i int) []byte {
		size := 2 + int(sound[i+2])<<8 + int(sound[i+3])
		return append(bytes.Clone(sound[:i+size]), sound[i:]...)
	}
	for name, img := range map[string][]byte{
		"31 wide":              set(frame+8, 0, 31),
		"65,535 by 65,535":     set(frame+6, 0xFF, 0xFF, 0xFF, 0xFF),
		"one column more":      set(frame+8, 0, 98),
		"one column less":      set(frame+8, 0, 96),
		"no frame":             without(frame),
		"two frames":           twice(frame),
		"no taps":              without(taps),
		"8 taps":               set(taps+4, 8),
		"33 taps":              set(taps+4, 33),
		"7 and 9 taps":         set(taps+4, 7, 7),
		"no quantisation":      without(bins),
		"two quantisations":    twice(bins),
		"subband 60 coded":     set(bins+4+3+60*6, 0, 0, 1),
		"table 8":              set(codes+4, 8),
		"three codes of a bit": set(codes+5, 3),
		"block with table 7":   set(block+4, 7),
		"unknown marker":       set(frame+1, 0xB0),
		"segment of 1":         set(frame+2, 0, 1),
		"no end":               sound[:len(sound)-2],
		"half":                 sound[:len(sound)/2],
		"an end in the middle": set(len(sound)/2, 0xFF, 0xA1),
		"no block":             append(bytes.Clone(sound[:block]), 0xFF, 0xA1),
		"start only":           []byte("\xFF\xA0\xFF\xA1"),
	} {
		if decoded, err := Decode(t.Context(), img, Options{}); !errors.Is(err, ErrPicture) || decoded != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Comments are passed over wherever they stand.
func TestWSQComment(t *testing.T) {
	sound := testFile(t, "nbis-77x128.wsq")
	noted := append([]byte("\xFF\xA0\xFF\xA8\x00\x04\xFF\xA2"), sound[2:]...)
	img, err := Decode(t.Context(), noted, Options{})
	if err != nil || !bytes.Equal(img.(*image.Gray).Pix, decodeFile(t, "nbis-77x128.wsq").Pix) {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(testFile(f, "nbis-77x128.wsq"))
	f.Add([]byte("\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x50\x00\x3C\x01\x01\x11\x00\xFF\xDA"))
	f.Add([]byte("\xFF\x4F\xFF\x51\x00\x2F\x00\x00\x00\x00\x01\x9D\x00\x00\x02\x13\x00\x00\x00\x01\x00\x00\x00\x03"))
	f.Add([]byte("\x00\x00\x00\x0CjP  \r\n\x87\n\x00\x00\x00\x1Ejp2h\x00\x00\x00\x16ihdr\x00\x00\x02\x13\x00\x00\x01\x9D\x00\x03\x07\x07\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, w, h := Sniff(b)
		if w < 0 || h < 0 || c == Unknown && w+h > 0 {
			t.Fatalf("%v of %d by %d", c, w, h)
		}
		img, err := Decode(t.Context(), b, Options{})
		switch {
		case err == nil && (img.Bounds().Dx() != w || img.Bounds().Dy() != h):
			t.Fatalf("%v, declared %d by %d", img.Bounds(), w, h)
		case err != nil && (img != nil || !errors.Is(err, ErrPicture)):
			t.Fatal(err)
		}
	})
}

func BenchmarkWSQ(b *testing.B) {
	img := testFile(b, "nbis-97x131.wsq")
	for b.Loop() {
		if _, err := Decode(b.Context(), img, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
