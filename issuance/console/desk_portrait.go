package console

import (
	"context"
	"encoding/base64"
	"errors"
	"image"
	"io"
	"math"
	"net/http"

	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/issuance/desk"
)

// What is measured of a portrait, at a width of 240 pixels.
const (
	leastBright, mostBright = 60, 225 // mean of the grey values
	leastContrast           = 22      // their standard deviation
	leastSharp              = 12      // variance of the Laplacian
	measured                = 240
)

// flaw is what a portrait lacks of what is asked of one. Whoever looks at it may accept it.
type flaw struct {
	Code string
	Say  say
}

// flaws measures a portrait: proportions, size, light, contrast, focus. One that the desk
// will refuse has none: the desk says what is wrong with it.
func flaws(ctx context.Context, b []byte) []flaw {
	coding, w, h := picture.Sniff(b)
	if coding != picture.JPEG || len(b) > desk.MaxPortrait || w < 200 || h < 200 || w*h > picture.MaxPixels {
		return nil
	}
	img, err := picture.Decode(ctx, b, picture.Options{})
	if err != nil {
		return nil
	}
	var list []flaw
	add := func(is bool, code string, s say) {
		if is {
			list = append(list, flaw{code, s})
		}
	}
	ratio := float64(w) / float64(h)
	add(ratio < 0.70 || ratio > 0.82, "portrait-shape", say{"Ảnh không theo tỷ lệ 3×4", "The portrait is not 3 by 4"})
	add(w < 300 || h < 400, "portrait-small", say{"Ảnh nhỏ hơn 300×400 điểm ảnh", "The portrait has fewer than 300 by 400 pixels"})
	m := measure(img)
	add(m.mean < leastBright, "portrait-dark", say{"Ảnh quá tối", "The portrait is too dark"})
	add(m.mean > mostBright, "portrait-bright", say{"Ảnh quá sáng", "The portrait is too bright"})
	add(m.spread < leastContrast, "portrait-flat", say{"Ảnh thiếu tương phản", "The portrait has little contrast"})
	add(m.sharp < leastSharp, "portrait-blurred", say{"Ảnh mờ, không nét", "The portrait is out of focus"})
	return list
}

// measures are of a picture's grey values.
type measures struct{ mean, spread, sharp float64 }

func measure(img image.Image) measures {
	grey, w, h := shrunk(img, measured)
	n := float64(w * h)
	var sum, squares float64
	for _, v := range grey {
		sum += v
		squares += v * v
	}
	m := measures{mean: sum / n}
	m.spread = math.Sqrt(max(0, squares/n-m.mean*m.mean))
	var edges, edges2, count float64
	for y := 1; y < h-1; y++ {
		for x := 1; x < w-1; x++ {
			i := y*w + x
			l := grey[i-1] + grey[i+1] + grey[i-w] + grey[i+w] - 4*grey[i]
			edges, edges2, count = edges+l, edges2+l*l, count+1
		}
	}
	if count > 0 {
		m.sharp = edges2/count - edges/count*edges/count
	}
	return m
}

// shrunk are the grey values of a picture of that width, each the mean of what it stands for.
func shrunk(img image.Image, width int) (grey []float64, w, h int) {
	b := img.Bounds()
	w = min(width, b.Dx())
	h = max(1, b.Dy()*w/b.Dx())
	grey = make([]float64, w*h)
	for y := range h {
		y0, y1 := b.Min.Y+y*b.Dy()/h, b.Min.Y+(y+1)*b.Dy()/h
		for x := range w {
			x0, x1 := b.Min.X+x*b.Dx()/w, b.Min.X+(x+1)*b.Dx()/w
			sum, n := 0.0, 0.0
			for v := y0; v < max(y1, y0+1); v++ {
				for u := x0; u < max(x1, x0+1); u++ {
					r, g, bl, _ := img.At(u, v).RGBA()
					sum += (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(bl)) / 257
					n++
				}
			}
			grey[y*w+x] = sum / n
		}
	}
	return grey, w, h
}

// pictureOf is the picture that was sent with a form: the file of that name, or what the
// camera or an earlier sending left in NAME-data. Empty where there is none.
func (q *request) pictureOf(name string) ([]byte, error) {
	if q.MultipartForm != nil && len(q.MultipartForm.File[name]) > 0 {
		f, _, err := q.FormFile(name)
		if err != nil && !errors.Is(err, http.ErrMissingFile) {
			return nil, errForm
		}
		if err == nil {
			defer f.Close()
			b, err := io.ReadAll(f)
			if err != nil || len(b) > 0 {
				return b, err
			}
		}
	}
	b, err := base64.StdEncoding.DecodeString(q.FormValue(name + "-data"))
	if err != nil {
		return nil, errForm
	}
	return b, nil
}

// form reads a form with files, all of it in memory.
func (q *request) form() error {
	err := q.ParseMultipartForm(maxUpload)
	if errors.Is(err, http.ErrNotMultipart) {
		return nil
	}
	if err != nil {
		if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return large
		}
		return errForm
	}
	return nil
}

// kept is a picture for the form that is shown again; none where it is no good there.
func keptPicture(b []byte) string {
	if coding, w, h := picture.Sniff(b); coding != picture.JPEG || len(b) > desk.MaxPortrait || w*h > picture.MaxPixels {
		return ""
	}
	return base64.StdEncoding.EncodeToString(b)
}

// portraitField is the part of a form that takes a portrait.
type portraitField struct {
	Max   int    // octets
	Kept  string // of an earlier sending, in base64
	Flaws []flaw // of that
}

// sentPortrait is the portrait that was sent, which the form keeps should it be shown again.
func (q *request) sentPortrait(f *portraitField) ([]byte, error) {
	b, err := q.pictureOf("portrait")
	f.Kept = keptPicture(b)
	return b, err
}

// goodEnough refuses what is no portrait, and one with flaws that nobody accepted.
func (q *request) goodEnough(f *portraitField, b []byte) error {
	if len(b) == 0 {
		return errNoPortrait
	}
	if f.Flaws = flaws(q.Context(), b); len(f.Flaws) > 0 && q.FormValue("portrait-accepted") == "" {
		return errFlaws
	}
	return nil
}
