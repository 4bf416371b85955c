package lds

import (
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// parseExtensible reads the images of a biometric data template by ISO/IEC 39794-5:2019,
// which documents may hold since 2026 and passports must from 2030 (Doc 9303-10 §4.5.6):
// A1 → 65 → A1 (representation blocks) → 30, and in each of them A1 → A0 (base) → A0 (two
// dimensions) → 80 (image). Everything else that such a block says is passed over; coding
// and size are what the image itself says.
func parseExtensible(template tlv.String, most int) ([]Face, error) {
	blocks, ok := descend(template, 0xA1, 0x65, 0xA1)
	if !ok {
		return nil, DG2.malformed("no face image data block of ISO/IEC 39794-5")
	}
	var faces []Face
	for s := tlv.String(blocks); !s.Empty(); {
		var block tlv.String
		if len(faces) == most || !s.ReadTag(0x30, &block) {
			return nil, DG2.malformed("representation block %d", len(faces)+1)
		}
		image, ok := descend(block, 0xA1, 0xA0, 0xA0, 0x80)
		if !ok || len(image) == 0 {
			return nil, DG2.malformed("representation block %d without an image in two dimensions", len(faces)+1)
		}
		f := Face{Image: image}
		f.Coding, f.Width, f.Height = Picture(image)
		faces = append(faces, f)
	}
	if len(faces) == 0 {
		return nil, DG2.malformed("no representation block")
	}
	return faces, nil
}

// descend follows tags from level to level, taking the first object with each.
func descend(b []byte, path ...tlv.Tag) ([]byte, bool) {
	for _, tag := range path {
		var ok bool
		if b, ok = tlv.Find(b, tag); !ok {
			return nil, false
		}
	}
	return b, true
}

// EncodeDG2Extensible writes DG2 by ISO/IEC 39794-5:2019, which issuers of passports must
// use from 2030 (Doc 9303-10 §4.5.6), with the portraits, one to nine, each in a template
// of its own. Of Record nothing is written.
func EncodeDG2Extensible(faces ...Face) ([]byte, error) {
	if len(faces) == 0 || len(faces) > maxFaces {
		return nil, DG2.malformed("%d portraits", len(faces))
	}
	header := tlv.Encode(tagHeader,
		tlv.Encode(0x80, []byte{0x01, 0x01}), tlv.Encode(tagType, []byte{0x02}), tlv.Encode(tagSubtype, []byte{0x00}),
		tlv.Encode(tagOwner, []byte{0x01, 0x01}), tlv.Encode(tagFormat, []byte{0x00, 0x2A})) // JTC 1/SC 37, 39794-5
	group := tlv.Encode(tagCount, []byte{byte(len(faces))})
	for i, f := range faces {
		block, err := encodeExtensible(i, f)
		if err != nil {
			return nil, err
		}
		data := tlv.Encode(tagData2, tlv.Encode(0xA1, block))
		group = append(group, tlv.Encode(tagRecord, header, data)...)
	}
	return tlv.Encode(DG2.Tag(), tlv.Encode(tagGroup, group)), nil
}

// Codes of ISO/IEC 39794-5: image formats, and a full frontal image's kind.
const (
	extensibleJPEG, extensibleJPEG2000 = 2, 3
	extensibleMRTD                     = 0
)

// encodeExtensible writes a face image data block of one representation.
func encodeExtensible(n int, f Face) ([]byte, error) {
	if len(f.Image) == 0 || len(f.Image) > 1<<20 || f.Width < 1 || f.Width > 0xFFFF || f.Height < 1 || f.Height > 0xFFFF || f.Coding > JPEG2000 {
		return nil, DG2.malformed("portrait of %d octets, %d by %d, %v", len(f.Image), f.Width, f.Height, f.Coding)
	}
	format := byte(extensibleJPEG)
	if f.Coding == JPEG2000 {
		format = extensibleJPEG2000
	}
	size := func(tag tlv.Tag, v int) []byte { // INTEGER, positive
		b := binary.BigEndian.AppendUint16(nil, uint16(v))
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return tlv.Encode(tag, b)
	}
	information := tlv.Encode(0xA1,
		tlv.Encode(0xA0, tlv.Encode(0x80, []byte{format})),
		tlv.Encode(0xA1, tlv.Encode(0x80, []byte{extensibleMRTD})),
		tlv.Encode(0xA7, size(0x80, f.Width), size(0x81, f.Height)))
	image := tlv.Encode(0xA1, tlv.Encode(0xA0, tlv.Encode(0xA0, tlv.Encode(0x80, f.Image), information)))
	representation := tlv.Encode(0x30, tlv.Encode(0x80, []byte{byte(n)}), image)
	return tlv.Encode(0x65, generation3(), tlv.Encode(0xA1, representation)), nil
}
