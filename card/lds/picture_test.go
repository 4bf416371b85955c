package lds

import (
	"strings"
	"testing"
)

func TestPicture(t *testing.T) {
	for _, tt := range []struct {
		octets        string
		coding        Coding
		width, height int
	}{
		{"", UnknownCoding, 0, 0},
		{"FFD8FFC0000B080050003C01011100FFDA0008", JPEG, 60, 80},
		{"FF4FFF51002F0000" + "0000019D00000213" + "0000000100000003", JPEG2000, 412, 528},
		{"FFA0FFA20011" + "00FF" + "00830061" + strings.Repeat("00", 9), UnknownCoding, 97, 131}, // WSQ
	} {
		if c, w, h := Picture(fromHex(t, tt.octets)); c != tt.coding || w != tt.width || h != tt.height {
			t.Errorf("%s: %v, %d by %d", tt.octets, c, w, h)
		}
	}
}
