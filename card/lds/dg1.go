package lds

import (
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/mrz"
)

// tagMRZ holds the zone in DG1 (Doc 9303-10 §4.7.1).
const tagMRZ tlv.Tag = 0x5F1F

// ParseDG1 reads the machine readable zone of DG1, every octet of it as it is; what is
// wrong with its text is in the zone's findings.
func ParseDG1(raw []byte) (*mrz.MRZ, error) {
	body, err := DG1.body(raw)
	if err != nil {
		return nil, err
	}
	s := tlv.String(body)
	var text tlv.String
	if !s.ReadTag(tagMRZ, &text) || !s.Empty() {
		return nil, DG1.malformed("no single 5F1F")
	}
	m, err := mrz.Decode(text)
	if err != nil {
		return nil, &Error{DG1, err.Error(), err}
	}
	return m, nil
}

// EncodeDG1 writes DG1 around a zone.
func EncodeDG1(m *mrz.MRZ) []byte {
	return tlv.Encode(DG1.Tag(), tlv.Encode(tagMRZ, []byte(m.Text())))
}
