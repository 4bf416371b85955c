// Package sheet writes a report as one page for people: to look at, to print on A4, to put
// in a file. The page is whole in itself: style and portrait stand in it, nothing is
// fetched, no script runs, and its own policy of content allows neither.
package sheet

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"io"
	"sync"

	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/verify"
)

//go:embed page.html
var source string

//go:embed page.css
var style string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(source)) })

// Options say how a page is made. The zero value draws portraits that are not in JPEG 2000.
type Options struct {
	JPEG2000 picture.Decoder // nil leaves a portrait in JPEG 2000 out, and says so
}

// data is what the page is made of. Text is escaped by the template, and was made safe for
// screens by the view; style and portrait are this package's own.
type data struct {
	verify.View
	Labels   labels
	Colour   string
	Sign     string
	Style    template.CSS
	Portrait template.URL // a data URL, or ""
	Left     string       // why there is no portrait; ""
}

// Write makes the page of a report in the language. The portrait stands in it only if a
// trusted signature covers it, decoded under the caps of package picture and coded anew.
// The errors are those of w and of a ctx that ended.
func Write(ctx context.Context, w io.Writer, r *verify.Report, l verify.Lang, o Options) error {
	d := data{View: r.View(l), Style: template.CSS(style)}
	d.Labels, d.Colour, d.Sign = words(d.Lang), colours[min(r.Verdict, verify.Refuse)], signs[min(r.Verdict, verify.Refuse)]
	var err error
	if d.Portrait, err = portrait(ctx, r, o); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, verify.ErrUnproven) {
			d.Left = d.Labels.NoPortrait
		}
	}
	var b bytes.Buffer
	if err := page().Execute(&b, d); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

var (
	colours = [...]string{verify.Refer: "refer", verify.Accept: "accept", verify.Refuse: "refuse"}
	signs   = [...]string{verify.Refer: "?", verify.Accept: "✓", verify.Refuse: "✗"}
)

// The portrait on the page: no side is longer, and so small an image needs no more.
const (
	maxSide = 480 // pixels
	quality = 85
)

// portrait is the proven portrait as a data URL; "" if the document has none.
func portrait(ctx context.Context, r *verify.Report, o Options) (template.URL, error) {
	b, err := Portrait(ctx, r, o)
	if err != nil || b == nil {
		return "", err
	}
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(b)), nil // of base64 alone
}

// Portrait is the portrait of a report for a page: decoded under the caps of package picture,
// no larger than a page needs, and coded anew as JPEG. nil if the document has none;
// verify.ErrUnproven where no trusted signature covers it, picture.ErrPicture where it can't
// be shown.
func Portrait(ctx context.Context, r *verify.Report, o Options) ([]byte, error) {
	face, ok, err := r.Portrait()
	if err != nil || !ok {
		return nil, err
	}
	img, err := picture.Decode(ctx, face.Image, picture.Options{JPEG2000: o.JPEG2000})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, shrink(img), &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// shrink makes an image no larger than the page needs, by the nearest pixels.
func shrink(img image.Image) image.Image {
	b := img.Bounds()
	long := max(b.Dx(), b.Dy())
	if long <= maxSide {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, max(1, b.Dx()*maxSide/long), max(1, b.Dy()*maxSide/long)))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, img.At(b.Min.X+x*b.Dx()/out.Rect.Dx(), b.Min.Y+y*b.Dy()/out.Rect.Dy()))
		}
	}
	return out
}

// Style is the page's style sheet, for other pages of the same look: a body with the class
// accept, refer or refuse, main, header, section and footer.
func Style() string { return style }
