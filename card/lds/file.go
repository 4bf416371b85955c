package lds

import (
	"fmt"
	"strings"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// File is an elementary file of the eMRTD (Doc 9303-10 §3, §4). The zero value is none.
// DG1 to DG16 have the values 1 to 16.
type File uint8

// The files. EF.CardAccess, EF.CardSecurity, EF.DIR and EF.ATR/INFO lie in the master file,
// the others in the application.
const (
	DG1 File = 1 + iota
	DG2
	DG3
	DG4
	DG5
	DG6
	DG7
	DG8
	DG9
	DG10
	DG11
	DG12
	DG13
	DG14
	DG15
	DG16
	COM
	SODFile
	CardAccess
	CardSecurity
	DIR
	ATRInfoFile
)

// eidBase is the value below that of the first data group of the eID application.
const eidBase File = 64

// maxEID is the number of its data groups.
const maxEID = 22

// EIDFile returns the file of a data group of the eID application, 1 to 22 (TR-03110-4
// §2.2.3); the zero File for other numbers. It is not among Files, which are those of LDS1.
func EIDFile(number int) File {
	if number < 1 || number > maxEID {
		return 0
	}
	return eidBase + File(number)
}

// kinds tells identifier, short identifier, tag and name of each file; CardAccess and
// CardSecurity begin with the tag of a DER SET and SEQUENCE. EF.DIR and EF.ATR/INFO are
// several objects and have no tag of their own.
var kinds = [...]struct {
	fid  uint16
	sfi  byte
	tag  tlv.Tag
	name string
}{
	DG1: {0x0101, 0x01, 0x61, "DG1"}, DG2: {0x0102, 0x02, 0x75, "DG2"}, DG3: {0x0103, 0x03, 0x63, "DG3"},
	DG4: {0x0104, 0x04, 0x76, "DG4"}, DG5: {0x0105, 0x05, 0x65, "DG5"}, DG6: {0x0106, 0x06, 0x66, "DG6"},
	DG7: {0x0107, 0x07, 0x67, "DG7"}, DG8: {0x0108, 0x08, 0x68, "DG8"}, DG9: {0x0109, 0x09, 0x69, "DG9"},
	DG10: {0x010A, 0x0A, 0x6A, "DG10"}, DG11: {0x010B, 0x0B, 0x6B, "DG11"}, DG12: {0x010C, 0x0C, 0x6C, "DG12"},
	DG13: {0x010D, 0x0D, 0x6D, "DG13"}, DG14: {0x010E, 0x0E, 0x6E, "DG14"}, DG15: {0x010F, 0x0F, 0x6F, "DG15"},
	DG16: {0x0110, 0x10, 0x70, "DG16"},
	COM:  {0x011E, 0x1E, 0x60, "EF.COM"}, SODFile: {0x011D, 0x1D, 0x77, "EF.SOD"},
	CardAccess: {0x011C, 0x1C, 0x31, "EF.CardAccess"}, CardSecurity: {0x011D, 0x1D, 0x30, "EF.CardSecurity"},
	DIR: {0x2F00, 0x1E, 0, "EF.DIR"}, ATRInfoFile: {0x2F01, 0x01, 0, "EF.ATR/INFO"},
}

// Files lists every file, in the order of their values.
func Files() []File {
	list := make([]File, 0, len(kinds)-1)
	for f := DG1; int(f) < len(kinds); f++ {
		list = append(list, f)
	}
	return list
}

// Group returns the file of a data group, 1 to 16; the zero File for other numbers.
func Group(number int) File {
	if number < 1 || number > maxGroups {
		return 0
	}
	return File(number)
}

// Number is the data group's number, 0 for a file that is no data group.
func (f File) Number() int {
	if f >= DG1 && f <= DG16 {
		return int(f)
	}
	return 0
}

func (f File) known() bool { return f >= DG1 && int(f) < len(kinds) }

// eid is the number of a data group of the eID application, 0 for other files.
func (f File) eid() int {
	if f > eidBase && f <= eidBase+maxEID {
		return int(f - eidBase)
	}
	return 0
}

// FID is the file identifier, 0 for no file.
func (f File) FID() uint16 {
	if n := f.eid(); n > 0 {
		return 0x0100 + uint16(n)
	}
	if !f.known() {
		return 0
	}
	return kinds[f].fid
}

// SFI is the short file identifier, 1 to 30; 0 for no file.
func (f File) SFI() byte {
	if n := f.eid(); n > 0 {
		return byte(n)
	}
	if !f.known() {
		return 0
	}
	return kinds[f].sfi
}

// Tag is the tag that the file begins with, 0 for no file and for one of several objects.
func (f File) Tag() tlv.Tag {
	if n := f.eid(); n > 0 {
		return 0x60 + tlv.Tag(n)
	}
	if !f.known() {
		return 0
	}
	return kinds[f].tag
}

// Name is DG1 … DG16, EF.COM, EF.SOD, EF.CardAccess, EF.CardSecurity, EF.DIR or EF.ATR/INFO,
// or eID-DG1 … eID-DG22.
func (f File) Name() string {
	if n := f.eid(); n > 0 {
		return fmt.Sprintf("eID-DG%d", n)
	}
	if !f.known() {
		return fmt.Sprintf("file(%d)", uint8(f))
	}
	return kinds[f].name
}

// String is Name.
func (f File) String() string { return f.Name() }

// FileName is the name in an EF folder: Name with ".bin", and with - for a slash.
func (f File) FileName() string { return strings.ReplaceAll(f.Name(), "/", "-") + ".bin" }

// ByName finds a file by its Name or FileName, without regard to case.
func ByName(name string) (File, bool) {
	for _, f := range Files() {
		if strings.EqualFold(name, f.Name()) || strings.EqualFold(name, f.FileName()) {
			return f, true
		}
	}
	return 0, false
}

// ByTag finds the data group, EF.COM or EF.SOD that begins with the tag.
func ByTag(tag tlv.Tag) (File, bool) {
	for f := DG1; f <= SODFile; f++ {
		if kinds[f].tag == tag {
			return f, true
		}
	}
	return 0, false
}

// body checks that raw is one object with the file's tag, and at most filler (00) behind
// it, and returns the value.
func (f File) body(raw []byte) ([]byte, error) {
	s := tlv.String(raw)
	var value tlv.String
	if !s.ReadTag(f.Tag(), &value) {
		return nil, f.malformed("it does not begin with a whole %v object", f.Tag())
	}
	s.SkipFiller()
	if !s.Empty() {
		return nil, f.malformed("%d octets stand behind it", len(s))
	}
	return value, nil
}

// Error says that a file does not have the form that Doc 9303-10 gives it.
type Error struct {
	File   File
	Detail string
	Err    error // what a part of it said, if that says more
}

// Error names the file.
func (e *Error) Error() string { return "malformed " + e.File.Name() + ": " + e.Detail }

// Unwrap gives Err.
func (e *Error) Unwrap() error { return e.Err }

func (f File) malformed(format string, a ...any) error {
	return &Error{File: f, Detail: fmt.Sprintf(format, a...)}
}
