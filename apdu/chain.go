package apdu

import "context"

// Chain returns a Transmitter that sends a command with more than maxData octets of data
// as a chain of commands through t (ISO/IEC 7816-4 §5.3.3); maxData below 1 stands for
// MaxShort. It belongs above secure messaging: every link of the chain is protected on
// its own. A link that is not answered with OK ends the chain, and its answer is
// the answer. Only the last link carries Le.
func Chain(t Transmitter, maxData int) Transmitter {
	if maxData < 1 {
		maxData = MaxShort
	}
	return chain{t, maxData}
}

type chain struct {
	next    Transmitter
	maxData int
}

const chainBit = 0x10 // CLA of all links but the last, ISO/IEC 7816-4 §5.4.1

func (h chain) Transmit(ctx context.Context, c Command) (Response, error) {
	link := Command{CLA: c.CLA | chainBit, INS: c.INS, P1: c.P1, P2: c.P2}
	for len(c.Data) > h.maxData {
		link.Data, c.Data = c.Data[:h.maxData], c.Data[h.maxData:]
		if r, err := h.next.Transmit(ctx, link); err != nil || r.Status != OK {
			return r, err
		}
	}
	return h.next.Transmit(ctx, c)
}
