package cert

import (
	"encoding/hex"
	"errors"
	"testing"

	tags "golang.org/x/crypto/cryptobyte/asn1"
)

func mustName(t testing.TB, attributes ...Attribute) Name {
	t.Helper()
	n, err := NewName(attributes...)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNameEqualFolds(t *testing.T) {
	a := mustName(
		t,
		Attribute{Type: OIDCountry, Value: "VN"},
		Attribute{Type: OIDOrganization, Value: "Bộ Công an"},
		Attribute{Type: OIDCommonName, Value: "CSCA 01"},
	)
	b := mustName(
		t,
		Attribute{Type: OIDCommonName, Tag: 19, Value: "csca   01 "},
		Attribute{Type: OIDCountry, Tag: 12, Value: "vn"},
		Attribute{Type: OIDOrganization, Value: "BỘ CÔNG AN"}, // decomposed
	)
	if !a.Equal(b) || !b.Equal(a) {
		t.Errorf("%v differs from %v", a, b)
	}
	c := mustName(t, Attribute{Type: OIDCountry, Value: "VN"}, Attribute{Type: OIDCommonName, Value: "CSCA 01"})
	d := mustName(
		t,
		Attribute{Type: OIDCountry, Value: "VN"},
		Attribute{Type: OIDOrganization, Value: "Bộ Công an"},
		Attribute{Type: OIDOrganizationalUnit, Value: "CSCA 01"},
	)
	if a.Equal(c) || a.Equal(d) {
		t.Error("different names are equal")
	}
	if b.Country() != "VN" || b.CommonName() != "csca   01 " {
		t.Errorf("country %q, common name %q", b.Country(), b.CommonName())
	}
}

func TestNameTypes(t *testing.T) {
	n := mustName(t, Attribute{Type: OIDCountry, Value: "VN"}, Attribute{Type: OIDSerialNumber, Value: "001"}, Attribute{Type: OIDCommonName, Value: "Đ"})
	want := "3028" + "310b3009060355040613" + "02564e" + "310c300a06035504051303303031" + "310b300906035504030c02c490"
	if got := hex.EncodeToString(n.Raw); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	parsed, err := ParseName(n.Raw)
	if err != nil || !parsed.Equal(n) || len(parsed.Attributes) != 3 || parsed.Attributes[0].Tag != 19 || parsed.Attributes[2].Tag != 12 {
		t.Errorf("%+v, %v", parsed, err)
	}
	for _, a := range []Attribute{
		{Type: OIDCountry, Value: "Đ"},
		{Type: OIDCommonName, Value: ""},
		{Type: OIDCommonName, Value: "\xff"},
		{Type: OIDCommonName, Tag: 30, Value: "x"},
	} {
		if _, err := NewName(a); !errors.Is(err, ErrMalformed) {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// TestNameEscapes keeps what a certificate says from driving a terminal.
func TestNameEscapes(t *testing.T) {
	n := mustName(t, Attribute{Type: OIDCommonName, Value: "a\x1b[31m, O=b\u202e"})
	if got := n.String(); got != `CN=a\x1b[31m\, O\=b\xe280ae` {
		t.Errorf("%q", got)
	}
}

func TestDecodeString(t *testing.T) {
	for _, c := range []struct {
		tag    byte
		hex    string
		want   string
		strict bool
	}{
		{12, "c490", "Đ", true},
		{12, "ff", "\uFFFD", false},
		{19, "4156", "AV", true},
		{19, "41402a", "A@*", false},
		{22, "614062", "a@b", true},
		{22, "e9", "é", false},
		{20, "e9", "é", true},
		{30, "01100041", "ĐA", true},
		{30, "011000", "Đ", false},
		{28, "00000110", "Đ", true},
		{4, "00ff", "#00ff", false},
	} {
		s, strict := decodeString(tags.Tag(c.tag), unhex(t, c.hex))
		if s != c.want || strict != c.strict {
			t.Errorf("%d %s: %q, %v", c.tag, c.hex, s, strict)
		}
	}
}
