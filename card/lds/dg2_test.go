package lds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/testdata"
)

func encode(t *testing.T, faces ...Face) []byte {
	t.Helper()
	raw, err := EncodeDG2(faces...)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What public readers of Vietnam's card cut off: 84 octets, element for element.
func TestDG2Prefix(t *testing.T) {
	img := bytes.Repeat([]byte{0xFF, 0xD8, 0xFF, 0xE0}, 4990)[:20042-84]
	raw := encode(t, Face{Image: img, Coding: JPEG, Width: 480, Height: 640})
	want := fromHex(t, "75824E46"+"7F61824E41"+"020101"+"7F60824E39"+"A10E"+"810102"+"820100"+"87020101"+"88020008"+"5F2E824E24"+
		"46414300"+"30313000"+"00004E24"+"0001"+ // record of 20,004 octets
		"00004E16"+"0000"+"000000"+"000000"+"0000"+"000000"+"000000"+ // block
		"01"+"00"+"01E0"+"0280"+"01"+"02"+"0000"+"0000") // image information
	if len(raw) != 20042 || len(want) != 84 || !bytes.Equal(raw[:84], want) || !bytes.Equal(raw[84:], img) {
		t.Errorf("%d octets beginning with\n%X, want\n%X", len(raw), raw[:84], want)
	}
}

func TestDG2RoundTrip(t *testing.T) {
	in := []Face{
		{Image: []byte{1, 2, 3}, Coding: JPEG, Width: 1, Height: 0xFFFF, Record: &FaceRecord{
			Gender: 2, Eyes: 3, Hair: 4, Features: 0x010203, Expression: 0x0102, Pose: [3]byte{1, 2, 3}, Uncertainty: [3]byte{4, 5, 6},
			Points: []FeaturePoint{{1, 0x31, 100, 200}, {1, 0x32, 300, 65535}}, Type: 2, ColourSpace: 3, Source: 7, Device: 0x0809, Quality: 95,
		}},
		{Image: bytes.Repeat([]byte{7}, 70_000), Coding: JPEG2000, Width: 413, Height: 531, Record: &fullFrontal},
	}
	out, err := ParseDG2(encode(t, in...))
	if err != nil || !reflect.DeepEqual(in, out) {
		t.Fatalf("%v, %v", out, err)
	}
	if many, err := ParseDG2(encode(t, make9(in[0])...)); err != nil || len(many) != 9 {
		t.Error(len(many), err)
	}
	for name, faces := range map[string][]Face{
		"none": nil, "ten": append(make9(in[0]), in[0]), "no image": {{Width: 1, Height: 1}}, "no size": {{Image: []byte{1}}},
		"no coding": {{Image: []byte{1}, Width: 1, Height: 1, Coding: UnknownCoding}}, "wide": {{Image: []byte{1}, Width: 0x10000, Height: 1}},
		"mask": {{Image: []byte{1}, Width: 1, Height: 1, Record: &FaceRecord{Features: 1 << 24}}},
	} {
		var e *Error
		if _, err := EncodeDG2(faces...); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func make9(f Face) []Face {
	list := make([]Face, maxFaces)
	for i := range list {
		list[i] = f
	}
	return list
}

// The German test cards' DG2 is written again octet for octet.
func TestDG2Specimens(t *testing.T) {
	for _, name := range []string{"lds/bsi-reference/DG2.bin", "lds/de-td1-defaultpersogt/DG2.bin"} {
		raw := testdata.Vectors(t, name)
		faces, err := ParseDG2(raw)
		if err != nil || len(faces) != 1 {
			t.Fatal(name, err)
		}
		c, w, h := Picture(faces[0].Image)
		if c != JPEG2000 || faces[0].Coding != c || w == 0 || h == 0 {
			t.Errorf("%s: %v, %d by %d in %v", name, c, w, h, faces[0].Coding)
		}
		if again, err := EncodeDG2(faces...); err != nil || !bytes.Equal(raw, again) {
			t.Errorf("%s comes back otherwise: %v", name, err)
		}
	}
	faces, err := parseFaces(testdata.Vectors(t, "biometrics/ISO19794_Test2_Data_InvalidImage.bin"), 1)
	if err != nil || len(faces) != 1 || faces[0].Width != 0x94 || faces[0].Height != 0x46 || faces[0].Record.Type != 2 {
		t.Errorf("%v, %v", faces, err)
	}
	raw := testdata.Vectors(t, "biometrics/ICAO_39794_5_AP_DG2_AllFields.dat")
	if faces, err := ParseDG2(raw); err != nil || len(faces) != 1 || !bytes.Equal(faces[0].Image, raw[111:15111]) {
		t.Errorf("ISO/IEC 39794-5: %v", err)
	}
}

func TestDG2Lies(t *testing.T) {
	img := bytes.Repeat([]byte{0xAB}, 1000)
	record, err := encodeFace(Face{Image: img, Width: 30, Height: 40})
	if err != nil {
		t.Fatal(err)
	}
	wrap := func(count byte, records ...[]byte) []byte {
		group := tlv.Encode(tagCount, []byte{count})
		for _, r := range records {
			group = append(group, tlv.Encode(tagRecord, tlv.Encode(tagHeader), tlv.Encode(tagData, r))...)
		}
		return tlv.Encode(DG2.Tag(), tlv.Encode(tagGroup, group))
	}
	put := func(at int, n uint32) []byte {
		b := bytes.Clone(record)
		binary.BigEndian.PutUint32(b[at:], n)
		return b
	}
	size, block := uint32(len(record)), uint32(len(record)-facialHeader)
	for name, tt := range map[string]struct {
		raw   []byte
		taken bool
	}{
		"honest":                    {wrap(1, record), true},
		"record 8 short":            {wrap(1, put(8, size-8)), true},
		"record 1 long":             {wrap(1, put(8, size+1)), true},
		"record 9 short":            {wrap(1, put(8, size-9)), false},
		"record of 4 GB":            {wrap(1, put(8, 0xFFFFFFFF)), false},
		"block 8 short":             {wrap(1, put(14, block-8)), true},
		"block 9 long":              {wrap(1, put(14, block+9)), false},
		"block of 4 GB":             {wrap(1, put(14, 0xFFFFFFFF)), false},
		"block of nothing":          {wrap(1, put(14, 0)), false},
		"65,535 portraits":          {wrap(1, put(10, size<<16|0xFFFF)), false},
		"no portrait":               {wrap(1, put(10, size<<16)), false},
		"65,535 points":             {wrap(1, put(16, block<<16|0xFFFF)), false},
		"points into the image":     {wrap(1, put(16, block<<16|100)), true}, // less image, no more octets than there are
		"version 020":               {wrap(1, append([]byte("FAC\x00020\x00"), record[8:]...)), false},
		"fewer templates":           {wrap(2, record), false},
		"more templates":            {wrap(1, record, record), false},
		"no templates":              {wrap(0), false},
		"ten templates":             {wrap(10, make([][]byte, 10)...), false},
		"empty record":              {wrap(1, nil), false},
		"record ends in the header": {wrap(1, record[:13]), false},
		"cut short":                 {wrap(1, record)[:500], false},
		"filler behind":             {append(wrap(1, record), 0, 0, 0), true},
		"something behind":          {append(wrap(1, record), 1), false},
		"nothing":                   {nil, false},
		"another group":             {tlv.Encode(DG3.Tag(), nil), false},
	} {
		faces, err := ParseDG2(tt.raw)
		var e *Error
		switch {
		case tt.taken && (err != nil || len(faces) != 1 || len(faces[0].Image) > len(img)):
			t.Errorf("%s: %v", name, err)
		case !tt.taken && (!errors.As(err, &e) || e.File != DG2 || faces != nil):
			t.Errorf("%s is taken: %v", name, err)
		}
	}
}

// Portraits by ISO/IEC 39794-5: what stands beside the image is passed over, and what is
// not there is not made up.
func TestDG2Extensible(t *testing.T) {
	image := fromHex(t, "FF4FFF51002F00000000019D000002130000000100000003")
	block := func(image []byte) []byte {
		base := tlv.Encode(0xA0, tlv.Encode(0x80, image), tlv.Encode(0xA1, []byte{0xA0, 3, 0x80, 1, 3}))
		return tlv.Encode(0x30, []byte{0x80, 1, 0}, tlv.Encode(0xA1, tlv.Encode(0xA0, base)), []byte{0xA2, 0})
	}
	wrap := func(blocks ...[]byte) []byte {
		data := tlv.Encode(0x65, []byte{0xA0, 7, 0x80, 1, 3, 0x81, 2, 7, 0xE3}, tlv.Encode(0xA1, blocks...))
		record := tlv.Encode(tagRecord, tlv.Encode(tagHeader), tlv.Encode(tagData2, tlv.Encode(0xA1, data)))
		return tlv.Encode(DG2.Tag(), tlv.Encode(tagGroup, tlv.Encode(tagCount, []byte{1}), record))
	}
	want := Face{Image: image, Coding: JPEG2000, Width: 412, Height: 528}
	for n := 1; n <= maxFaces; n++ {
		faces, err := ParseDG2(wrap(slices.Repeat([][]byte{block(image)}, n)...))
		if err != nil || len(faces) != n || !reflect.DeepEqual(faces[n-1], want) {
			t.Errorf("%d portraits: %+v, %v", n, faces, err)
		}
	}
	for name, raw := range map[string][]byte{
		"no block":         wrap(),
		"ten blocks":       wrap(slices.Repeat([][]byte{block(image)}, maxFaces+1)...),
		"empty image":      wrap(block(nil)),
		"three dimensions": wrap(tlv.Encode(0x30, tlv.Encode(0xA1, tlv.Encode(0xA0, tlv.Encode(0xA1, tlv.Encode(0x80, image)))))),
		"other block":      wrap(tlv.Encode(0x31, block(image))),
		"cut block":        wrap([]byte{0x30, 9, 0xA1}),
		"another standard": bytes.Replace(wrap(block(image)), []byte{0x65}, []byte{0x64}, 1),
	} {
		var e *Error
		if faces, err := ParseDG2(raw); !errors.As(err, &e) || e.File != DG2 || faces != nil {
			t.Errorf("%s: %v, %v", name, faces, err)
		}
	}
}
