package vn

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/lds"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// elements are the sixteen objects in a DG13, each whole.
func elements(t testing.TB, raw []byte) [][]byte {
	t.Helper()
	s := tlv.String(raw)
	var root, seq, set tlv.String
	if !s.ReadTag(0x6D, &root) || !root.ReadTag(0x30, &seq) || !seq.ReadTag(0x31, &set) || len(s)+len(root)+len(seq) > 0 {
		t.Fatal("not 6D, 30, 31")
	}
	var list [][]byte
	for !set.Empty() {
		var tag tlv.Tag
		var object tlv.String
		if !set.ReadObject(&tag, &object) {
			t.Fatal("an element is cut short")
		}
		list = append(list, object)
	}
	return list
}

// The synthetic card that the profile was described with, octet for octet: its total
// length, its head, and the elements that were listed. The three texts that were not are
// as long as they have to be for that.
func TestDG13Octets(t *testing.T) {
	p := person(t)
	p.Origin, p.Residence, p.Features = strings.Repeat("o", 33), strings.Repeat("r", 55), strings.Repeat("f", 35)
	i := issue(Expiry{Date{2030, 2, 15}})
	i.OldNumber = "000000017"
	raw := encode(t, p, i)
	if len(raw) != 405 || !bytes.HasPrefix(raw, unhex(t, "6D8201913082018D31820189")) {
		t.Errorf("%d octets: %X…", len(raw), raw[:12])
	}
	list := elements(t, raw)
	if len(list) != 16 {
		t.Fatalf("%d elements", len(list))
	}
	for n, want := range map[int]string{
		1:  "3011020101130C303033313930303030303137",
		2:  "30220201020C1D4E677579E1BB856E205468E1BB8B205468E1BBAD204E676869E1BB876D",
		3:  "300F020103130A31352F30322F31393930",
		4:  "30090201040C044EE1BBAF",
		5:  "300F0201050C0A5669E1BB8774204E616D",
		6:  "30090201060C044B696E68",
		7:  "300B0201070C064B68C3B46E67",
		8:  "30260201080C21" + strings.Repeat("6F", 33),
		9:  "303C0201090C37" + strings.Repeat("72", 55),
		10: "302802010A0C23" + strings.Repeat("66", 35),
		11: "300F02010B130A31302F30352F32303231",
		12: "300F02010C0C0A31352F30322F32303330",
		13: "302D02010D" + "30130C114E677579E1BB856E2056C4836E20436861" + "30130C115472E1BAA76E205468E1BB8B204DE1BAB9",
		14: "300302010E",
		15: "300E02010F1309303030303030303137",
		16: "3015020110131030303131323233333434353536363737",
	} {
		if got := list[n-1]; !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("element %d\n got %X\nwant %s", n, got, want)
		}
	}
	// without spouse and old number, and with a spouse, as real cards begin
	i.OldNumber = ""
	if list := elements(t, encode(t, p, i)); !bytes.Equal(list[14], unhex(t, "300302010F")) {
		t.Errorf("no old number: %X", list[14])
	}
	p.Spouse = "Lê Văn Chồng B"
	if list := elements(t, encode(t, p, i)); !bytes.HasPrefix(list[13], unhex(t, "301902010E30140C12")) {
		t.Errorf("a spouse: %X", list[13])
	}
	// an address that needs 81 xx
	p.Residence = strings.Repeat("r", 180)
	if list := elements(t, encode(t, p, i)); !bytes.HasPrefix(list[8], unhex(t, "3081BA0201090C81B4")) {
		t.Errorf("a long address: %X", list[8][:9])
	}
}

func TestDG13RoundTrip(t *testing.T) {
	p := person(t, `"spouse": ""`, `"spouse": "Lê Văn Chồng"`)
	d, err := ParseDG13(encode(t, p, issue(Expiry{})))
	if err != nil || d.Unknown != 0 || d.odd() {
		t.Fatalf("%+v, %v", d, err)
	}
	want := [][]string{
		{"003190000017"},
		{p.FullName()},
		{"15/02/1990"},
		{"Nữ"},
		{"Việt Nam"},
		{"Kinh"},
		{"Không"},
		{p.Origin},
		{p.Residence},
		{"Không"},
		{"10/05/2021"},
		{"Không thời hạn"},
		{"Nguyễn Văn Cha", "Trần Thị Mẹ"},
		{"Lê Văn Chồng"},
		nil,
		{"0011223344556677"},
	}
	for i, v := range want {
		if f := d.Fields[i]; f.Number != i+1 || !slices.Equal(f.Values, v) {
			t.Errorf("field %d: %q, want %q", f.Number, f.Values, v)
		}
	}
	if d.Value(FieldSpouse) != "Lê Văn Chồng" || d.Value(FieldOldNumber) != "" || d.Value(99) != "" {
		t.Errorf("%+v", d)
	}
}

func TestEncodeDG13Refuses(t *testing.T) {
	for field, change := range map[string]func(*Issue){
		"serial":     func(i *Issue) { i.Serial = "001122334455667" },
		"old number": func(i *Issue) { i.OldNumber = "00000017A" },
		"issued":     func(i *Issue) { i.Issued = time.Time{} },
	} {
		i := issue(Expiry{})
		change(&i)
		var e *FieldError
		if _, err := EncodeDG13(person(t), i); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	i := issue(Expiry{})
	i.Serial = "001122334455667*"
	if _, err := EncodeDG13(person(t), i); err == nil {
		t.Error("an asterisk is a PrintableString")
	}
}

// field is an element with one text.
func field(n byte, tag tlv.Tag, v string) []byte {
	return tlv.Encode(0x30, []byte{2, 1, n}, tlv.Encode(tag, []byte(v)))
}

// The forms that readers of real cards have met, or have to expect.
func TestDG13Lenient(t *testing.T) {
	set := tlv.Encode(
		0x31, field(2, 0x13, "An"), field(1, 0x0C, "003190000017"), field(17, 0x0C, "?"), []byte{0, 5, 0}, field(9, 0x1E, "\x1e\xbf"),
		tlv.Encode(0x30, []byte{2, 1, 14, 5, 0}), []byte{0x30, 0x83, 0, 0, 3, 2, 1, 15}, tlv.Encode(0x30, []byte{2, 1, 16}, tlv.Encode(0x30, tlv.Encode(0x16, []byte("x")))),
	)
	version := append([]byte{2, 1, 1}, tlv.Encode(0x06, []byte{0x28, 0xD7})...)
	for name, raw := range map[string][]byte{
		"plain":        tlv.Encode(0x6D, tlv.Encode(0x30, set)),
		"with version": tlv.Encode(0x6D, tlv.Encode(0x30, version, set)),
		"with filler":  append(tlv.Encode(0x6D, tlv.Encode(0x30, set, []byte{0, 0}), []byte{0}), 0, 0),
		"long lengths": append([]byte{0x6D, 0x84, 0, 0, 0, byte(len(set) + 3)}, append([]byte{0x30, 0x81, byte(len(set))}, set...)...),
	} {
		d, err := ParseDG13(raw)
		if err != nil || len(d.Fields) != 7 || d.Unknown != 1 || !d.odd() {
			t.Errorf("%s: %+v, %v", name, d, err)
			continue
		}
		for n, want := range map[int]string{1: "003190000017", 2: "An", 9: "ế", 14: "", 15: "", 16: "x", 17: "?"} {
			if d.Value(n) != want {
				t.Errorf("%s: field %d is %q", name, n, d.Value(n))
			}
		}
	}
	p := person(t)
	p.Surname = norm.NFD.String(p.Surname)
	if !bytes.Equal(encode(t, p, issue(Expiry{})), encode(t, person(t), issue(Expiry{}))) {
		t.Error("NFD is written as it is")
	}
	nfd, err := ParseDG13(tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, field(2, 0x0C, norm.NFD.String("Nguyễn"))))))
	if err != nil || nfd.Value(2) != "Nguyễn" || nfd.odd() {
		t.Errorf("NFD: %+v, %v", nfd, err)
	}
}

// What is no field is counted and not guessed; what is beside the set too.
func TestDG13Odd(t *testing.T) {
	good := field(1, 0x13, "003190000017")
	in := func(elements ...[]byte) []byte {
		return tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, elements...)))
	}
	for name, raw := range map[string][]byte{
		"twice":            in(good, good),
		"number 0":         in(good, field(0, 0x13, "x")),
		"number of two":    in(good, tlv.Encode(0x30, []byte{2, 2, 0, 5})),
		"negative number":  in(good, field(0x80, 0x13, "x")),
		"no number":        in(good, tlv.Encode(0x30, tlv.Encode(0x13, []byte("x")))),
		"no sequence":      in(good, tlv.Encode(0x13, []byte("x"))),
		"other string":     in(good, field(2, 0x14, "x")),
		"broken UTF-8":     in(good, field(2, 0x0C, "\xC3")),
		"half a BMP":       in(good, field(2, 0x1E, "x")),
		"too deep":         in(good, tlv.Encode(0x30, []byte{2, 1, 2}, tlv.Encode(0x30, tlv.Encode(0x30, tlv.Encode(0x30, text("x")))))),
		"too many":         in(good, tlv.Encode(0x30, []byte{2, 1, 2}, text("1"), text("2"), text("3"), text("4"), text("5"))),
		"cut text":         in(good, []byte{0x30, 5, 2, 1, 2, 0x0C, 9}),
		"behind the set":   tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, good), good)),
		"behind the outer": tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, good)), good),
	} {
		if d, err := ParseDG13(raw); err != nil || !d.odd() || d.Value(1) != "003190000017" {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func TestParseDG13Refuses(t *testing.T) {
	raw := encode(t, person(t), issue(Expiry{}))
	bad := map[string][]byte{
		"nothing":       nil,
		"other tag":     append([]byte{0x6E}, raw[1:]...),
		"behind it":     append(bytes.Clone(raw), 1),
		"no SEQUENCE":   tlv.Encode(0x6D, tlv.Encode(0x31)),
		"no SET":        tlv.Encode(0x6D, tlv.Encode(0x30, field(1, 0x13, "x"))),
		"cut element":   tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, []byte{0x30, 9, 2, 1, 1}))),
		"many elements": tlv.Encode(0x6D, tlv.Encode(0x30, tlv.Encode(0x31, bytes.Repeat(field(1, 0x13, "x"), 65)))),
		"indefinite":    {0x6D, 0x80, 0x30, 0x80, 0x31, 0x80, 0, 0, 0, 0, 0, 0},
	}
	for n := range raw {
		bad["cut"] = raw[:n]
		for name, b := range bad {
			var e *lds.Error
			if d, err := ParseDG13(b); d != nil || !errors.As(err, &e) || e.File != lds.DG13 {
				t.Fatalf("%s at %d: %+v, %v", name, n, d, err)
			}
		}
	}
}
