package cvc

import (
	"bytes"
	"encoding/asn1"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// oidPseudonymSector is id-PS-Sector (TR-03110-3 §C.3.2.2).
var oidPseudonymSector = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 1, 3, 3}

// The data objects of certificate extensions (TR-03110-3 §C.3).
const (
	tagExtension  tlv.Tag = 0x73
	tagPSSector   tlv.Tag = 0xA0
	tagParameters tlv.Tag = 0x80
	tagSectorHash tlv.Tag = 0x81
)

// PseudonymSectors writes the extension that allows a terminal to ask for pseudonyms in
// sectors, for Template.Extensions: parameters is the chip's number of the domain parameters
// in one octet, and hashes are those of the sectors' public keys as points, by the hash
// function that the certificate is signed with.
func PseudonymSectors(parameters byte, hashes ...[]byte) []byte {
	body := tlv.Encode(tagOID, contents(oidPseudonymSector))
	for _, h := range hashes {
		body = tlv.Append(body, tagPSSector, append(tlv.Encode(tagParameters, []byte{parameters}), tlv.Encode(tagSectorHash, h)...))
	}
	return tlv.Encode(tagExtension, body)
}

// pseudonymSectors reads the hashes in the value of 65. Other extensions are passed over.
func pseudonymSectors(extensions []byte) (hashes [][]byte) {
	s := tlv.String(extensions)
	for !s.Empty() {
		var template, oid tlv.String
		if !s.ReadTag(tagExtension, &template) {
			return hashes
		}
		if !template.ReadTag(tagOID, &oid) || !bytes.Equal(oid, contents(oidPseudonymSector)) {
			continue
		}
		var sector, parameters, h tlv.String
		for template.ReadTag(tagPSSector, &sector) {
			if sector.ReadTag(tagParameters, &parameters) && sector.ReadTag(tagSectorHash, &h) && sector.Empty() {
				hashes = append(hashes, h)
			}
		}
	}
	return hashes
}

// PseudonymSector reports whether the certificate of the last terminal has the hash of a
// sector's public key, given as an uncompressed point.
func (c *Chain) PseudonymSector(point []byte) bool {
	if c.last == nil || c.last.CHAT.Role != TerminalRole || !c.last.signed.Hash().Available() {
		return false
	}
	d := c.last.signed.Hash().New()
	d.Write(point)
	want := d.Sum(nil)
	for _, h := range pseudonymSectors(c.last.extensions) {
		if bytes.Equal(h, want) {
			return true
		}
	}
	return false
}
