package lds

import (
	"encoding/hex"
	"testing"
)

// TestATRInfo reads what a real card says (its 7F66 is in the open), and other forms.
func TestATRInfo(t *testing.T) {
	for text, want := range map[string]ATRInfo{
		"7F6608020205F0020205F0":               {Command: 1520, Response: 1520},
		"807F6608020205F0020205F0":             {Command: 1520, Response: 1520},
		"47030000407F660A020300FFFF0203010000": {Command: 65535, Response: 65536, Capabilities: 0x40},
		"47030000E07F6608020205F0020205F00000": {Command: 1520, Response: 1520, Capabilities: 0xE0},
		"7F66080202FFFF0202FFFF":               {Command: 65535, Response: 65535},
		"4303010203470300004045":               {}, // cut short
		"43010147030000C0":                     {Capabilities: 0xC0},
		"7F6604020205F0":                       {},
		"7F66060201010201FF":                   {},
		"7F660A02050100000000020105":           {},
		"":                                     {},
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseATRInfo(raw)
		bad := want.Command == 0 && want.Capabilities == 0 && text != ""
		if bad != (err != nil) || got.Command != want.Command || got.Response != want.Response || got.Capabilities != want.Capabilities {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if err == nil && got.ExtendedLength() != (want.Command > 261 || want.Capabilities&0x40 != 0) {
			t.Errorf("%s: extended length %v", text, got.ExtendedLength())
		}
	}
	for _, want := range []ATRInfo{{}, {Capabilities: 0x40}, {Command: 1520, Response: 1520, Capabilities: 0xE0}, {Command: 65535, Response: 65538}} {
		got, err := ParseATRInfo(EncodeATRInfo(want))
		if err != nil || got.Command != want.Command || got.Response != want.Response || got.Capabilities != want.Capabilities {
			t.Errorf("%+v comes back as %+v, %v", want, got, err)
		}
	}
}

func FuzzATRInfo(f *testing.F) {
	f.Add(EncodeATRInfo(ATRInfo{Command: 1520, Response: 1520, Capabilities: 0xE0}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ParseATRInfo(b); err != nil && (a.Command != 0 || a.Unknown != nil) {
			t.Error("a partial result with an error")
		}
	})
}
