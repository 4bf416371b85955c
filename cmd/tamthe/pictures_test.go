package main

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/picture/openjpeg"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
)

// pictured are groups with pictures of every kind: two portraits, one of them damaged, a
// finger in WSQ and one uncompressed, an iris, and a signature.
func pictured(t *testing.T) verify.Files {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 60, 80)), nil); err != nil {
		t.Fatal(err)
	}
	wsq, err := os.ReadFile("../../card/picture/testdata/nbis-77x128.wsq")
	if err != nil {
		t.Fatal(err)
	}
	whole, cut := b.Bytes(), b.Bytes()[:100]
	files := verify.Files{}
	add := func(f lds.File, raw []byte, err error) {
		if err != nil {
			t.Fatal(f, err)
		}
		files[f] = raw
	}
	dg2, err := lds.EncodeDG2(lds.Face{Image: whole, Width: 60, Height: 80}, lds.Face{Image: cut, Width: 60, Height: 80})
	add(lds.DG2, dg2, err)
	dg3, err := lds.EncodeBiometrics(lds.DG3, nil, lds.Sample{Image: wsq, Compression: 2, Width: 77, Height: 128},
		lds.Sample{Image: make([]byte, 6), Width: 2, Height: 3})
	add(lds.DG3, dg3, err)
	dg4, err := lds.EncodeBiometrics(lds.DG4, nil, lds.Sample{Image: whole, Width: 60, Height: 80})
	add(lds.DG4, dg4, err)
	dg7, err := lds.EncodeDisplayed(lds.DG7, whole)
	add(lds.DG7, dg7, err)
	return files
}

func drawn(t *testing.T, files verify.Files, biometrics bool) *reading {
	t.Helper()
	r, err := openReading(t.TempDir(), "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.draw(t.Context(), files, biometrics); err != nil {
		t.Fatal(err)
	}
	return r
}

func pngs(t *testing.T, r *reading) []string {
	t.Helper()
	list, err := filepath.Glob(r.dir + "/*.png")
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		list[i] = filepath.Base(list[i])
	}
	return list
}

func TestPictures(t *testing.T) {
	files := pictured(t)
	r := drawn(t, files, false)
	if got := pngs(t, r); !slices.Equal(got, []string{"DG2.png", "DG7.png"}) {
		t.Error(got)
	}
	if u := r.record.Unshown; len(u) != 1 || u[0].Of != "DG2-2" || u[0].Coding != "JPEG" {
		t.Error(u)
	}
	r = drawn(t, files, true)
	if got := pngs(t, r); !slices.Equal(got, []string{"DG2.png", "DG3-2.png", "DG3.png", "DG4.png", "DG7.png"}) {
		t.Error(got)
	}
	f, err := os.Open(filepath.Join(r.dir, "DG3.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || c.Width != 77 || c.Height != 128 {
		t.Error(c, err)
	}
}

// A group that can't be read as one is named and ends nothing.
func TestPicturesOfNonsense(t *testing.T) {
	r := drawn(t, verify.Files{lds.DG2: []byte("nonsense"), lds.DG5: nil, lds.DG7: pictured(t)[lds.DG7]}, false)
	if got := pngs(t, r); !slices.Equal(got, []string{"DG7.png"}) || len(r.record.Unshown) != 2 {
		t.Error(got, r.record.Unshown)
	}
}

func TestPicturesInJPEG2000(t *testing.T) {
	img := testdata.Vectors(t, "biometrics/face_image_gen.jp2")
	dg2, err := lds.EncodeDG2(lds.Face{Image: img, Coding: lds.JPEG2000, Width: 100, Height: 129})
	if err != nil {
		t.Fatal(err)
	}
	files := verify.Files{lds.DG2: dg2}
	if err := openjpeg.Available(); err != nil {
		t.Log("not shown here: ", err)
	} else if r := drawn(t, files, false); len(r.record.Pictures) != 1 || r.record.Pictures[0].Width != 100 || r.record.Pictures[0].Height != 129 {
		t.Error(r.record)
	}
	t.Setenv("PATH", t.TempDir())
	r := drawn(t, files, false)
	if u := r.record.Unshown; len(pngs(t, r)) != 0 || len(u) != 1 || u[0].Reason != reasonNoDecoder {
		t.Error(u)
	}
	for _, lang := range []string{"en", "vi"} {
		var b bytes.Buffer
		p := &program{out: &b, lang: lang}
		r.record.Proven = true
		if p.tellReading(r); !bytes.Contains(b.Bytes(), []byte("libopenjp2-tools")) {
			t.Errorf("%s: nothing says that the decoder is absent:\n%s", lang, b.String())
		}
	}
}

// The BSI's reference data set: a portrait and irises in JPEG 2000, fingers in WSQ.
func TestPicturesOfReferenceSet(t *testing.T) {
	if err := openjpeg.Available(); err != nil {
		testdata.Missing(t, "openjpeg", err.Error())
	}
	files := verify.Files{}
	for _, f := range []lds.File{lds.DG2, lds.DG3, lds.DG4} {
		files[f] = testdata.Vectors(t, "lds/bsi-reference/"+f.FileName())
	}
	want := []pictureJSON{
		{"DG2.png", "DG2", "JPEG 2000", 413, 531},
		{"DG3.png", "DG3", "WSQ", 620, 620},
		{"DG3-2.png", "DG3-2", "WSQ", 620, 620},
		{"DG4.png", "DG4", "JPEG 2000", 163, 149},
		{"DG4-2.png", "DG4-2", "JPEG 2000", 160, 152},
	}
	if r := drawn(t, files, true); !slices.Equal(r.record.Pictures, want) || len(r.record.Unshown) > 0 {
		t.Errorf("%+v, %+v", r.record.Pictures, r.record.Unshown)
	}
	if r := drawn(t, files, false); !slices.Equal(r.record.Pictures, want[:1]) {
		t.Errorf("%+v", r.record.Pictures)
	}
}

// What waits for EF.SOD is not written where that is another card's.
func TestReadingOfAnotherCard(t *testing.T) {
	r := &reading{dir: t.TempDir(), early: verify.Files{}, have: verify.Files{lds.SODFile: {1}, lds.CardAccess: {1}}}
	if err := r.save(lds.CardAccess, []byte{2}); err != nil {
		t.Fatal(err)
	}
	if err := r.save(lds.SODFile, []byte{2}); !errors.Is(err, errAnotherCard) {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(r.dir); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}
