package lds

import (
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Face is one portrait of DG2.
type Face struct {
	Image  []byte // as stored; see Picture
	Coding Coding // as the record declares it
	// Width and Height are what the record declares, in pixels.
	Width, Height int
}

// Coding is how an image is coded.
type Coding uint8

// The codings of ISO/IEC 19794-5 §5.7.2, and of what an image's first octets say.
const (
	JPEG Coding = iota
	JPEG2000
	UnknownCoding
)

// String is JPEG, JPEG 2000 or unknown.
func (c Coding) String() string {
	switch c {
	case JPEG:
		return "JPEG"
	case JPEG2000:
		return "JPEG 2000"
	}
	return "unknown"
}

// Tags of the biometric information template (Doc 9303-10 §4.7.2, ISO/IEC 7816-11).
const (
	tagGroup   tlv.Tag = 0x7F61
	tagCount   tlv.Tag = 0x02
	tagRecord  tlv.Tag = 0x7F60
	tagHeader  tlv.Tag = 0xA1
	tagData    tlv.Tag = 0x5F2E
	tagData2   tlv.Tag = 0x7F2E
	tagType    tlv.Tag = 0x81
	tagSubtype tlv.Tag = 0x82
	tagOwner   tlv.Tag = 0x87
	tagFormat  tlv.Tag = 0x88
)

// maxFaces bounds the portraits of a DG2; documents hold one.
const maxFaces = 9

// ParseDG2 reads the portraits of DG2 in the coding of ISO/IEC 19794-5:2005. Lengths are
// held against what is there; a record that says it is some octets shorter than it is, as
// some states' are, is taken. An ISO/IEC 39794-5 template is an error that says so.
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
		var record, header, data tlv.String
		if !group.ReadTag(tagRecord, &record) || !record.ReadTag(tagHeader, &header) {
			return nil, DG2.malformed("no biometric information template")
		}
		if record.ReadTag(tagData2, &data) {
			return nil, DG2.malformed("the portrait is in the coding of ISO/IEC 39794-5")
		}
		if !record.ReadTag(tagData, &data) {
			return nil, DG2.malformed("no biometric data block")
		}
		more, err := parseFaces(data, maxFaces-len(faces))
		if err != nil {
			return nil, err
		}
		faces = append(faces, more...)
	}
	return faces, nil
}

// Sizes of ISO/IEC 19794-5:2005 §5.4–5.7, in octets.
const (
	facialHeader = 14
	blockHeader  = 20
	featureSize  = 8
	imageInfo    = 12
)

// parseFaces reads one facial record.
func parseFaces(b []byte, most int) ([]Face, error) {
	if len(b) < facialHeader || string(b[:4]) != "FAC\x00" {
		return nil, DG2.malformed("no facial record")
	}
	if v := string(b[4:8]); v != "010\x00" {
		return nil, DG2.malformed("facial record of version %q", v)
	}
	n := int(binary.BigEndian.Uint16(b[12:14]))
	if n == 0 || n > most {
		return nil, DG2.malformed("%d portraits in a record", n)
	}
	var faces []Face
	rest := b[facialHeader:]
	for i := range n {
		f, after, err := parseFace(rest, i == n-1)
		if err != nil {
			return nil, err
		}
		faces, rest = append(faces, f), after
	}
	return faces, nil
}

// parseFace reads one block; the last one takes what is left.
func parseFace(b []byte, last bool) (Face, []byte, error) {
	if len(b) < blockHeader+imageInfo {
		return Face{}, nil, DG2.malformed("portrait of %d octets", len(b))
	}
	size := int64(binary.BigEndian.Uint32(b[0:4]))
	features := int(binary.BigEndian.Uint16(b[4:6]))
	at := blockHeader + features*featureSize
	switch {
	case at+imageInfo > len(b):
		return Face{}, nil, DG2.malformed("%d feature points in %d octets", features, len(b))
	case size > int64(len(b)) || size < int64(at+imageInfo):
		return Face{}, nil, DG2.malformed("portrait says %d octets where %d are", size, len(b))
	case last:
		size = int64(len(b))
	}
	info := b[at:]
	f := Face{
		Image: b[at+imageInfo : size], Coding: Coding(info[1]),
		Width: int(binary.BigEndian.Uint16(info[2:4])), Height: int(binary.BigEndian.Uint16(info[4:6])),
	}
	if f.Coding > JPEG2000 {
		f.Coding = UnknownCoding
	}
	return f, b[size:], nil
}

// EncodeDG2 writes DG2 with one portrait, a full frontal image by ISO/IEC 19794-5:2005
// without feature points.
func EncodeDG2(f Face) ([]byte, error) {
	if f.Width < 1 || f.Width > 0xFFFF || f.Height < 1 || f.Height > 0xFFFF || f.Coding > JPEG2000 {
		return nil, DG2.malformed("portrait of %d by %d pixels, %v", f.Width, f.Height, f.Coding)
	}
	if len(f.Image) == 0 || len(f.Image) > 1<<20 {
		return nil, DG2.malformed("image of %d octets", len(f.Image))
	}
	block := blockHeader + imageInfo + len(f.Image)
	b := append(make([]byte, 0, facialHeader+block), "FAC\x00010\x00"...)
	b = binary.BigEndian.AppendUint32(b, uint32(facialHeader+block))
	b = binary.BigEndian.AppendUint16(b, 1)
	b = binary.BigEndian.AppendUint32(b, uint32(block))
	b = append(b, make([]byte, blockHeader-4)...) // no points; gender, colours, expression, pose not given
	b = append(b, 1, byte(f.Coding))              // full frontal
	b = binary.BigEndian.AppendUint16(b, uint16(f.Width))
	b = binary.BigEndian.AppendUint16(b, uint16(f.Height))
	b = append(b, 1, 2, 0, 0, 0, 0) // sRGB 24 bit, digital still camera, device, quality
	b = append(b, f.Image...)
	header := tlv.Encode(tagHeader,
		tlv.Encode(tagType, []byte{0x02}), tlv.Encode(tagSubtype, []byte{0x00}),
		tlv.Encode(tagOwner, []byte{0x01, 0x01}), tlv.Encode(tagFormat, []byte{0x00, 0x08}))
	record := tlv.Encode(tagRecord, header, tlv.Encode(tagData, b))
	return tlv.Encode(DG2.Tag(), tlv.Encode(tagGroup, tlv.Encode(tagCount, []byte{1}), record)), nil
}
