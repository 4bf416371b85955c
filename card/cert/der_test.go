package cert

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseOID(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want asn1.ObjectIdentifier
	}{
		{"550403", asn1.ObjectIdentifier{2, 5, 4, 3}},
		{"678108010101", asn1.ObjectIdentifier{2, 23, 136, 1, 1, 1}},
		{"04007f0007", asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7}},
		{"2a864886f70d", asn1.ObjectIdentifier{1, 2, 840, 113549}},
		{"8837", asn1.ObjectIdentifier{2, 999}},
		// 2.25 with a UUID: beyond every int, equal to nothing that we know
		{"6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776", asn1.ObjectIdentifier{2, 25, math.MaxInt}},
	} {
		got, ok := parseOID(unhex(t, c.hex))
		if !ok || !got.Equal(c.want) {
			t.Errorf("%s: %v, %v, want %v", c.hex, got, ok, c.want)
		}
	}
	for _, bad := range []string{"", "55048003", "5504ff"} {
		if got, ok := parseOID(unhex(t, bad)); ok {
			t.Errorf("%q: read as %v", bad, got)
		}
	}
}

func TestReadTime(t *testing.T) {
	for _, c := range []struct {
		tag    byte
		text   string
		want   string
		strict bool
	}{
		{0x17, "220629070000Z", "2022-06-29T07:00:00Z", true},
		{0x17, "500101000000Z", "1950-01-01T00:00:00Z", true}, // RFC 5280 §4.1.2.5.1
		{0x17, "491231235959Z", "2049-12-31T23:59:59Z", true},
		{0x17, "680301000000Z", "1968-03-01T00:00:00Z", true},
		{0x17, "2206290700Z", "2022-06-29T07:00:00Z", false},
		{0x17, "220629070000+0700", "2022-06-29T00:00:00Z", false},
		{0x18, "20500101000000Z", "2050-01-01T00:00:00Z", true},
		{0x18, "20371001000000Z", "2037-10-01T00:00:00Z", false}, // must be UTCTime
		{0x18, "20510101000000.5Z", "2051-01-01T00:00:00.5Z", false},
		{0x18, "99991231235959Z", "9999-12-31T23:59:59Z", true},
	} {
		var f findings
		s := cryptobyte.String(append([]byte{c.tag, byte(len(c.text))}, c.text...))
		got, ok := f.readTime(&s, "")
		if !ok || got.Format(time.RFC3339Nano) != c.want || (len(f) == 0) != c.strict {
			t.Errorf("%s: %v, %v, %v", c.text, got, ok, f)
		}
	}
	for _, bad := range []string{"", "2206290700", "991331000000Z", "20220629", "220629070000Zx"} {
		var f findings
		s := cryptobyte.String(append([]byte{0x17, byte(len(bad))}, bad...))
		if got, ok := f.readTime(&s, ""); ok {
			t.Errorf("%q: read as %v", bad, got)
		}
	}
}

func TestWrittenTime(t *testing.T) {
	for at, want := range map[string]string{
		"2049-12-31T23:59:59Z":      "170d3439313233313233353935395a",
		"2050-01-01T00:00:00Z":      "180f32303530303130313030303030305a",
		"2050-01-01T06:59:59+07:00": "170d3439313233313233353935395a",
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		var b cryptobyte.Builder
		addTime(&b, moment)
		if got := b.BytesOrPanic(); !bytes.Equal(got, unhex(t, want)) {
			t.Errorf("%s: %x, want %s", at, got, want)
		}
	}
}

func TestReadInteger(t *testing.T) {
	for _, c := range []struct {
		hex    string
		want   int64
		padded bool
	}{
		{"020100", 0, false},
		{"02017f", 127, false},
		{"02020080", 128, false},
		{"0201ff", -1, false},
		{"020180", -128, false},
		{"02020001", 1, true},
		{"0202ff80", -128, true},
	} {
		s := cryptobyte.String(unhex(t, c.hex))
		n, padded, ok := readInteger(&s)
		if !ok || n.Int64() != c.want || padded != c.padded {
			t.Errorf("%s: %v, %v, %v", c.hex, n, padded, ok)
		}
	}
	s := cryptobyte.String{2, 0}
	if _, _, ok := readInteger(&s); ok {
		t.Error("empty INTEGER was read")
	}
}
