package desk

import (
	"encoding/hex"
	"testing"
	"time"
)

// oldDraft is a draft as the first versions sealed it, with nothing random in it.
func oldDraft() *Draft {
	return &Draft{
		Profile: Profile, Reason: "first", Person: person(1), Portrait: []byte("\xff\xd8\xff\xc0\x00\x11\x08\x00\xc8\x00\xc8\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c"), Serial: "00112233445566FF",
		Issued: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), Salt: [32]byte{1, 2, 3},
	}
}

// TestFirstForm: what was approved before there was a second form still opens. The number
// is what the code before form 2 gave for this draft.
func TestFirstForm(t *testing.T) {
	got := must(oldDraft().commitment())(t)
	if hex.EncodeToString(got[:]) != "d50e4e3d8134c4834d869f8164847ad82c8ff2271b86f7f00d90b816ca8a8c91" {
		t.Errorf("%x", got)
	}
}

// TestSecondForm: whatever an approver looks at is in the commitment, and the salt too.
func TestSecondForm(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, change := range map[string]func(*Draft){
		"as it is":        func(*Draft) {},
		"form":            func(d *Draft) { d.Form = 0 },
		"salt":            func(d *Draft) { d.Salt[31]++ },
		"name":            func(d *Draft) { d.Person.Given = "Thị Khác" },
		"address":         func(d *Draft) { d.Person.Residence = "Số 18" },
		"portrait":        func(d *Draft) { d.Portrait = append(d.Portrait, 0) },
		"day of issue":    func(d *Draft) { d.Issued = d.Issued.AddDate(0, 0, 1) },
		"reason":          func(d *Draft) { d.Reason = "lost" },
		"profile":         func(d *Draft) { d.Profile = "another" },
		"serial number":   func(d *Draft) { d.Serial = "0" + d.Serial[1:15] + "1" },
		"year of birth":   func(d *Draft) { d.Person.Birth.Year++ },
		"identity number": func(d *Draft) { d.Person.Number = person(2).Number },
	} {
		d := oldDraft()
		d.Form, d.Portrait = 2, append([]byte(nil), d.Portrait...)
		change(d)
		c := must(d.commitment())(t)
		if seen[c] != "" {
			t.Errorf("%s is %s", name, seen[c])
		}
		seen[c] = name
	}
}
