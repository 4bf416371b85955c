package lds

import (
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Sample is a finger or an iris of DG3 or DG4: one image with what its record says of it.
type Sample struct {
	// Part is the finger (ISO/IEC 19794-2 table 2: 1 right thumb … 10 left little finger,
	// 0 unknown) or the eye (1 right, 2 left, 0 unknown). 39794 counts as 19794 does.
	Part          byte
	Image         []byte
	Width, Height int // in pixels, 0 where the record doesn't say
	// Compression is the record's code of the image's coding: of ISO/IEC 19794-4 table 4
	// (0 and 1 uncompressed, 2 WSQ, 3 JPEG, 4 JPEG 2000, 5 PNG) for fingers, of 19794-6
	// table 5 for irises. By 39794 it is 0; see Picture.
	Compression uint16
}

// Biometrics is DG3 or DG4.
type Biometrics struct {
	Samples    []Sample
	Extensible bool // the records are by ISO/IEC 39794 and not by 19794
}

// Sizes of ISO/IEC 19794-4:2005 §7 and 19794-6:2005 §6, in octets.
const (
	fingerHeader = 32
	fingerView   = 14
	irisHeader   = 45
	irisFeature  = 3
	irisImage    = 11
	maxSamples   = 40 // of one group
)

const (
	fingerMagic = "FIR\x00010\x00"
	irisMagic   = "IIR\x00010\x00"
)

// ParseBiometrics reads DG3 (fingers) or DG4 (irises) in the codings of ISO/IEC 19794-4 and
// -6 of 2005 and of ISO/IEC 39794-4 and -6 of 2019. A group without samples, which holds a
// random number so that its hash tells nothing, is no error. Errors are *Error.
func ParseBiometrics(f File, raw []byte) (*Biometrics, error) {
	if f != DG3 && f != DG4 {
		return nil, f.malformed("a file without fingers or irises")
	}
	body, err := f.body(raw)
	if err != nil {
		return nil, err
	}
	s := tlv.String(body)
	var group, count tlv.String
	if !s.ReadTag(tagGroup, &group) || !group.ReadTag(tagCount, &count) || len(count) != 1 || count[0] > maxSamples {
		return nil, f.malformed("no biometric information group")
	}
	b := &Biometrics{}
	for n := range int(count[0]) {
		var record, header, data tlv.String
		if !group.ReadTag(tagRecord, &record) || !record.ReadTag(tagHeader, &header) {
			return nil, f.malformed("template %d of %d", n+1, count[0])
		}
		if err := b.template(f, record, &data); err != nil {
			return nil, err
		}
	}
	// 53 with random octets stands behind a group without samples.
	return b, nil
}

// template reads one biometric data block.
func (b *Biometrics) template(f File, record tlv.String, data *tlv.String) error {
	switch {
	case record.ReadTag(tagData2, data):
		b.Extensible = true
		return b.extensible(f, *data)
	case !record.ReadTag(tagData, data):
		return f.malformed("template without a biometric data block")
	case f == DG3:
		return b.fingers(*data)
	}
	return b.irises(*data)
}

// fingers reads a finger image record.
func (b *Biometrics) fingers(r []byte) error {
	if len(r) < fingerHeader || string(r[:len(fingerMagic)]) != fingerMagic {
		return DG3.malformed("no finger image record of version 010")
	}
	size := uint64(r[8])<<40 | uint64(r[9])<<32 | uint64(binary.BigEndian.Uint32(r[10:]))
	if size != uint64(len(r)) {
		return DG3.malformed("record says %d octets where %d are", size, len(r))
	}
	n, compression := int(r[18]), uint16(r[29])
	rest := r[fingerHeader:]
	for range n {
		if len(rest) < fingerView || len(b.Samples) == maxSamples {
			return DG3.malformed("%d fingers", n)
		}
		length := int64(binary.BigEndian.Uint32(rest))
		if length < fingerView || length > int64(len(rest)) {
			return DG3.malformed("finger of %d octets where %d are", length, len(rest))
		}
		b.Samples = append(b.Samples, Sample{
			Part: rest[4], Image: rest[fingerView:length], Compression: compression,
			Width: int(binary.BigEndian.Uint16(rest[9:])), Height: int(binary.BigEndian.Uint16(rest[11:])),
		})
		rest = rest[length:]
	}
	if len(rest) > 0 || n == 0 {
		return DG3.malformed("%d octets behind %d fingers", len(rest), n)
	}
	return nil
}

// irises reads an iris image record.
func (b *Biometrics) irises(r []byte) error {
	if len(r) < irisHeader || string(r[:len(irisMagic)]) != irisMagic {
		return DG4.malformed("no iris image record of version 010")
	}
	if size := binary.BigEndian.Uint32(r[8:]); int64(size) != int64(len(r)) {
		return DG4.malformed("record says %d octets where %d are", size, len(r))
	}
	format := binary.BigEndian.Uint16(r[21:])
	width, height := int(binary.BigEndian.Uint16(r[23:])), int(binary.BigEndian.Uint16(r[25:]))
	eyes := int(r[14])
	rest := r[irisHeader:]
	for range eyes {
		if len(rest) < irisFeature {
			return DG4.malformed("%d eyes", eyes)
		}
		part, images := rest[0], int(binary.BigEndian.Uint16(rest[1:]))
		rest = rest[irisFeature:]
		for range images {
			if len(rest) < irisImage || len(b.Samples) == maxSamples {
				return DG4.malformed("%d images of an eye", images)
			}
			length := int64(binary.BigEndian.Uint32(rest[7:]))
			if length > int64(len(rest)-irisImage) {
				return DG4.malformed("image of %d octets where %d are", length, len(rest)-irisImage)
			}
			end := irisImage + int(length)
			b.Samples = append(b.Samples, Sample{Part: part, Image: rest[irisImage:end], Compression: format, Width: width, Height: height})
			rest = rest[end:]
		}
	}
	if len(rest) > 0 || eyes == 0 {
		return DG4.malformed("%d octets behind %d eyes", len(rest), eyes)
	}
	return nil
}

// EncodeBiometrics writes DG3 or DG4 by ISO/IEC 19794-4 or -6 of 2005, each sample in a
// template of its own. Without samples it writes a group of none with the random octets
// that Doc 9303-10 §4.7.3 asks for, which are the caller's.
func EncodeBiometrics(f File, random []byte, samples ...Sample) ([]byte, error) {
	if f != DG3 && f != DG4 || len(samples) > maxSamples {
		return nil, f.malformed("%d samples", len(samples))
	}
	group := tlv.Encode(tagCount, []byte{byte(len(samples))})
	for _, s := range samples {
		record, kind, format := fingerRecord(s), byte(0x08), byte(0x07)
		if f == DG4 {
			record, kind, format = irisRecord(s), 0x10, 0x09
		}
		if len(s.Image) == 0 || s.Width < 0 || s.Width > 0xFFFF || s.Height < 0 || s.Height > 0xFFFF {
			return nil, f.malformed("image of %d octets, %d by %d", len(s.Image), s.Width, s.Height)
		}
		header := tlv.Encode(tagHeader, tlv.Encode(tagType, []byte{kind}), tlv.Encode(tagSubtype, []byte{s.Part}),
			tlv.Encode(tagOwner, []byte{0x01, 0x01}), tlv.Encode(tagFormat, []byte{0x00, format}))
		group = append(group, tlv.Encode(tagRecord, header, tlv.Encode(tagData, record))...)
	}
	body := tlv.Encode(tagGroup, group)
	if len(samples) == 0 {
		body = tlv.Append(body, 0x53, random)
	}
	return tlv.Encode(f.Tag(), body), nil
}

// fingerRecord writes a record of one finger: live scan, plain, 500 by 500 to the inch.
func fingerRecord(s Sample) []byte {
	be := binary.BigEndian
	size := fingerHeader + fingerView + len(s.Image)
	b := append([]byte(fingerMagic), 0, 0)
	b = be.AppendUint32(b, uint32(size))
	b = append(b, 0, 0, 0, 31, 1, 1) // device, acquisition level 31, one finger, to the inch
	for range 4 {
		b = be.AppendUint16(b, 500)
	}
	b = append(b, 8, byte(s.Compression), 0, 0) // 8 bits a pixel
	b = be.AppendUint32(b, uint32(fingerView+len(s.Image)))
	b = append(b, s.Part, 1, 1, 254, 0)
	b = be.AppendUint16(be.AppendUint16(b, uint16(s.Width)), uint16(s.Height))
	return append(append(b, 0), s.Image...)
}

// irisRecord writes a record of one eye.
func irisRecord(s Sample) []byte {
	be := binary.BigEndian
	size := irisHeader + irisFeature + irisImage + len(s.Image)
	b := be.AppendUint32([]byte(irisMagic), uint32(size))
	b = append(b, 0, 0, 1) // device, one eye
	b = be.AppendUint16(b, irisHeader)
	b = append(b, 0, 0, 0, 0)
	b = be.AppendUint16(be.AppendUint16(be.AppendUint16(b, s.Compression), uint16(s.Width)), uint16(s.Height))
	b = append(b, 8, 0)
	b = append(b, make([]byte, 16)...)
	b = append(b, s.Part, 0, 1)
	b = append(b, 0, 1, 0xFE, 0, 0, 0, 0)
	return append(be.AppendUint32(b, uint32(len(s.Image))), s.Image...)
}
