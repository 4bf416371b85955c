package sm

import "github.com/tamthe/tamthe/apdu"

// Chip is the chip's end of a channel. It must not be copied.
type Chip struct {
	end end
}

// NewChip opens the chip's end. It takes over k's slices and wipes them when it closes.
func NewChip(k Keys) *Chip { panic("todo") }

// Open verifies a protected command and returns it in the clear, its class byte without
// the secure messaging bits. Le is as the terminal asked for below the protection.
//
// Any failure closes the channel, is ErrProtection and wraps the status that the chip
// answers in the clear: apdu.SMMissing without data objects, else apdu.SMIncorrect.
func (h *Chip) Open(protected apdu.Command) (apdu.Command, error) { panic("todo") }

// Seal protects the answer to the command that Open returned last. The status of the
// protected answer is that of the plain one.
func (h *Chip) Seal(r apdu.Response) (apdu.Response, error) { panic("todo") }

// Close forgets the keys. It may be called more than once.
func (h *Chip) Close() { panic("todo") }
