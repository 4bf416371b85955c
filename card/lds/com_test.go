package lds

import (
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
)

func TestCOM(t *testing.T) {
	raw := fromHex(t, "60185F0104303130375F36063034303030305C06617561776E42")
	com, err := ParseCOM(raw)
	if err != nil || !slices.Equal(com.Groups, []File{DG1, DG2, DG14}) || !slices.Equal(com.Unknown, []tlv.Tag{0x77, 0x42}) {
		t.Errorf("%+v, %v", com, err)
	}
	for _, s := range []string{"", "6000", "60185F0104303130375F36063034303030305C0661756E", "60165F36063034303030305F0104303130375C046175766C", "60165F0104303130375F36063034303030305C046175766C01"} {
		if _, err := ParseCOM(fromHex(t, s)); err == nil {
			t.Errorf("%s is EF.COM", s)
		}
	}
}
