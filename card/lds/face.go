package lds

import (
	"encoding/binary"
)

// Face is one portrait of DG2.
type Face struct {
	Image []byte // as stored; see Picture
	// Coding, and Width and Height in pixels, are what a record of ISO/IEC 19794-5
	// declares. For ISO/IEC 39794-5 they are what the image says, 0 where it says nothing.
	Coding        Coding
	Width, Height int
	// Record is what else a record of ISO/IEC 19794-5 says. When nil, EncodeDG2 writes a
	// full frontal image from a digital camera in 24-bit sRGB of which nothing more is said.
	Record *FaceRecord
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

// FaceRecord is what a facial record says of holder and image in the codes of
// ISO/IEC 19794-5:2005 §5.5 to §5.7; zero is unspecified but for Type, where it is basic.
type FaceRecord struct {
	Gender, Eyes, Hair        byte
	Features                  uint32 // mask of 24 bits
	Expression                uint16
	Pose, Uncertainty         [3]byte // yaw, pitch, roll
	Points                    []FeaturePoint
	Type, ColourSpace, Source byte
	Device, Quality           uint16
}

// FeaturePoint is a point of the face in the image (ISO/IEC 19794-5:2005 §5.6).
type FeaturePoint struct {
	Type, Code byte
	X, Y       uint16 // in pixels from the upper left corner
}

// fullFrontal is the record of a Face that has none.
var fullFrontal = FaceRecord{Type: 1, ColourSpace: 1, Source: 2}

// Sizes of ISO/IEC 19794-5:2005 §5.4 to §5.7, in octets, and how far States' lengths are
// off: gmrtd pull request 102 tells of 1 octet in British and 8 in New Zealand's passports.
const (
	facialHeader = 14
	blockHeader  = 20
	featureSize  = 8
	imageInfo    = 12
	lengthSlack  = 8
	maxPoints    = 1024
)

const facialMagic = "FAC\x00010\x00"

// parseFaces reads one facial record.
func parseFaces(b []byte, most int) ([]Face, error) {
	if len(b) < facialHeader || string(b[:len(facialMagic)]) != facialMagic {
		return nil, DG2.malformed("no facial record of version 010")
	}
	if size := int64(binary.BigEndian.Uint32(b[8:])); size > int64(len(b))+lengthSlack || size < int64(len(b))-lengthSlack {
		return nil, DG2.malformed("facial record says %d octets where %d are", size, len(b))
	}
	n := int(binary.BigEndian.Uint16(b[12:]))
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
	size := int64(binary.BigEndian.Uint32(b))
	points := int(binary.BigEndian.Uint16(b[4:]))
	at := blockHeader + points*featureSize
	if points > maxPoints || at+imageInfo > len(b) {
		return Face{}, nil, DG2.malformed("%d feature points in %d octets", points, len(b))
	}
	if last && size <= int64(len(b))+lengthSlack && size >= int64(len(b))-lengthSlack {
		size = int64(len(b))
	}
	if size > int64(len(b)) || size < int64(at+imageInfo) || last && size < int64(len(b)) {
		return Face{}, nil, DG2.malformed("portrait says %d octets where %d are", size, len(b))
	}
	info := b[at : at+imageInfo]
	f := Face{
		Image: b[at+imageInfo : size], Coding: min(Coding(info[1]), UnknownCoding),
		Width: int(binary.BigEndian.Uint16(info[2:])), Height: int(binary.BigEndian.Uint16(info[4:])),
		Record: parseRecord(b[:at], info),
	}
	return f, b[size:], nil
}

// parseRecord reads block header and points, and the image information.
func parseRecord(b, info []byte) *FaceRecord {
	r := &FaceRecord{
		Gender: b[6], Eyes: b[7], Hair: b[8],
		Features:   uint32(b[9])<<16 | uint32(b[10])<<8 | uint32(b[11]),
		Expression: binary.BigEndian.Uint16(b[12:]),
		Pose:       [3]byte(b[14:17]), Uncertainty: [3]byte(b[17:20]),
		Type: info[0], ColourSpace: info[6], Source: info[7],
		Device: binary.BigEndian.Uint16(info[8:]), Quality: binary.BigEndian.Uint16(info[10:]),
	}
	for p := b[blockHeader:]; len(p) > 0; p = p[featureSize:] {
		r.Points = append(r.Points, FeaturePoint{p[0], p[1], binary.BigEndian.Uint16(p[2:]), binary.BigEndian.Uint16(p[4:])})
	}
	return r
}

// encodeFace writes a facial record of one portrait.
func encodeFace(f Face) ([]byte, error) {
	if f.Width < 1 || f.Width > 0xFFFF || f.Height < 1 || f.Height > 0xFFFF || f.Coding > JPEG2000 {
		return nil, DG2.malformed("portrait of %d by %d pixels, %v", f.Width, f.Height, f.Coding)
	}
	if len(f.Image) == 0 || len(f.Image) > 1<<20 {
		return nil, DG2.malformed("image of %d octets", len(f.Image))
	}
	r := f.Record
	if r == nil {
		r = &fullFrontal
	}
	if r.Features > 0xFFFFFF || len(r.Points) > maxPoints {
		return nil, DG2.malformed("feature mask %x, %d feature points", r.Features, len(r.Points))
	}
	be := binary.BigEndian
	block := blockHeader + len(r.Points)*featureSize + imageInfo + len(f.Image)
	b := append(make([]byte, 0, facialHeader+block), facialMagic...)
	b = be.AppendUint32(b, uint32(facialHeader+block))
	b = be.AppendUint16(b, 1)
	b = be.AppendUint32(b, uint32(block))
	b = be.AppendUint16(b, uint16(len(r.Points)))
	b = append(b, r.Gender, r.Eyes, r.Hair, byte(r.Features>>16), byte(r.Features>>8), byte(r.Features))
	b = be.AppendUint16(b, r.Expression)
	b = append(append(b, r.Pose[:]...), r.Uncertainty[:]...)
	for _, p := range r.Points {
		b = append(b, p.Type, p.Code)
		b = be.AppendUint16(be.AppendUint16(b, p.X), p.Y)
		b = append(b, 0, 0)
	}
	b = append(b, r.Type, byte(f.Coding))
	b = be.AppendUint16(be.AppendUint16(b, uint16(f.Width)), uint16(f.Height))
	b = append(b, r.ColourSpace, r.Source)
	b = be.AppendUint16(be.AppendUint16(b, r.Device), r.Quality)
	return append(b, f.Image...), nil
}
