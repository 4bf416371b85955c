// Package vn is what Vietnam's chip card (căn cước công dân) adds to ICAO Doc 9303: the
// personal number and its check digit in the MRZ, DG13 with the holder's data in
// Vietnamese, the rule of expiry, and the QR code on the card.
//
// The form of DG13 is that which public readers of the card agree on; it is written byte
// for byte so, and read leniently. Disagreements inside signed data are findings, never
// refusals: the State signed them.
package vn

import "github.com/tamthe/tamthe/card/mrz"

// Country is the issuing state and nationality in the MRZ.
const Country = "VNM"

// NoExpiry is the date of expiry in the MRZ of a card that does not expire.
const NoExpiry mrz.Date = "991231"

// NoExpiryText is what DG13 and the print of such a card say.
const NoExpiryText = "Không thời hạn"

// FieldError says which field of a person or a card can't be written, and why. Field is
// its name in the application.
type FieldError struct {
	Field, Detail string
	vi            string // Detail in Vietnamese, "" where it has not been said in it
}

// Error names the field; it holds nothing of its content.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// Vietnamese is Error in Vietnamese; Field stays as it is, for it is a key of the file.
func (e *FieldError) Vietnamese() string {
	if e.vi == "" {
		return e.Error()
	}
	return e.Field + ": " + e.vi
}
