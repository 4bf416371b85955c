package lds

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

func TestPicture(t *testing.T) {
	for _, tt := range []struct {
		name, octets  string
		coding        Coding
		width, height int
	}{
		{"nothing", "", UnknownCoding, 0, 0},
		{"PNG", "89504E470D0A1A0A", UnknownCoding, 0, 0},
		{"JPEG without a frame", "FFD8FFD9", JPEG, 0, 0},
		{"codestream", "FF4FFF51002F0000" + "0000019D00000213" + "0000000100000003", JPEG2000, 412, 528},
		{"codestream cut", "FF4FFF51002F0000", JPEG2000, 0, 0},
		{"codestream of less than nothing", "FF4FFF51002F0000" + "0000000100000001" + "0000000200000001", JPEG2000, 0, 0},
		{"JP2", "0000000C6A5020200D0A870A" + "000000146674797000000000" + "0000000000000000" + "0000001E6A703268" + "0000001669686472" + "000002130000019D0003070700" + "00", JPEG2000, 413, 531},
		{"JP2 with the header elsewhere", "0000000C6A5020200D0A870A" + "0000001669686472" + "000002130000019D0003070700" + "00", JPEG2000, 0, 0},
		{"JP2 with a box of 0", "0000000C6A5020200D0A870A" + "00000000", JPEG2000, 0, 0},
		{"JP2 with a huge box", "0000000C6A5020200D0A870A" + "0000000166747970FFFFFFFFFFFFFFFF", JPEG2000, 0, 0},
		{"JP2 with a box of 3", "0000000C6A5020200D0A870A" + "0000000366747970", JPEG2000, 0, 0},
	} {
		if c, w, h := Picture(fromHex(t, tt.octets)); c != tt.coding || w != tt.width || h != tt.height {
			t.Errorf("%s: %v, %d by %d", tt.name, c, w, h)
		}
	}
}

// What conformance streams declare, and what crashed decoders: read and never decoded.
func TestPictureVectors(t *testing.T) {
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
		coding, w, h := Picture(img)
		if strings.Contains(c.File, "/conf-") && (coding != JPEG2000 || c.Declared != nil && (w != c.Declared.Width || h != c.Declared.Height)) {
			t.Errorf("%s: %v, %d by %d, declared %+v", c.File, coding, w, h, c.Declared)
		}
		if _, err := DecodePicture(img); !errors.Is(err, ErrPicture) {
			t.Errorf("%s is decoded: %v", c.File, err)
		}
	}
	if c, w, h := Picture(testdata.Vectors(t, "biometrics/face_image_gen.jp2")); c != JPEG2000 || w != 100 || h != 129 {
		t.Errorf("%v, %d by %d", c, w, h)
	}
}

func TestDecodePicture(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 60, 80)), nil); err != nil {
		t.Fatal(err)
	}
	padded := append(b.Bytes(), 0, 0, 0) // cards are met with filler behind the end
	if img, err := DecodePicture(padded); err != nil || img.Bounds().Dx() != 60 {
		t.Error(err)
	}
	frame := []byte("\xFF\xC0\x00\x0B\x08\x00\x50\x00\x3C")
	if !bytes.Contains(padded, frame) {
		t.Fatal("no frame header")
	}
	scans := bytes.Repeat([]byte("\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00"), maxScans)
	for name, img := range map[string][]byte{
		"65,535 by 65,535": bytes.Replace(padded, frame, []byte("\xFF\xC0\x00\x0B\x08\xFF\xFF\xFF\xFF"), 1),
		"2,001 by 2,000":   bytes.Replace(padded, frame, []byte("\xFF\xC0\x00\x0B\x08\x07\xD1\x07\xD0"), 1),
		"no width":         bytes.Replace(padded, frame, []byte("\xFF\xC0\x00\x0B\x08\x00\x50\x00\x00"), 1),
		"many scans":       append(bytes.Clone(padded[:len(padded)-5]), scans...),
		"cut short":        padded[:100],
		"nothing":          nil,
		"frame only":       fromHex(t, "FFD8FFC0000B08FFFFFFFF01011100FFDA"),
	} {
		if _, err := DecodePicture(img); !errors.Is(err, ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
