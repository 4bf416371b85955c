package printjob

import (
	"bytes"
	_ "embed"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
	"rsc.io/qr"

	"github.com/tamthe/tamthe/card/lds"
)

//go:embed fonts/BeVietnamPro-Regular.ttf
var textFont []byte

//go:embed fonts/OCRB-MRZ.ttf
var zoneFont []byte

const (
	pt      = 25.4 / 72 // a point in millimetres
	pitch   = 2.54      // of the zone's characters (Doc 9303-3 §4.2: ten in an inch)
	wide    = 0.723     // a character of the zone's font, in its size
	left    = 4.7       // of the zone's first character
	first   = 37.0      // base line of the zone's first line
	next    = 6.35      // from line to line: four in an inch
	leading = 1.18      // from line to line of other texts, in their size
)

// PDF is the print job: the front, then the back. Errors are ErrDesign, ErrPortrait,
// *TextError, and vn's about what no zone can say.
func (c Card) PDF() ([]byte, error) {
	d, ok := designs[c.Design]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrDesign, c.Design)
	}
	font, err := sfnt.Parse(textFont)
	if err != nil {
		return nil, err
	}
	p := &press{card: c, font: font, pdf: newPDF(c.Issued)}
	for _, page := range d {
		p.pdf.AddPage()
		if err := p.page(page); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if err := p.pdf.Output(&b); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	return b.Bytes(), nil
}

// newPDF is a document of no content whose octets depend on nothing but the day.
func newPDF(day time.Time) *fpdf.Fpdf {
	y, m, d := day.Date()
	day = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	f := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: Width, Ht: Height}})
	f.SetCatalogSort(true)
	f.SetCreationDate(day)
	f.SetModificationDate(day)
	f.SetProducer("tamthe", false)
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	f.AddUTF8FontFromBytes("text", "", textFont)
	f.AddUTF8FontFromBytes("zone", "", zoneFont)
	return f
}

// press prints one card.
type press struct {
	card Card
	font *sfnt.Font
	pdf  *fpdf.Fpdf
}

func (p *press) page(g page) error {
	p.pdf.SetTextColor(0, 0, 0)
	for _, t := range g.fixed {
		p.fixed(t)
	}
	p.pdf.SetLineWidth(0.1)
	for _, b := range g.frames {
		p.pdf.Rect(b.X, b.Y, b.W, b.H, "D")
	}
	if g.portrait.W > 0 {
		if err := p.portrait(g.portrait); err != nil {
			return err
		}
	}
	if g.qr.W > 0 {
		if err := p.qr(g.qr); err != nil {
			return err
		}
	}
	for _, f := range g.fields {
		if err := p.field(f); err != nil {
			return err
		}
	}
	if p.card.Specimen {
		p.pdf.SetTextColor(200, 0, 0)
		p.fixed(fixed{"MẪU - SPECIMEN", g.specimen.X, g.specimen.Y, 6, true})
	}
	if g.zone {
		return p.zone()
	}
	return nil
}

func (p *press) fixed(t fixed) {
	p.pdf.SetFont("text", "", t.size)
	x := t.x
	if !t.leftish {
		x -= p.pdf.GetStringWidth(t.text) / 2
	}
	p.pdf.Text(x, t.y, t.text)
}

// field sets a text as large as its place allows.
func (p *press) field(f field) error {
	text := norm.NFC.String(f.text(p.card))
	var buf sfnt.Buffer
	for _, r := range text {
		if g, err := p.font.GlyphIndex(&buf, r); err != nil || g == 0 {
			return &TextError{f.name, fmt.Sprintf("the font has no letter %U", r)}
		}
	}
	for size := f.size; size >= smallest; size -= 0.25 {
		p.pdf.SetFont("text", "", size)
		lines := p.pdf.SplitText(text, f.box.W)
		height := size * pt * leading
		if len(lines) > f.lines || float64(len(lines))*height > f.box.H+0.5 || p.widest(lines) > f.box.W {
			continue
		}
		for i, line := range lines {
			p.pdf.Text(f.box.X, f.box.Y+size*pt+float64(i)*height, line)
		}
		return nil
	}
	return &TextError{f.name, "it is too long for its place"}
}

func (p *press) widest(lines []string) (w float64) {
	for _, l := range lines {
		w = max(w, p.pdf.GetStringWidth(l))
	}
	return w
}

// portrait prints the picture whole, in the middle of its box.
func (p *press) portrait(b Box) error {
	coding, w, h := lds.Picture(p.card.Portrait)
	if coding != lds.JPEG || w == 0 || h == 0 {
		return ErrPortrait
	}
	o := fpdf.ImageOptions{ImageType: "JPEG"}
	p.pdf.RegisterImageOptionsReader("portrait", o, bytes.NewReader(p.card.Portrait))
	if err := p.pdf.Error(); err != nil {
		return fmt.Errorf("%w: %w", ErrPortrait, err)
	}
	in := b.Within(w, h)
	p.pdf.ImageOptions("portrait", in.X, in.Y, in.W, in.H, false, o, 0, "")
	return nil
}

// Within is where a picture of w by h stands in the middle of the box, as large as it fits.
func (b Box) Within(w, h int) Box {
	scale := min(b.W/float64(w), b.H/float64(h))
	in := Box{W: scale * float64(w), H: scale * float64(h)}
	in.X, in.Y = b.X+(b.W-in.W)/2, b.Y+(b.H-in.H)/2
	return in
}

// qr prints the code with the quiet zone that its edge on the card leaves.
func (p *press) qr(b Box) error {
	code, err := qr.Encode(p.card.QR(), qr.M)
	if err != nil {
		return &TextError{"qr", "it is too long for a code"}
	}
	p.pdf.SetFillColor(0, 0, 0)
	cell := b.W / float64(code.Size)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				p.pdf.Rect(b.X+float64(x)*cell, b.Y+float64(y)*cell, float64(run)*cell, cell, "F")
				x += run
			}
		}
	}
	return nil
}

// zone prints each character at its own place, so that no rounding adds up.
func (p *press) zone() error {
	zone, err := p.card.MRZ()
	if err != nil {
		return err
	}
	p.pdf.SetTextColor(0, 0, 0)
	p.pdf.SetFont("zone", "", pitch/wide/pt)
	for i, line := range zone.Lines {
		for j := range len(line) {
			p.pdf.Text(left+float64(j)*pitch, first+float64(i)*next, line[j:j+1])
		}
	}
	return nil
}
