package auth

import (
	"context"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// TestPACESetAT holds MSE:Set AT of every variant to what cards insist on: the domain
// parameters named (gmrtd#108), and no Le, with which German cards refuse
// (NFCPassportReader#153).
func TestPACESetAT(t *testing.T) {
	stop := errors.New("stop")
	for _, c := range cells(t) {
		seen := 0
		card := transmitter(func(cmd apdu.Command) (apdu.Response, error) {
			seen++
			var oid, ref, id tlv.String
			s := tlv.String(cmd.Data)
			if cmd.INS != 0x22 || cmd.P1 != 0xC1 || cmd.P2 != 0xA4 || cmd.Le != 0 {
				t.Errorf("%v: %+v", c, cmd)
			}
			if !s.ReadTag(0x80, &oid) || !s.ReadTag(0x83, &ref) || !s.ReadTag(0x84, &id) || !s.Empty() || len(id) != 1 || int(id[0]) != c.info.ParameterID {
				t.Errorf("%v: %X", c, cmd.Data)
			}
			return apdu.Response{}, stop
		})
		if _, err := PACE(t.Context(), card, CAN("123456"), c.info); !errors.Is(err, stop) || seen != 1 {
			t.Errorf("%v: %v after %d commands", c, err, seen)
		}
	}
}

type transmitter func(apdu.Command) (apdu.Response, error)

func (f transmitter) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) { return f(c) }
