package lds

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
)

func TestDG12(t *testing.T) {
	in := []Detail{{0x5F19, []byte("UTOPIA")}, {TagIssued, []byte("20261125")}, {0xA0, []byte{2, 1, 1}}}
	raw := EncodeDG12(in)
	out, err := ParseDG12(raw)
	if err != nil || !reflect.DeepEqual(in, out) || !bytes.Contains(raw, fromHex(t, "5C055F195F26A0")) {
		t.Errorf("%X: %v, %v", raw, out, err)
	}
	wrong := bytes.Replace(raw, fromHex(t, "5C055F195F26A0"), fromHex(t, "5C055F555F26A0"), 1)
	if again, err := ParseDG12(wrong); err != nil || !reflect.DeepEqual(in, again) {
		t.Errorf("a wrong tag list hides what is there: %v, %v", again, err)
	}
	for _, bad := range [][]byte{nil, {0x6C, 0}, raw[:len(raw)-1], tlv.Encode(DG12.Tag(), fromHex(t, "5C0231"), fromHex(t, "5F26")), EncodeDG12(slices.Repeat(in[:1], maxDetails+1))} {
		if details, err := ParseDG12(bad); err == nil {
			t.Errorf("%X is DG12: %v", bad, details)
		}
	}
}

func TestIssueDate(t *testing.T) {
	for _, v := range [][]byte{[]byte("20261125"), {0x20, 0x26, 0x11, 0x25}} {
		if s, ok := IssueDate([]Detail{{TagIssued, v}}); !ok || s != "20261125" {
			t.Errorf("%X gives %q", v, s)
		}
	}
	if _, ok := IssueDate([]Detail{{TagIssued, []byte{0x2A, 0, 0, 0}}}); ok {
		t.Error("2A is BCD")
	}
}
