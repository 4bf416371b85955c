package auth

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
)

// ChangePIN gives the PIN of reference ref (RefPIN, or RefCAN for the CAN) a new value
// (RESET RETRY COUNTER, TR-03110-3 §B.11.1). It needs a channel that was opened with the
// PIN itself, or a terminal with the right to manage PINs. The digits stay the caller's.
func ChangePIN(ctx context.Context, t apdu.Transmitter, ref byte, digits []byte) error {
	if len(digits) == 0 {
		return fmt.Errorf("change PIN: %w", ErrPassword)
	}
	return manage(ctx, t, "change PIN", apdu.Command{INS: 0x2C, P1: 0x02, P2: ref, Data: digits})
}

// UnblockPIN sets the PIN's tries back to their full number. It needs a channel that was
// opened with the PUK, or a terminal with the right to manage PINs.
func UnblockPIN(ctx context.Context, t apdu.Transmitter, ref byte) error {
	return manage(ctx, t, "unblock PIN", apdu.Command{INS: 0x2C, P1: 0x03, P2: ref})
}

// ActivatePIN and DeactivatePIN switch the PIN on and off (TR-03110-3 §B.11.2 and §B.11.3).
// They need a terminal with the right to manage PINs.
func ActivatePIN(ctx context.Context, t apdu.Transmitter, ref byte) error {
	return manage(ctx, t, "activate PIN", apdu.Command{INS: 0x44, P1: 0x10, P2: ref})
}

// DeactivatePIN is described at ActivatePIN.
func DeactivatePIN(ctx context.Context, t apdu.Transmitter, ref byte) error {
	return manage(ctx, t, "deactivate PIN", apdu.Command{INS: 0x04, P1: 0x10, P2: ref})
}

func manage(ctx context.Context, t apdu.Transmitter, what string, c apdu.Command) error {
	if _, err := do(ctx, t, c); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
