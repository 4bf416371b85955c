package lds

import "github.com/tamthe/tamthe/apdu/tlv"

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
