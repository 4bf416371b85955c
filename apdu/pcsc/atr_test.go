package pcsc

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExtended(t *testing.T) {
	for _, c := range []struct {
		atr, historical string
		want            Extended
	}{
		{"", "", ExtendedUnknown},
		{"3B00", "", ExtendedUnknown},
		// Category 80: service data 31 C0, capabilities 73 C8 40 00, status 90 00.
		{"3B8B8001" + "8031C073C84000900001" + "00", "8031C073C8400090000100"[:22], ExtendedNo},
		{"3B85800180" + "73C0004077", "8073C00040", ExtendedYes},
		{"3B858001" + "8073C0000037", "8073C00000", ExtendedNo},
		// Category 00 ends in three octets of status, which hold no objects.
		{"3B88800100" + "73000040" + "059000" + "00", "0073000040059000", ExtendedYes},
		{"3B04007307" + "4040", "", ExtendedUnknown},
		// A storage card of PC/SC part 3: category 80, RID in tag 4.
		{"3B8F8001804F0CA000000306030001000000006A", "804F0CA0000003060300010000" + "0000", ExtendedUnknown},
		{"3BFF", "", ExtendedUnknown},
		{"3B8F80018073", "", ExtendedUnknown},
	} {
		atr := unhex(t, c.atr)
		h := historical(atr)
		if got := extended(h); got != c.want {
			t.Errorf("%s: %v", c.atr, got)
		}
		if c.historical != "" && !bytes.Equal(h, unhex(t, c.historical)) {
			t.Errorf("%s: historical bytes %X", c.atr, h)
		}
	}
}

// TestCardRate holds rates against ISO/IEC 7816-3, tables 7 and 8.
func TestCardRate(t *testing.T) {
	for atr, want := range map[string]int{
		"":                       0,
		"3B":                     0,
		"3B1096":                 312500, // Fi 512, Di 32 at 5 MHz
		"3B1018":                 161290, // Fi 372, Di 12 at 5 MHz
		"3B00":                   13440,  // default
		"3B10":                   0,      // TA1 is missing
		"3B1076":                 0,      // reserved
		"3B1090":                 0,      // reserved
		"3B88800100000000000000": 0,      // contactless
	} {
		if got := cardRate(unhex(t, atr)); got != want {
			t.Errorf("%s: %d bit/s", atr, got)
		}
	}
}

func TestDriverVersion(t *testing.T) {
	version := binary.NativeEndian.AppendUint32(nil, 0x01050002)
	if got := driverVersion([]byte("Maker\x00"), version); got != "Maker 1.5.2" {
		t.Errorf("%q", got)
	}
	if got := driverVersion(nil, []byte{1}); got != "" {
		t.Errorf("%q", got)
	}
}

func FuzzATR(f *testing.F) {
	f.Add(unhex(f, "3B85800180"+"73C0004077"))
	f.Add(unhex(f, "3B8F8001804F0CA000000306030001000000006A"))
	f.Fuzz(func(t *testing.T, atr []byte) {
		h := historical(atr)
		if len(h) > 15 {
			t.Error(len(h))
		}
		extended(h)
		extended(atr)
	})
}

func TestProperties(t *testing.T) {
	// The answers of a CCID reader: features 12 (TLV properties) and 06, then
	// dwMaxAPDUDataSize 0x00010000 between two others.
	features := unhex(t, "0604420000DB"+"120442330012")
	code, ok := feature(features, featureTLVProperties)
	if !ok || code != 0x42330012 {
		t.Errorf("%X %v", code, ok)
	}
	properties := unhex(t, "01020001"+"0A0400000100"+"0B027856")
	if n := number(property(properties, propertyMaxAPDU)); n != 65536 {
		t.Error(n)
	}
	for _, bad := range []string{"", "0A", "0A04000001", "0A0500000001FF", "0A00"} {
		if n := number(property(unhex(t, bad), propertyMaxAPDU)); n != 0 {
			t.Errorf("%s: %d", bad, n)
		}
	}
	if _, ok := feature(unhex(t, "12024233"), featureTLVProperties); ok {
		t.Error("a code of two octets")
	}
}

func FuzzProperties(f *testing.F) {
	f.Add(unhex(f, "01020001"+"0A0400000100"), byte(10))
	f.Fuzz(func(t *testing.T, b []byte, tag byte) {
		feature(b, tag)
		if n := number(property(b, tag)); n < 0 {
			t.Error(n)
		}
	})
}
