package lds

import (
	"bytes"
	"compress/flate"
	"encoding/asn1"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// EIDApplication is the AID of the eID application (TR-03110-4 §2.2.1).
func EIDApplication() []byte { return []byte("\xE8\x07\x04\x00\x7F\x00\x07\x03\x02") }

// EIDGroup is a data group of the eID application (TR-03110-4 §2.2.3.1). Which of the values
// it has follows from its number.
type EIDGroup struct {
	Number int

	// Text is the document type (1), the issuing state (2, unless Places has the entity),
	// names (4 to 7, 13), the nationality (10), the sex (11: M, F or a space), a remark of a
	// residence permit (19, 20), the phone number (21) or the e-mail address (22). A date (3
	// expiry, 8 birth, 15 issue) is YYYYMMDD, where spaces or zeros stand for what is not known.
	Text string
	// Places are the issuing entity (2), the place of birth (9) or of residence (17).
	Places []EIDPlace
	// Octets are the written signature in JPEG 2000 (14) or the municipality's number (18).
	Octets []byte
	// Options are what an issuer adds (12).
	Options []EIDOption

	list     bool // Places stands in a SET, as several must
	deflated bool // Text is compressed, as it was
}

// EIDPlace is a place: in parts, or Free in one text, or None, which says why there is none.
type EIDPlace struct {
	Street, City, State string // City is there in each place in parts
	Country             string // one or three letters, as in an MRZ without filler
	ZIP                 string
	Free, None          string
}

// EIDOption is an addition: Data is one DER value, nil for none.
type EIDOption struct {
	Type asn1.ObjectIdentifier
	Data []byte
}

// eidText is the string type of the groups that are one string.
var eidText = map[int]tags.Tag{
	1: tags.PrintableString, 2: tags.PrintableString, 3: numericString, 4: tags.UTF8String, 5: tags.UTF8String, 6: tags.UTF8String,
	7: tags.UTF8String, 8: numericString, 10: tags.PrintableString, 11: tags.PrintableString, 13: tags.UTF8String, 15: numericString,
	21: tags.PrintableString, 22: tags.IA5String,
}

const numericString = tags.Tag(18)

// Bounds of hostile groups.
const (
	maxEIDPlaces = 16
	maxEIDText   = 1 << 16 // octets of a text that was compressed
)

// ParseEID reads a data group of the eID application, with at most filler behind it.
func ParseEID(number int, raw []byte) (*EIDGroup, error) {
	f := EIDFile(number)
	if f == 0 || number == 16 {
		return nil, f.malformed("no data group of the eID application has the number %d", number)
	}
	body, err := f.body(raw)
	if err != nil {
		return nil, err
	}
	g := &EIDGroup{Number: number}
	s := cryptobyte.String(body)
	if !g.read(&s) || !s.Empty() {
		return nil, f.malformed("it has no value of its type")
	}
	return g, nil
}

func (g *EIDGroup) read(s *cryptobyte.String) bool {
	kind, text := eidText[g.Number]
	switch {
	case g.Number == 2 && s.PeekASN1Tag(tags.SEQUENCE), g.Number == 9, g.Number == 17:
		return g.readPlaces(s)
	case g.Number == 12:
		return g.readOptions(s)
	case g.Number == 14 || g.Number == 18:
		return s.ReadASN1Bytes(&g.Octets, tags.OCTET_STRING)
	case g.Number == 19 || g.Number == 20:
		return g.readRemark(s)
	case text:
		return readText(s, kind, &g.Text) && g.textFits()
	}
	return false
}

// textFits holds lengths of the standard.
func (g *EIDGroup) textFits() bool {
	switch g.Number {
	case 1:
		return len(g.Text) == 2
	case 3, 8, 15:
		return len(g.Text) == 8
	case 2, 10:
		return len(g.Text) == 1 || len(g.Text) == 3
	case 11:
		return g.Text == "M" || g.Text == "F" || g.Text == " "
	}
	return true
}

// readText reads one string whose characters its type allows.
func readText(s *cryptobyte.String, kind tags.Tag, out *string) bool {
	var b cryptobyte.String
	if !s.ReadASN1(&b, kind) || !allowed(kind, string(b)) {
		return false
	}
	*out = string(b)
	return true
}

func allowed(kind tags.Tag, text string) bool {
	fits := func(ok func(r rune) bool) bool {
		return strings.IndexFunc(text, func(r rune) bool { return !ok(r) }) < 0
	}
	switch kind {
	case numericString:
		return fits(func(r rune) bool { return r == ' ' || r >= '0' && r <= '9' })
	case tags.PrintableString:
		return fits(func(r rune) bool {
			return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune(" '()+,-./:=?", r)
		})
	case tags.IA5String:
		return fits(func(r rune) bool { return r < 0x80 && r != utf8.RuneError })
	}
	return utf8.ValidString(text)
}

// context is the explicit tag [n].
func context(n int) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

func (g *EIDGroup) readPlaces(s *cryptobyte.String) bool {
	if g.Number != 17 || !s.PeekASN1Tag(tags.SET) {
		return g.readPlace(s)
	}
	var set cryptobyte.String
	if g.list = true; !s.ReadASN1(&set, tags.SET) {
		return false
	}
	for !set.Empty() {
		if len(g.Places) == maxEIDPlaces || !g.readPlace(&set) {
			return false
		}
	}
	return true
}

func (g *EIDGroup) readPlace(s *cryptobyte.String) bool {
	var p EIDPlace
	var seq cryptobyte.String
	switch {
	case s.PeekASN1Tag(tags.SEQUENCE):
		s.ReadASN1(&seq, tags.SEQUENCE)
		for i, part := range p.parts() {
			var inner cryptobyte.String
			if !seq.PeekASN1Tag(context(10 + i)) {
				continue
			}
			if !seq.ReadASN1(&inner, context(10+i)) || !readText(&inner, part.kind, part.text) || !inner.Empty() {
				return false
			}
		}
		if p.City == "" || !seq.Empty() {
			return false
		}
	case g.Number == 2 || !readWrapped(s, 1, &p.Free) && !readWrapped(s, 2, &p.None):
		return false
	}
	g.Places = append(g.Places, p)
	return true
}

// part is an element of a place in parts, [10] to [14].
type part struct {
	kind tags.Tag
	text *string
}

func (p *EIDPlace) parts() []part {
	return []part{
		{tags.UTF8String, &p.Street},
		{tags.UTF8String, &p.City},
		{tags.UTF8String, &p.State},
		{tags.PrintableString, &p.Country},
		{tags.PrintableString, &p.ZIP},
	}
}

func readWrapped(s *cryptobyte.String, n int, text *string) bool {
	var inner cryptobyte.String
	return s.PeekASN1Tag(context(n)) && s.ReadASN1(&inner, context(n)) && readText(&inner, tags.UTF8String, text) && inner.Empty()
}

func (g *EIDGroup) readOptions(s *cryptobyte.String) bool {
	var set cryptobyte.String
	if !s.ReadASN1(&set, tags.SET) {
		return false
	}
	for !set.Empty() {
		var o EIDOption
		var seq cryptobyte.String
		if len(g.Options) == maxEIDPlaces || !set.ReadASN1(&seq, tags.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&o.Type) {
			return false
		}
		if !seq.Empty() {
			var value cryptobyte.String
			if !seq.ReadAnyASN1Element(&value, new(tags.Tag)) || !seq.Empty() {
				return false
			}
			o.Data = value
		}
		g.Options = append(g.Options, o)
	}
	return true
}

// readRemark reads a text that may be compressed by DEFLATE.
func (g *EIDGroup) readRemark(s *cryptobyte.String) bool {
	if readWrapped(s, 1, &g.Text) {
		return true
	}
	var inner cryptobyte.String
	var packed []byte
	if !s.ReadASN1(&inner, context(2)) || !inner.ReadASN1Bytes(&packed, tags.OCTET_STRING) || !inner.Empty() {
		return false
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxEIDText+1))
	if err != nil || len(text) > maxEIDText || !utf8.Valid(text) {
		return false
	}
	g.Text, g.deflated = string(text), true
	return true
}

// Encode writes the data group in DER. Values that its type does not allow are an error.
func (g EIDGroup) Encode() ([]byte, error) {
	f := EIDFile(g.Number)
	var b cryptobyte.Builder
	g.write(&b)
	body, err := b.Bytes()
	if err != nil || f == 0 {
		return nil, f.malformed("it can't be written: %v", err)
	}
	raw := tlv.Encode(f.Tag(), body)
	if _, err := ParseEID(g.Number, raw); err != nil {
		return nil, err
	}
	return raw, nil
}

func (g EIDGroup) write(b *cryptobyte.Builder) {
	kind, text := eidText[g.Number]
	switch {
	case len(g.Places) == 1 && !g.list:
		g.Places[0].write(b)
	case len(g.Places) > 0 || g.list:
		elements := make([][]byte, len(g.Places))
		for i, p := range g.Places {
			var inner cryptobyte.Builder
			p.write(&inner)
			elements[i], _ = inner.Bytes()
		}
		b.AddBytes(derSet(elements))
	case g.Number == 12:
		g.writeOptions(b)
	case g.Number == 14 || g.Number == 18:
		b.AddASN1OctetString(g.Octets)
	case g.Number == 19 || g.Number == 20:
		g.writeRemark(b)
	case text:
		addText(b, kind, g.Text)
	}
}

func addText(b *cryptobyte.Builder, kind tags.Tag, text string) {
	b.AddASN1(kind, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}

func (p EIDPlace) write(b *cryptobyte.Builder) {
	for n, text := range []string{p.Free, p.None} {
		if text != "" {
			b.AddASN1(context(n+1), func(b *cryptobyte.Builder) { addText(b, tags.UTF8String, text) })
			return
		}
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, part := range p.parts() {
			if *part.text != "" {
				b.AddASN1(context(10+i), func(b *cryptobyte.Builder) { addText(b, part.kind, *part.text) })
			}
		}
	})
}

func (g EIDGroup) writeOptions(b *cryptobyte.Builder) {
	elements := make([][]byte, len(g.Options))
	for i, o := range g.Options {
		var inner cryptobyte.Builder
		inner.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(o.Type)
			b.AddBytes(o.Data)
		})
		elements[i], _ = inner.Bytes()
	}
	b.AddBytes(derSet(elements))
}

func (g EIDGroup) writeRemark(b *cryptobyte.Builder) {
	if !g.deflated {
		b.AddASN1(context(1), func(b *cryptobyte.Builder) { addText(b, tags.UTF8String, g.Text) })
		return
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = io.WriteString(w, g.Text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		b.SetError(err)
		return
	}
	b.AddASN1(context(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(packed.Bytes()) })
}
