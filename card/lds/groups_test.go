package lds

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/testdata"
)

// singles are the files of Doc 9303-10 App. A.
func singles(t *testing.T) map[string][]byte {
	t.Helper()
	var file struct {
		Cases []struct{ ID, File string }
	}
	if err := json.Unmarshal(testdata.Vectors(t, "lds/single-files.json"), &file); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, c := range file.Cases {
		if b, err := hex.DecodeString(c.File); err == nil {
			files[c.ID] = b
		}
	}
	return files
}

// TestWorkedGroups reads the worked examples of the standard and writes them again octet
// for octet.
func TestWorkedGroups(t *testing.T) {
	files := singles(t)
	details, err := ParseDG11(files["dg11"])
	if err != nil || len(details) != 5 || details[0].Tag != TagFullName || string(details[0].Value) != "SMITH<<JOHN<J" {
		t.Errorf("DG11: %v, %v", details, err)
	}
	if again := EncodeDG11(details); !bytes.Equal(again, files["dg11"]) {
		t.Errorf("DG11 is written as %X", again)
	}
	contacts, err := ParseDG16(files["dg16"])
	if err != nil || len(contacts) != 2 || contacts[0].Recorded != "20020101" || contacts[0].Name != "SMITH<<CHARLES<R" {
		t.Errorf("DG16: %+v, %v", contacts, err)
	}
	if again, err := EncodeDG16(contacts...); err != nil || !bytes.Equal(again, files["dg16"]) {
		t.Errorf("DG16 is written as %X, %v", again, err)
	}
	if details, err = ParseDG11(testdata.Vectors(t, "lds/single/tsemrtd-EF_DG11.bin")); err != nil || len(details) == 0 {
		t.Errorf("another DG11: %v, %v", details, err)
	}
	images, err := ParseDisplayed(DG7, testdata.Vectors(t, "lds/single/tsemrtd-EF_DG7.bin"))
	if err != nil || len(images) != 1 || len(images[0]) < 100 {
		t.Errorf("DG7: %d images, %v", len(images), err)
	}
}

// TestDetails reads dates in both codings, and other names.
func TestDetails(t *testing.T) {
	for text, value := range map[string][]byte{"19900215": []byte("19900215"), "20011231": {0x20, 0x01, 0x12, 0x31}} {
		if got, ok := BirthDate([]Detail{{TagFullBirth, value}}); !ok || got != text {
			t.Errorf("%X: %q", value, got)
		}
	}
	for _, bad := range [][]byte{nil, []byte("1990021"), {0x19, 0x9A, 0x02, 0x15}, []byte("1990-2-1")} {
		if got, ok := BirthDate([]Detail{{TagFullBirth, bad}}); ok {
			t.Errorf("%X is %q", bad, got)
		}
	}
	d := NewOtherNames("GREEN<<MARY", "BLACK<<M")
	back, err := ParseDG11(EncodeDG11([]Detail{d}))
	if err != nil || !slices.Equal(OtherNames(back[0]), []string{"GREEN<<MARY", "BLACK<<M"}) {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range []Detail{{TagAddress, d.Value}, {TagOtherNames, d.Value[:5]}, {TagOtherNames, nil}, {TagOtherNames, []byte{2, 1, 5}}} {
		if names := OtherNames(bad); names != nil {
			t.Errorf("%X: %q", bad.Value, names)
		}
	}
}

func TestCounted(t *testing.T) {
	for _, f := range []File{DG5, DG7} {
		want := [][]byte{{0xFF, 0xD8, 1}, {2}}
		raw, err := EncodeDisplayed(f, want...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseDisplayed(f, raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %X, %v", f, got, err)
		}
	}
	for _, f := range []File{DG8, DG9, DG10} {
		want := [][]byte{{0x5F, 0x40, 1, 9}, {0x30, 0}}
		raw, err := EncodeFeatures(f, want...)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseFeatures(f, raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %X, %v", f, got, err)
		}
	}
	var malformed *Error
	for name, raw := range map[string][]byte{
		"empty": nil, "no count": {0x65, 0}, "count of two octets": {0x65, 4, 2, 2, 0, 1}, "too few": {0x65, 3, 2, 1, 1},
		"too many": {0x65, 7, 2, 1, 0, 0x5F, 0x40, 1, 1}, "another tag": {0x65, 7, 2, 1, 1, 0x5F, 0x43, 1, 1},
		"seventeen": {0x65, 3, 2, 1, 17}, "another file": {0x67, 3, 2, 1, 0}, "trailing": {0x65, 3, 2, 1, 0, 9},
	} {
		if got, err := ParseDisplayed(DG5, raw); !errors.As(err, &malformed) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, f := range []File{DG1, DG8, 0} {
		if _, err := ParseDisplayed(f, nil); !errors.As(err, &malformed) {
			t.Errorf("%v: %v", f, err)
		}
		if _, err := EncodeDisplayed(f); !errors.As(err, &malformed) {
			t.Errorf("%v: %v", f, err)
		}
	}
	if content, err := ParseDG13(EncodeDG13([]byte{0x30, 0})); err != nil || !bytes.Equal(content, []byte{0x30, 0}) {
		t.Errorf("DG13: %X, %v", content, err)
	}
}

func TestDIR(t *testing.T) {
	list := []Application{
		{AID: []byte{0xA0, 0, 0, 2, 0x47, 0x10, 1}},
		{AID: []byte{0xA0, 0, 0, 2, 0x47, 0x20, 2}, Label: "VISA"},
		{AID: []byte{0xE8, 7, 4, 0, 0x7F, 0, 7, 3, 2}},
		{AID: []byte{1, 2, 3, 4, 5}},
	}
	raw := append(EncodeDIR(list...), 0, 0)
	got, err := ParseDIR(raw)
	if err != nil || !reflect.DeepEqual(got, list) {
		t.Errorf("%+v, %v", got, err)
	}
	for i, want := range []string{"eMRTD (LDS1)", "visa records (LDS2)", "eID", ""} {
		if list[i].Name() != want {
			t.Errorf("%X is %q", list[i].AID, list[i].Name())
		}
	}
	for _, bad := range [][]byte{{0x61}, {0x61, 3, 0x4F, 1, 1}, {0x61, 0}, {0x61, 2, 0x4F, 5}} {
		if got, err := ParseDIR(bad); err == nil || got != nil {
			t.Errorf("%X: %v", bad, got)
		}
	}
}

// TestBiometrics writes and reads fingers and irises, and reads the fingers of the BSI's
// data set.
func TestBiometrics(t *testing.T) {
	wsq := []byte{0xFF, 0xA0, 0xFF, 0xA4, 0}
	for f, samples := range map[File][]Sample{
		DG3: {{Part: 2, Image: wsq, Width: 300, Height: 400, Compression: 2}, {Part: 7, Image: []byte{1}, Width: 1, Height: 2, Compression: 2}},
		DG4: {{Part: 1, Image: wsq, Width: 640, Height: 480, Compression: 14}},
	} {
		raw, err := EncodeBiometrics(f, nil, samples...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseBiometrics(f, raw)
		if err != nil || !reflect.DeepEqual(got.Samples, samples) || got.Extensible {
			t.Errorf("%v: %+v, %v", f, got, err)
		}
		none, err := EncodeBiometrics(f, []byte("random"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseBiometrics(f, none); err != nil || len(got.Samples) != 0 {
			t.Errorf("%v without samples: %+v, %v", f, got, err)
		}
	}
	for _, f := range []File{DG3, DG4} {
		got, err := ParseBiometrics(f, testdata.Vectors(t, "lds/bsi-reference/"+f.FileName()))
		if err != nil || len(got.Samples) == 0 {
			t.Errorf("%v of the BSI: %v", f, err)
			continue
		}
		t.Logf("%v of the BSI: %d samples, compression %d, %d by %d, begins %X", f, len(got.Samples), got.Samples[0].Compression,
			got.Samples[0].Width, got.Samples[0].Height, got.Samples[0].Image[:4])
	}
	block := testdata.Vectors(t, "biometrics/sample-39794-4-ed-1-v1.der")
	record := tlv.Encode(tagRecord, tlv.Encode(tagHeader), tlv.Encode(tagData2, tlv.Encode(0xA1, block)))
	raw := tlv.Encode(DG3.Tag(), tlv.Encode(tagGroup, tlv.Encode(tagCount, []byte{1}), record))
	got, err := ParseBiometrics(DG3, raw)
	if err != nil || len(got.Samples) != 1 || !got.Extensible || !bytes.HasPrefix(got.Samples[0].Image, []byte("\x89PNG")) {
		t.Fatalf("39794-4: %+v, %v", got, err)
	}
	// What the sample says of itself, and in the same order of octets, this package writes.
	written, err := EncodeBiometricsExtensible(DG3, time.Time{}, got.Samples[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, tags := range map[string][]tlv.Tag{
		"version": {0xA0}, "position": {0xA1, 0x30, 0xA0}, "format": {0xA1, 0x30, 0xA2}, "image": {0xA1, 0x30, 0x83},
	} {
		of := func(b []byte, path ...tlv.Tag) []byte { v, _ := descend(b, append(path, tags...)...); return v }
		want, have := of(block, 0x64), of(written, 0x63, tagGroup, tagRecord, tagData2, 0xA1, 0x64)
		if len(want) == 0 || !bytes.Equal(want, have) {
			t.Errorf("39794-4, %s: %X, the sample has %X", name, have, want)
		}
	}
}

// TestExtensibleBiometrics writes and reads fingers and irises of ISO/IEC 39794.
func TestExtensibleBiometrics(t *testing.T) {
	image := map[string][]byte{"PNG": []byte("\x89PNG\r\n\x1A\n..."), "WSQ": []byte("\xFF\xA0\xFF..."), "JPEG 2000": []byte("\xFF\x4F\xFF\x51...")}
	for _, f := range []File{DG3, DG4} {
		var samples []Sample
		for _, name := range []string{"PNG", "WSQ", "JPEG 2000"} {
			if f == DG3 || name != "WSQ" {
				samples = append(samples, Sample{Part: byte(len(samples) + 1), Image: image[name]})
			}
		}
		raw, err := EncodeBiometricsExtensible(f, time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), samples...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseBiometrics(f, raw)
		if err != nil || !got.Extensible || len(got.Samples) != len(samples) {
			t.Fatalf("%v: %+v, %v", f, got, err)
		}
		for i, s := range got.Samples {
			if s.Part != samples[i].Part || !bytes.Equal(s.Image, samples[i].Image) {
				t.Errorf("%v: %+v", f, s)
			}
		}
	}
	for name, c := range map[string]struct {
		f       File
		samples []Sample
	}{
		"WSQ of an iris": {DG4, []Sample{{Image: image["WSQ"]}}}, "JPEG": {DG3, []Sample{{Image: jpegOf(t, 3, 4)}}},
		"no image": {DG3, []Sample{{Image: []byte("image")}}}, "a face": {DG2, []Sample{{Image: image["PNG"]}}}, "none": {DG3, nil},
	} {
		if raw, err := EncodeBiometricsExtensible(c.f, time.Time{}, c.samples...); err == nil || raw != nil {
			t.Errorf("%s is written", name)
		}
	}
}

// TestBadBiometrics lies about every length and count (TR-03105-5.1 LDS_D, LDS_E).
func TestBadBiometrics(t *testing.T) {
	for _, f := range []File{DG3, DG4} {
		good, err := EncodeBiometrics(f, nil, Sample{Part: 1, Image: []byte("image"), Width: 3, Height: 4})
		if err != nil {
			t.Fatal(err)
		}
		magic := []byte(fingerMagic)
		offsets := map[string]int{"version": 4, "record length": 13, "fingers": 18, "finger length": fingerHeader + 3}
		if f == DG4 {
			magic = []byte(irisMagic)
			offsets = map[string]int{"version": 4, "record length": 11, "eyes": 14, "images": irisHeader + 2, "image length": irisHeader + irisFeature + irisImage - 1}
		}
		at := bytes.Index(good, magic)
		var malformed *Error
		for name, offset := range offsets {
			for _, delta := range []byte{1, 0x7F, 0xFF} {
				bad := bytes.Clone(good)
				bad[at+offset] += delta
				if got, err := ParseBiometrics(f, bad); !errors.As(err, &malformed) || got != nil {
					t.Errorf("%v, %s + %d: %+v, %v", f, name, delta, got, err)
				}
			}
		}
		for n := range len(good) {
			if got, err := ParseBiometrics(f, good[:n]); err == nil || got != nil {
				t.Errorf("%v cut to %d octets is read", f, n)
			}
		}
	}
}

// TestExtensibleFace reads the sample of ISO/IEC 39794-5, and writes and reads DG2 by it.
func TestExtensibleFace(t *testing.T) {
	faces, err := ParseDG2(testdata.Vectors(t, "biometrics/ICAO_39794_5_AP_DG2_AllFields.dat"))
	if err != nil || len(faces) != 1 || len(faces[0].Image) != 15000 || faces[0].Coding != JPEG2000 {
		t.Errorf("%d faces, %v", len(faces), err)
	}
	want := []Face{{Image: jpegOf(t, 300, 400), Coding: JPEG, Width: 300, Height: 400}, {Image: jpegOf(t, 40000, 2), Coding: JPEG, Width: 40000, Height: 2}}
	raw, err := EncodeDG2Extensible(want...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseDG2(raw)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range [][]Face{nil, {{}}, {{Image: []byte{1}, Width: 1, Height: 1 << 16}}, make([]Face, 10)} {
		if _, err := EncodeDG2Extensible(bad...); err == nil {
			t.Errorf("%d faces are written", len(bad))
		}
	}
}

// jpegOf is a grey JPEG of a size.
func jpegOf(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzGroups(f *testing.F) {
	seed := func(raw []byte, err error) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	seed(EncodeBiometrics(DG3, nil, Sample{Part: 1, Image: []byte("image"), Width: 3, Height: 4}))
	seed(EncodeBiometrics(DG4, nil, Sample{Part: 1, Image: []byte("image"), Width: 3, Height: 4}))
	seed(EncodeDG16(Contact{"20260101", "A<<B", "1", "2"}))
	seed(EncodeDG2Extensible(Face{Image: jpegOf(f, 3, 4), Width: 3, Height: 4}))
	seed(EncodeDisplayed(DG5, []byte{1}))
	f.Add(EncodeDG11([]Detail{NewOtherNames("A"), {TagFullBirth, []byte("20010101")}}))
	f.Add(EncodeDIR(Application{AID: []byte{1, 2, 3, 4, 5}, Label: "x"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, file := range []File{DG3, DG4} {
			if got, err := ParseBiometrics(file, b); (got == nil) == (err == nil) {
				t.Errorf("%v: %v, %v", file, got, err)
			}
		}
		if details, err := ParseDG11(b); err == nil {
			for _, d := range details {
				OtherNames(d)
			}
			if again, err := ParseDG11(EncodeDG11(details)); err != nil || len(again) != len(details) {
				t.Errorf("%X: %v", b, err)
			}
		}
		_, _ = ParseDG2(b)
		_, _ = ParseDG16(b)
		_, _ = ParseDIR(b)
		_, _ = ParseDisplayed(DG5, b)
		_, _ = ParseFeatures(DG8, b)
		_, _ = ParseCardSecurity(b)
	})
}
