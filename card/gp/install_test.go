package gp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

// TestInstall compares the commands with the tables of the Card Specification §11.5.2.3:
// lengths and values of package, module, instance, privileges, parameters and token.
func TestInstall(t *testing.T) {
	c, ch := openCard(t, testKeys(16, 1), FullSecurity)
	c.answer = func(apdu.Command) apdu.Response { return apdu.Response{Data: []byte{0}, Status: apdu.OK} }
	aid := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	lds := aid("A0000002471001")
	for _, x := range []struct {
		send func() error
		p1   byte
		want string
	}{
		{func() error {
			return ch.Install(t.Context(), Application{Package: aid("D276000001"), Module: aid("D27600000101"), Instance: lds, Privileges: CardReset, Parameters: []byte{0xAB}})
		}, 0x0C, "05D276000001" + "06D27600000101" + "07A0000002471001" + "0104" + "03C901AB" + "00"},
		{func() error { return ch.MakeSelectable(t.Context(), lds) }, 0x08, "0000" + "07A0000002471001" + "0100" + "0000"},
		{func() error { return ch.Personalize(t.Context(), lds) }, 0x20, "0000" + "07A0000002471001" + "000000"},
	} {
		c.seen = nil
		if err := x.send(); err != nil {
			t.Fatal(err)
		}
		if got := c.seen[0]; got.INS != 0xE6 || got.P1 != x.p1 || got.P2 != 0 || !bytes.Equal(got.Data, aid(x.want)) {
			t.Errorf("sent %02X %02X %X instead of %s", got.INS, got.P1, got.Data, x.want)
		}
	}
	if got, ok := ParsePersonalize(c.seen[0]); !ok || !bytes.Equal(got, lds) {
		t.Errorf("reads %X, %v", got, ok)
	}
	for n := range c.seen[0].Data {
		cut := c.seen[0]
		cut.Data = cut.Data[:n]
		if _, ok := ParsePersonalize(cut); ok {
			t.Errorf("reads %d octets", n)
		}
	}
	c.seen = nil
	for _, err := range []error{
		ch.Install(t.Context(), Application{}), ch.MakeSelectable(t.Context(), nil), ch.Personalize(t.Context(), make([]byte, 17)),
	} {
		if !errors.Is(err, ErrAnswer) || len(c.seen) > 0 {
			t.Errorf("%v after %d commands", err, len(c.seen))
		}
	}
}
