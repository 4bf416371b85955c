package virtual

import (
	"encoding/binary"

	"github.com/tamthe/tamthe/card/cvc"
)

// trust is what the chip knows of Terminal Authentication: the certificates of its trust
// points, the current one first, and its date.
type trust struct {
	points []*cvc.Certificate
	today  cvc.Date
}

// maxPoints bounds the trust points: two for each kind of terminal.
const maxPoints = 6

func trustRecord(points []*cvc.Certificate) record {
	var b []byte
	for _, p := range points {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.Raw))), p.Raw...)
	}
	return record{recTrust, b}
}

func dateRecord(d cvc.Date) record { return record{recDate, d.Bytes()} }

// applyTrust reads trust points in place of those before.
func (m *image) applyTrust(b *fields) {
	m.trust.points = nil
	for b.ok && len(b.b) > 0 && len(m.trust.points) < maxPoints {
		c, err := cvc.Parse(b.take(int(b.u16())))
		if err != nil {
			b.ok = false
			return
		}
		m.trust.points = append(m.trust.points, c)
	}
}

func (m *image) applyDate(b *fields) {
	d, err := cvc.ParseDate(b.rest())
	b.ok = b.ok && err == nil
	m.trust.today = d
}

// names are the trust points' names for terminals of a kind, the current one first; of
// every kind for 0.
func (t trust) names(kind cvc.Terminal) []cvc.Reference {
	var out []cvc.Reference
	for _, p := range t.points {
		if kind == 0 || p.CHAT.Terminal == kind {
			out = append(out, p.Holder)
		}
	}
	return out
}

// chain begins a terminal's chain.
func (t trust) chain() *cvc.Chain {
	var points []cvc.TrustPoint
	for _, p := range t.points {
		points = append(points, p.TrustPoint())
	}
	return cvc.NewChain(points, t.today)
}

// file is an elementary file, nil for none. EF.CVCA is made of the trust points unless the
// chip was given one.
func (m *image) file(name uint16) *file {
	if f := m.files[name]; f != nil || name != nameCVCA {
		return f
	}
	names := m.trust.names(cvc.InspectionSystem)
	if len(names) == 0 {
		return nil
	}
	b := cvc.EncodeCVCA(names...)
	return &file{data: b, filled: len(b)}
}
