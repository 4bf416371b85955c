package picture

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSniff(t *testing.T) {
	for _, tt := range []struct {
		name, octets  string
		coding        Coding
		width, height int
	}{
		{"nothing", "", Unknown, 0, 0},
		{"PNG without a header", "89504E470D0A1A0A", PNG, 0, 0},
		{"JPEG without a frame", "FFD8FFD9", JPEG, 0, 0},
		{"codestream", "FF4FFF51002F0000" + "0000019D00000213" + "0000000100000003", JPEG2000, 412, 528},
		{"codestream cut", "FF4FFF51002F0000", JPEG2000, 0, 0},
		{"codestream of less than nothing", "FF4FFF51002F0000" + "0000000100000001" + "0000000200000001", JPEG2000, 0, 0},
		{"JP2", "0000000C6A5020200D0A870A" + "000000146674797000000000" + "0000000000000000" + "0000001E6A703268" + "0000001669686472" + "000002130000019D0003070700" + "00", JPEG2000, 413, 531},
		{"JP2 with the header elsewhere", "0000000C6A5020200D0A870A" + "0000001669686472" + "000002130000019D0003070700" + "00", JPEG2000, 0, 0},
		{"JP2 with a box of 0", "0000000C6A5020200D0A870A" + "00000000", JPEG2000, 0, 0},
		{"JP2 with a huge box", "0000000C6A5020200D0A870A" + "0000000166747970FFFFFFFFFFFFFFFF", JPEG2000, 0, 0},
		{"JP2 with a box of 3", "0000000C6A5020200D0A870A" + "0000000366747970", JPEG2000, 0, 0},
		{"WSQ", "FFA0" + "FFA8000454" + "54" + "FFA20011" + "00FF" + "00830061" + strings.Repeat("00", 9), WSQ, 97, 131},
		{"WSQ cut", "FFA0FFA20011", WSQ, 0, 0},
		{"WSQ with data first", "FFA0FFA3000300" + "FFA20011" + "00FF" + "00830061" + strings.Repeat("00", 9), WSQ, 0, 0},
	} {
		if c, w, h := Sniff(fromHex(t, tt.octets)); c != tt.coding || w != tt.width || h != tt.height {
			t.Errorf("%s: %v, %d by %d", tt.name, c, w, h)
		}
	}
}

// What conformance streams declare, and what crashed decoders: none is decoded here.
func TestSniffVectors(t *testing.T) {
	var f struct {
		Cases []struct {
			File     string
			Declared *struct{ Width, Height int }
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "jpeg2000/index.json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		img := testdata.Vectors(t, c.File)
		coding, w, h := Sniff(img)
		if strings.Contains(c.File, "/conf-") && (coding != JPEG2000 || c.Declared != nil && (w != c.Declared.Width || h != c.Declared.Height)) {
			t.Errorf("%s: %v, %d by %d, declared %+v", c.File, coding, w, h, c.Declared)
		}
		if _, err := Decode(t.Context(), img, Options{}); !errors.Is(err, ErrPicture) {
			t.Errorf("%s is decoded: %v", c.File, err)
		}
	}
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeJPEG(t *testing.T) {
	padded := append(encoded(t, image.NewGray(image.Rect(0, 0, 60, 80))), 0, 0, 0) // cards are met with filler behind the end
	if img, err := Decode(t.Context(), padded, Options{}); err != nil || img.Bounds().Dx() != 60 {
		t.Error(err)
	}
	frame := []byte("\xFF\xC0\x00\x0B\x08\x00\x50\x00\x3C")
	if !bytes.Contains(padded, frame) {
		t.Fatal("no frame header")
	}
	scan := []byte("\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00")
	for name, img := range map[string][]byte{
		"65,535 by 65,535":       bytes.Replace(padded, frame, []byte("\xFF\xC0\x00\x0B\x08\xFF\xFF\xFF\xFF"), 1),
		"2,001 by 2,000":         bytes.Replace(padded, frame, []byte("\xFF\xC0\x00\x0B\x08\x07\xD1\x07\xD0"), 1),
		"no width":               bytes.Replace(padded, frame, []byte("\xFF\xC0\x00\x0B\x08\x00\x50\x00\x00"), 1),
		"65 scans":               append(bytes.Clone(padded[:len(padded)-5]), bytes.Repeat(scan, maxScans)...),
		"17 scans over 4 Mpixel": append(bytes.Replace(padded[:len(padded)-5], frame, []byte("\xFF\xC0\x00\x0B\x08\x07\xD0\x07\xD0"), 1), bytes.Repeat(scan, 16)...),
		"cut short":              padded[:100],
		"nothing":                nil,
		"frame only":             fromHex(t, "FFD8FFC0000B08FFFFFFFF01011100FFDA"),
		"four megabytes":         append(bytes.Clone(padded), make([]byte, MaxOctets)...),
		"a GIF":                  []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
	} {
		if _, err := Decode(t.Context(), img, Options{}); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A progressive JPEG whose every scan walks over the whole picture for some octets, as many
// as are let through, ends in about a second.
func TestProgressive(t *testing.T) {
	const side = 2000
	b := []byte("\xFF\xD8\xFF\xC2\x00\x0B\x08")
	b = append(b, side>>8, side&0xFF, side>>8, side&0xFF, 1, 1, 0x11, 0)
	dht := append([]byte("\xFF\xC4\x00\x14\x10\x01"), make([]byte, 15)...)
	b = append(append(b, dht...), 0xE0) // AC: the code 0 ends 16,384 blocks and as many as 14 bits say
	for i := range maxWalks / MaxPixels {
		b = append(b, 0xFF, 0xDA, 0, 8, 1, 1, 0, byte(1+i), byte(1+i), 0)
		b = append(b, make([]byte, 8)...)
	}
	b = append(b, 0xFF, 0xD9)
	begin := time.Now()
	img, err := Decode(t.Context(), b, Options{})
	if err != nil || img.Bounds().Dx() != side {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("%v", took)
	} else {
		t.Log(took)
	}
}

func TestEncodePNG(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	img.SetGray(2, 1, color.Gray{77})
	var b bytes.Buffer
	if err := EncodePNG(&b, img); err != nil {
		t.Fatal(err)
	}
	back, err := Decode(t.Context(), b.Bytes(), Options{})
	if err != nil || back.At(2, 1) != (color.Gray{77}) {
		t.Error(back, err)
	}
}

// A decoder for JPEG 2000 sees only what passed the gate.
func TestDecoder(t *testing.T) {
	stream := func(change string) []byte {
		s := []byte("\xFF\x4F\xFF\x51\x00\x29\x00\x00" + "\x00\x00\x00\x08\x00\x00\x00\x08" + "\x00\x00\x00\x00\x00\x00\x00\x00" +
			"\x00\x00\x00\x08\x00\x00\x00\x08" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x01\x07\x01\x01")
		for i, c := range []byte(change) {
			if c != '.' {
				s[8+i] = c
			}
		}
		return s
	}
	seen := 0
	o := Options{JPEG2000: func(context.Context, []byte) (image.Image, error) {
		seen++
		return image.NewGray(image.Rect(0, 0, 8, 8)), nil
	}}
	if _, err := Decode(t.Context(), stream(""), o); err != nil || seen != 1 {
		t.Error(seen, err)
	}
	for name, change := range map[string]string{
		"width of 16 M":       "\x01",
		"tiles of nothing":    "................\x00\x00\x00\x00",
		"65,536 tiles":        "\x00\x00\x01\x00\x00\x00\x01\x00........\x00\x00\x00\x01\x00\x00\x00\x01",
		"first tile beside":   "........................\x00\x00\x00\x09",
		"no component":        "................................\x00\x00",
		"5 components":        "................................\x00\x05",
		"more than there are": "................................\x00\x02",
		"38 bits":             "..................................\x25",
		"no sampling":         "...................................\x00",
	} {
		if _, err := Decode(t.Context(), stream(change), o); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
	jp2 := "\x00\x00\x00\x0CjP  \r\n\x87\n\x00\x00\x00\x1Ejp2h\x00\x00\x00\x16ihdr\x00\x00\x00\x08\x00\x00\x00\x08\x00\x01\x07\x07\x00\x00"
	if _, err := Decode(t.Context(), []byte(jp2), o); !errors.Is(err, ErrPicture) || seen != 1 {
		t.Errorf("JP2 without a codestream: %v", err)
	}
	whole := append([]byte(jp2+"\x00\x00\x00\x00jp2c"), stream("")...)
	if _, err := Decode(t.Context(), whole, o); err != nil || seen != 2 {
		t.Errorf("JP2: %v", err)
	}
	liar := append([]byte(jp2+"\x00\x00\x00\x00jp2c"), stream("\x01")...)
	if _, err := Decode(t.Context(), liar, o); !errors.Is(err, ErrPicture) || seen != 2 {
		t.Errorf("JP2 whose codestream is larger: %v", err)
	}
	if _, err := Decode(t.Context(), stream(""), Options{}); !errors.Is(err, ErrNoDecoder) || !errors.Is(err, ErrPicture) {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, nil, Options{}); !errors.Is(err, context.Canceled) || errors.Is(err, ErrPicture) {
		t.Error(err)
	}
}
