//go:build cgo && !nopcsc

package pcsc

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// TestForT0 has the cases of ISO/IEC 7816-3 §12.2.
func TestForT0(t *testing.T) {
	for _, c := range []struct{ name, command, want string }{
		{"1", "00A4000C", "00A4000C00"},
		{"2S", "00B0000010", "00B0000010"},
		{"3S", "00A4020C02011E", "00A4020C02011E"},
		{"4S", "0088000002AABB00", "0088000002AABB"},
	} {
		got, err := forT0(unhex(t, c.command))
		if err != nil || !bytes.Equal(got, unhex(t, c.want)) {
			t.Errorf("case %s: %X, %v", c.name, got, err)
		}
	}
	if _, err := forT0(unhex(t, "00B00000000200")); !errors.Is(err, apdu.ErrTooLong) {
		t.Error("case 2E:", err)
	}
	if _, err := forT0(unhex(t, "00B0000002AA")); !errors.Is(err, apdu.ErrMalformed) {
		t.Error("cut:", err)
	}
}
