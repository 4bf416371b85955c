package console

import (
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/printjob"
)

// reading is what was typed, scanned and photographed of the card's body: nothing, a part of
// it, or all that is asked for.
func (q *request) reading() (*printjob.Reading, bool, error) {
	number, zone, code := strings.TrimSpace(q.FormValue("number")), zoneOf(q.FormValue("mrz")), strings.TrimSpace(q.FormValue("qr"))
	face, err := q.pictureOf("face")
	if err != nil {
		return nil, false, err
	}
	if number == "" && zone == "" && code == "" && len(face) == 0 {
		return nil, false, nil
	}
	r := &printjob.Reading{}
	r.Back.MRZ = zone
	r.Front.QR, r.Back.QR = code, code // whichever side the design has it on
	if number != "" {
		r.Front.Fields = map[string]string{"number": number}
	}
	if len(face) > 0 {
		r.Front.Portrait = face
	}
	return r, number == "" || zone == "" || code == "" || len(face) == 0, nil
}

// zoneOf is a machine readable zone as it was typed: in capitals, without spaces and empty
// lines.
func zoneOf(text string) string {
	var lines []string
	for line := range strings.Lines(strings.ToUpper(text)) {
		if line = strings.Join(strings.Fields(line), ""); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// under is the age below which a parent or guardian takes the card.
const under = 14

// isChild says whether somebody is under 14, as far as the date of birth is known.
func isChild(b vn.Date, now time.Time) bool {
	return now.Before(time.Date(b.Year+under, time.Month(max(b.Month, 1)), max(b.Day, 1), 0, 0, 0, 0, now.Location()))
}
