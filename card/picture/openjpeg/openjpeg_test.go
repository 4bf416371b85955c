package openjpeg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/testdata"
)

func needProgram(t *testing.T) {
	t.Helper()
	if err := Available(); err != nil {
		testdata.Missing(t, "openjpeg", err.Error())
	}
}

type vector struct {
	File     string
	Declared *struct{ Width, Height, Components int }
	Exit     int `json:"openjpeg_exit"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	var f struct{ Cases []vector }
	if err := json.Unmarshal(testdata.Vectors(t, "jpeg2000/index.json"), &f); err != nil {
		t.Fatal(err)
	}
	return f.Cases
}

// Conformance streams come out as OpenJPEG decodes them without a cage, read there in
// another format: PNG, by the standard library.
func TestConformance(t *testing.T) {
	needProgram(t)
	compared := 0
	for _, v := range vectors(t) {
		if !strings.Contains(v.File, "/conf-") {
			continue
		}
		img := testdata.Vectors(t, v.File)
		got, err := picture.Decode(t.Context(), img, picture.Options{JPEG2000: Decode})
		if v.Declared != nil && v.Declared.Components > 4 {
			if !errors.Is(err, picture.ErrPicture) {
				t.Errorf("%s: %v", v.File, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.File, err)
			continue
		}
		want := plain(t, v.File, img)
		if want == nil {
			continue
		}
		compared++
		if got.Bounds().Size() != want.Bounds().Size() {
			t.Errorf("%s: %v, want %v", v.File, got.Bounds(), want.Bounds())
			continue
		}
		if x, y, d := furthest(got, want); d > 1 { // depths below 8 bits are scaled by each in its own way
			t.Errorf("%s: at %d, %d off by %d", v.File, x, y, d)
		}
	}
	if compared < 11 {
		t.Errorf("%d streams compared", compared)
	}
}

func plain(t *testing.T, name string, img []byte) image.Image {
	t.Helper()
	in := filepath.Join(t.TempDir(), "in"+filepath.Ext(strings.Replace(name, ".j2c", ".j2k", 1)))
	if err := os.WriteFile(in, img, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "-i", in, "-o", in+".png", "-upsample").CombinedOutput(); err != nil {
		if bytes.Contains(out, []byte("same sign")) {
			return nil // nothing PNG can hold
		}
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(in + ".png")
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := picture.Decode(t.Context(), b, picture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func furthest(a, b image.Image) (x, y, d int) {
	r := a.Bounds()
	for v := r.Min.Y; v < r.Max.Y; v++ {
		for u := r.Min.X; u < r.Max.X; u++ {
			p, q := color.NRGBAModel.Convert(a.At(u, v)).(color.NRGBA), color.NRGBAModel.Convert(b.At(u, v)).(color.NRGBA)
			for _, e := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B), int(p.A) - int(q.A)} {
				if e = max(e, -e); e > d {
					x, y, d = u, v, e
				}
			}
		}
	}
	return x, y, d
}

// Streams that crashed decoders: within a second, with little memory of ours, and no worse
// than an error.
func TestBadStreams(t *testing.T) {
	needProgram(t)
	decoded := 0
	for _, v := range vectors(t) {
		if !strings.Contains(v.File, "/bad-") {
			continue
		}
		img := testdata.Vectors(t, v.File)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		_, err := picture.Decode(t.Context(), img, picture.Options{JPEG2000: Decode})
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		if err != nil && !errors.Is(err, picture.ErrPicture) {
			t.Errorf("%s: %v", v.File, err)
		}
		if err == nil {
			decoded++
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 || took > deadline+time.Second {
			t.Errorf("%s: %v, %d octets", v.File, took, grown)
		}
		if testing.Verbose() {
			t.Log(v.File, took.Round(time.Millisecond), err)
		}
	}
	t.Logf("decoded: %d", decoded)
}

// A real portrait's form: JP2 of three components.
func TestPortrait(t *testing.T) {
	needProgram(t)
	img, err := picture.Decode(t.Context(), testdata.Vectors(t, "biometrics/face_image_gen.jp2"), picture.Options{JPEG2000: Decode})
	if err != nil {
		t.Fatal(err)
	}
	if s := img.Bounds().Size(); s != image.Pt(100, 129) {
		t.Error(s)
	}
}

func TestNoProgram(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Decode(t.Context(), nil); !errors.Is(err, picture.ErrNoDecoder) || !errors.Is(err, picture.ErrPicture) {
		t.Error(err)
	}
}

// A ctx that ends is its own error and no finding about the image.
func TestCancelled(t *testing.T) {
	needProgram(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, []byte("\xFF\x4F\xFF\x51")); !errors.Is(err, context.Canceled) || errors.Is(err, picture.ErrPicture) {
		t.Error(err)
	}
}

func TestDecodePNM(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     color.Color // of the last pixel; nil if refused
	}{
		{"grey", "P5\n# OpenJPEG-2.5.0\n1 2\n255\n\x01\x02", color.Gray{2}},
		{"one bit", "P5 2 1 1 \x00\x01", color.Gray{255}},
		{"sixteen bits", "P5 1 1 65535 \x80\x00", color.Gray{128}},
		{"above its maximum", "P5 1 1 100 \xFF", color.Gray{255}},
		{"colours", "P6 1 1 255 \x01\x02\x03", color.NRGBA{1, 2, 3, 255}},
		{"opacity", "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\x01\x02\x03\x04", color.NRGBA{1, 2, 3, 4}},
		{"grey with opacity", "P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n\x01\x04", color.NRGBA{1, 1, 1, 4}},
		{"a pixel missing", "P5 1 2 255 \x01", nil},
		{"a pixel more", "P5 1 1 255 \x01\x02", nil},
		{"no width", "P5 0 1 255 ", nil},
		{"too large", "P5 99999 99999 255 ", nil},
		{"overflow", "P5 4294967297 1 255 \x01", nil},
		{"no maximum", "P5 1 1 0 \x01", nil},
		{"text", "P2 1 1 255 1", nil},
		{"depth 5", "P7 WIDTH 1 HEIGHT 1 DEPTH 5 MAXVAL 255 ENDHDR 12345", nil},
		{"endless comment", "P5 #" + strings.Repeat("x", 99), nil},
		{"nothing", "", nil},
	} {
		img, err := decodePNM([]byte(tt.in))
		switch {
		case tt.want == nil && !errors.Is(err, picture.ErrPicture):
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != nil && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != nil && img.At(img.Bounds().Max.X-1, img.Bounds().Max.Y-1) != tt.want:
			t.Errorf("%s: %v", tt.name, img.At(img.Bounds().Max.X-1, img.Bounds().Max.Y-1))
		}
	}
}

func FuzzDecodePNM(f *testing.F) {
	f.Add([]byte("P5\n# OpenJPEG-2.5.0\n1 2\n255\n\x01\x02"))
	f.Add([]byte("P6 1 1 255 \x01\x02\x03"))
	f.Add([]byte("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\x01\x02\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := decodePNM(bytes.Clone(b))
		if (err == nil) == (img == nil) {
			t.Error(img, err)
		}
	})
}
