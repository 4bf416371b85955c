package vn

import (
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// QR is the text of the QR code on the card: a convenience for readers, unsigned, and so
// never evidence. Fields are in NFC and otherwise as they stand.
type QR struct {
	Number    Number
	OldNumber string // nine digits of the former card, "" for none
	Name      string
	Birth     string // ddMMyyyy
	Sex       string // Nam or Nữ
	Residence string
	Issued    string   // ddMMyyyy
	More      []string // what stands behind it on cards since July 2024
}

// EncodeQR is the text of a person's card in NFC: seven fields with | between them. The person
// has passed Check, which keeps that sign out of the fields.
func EncodeQR(p Person, oldNumber string, issued time.Time) string {
	day := func(d Date) string { return strings.ReplaceAll(d.Text(), "/", "") }
	return norm.NFC.String(strings.Join([]string{
		string(p.Number), oldNumber, p.FullName(), day(p.Birth), sexText(p.Sex), p.Residence, day(DateOf(issued)),
	}, "|"))
}

// maxQR bounds the text that ParseQR looks at: the largest QR code holds 2,953 octets.
const maxQR = 2953

// ParseQR reads the text of a QR code: seven fields, or more on cards since July 2024,
// whose order beyond the seventh is not published. It fails where the first field is no
// personal number.
func ParseQR(text string) (QR, bool) {
	if len(text) > maxQR {
		return QR{}, false
	}
	f := strings.Split(norm.NFC.String(strings.TrimSpace(text)), "|")
	if len(f) < 7 || !Number(f[0]).Valid() {
		return QR{}, false
	}
	return QR{Number(f[0]), f[1], f[2], f[3], f[4], f[5], f[6], f[7:]}, true
}
