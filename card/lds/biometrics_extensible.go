package lds

import (
	"encoding/binary"
	"time"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// extensible reads the images of ISO/IEC 39794-4 (64) or -6 (66): A1 → representation
// blocks → 30, and in each of them the finger's or eye's code and the first octets that
// begin as an image does. What else a block says is passed over.
func (b *Biometrics) extensible(f File, template tlv.String) error {
	tag, part := tlv.Tag(0x64), []tlv.Tag{0xA0, 0x80}
	if f == DG4 {
		tag, part = 0x66, []tlv.Tag{0x80}
	}
	blocks, ok := descend(template, 0xA1, tag, 0xA1)
	if !ok {
		return f.malformed("no image data block of ISO/IEC 39794")
	}
	for s := tlv.String(blocks); !s.Empty(); {
		var block tlv.String
		if len(b.Samples) == maxSamples || !s.ReadTag(0x30, &block) {
			return f.malformed("representation block %d", len(b.Samples)+1)
		}
		image := findImage(block, 8)
		if image == nil {
			return f.malformed("representation block %d without an image", len(b.Samples)+1)
		}
		sample := Sample{Image: image}
		if code, ok := descend(block, part...); ok && len(code) == 1 {
			sample.Part = code[0]
		}
		_, sample.Width, sample.Height = Picture(image)
		b.Samples = append(b.Samples, sample)
	}
	return nil
}

// findImage returns the first primitive value that begins as an image, not deeper than
// depth.
func findImage(b tlv.String, depth int) []byte {
	for !b.Empty() && depth > 0 {
		var tag tlv.Tag
		var value tlv.String
		if !b.Read(&tag, &value) {
			return nil
		}
		constructed := tag&0x20 != 0
		if tag > 0xFF {
			constructed = tag>>8&0x20 != 0
		}
		if !constructed && imageKind(value) != noImage {
			return value
		}
		if constructed {
			if image := findImage(value, depth-1); image != nil {
				return image
			}
		}
	}
	return nil
}

// kind is the coding of an image as ISO/IEC 39794-4 and -6 tell them apart.
type kind int

const (
	noImage kind = iota
	jpegImage
	jpeg2000Image
	pngImage
	wsqImage
)

// imageKind knows JPEG, JPEG 2000 in both forms, PNG and WSQ by their first octets.
func imageKind(b []byte) kind {
	for magic, k := range map[string]kind{
		"\xFF\xD8\xFF": jpegImage, "\x00\x00\x00\x0CjP  ": jpeg2000Image, "\xFF\x4F\xFF\x51": jpeg2000Image,
		"\x89PNG\r\n": pngImage, "\xFF\xA0\xFF": wsqImage,
	} {
		if len(b) >= len(magic) && string(b[:len(magic)]) == magic {
			return k
		}
	}
	return noImage
}

// The codes of image formats: of ISO/IEC 39794-4 for fingers and of -6 for irises, where
// JPEG and WSQ have none. JPEG 2000 is written as lossy.
var extensibleFormats = map[File]map[kind]byte{
	DG3: {wsqImage: 1, jpeg2000Image: 2, pngImage: 4},
	DG4: {pngImage: 2, jpeg2000Image: 4},
}

// EncodeBiometricsExtensible writes DG3 or DG4 by ISO/IEC 39794-4 or -6 of 2019, which
// issuers of passports must use from 2030 (Doc 9303-10 §4.5.6), each sample in a template of
// its own: plain contact fingers, uncropped irises of 8 bits. Images are WSQ, JPEG 2000 or PNG,
// irises JPEG 2000 or PNG; Compression and sizes are not looked at. captured is when irises
// were taken. For no samples there is EncodeBiometrics.
func EncodeBiometricsExtensible(f File, captured time.Time, samples ...Sample) ([]byte, error) {
	if f != DG3 && f != DG4 || len(samples) == 0 || len(samples) > maxSamples {
		return nil, f.malformed("%d samples", len(samples))
	}
	group := tlv.Encode(tagCount, []byte{byte(len(samples))})
	for _, s := range samples {
		code, ok := extensibleFormats[f][imageKind(s.Image)]
		if !ok {
			return nil, f.malformed("ISO/IEC 39794 has no such image")
		}
		block, biometric, format := extensibleFinger(s, code), byte(0x08), byte(0x28) // g3-binary-finger-image
		if f == DG4 {
			block, biometric, format = extensibleIris(s, code, captured), 0x10, 0x2C // g3-binary-iris-image
		}
		header := tlv.Encode(tagHeader, tlv.Encode(tagType, []byte{biometric}), tlv.Encode(tagSubtype, []byte{s.Part}),
			tlv.Encode(tagOwner, []byte{0x01, 0x01}), tlv.Encode(tagFormat, []byte{0x00, format}))
		group = append(group, tlv.Encode(tagRecord, header, tlv.Encode(tagData2, tlv.Encode(0xA1, block)))...)
	}
	return tlv.Encode(f.Tag(), tlv.Encode(tagGroup, group)), nil
}

// generation3 is the version block of ISO/IEC 39794 of 2019.
func generation3() []byte {
	return tlv.Encode(0xA0, tlv.Encode(0x80, []byte{3}), tlv.Encode(0x81, []byte{0x07, 0xE3}))
}

func extensibleFinger(s Sample, format byte) []byte {
	representation := tlv.Encode(0x30,
		tlv.Encode(0xA0, tlv.Encode(0x80, []byte{s.Part})),
		tlv.Encode(0xA1, tlv.Encode(0x80, []byte{0})), // plain contact
		tlv.Encode(0xA2, tlv.Encode(0x80, []byte{format})),
		tlv.Encode(0x83, s.Image))
	return tlv.Encode(0x64, generation3(), tlv.Encode(0xA1, representation))
}

func extensibleIris(s Sample, format byte, captured time.Time) []byte {
	year := binary.BigEndian.AppendUint16(nil, uint16(captured.UTC().Year()))
	representation := tlv.Encode(0x30,
		tlv.Encode(0x80, []byte{s.Part}),
		tlv.Encode(0xA1, tlv.Encode(0x80, []byte{1})), // uncropped
		tlv.Encode(0x82, []byte{8}),                   // bits
		tlv.Encode(0xA3, tlv.Encode(0x80, []byte{format})),
		tlv.Encode(0x84, []byte{0}), tlv.Encode(0x85, []byte{0}), tlv.Encode(0x86, []byte{0}), // orientation and history not said
		tlv.Encode(0xA7, tlv.Encode(0x80, year), tlv.Encode(0x81, []byte{byte(captured.UTC().Month())}), tlv.Encode(0x82, []byte{byte(captured.UTC().Day())})),
		tlv.Encode(0x88, s.Image))
	return tlv.Encode(0x66, generation3(), tlv.Encode(0xA1, representation))
}
