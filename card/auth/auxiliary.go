package auth

import (
	"context"
	"encoding/asn1"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// The kinds of auxiliary data (TR-03110-3 §A.6.5): the chip compares them with its own and
// says yes or no, so that an age is verified without a date of birth.
var (
	AuxBirth        = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 1, 4, 1} // YYYYMMDD: born on this day or before
	AuxExpiry       = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 1, 4, 2} // YYYYMMDD: valid on this day
	AuxMunicipality = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 1, 4, 3} // a prefix of the municipality's id
)

// AuxiliaryItem is one value for the chip to compare.
type AuxiliaryItem struct {
	Kind  asn1.ObjectIdentifier
	Value []byte
}

// The data objects around auxiliary data.
const (
	tagTemplate tlv.Tag = 0x73
	tagValue    tlv.Tag = 0x53
)

// AuxiliaryData writes the items for Terminal2, 67 whole; nil for none.
func AuxiliaryData(items ...AuxiliaryItem) ([]byte, error) {
	if len(items) == 0 {
		return nil, nil
	}
	var body []byte
	for _, i := range items {
		oid, err := contents(i.Kind)
		if err != nil {
			return nil, fmt.Errorf("auxiliary data: %w", err)
		}
		body = tlv.Append(body, tagTemplate, append(tlv.Encode(tagOID, oid), tlv.Encode(tagValue, i.Value)...))
	}
	return tlv.Encode(tagAuxiliary, body), nil
}

// ParseAuxiliary reads what AuxiliaryData writes; false if it is malformed.
func ParseAuxiliary(b []byte) ([]AuxiliaryItem, bool) {
	s := tlv.String(b)
	var body tlv.String
	if !s.ReadTag(tagAuxiliary, &body) || !s.Empty() {
		return nil, false
	}
	var items []AuxiliaryItem
	for !body.Empty() {
		var item, oid, value tlv.String
		if len(items) == maxAuxiliary || !body.ReadTag(tagTemplate, &item) || !item.ReadTag(tagOID, &oid) || !item.ReadTag(tagValue, &value) || !item.Empty() {
			return nil, false
		}
		var kind asn1.ObjectIdentifier
		if rest, err := asn1.Unmarshal(tlv.Encode(tagOID, oid), &kind); err != nil || len(rest) > 0 {
			return nil, false
		}
		items = append(items, AuxiliaryItem{kind, value})
	}
	return items, true
}

// maxAuxiliary bounds the items that a chip takes.
const maxAuxiliary = 8

// VerifyAuxiliary asks the chip, within the eID application and after Chip Authentication,
// whether its own value stands the comparison with the auxiliary data of this kind
// (VERIFY, TR-03110-3 §B.12). No is false; what else the chip says is a *apdu.StatusError.
func VerifyAuxiliary(ctx context.Context, t apdu.Transmitter, kind asn1.ObjectIdentifier) (bool, error) {
	oid, err := contents(kind)
	if err != nil {
		return false, fmt.Errorf("verify auxiliary data: %w", err)
	}
	c := apdu.Command{CLA: 0x80, INS: 0x20, P1: 0x80, Data: tlv.Encode(tagOID, oid)}
	_, status, err := apdu.Do(ctx, t, c)
	switch {
	case err != nil:
		return false, fmt.Errorf("verify auxiliary data: %w", err)
	case status == apdu.OK:
		return true, nil
	case status == apdu.AuthenticationFailed:
		return false, nil
	}
	return false, fmt.Errorf("verify auxiliary data: %w", c.Refused(status))
}
