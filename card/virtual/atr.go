package virtual

// maxHistorical is what the format octet T0 of an ATR counts.
const maxHistorical = 15

// ATR returns the answer to reset of a contactless card in the form of PC/SC part 3
// §3.1.3.2.3.1: the historical octets of its ATS in a frame for T=1.
func (c *Chip) ATR() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.image.historical
	b := append([]byte{0x3B, 0x80 | byte(len(h)), 0x80, 0x01}, h...)
	var sum byte
	for _, o := range b[1:] {
		sum ^= o
	}
	return append(b, sum)
}

// historical are the octets of a card that says what it can do and nothing that would
// tell it from others (ISO/IEC 7816-4 §12.1.1.2): category indicator and card
// capabilities (selection by DF name, file and short identifier; chaining; EF.ATR/INFO says
// which lengths the chip takes).
func historical() []byte {
	return []byte{0x80, 0x73, 0x94, 0x01, 0xA0}
}
