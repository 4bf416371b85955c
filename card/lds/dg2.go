package lds

import "github.com/tamthe/tamthe/apdu/tlv"

// Tags of the biometric information template (Doc 9303-10 §4.7.2, ISO/IEC 7816-11).
const (
	tagGroup   tlv.Tag = 0x7F61
	tagCount   tlv.Tag = 0x02
	tagRecord  tlv.Tag = 0x7F60
	tagHeader  tlv.Tag = 0xA1
	tagData    tlv.Tag = 0x5F2E // ISO/IEC 19794-5
	tagData2   tlv.Tag = 0x7F2E // ISO/IEC 39794-5
	tagType    tlv.Tag = 0x81
	tagSubtype tlv.Tag = 0x82
	tagOwner   tlv.Tag = 0x87
	tagFormat  tlv.Tag = 0x88
)

// maxFaces bounds the portraits of a DG2; documents hold one.
const maxFaces = 9

// ParseDG2 reads the portraits of DG2 in the coding of ISO/IEC 19794-5:2005 or of
// ISO/IEC 39794-5:2019, at most nine. Lengths and counts are held against what is there; of
// records of which some States say that they are up to eight octets shorter or longer than
// they are, all octets are taken. Errors are *Error.
func ParseDG2(raw []byte) ([]Face, error) {
	body, err := DG2.body(raw)
	if err != nil {
		return nil, err
	}
	s := tlv.String(body)
	var group, count tlv.String
	if !s.ReadTag(tagGroup, &group) || !group.ReadTag(tagCount, &count) || len(count) != 1 {
		return nil, DG2.malformed("no biometric information group")
	}
	if count[0] == 0 || count[0] > maxFaces {
		return nil, DG2.malformed("%d templates", count[0])
	}
	var faces []Face
	for range int(count[0]) {
		var record tlv.String
		if !group.ReadTag(tagRecord, &record) {
			return nil, DG2.malformed("fewer templates than the %d that it says", count[0])
		}
		more, err := parseTemplate(record, maxFaces-len(faces))
		if err != nil {
			return nil, err
		}
		faces = append(faces, more...)
	}
	if group.SkipFiller(); !group.Empty() {
		return nil, DG2.malformed("more than the %d templates that it says", count[0])
	}
	return faces, nil
}

// parseTemplate reads a biometric information template; of its header nothing is needed.
func parseTemplate(record tlv.String, most int) ([]Face, error) {
	var header, data tlv.String
	if !record.ReadTag(tagHeader, &header) {
		return nil, DG2.malformed("template without a header")
	}
	if record.ReadTag(tagData2, &data) {
		return parseExtensible(data, most)
	}
	if !record.ReadTag(tagData, &data) {
		return nil, DG2.malformed("template without a biometric data block")
	}
	return parseFaces(data, most)
}

// EncodeDG2 writes DG2 with the portraits, one to nine, each in a template of its own by
// ISO/IEC 19794-5:2005. For one image of 256 octets or more that is 84 octets and the
// image, if none of the lengths exceeds 65,535.
func EncodeDG2(faces ...Face) ([]byte, error) {
	if len(faces) == 0 || len(faces) > maxFaces {
		return nil, DG2.malformed("%d portraits", len(faces))
	}
	header := tlv.Encode(tagHeader,
		tlv.Encode(tagType, []byte{0x02}), tlv.Encode(tagSubtype, []byte{0x00}), // facial features
		tlv.Encode(tagOwner, []byte{0x01, 0x01}), tlv.Encode(tagFormat, []byte{0x00, 0x08})) // JTC 1/SC 37, 19794-5
	group := tlv.Encode(tagCount, []byte{byte(len(faces))})
	for _, f := range faces {
		record, err := encodeFace(f)
		if err != nil {
			return nil, err
		}
		group = append(group, tlv.Encode(tagRecord, header, tlv.Encode(tagData, record))...)
	}
	return tlv.Encode(DG2.Tag(), tlv.Encode(tagGroup, group)), nil
}
