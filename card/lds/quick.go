package lds

import (
	"encoding/binary"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// OneFace reports whether DG2 is of the usual form, in which ParseDG2 finds one portrait:
// a template of ISO/IEC 19794-5 whose lengths are exact. False says nothing.
func OneFace(raw []byte) bool {
	file := tlv.String(raw)
	var body, group, count, record, header, data tlv.String
	if !file.ReadTag(DG2.Tag(), &body) || !file.Empty() || !body.ReadTag(tagGroup, &group) ||
		!group.ReadTag(tagCount, &count) || len(count) != 1 || count[0] != 1 || !group.ReadTag(tagRecord, &record) || !group.Empty() ||
		!record.ReadTag(tagHeader, &header) || !record.ReadTag(tagData, &data) {
		return false
	}
	const least = facialHeader + blockHeader + imageInfo
	if !body.Empty() || len(data) < least || string(data[:len(facialMagic)]) != facialMagic || int(binary.BigEndian.Uint32(data[8:])) != len(data) {
		return false
	}
	block := data[facialHeader:]
	points := int(binary.BigEndian.Uint16(block[4:]))
	return binary.BigEndian.Uint16(data[12:]) == 1 && int(binary.BigEndian.Uint32(block)) == len(block) &&
		points <= maxPoints && blockHeader+points*featureSize+imageInfo <= len(block)
}

// Framed reports whether DG14 is one object with a SET of whole entries and nothing else,
// which ParseDG14 then reads without an error, whatever the entries say. False says
// nothing.
func Framed(dg14 []byte) bool {
	file := tlv.String(dg14)
	var body, set, entry tlv.String
	var tag tlv.Tag
	if !file.ReadTag(DG14.Tag(), &body) || !file.Empty() || !body.ReadTag(tagSet, &set) || !body.Empty() {
		return false
	}
	for n := 0; !set.Empty(); n++ {
		if n == maxSecurityInfos || !set.ReadObject(&tag, &entry) {
			return false
		}
	}
	return true
}

// Zone returns the zone of a DG1 of the usual form; see ParseDG1. False says nothing.
func Zone(dg1 []byte) ([]byte, bool) {
	file := tlv.String(dg1)
	var body, text tlv.String
	ok := file.ReadTag(DG1.Tag(), &body) && file.Empty() && body.ReadTag(tagMRZ, &text) && body.Empty()
	return text, ok
}
