package lds

import (
	"errors"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Application is an entry of EF.DIR (ISO/IEC 7816-4 §12.2.3, Doc 9303-10 §3.11.2).
type Application struct {
	AID   []byte // 5 to 16 octets
	Label string // "" if there is none
}

// applications are those of Doc 9303-10 §3.4 to §3.6 and TR-03110, by the AID's digits.
var applications = map[string]string{
	"\xA0\x00\x00\x02\x47\x10\x01":             "eMRTD (LDS1)",
	"\xA0\x00\x00\x02\x47\x20\x01":             "travel records (LDS2)",
	"\xA0\x00\x00\x02\x47\x20\x02":             "visa records (LDS2)",
	"\xA0\x00\x00\x02\x47\x20\x03":             "additional biometrics (LDS2)",
	"\xE8\x07\x04\x00\x7F\x00\x07\x03\x02":     "eID",
	"\xA0\x00\x00\x01\x67\x45\x53\x49\x47\x4E": "eSign",
}

// Name says what the application is for, by its AID; "" for one that is not known.
func (a Application) Name() string { return applications[string(a.AID)] }

var errDirectory = errors.New("malformed EF.DIR")

// maxApplications bounds the entries of EF.DIR.
const maxApplications = 64

// ParseDIR reads EF.DIR: application templates one after the other, filler behind them.
// Objects of other kinds are passed over.
func ParseDIR(raw []byte) ([]Application, error) {
	var list []Application
	s := tlv.String(raw)
	for s.SkipFiller(); !s.Empty(); s.SkipFiller() {
		var tag tlv.Tag
		var entry, aid, label tlv.String
		if !s.Read(&tag, &entry) || len(list) == maxApplications {
			return nil, errDirectory
		}
		if tag != 0x61 {
			continue
		}
		for !entry.Empty() {
			var value tlv.String
			if !entry.Read(&tag, &value) {
				return nil, errDirectory
			}
			switch tag {
			case 0x4F:
				aid = value
			case 0x50:
				label = value
			}
		}
		if len(aid) < 5 || len(aid) > 16 {
			return nil, errDirectory
		}
		list = append(list, Application{aid, string(label)})
	}
	return list, nil
}

// EncodeDIR writes EF.DIR.
func EncodeDIR(list ...Application) []byte {
	var b []byte
	for _, a := range list {
		entry := tlv.Encode(0x4F, a.AID)
		if a.Label != "" {
			entry = tlv.Append(entry, 0x50, []byte(a.Label))
		}
		b = tlv.Append(b, 0x61, entry)
	}
	return b
}
