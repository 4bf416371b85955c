package cert

import (
	"encoding/asn1"
	"fmt"
	"math"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

func contextTag(n uint8) tags.Tag     { return tags.Tag(n).ContextSpecific() }
func contextTagCons(n uint8) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

// findings collects what the reader forgave.
type findings []Defect

func (f *findings) note(kind DefectKind, where string) {
	*f = append(*f, Defect{kind, where})
}

// ReadOID reads an OBJECT IDENTIFIER in the manner of cryptobyte. An arc that an int
// cannot hold (2.25 carries UUIDs) is read as the largest int, so that a stranger's
// identifier is never mistaken for a known one and never fails what holds it.
func ReadOID(s *cryptobyte.String, oid *asn1.ObjectIdentifier) bool {
	var content cryptobyte.String
	if !s.ReadASN1(&content, tags.OBJECT_IDENTIFIER) {
		return false
	}
	parsed, ok := parseOID(content)
	*oid = parsed
	return ok
}

func parseOID(content []byte) (asn1.ObjectIdentifier, bool) {
	if len(content) == 0 || len(content) > 128 || content[len(content)-1]&0x80 != 0 {
		return nil, false
	}
	oid := make(asn1.ObjectIdentifier, 1, len(content)+1)
	for i := 0; i < len(content); {
		if content[i] == 0x80 {
			return nil, false
		}
		arc := 0
		for ; ; i++ {
			if arc > (math.MaxInt-0x7f)>>7 {
				arc = math.MaxInt
			} else {
				arc = arc<<7 | int(content[i]&0x7f)
			}
			if content[i]&0x80 == 0 {
				i++
				break
			}
		}
		if len(oid) == 1 { // first two arcs share a number
			oid[0] = min(arc/40, 2)
			arc -= 40 * oid[0]
		}
		oid = append(oid, arc)
	}
	return oid, true
}

// readInteger reads an INTEGER of either sign; padded says that it was not minimal.
func readInteger(s *cryptobyte.String) (n *big.Int, padded, ok bool) {
	var b cryptobyte.String
	if !s.ReadASN1(&b, tags.INTEGER) || len(b) == 0 {
		return nil, false, false
	}
	n = new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	padded = len(b) > 1 && (b[0] == 0 && b[1]&0x80 == 0 || b[0] == 0xff && b[1]&0x80 != 0)
	return n, padded, true
}

// readSmall reads an INTEGER that must lie in [0, limit].
func readSmall(s *cryptobyte.String, limit int64) (int, bool) {
	n, _, ok := readInteger(s)
	if !ok || !n.IsInt64() || n.Int64() < 0 || n.Int64() > limit {
		return 0, false
	}
	return int(n.Int64()), true
}

// readBool reads a BOOLEAN; BER allows any octet but 00 for TRUE.
func (f *findings) readBool(s *cryptobyte.String, where string) (value, ok bool) {
	var b cryptobyte.String
	if !s.ReadASN1(&b, tags.BOOLEAN) || len(b) != 1 {
		return false, false
	}
	if b[0] != 0 && b[0] != 0xff {
		f.note(DefectBoolean, where)
	}
	return b[0] != 0, true
}

// readTime reads a Time, UTCTime or GeneralizedTime.
func (f *findings) readTime(s *cryptobyte.String, where string) (time.Time, bool) {
	var b cryptobyte.String
	var tag tags.Tag
	if !s.ReadAnyASN1(&b, &tag) {
		return time.Time{}, false
	}
	var t time.Time
	var strict, ok bool
	switch tag {
	case tags.UTCTime:
		t, strict, ok = parseUTCTime(string(b))
	case tags.GeneralizedTime:
		t, strict, ok = parseGeneralizedTime(string(b))
		strict = strict && t.Year() >= 2050
	}
	if ok && !strict {
		f.note(DefectTime, where)
	}
	return t, ok
}

// ReadTime reads a UTCTime or GeneralizedTime in the manner of cryptobyte, in every
// form that X.690 allows.
func ReadTime(s *cryptobyte.String, t *time.Time) bool {
	var f findings
	var ok bool
	*t, ok = f.readTime(s, "")
	return ok
}

func parseUTCTime(s string) (t time.Time, strict, ok bool) {
	const canonical = "060102150405Z0700"
	for i, layout := range []string{canonical, "0601021504Z0700"} {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if t.Year() >= 2050 { // time.Parse takes 69 as the pivot, X.509 takes 50
			t = t.AddDate(-100, 0, 0)
		}
		return t.UTC(), i == 0 && len(s) == 13, true
	}
	return time.Time{}, false, false
}

func parseGeneralizedTime(s string) (t time.Time, strict, ok bool) {
	// time.Parse takes a fraction behind the seconds though the layout has none.
	for i, layout := range []string{"20060102150405Z0700", "200601021504Z0700", "2006010215Z0700"} {
		t, err := time.Parse(layout, s)
		if err == nil {
			return t.UTC(), i == 0 && len(s) == 15, true
		}
	}
	return time.Time{}, false, false
}

// addTime writes a Time as RFC 5280 §4.1.2.5 asks: UTCTime through 2049.
func addTime(b *cryptobyte.Builder, t time.Time) {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y <= 2049 {
		b.AddASN1UTCTime(t)
		return
	}
	b.AddASN1GeneralizedTime(t)
}

// addOID writes an identifier; those of this package always encode.
func addOID(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) { b.AddASN1ObjectIdentifier(oid) }

// ReadInteger reads an INTEGER of either sign in the manner of cryptobyte, padded ones
// included: real serial numbers come that way.
func ReadInteger(s *cryptobyte.String, n **big.Int) bool {
	var ok bool
	*n, _, ok = readInteger(s)
	return ok
}
