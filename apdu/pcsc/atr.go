package pcsc

// Extended says whether a card takes commands of extended length. The zero value means
// that the card doesn't say.
type Extended int8

// What a card may say.
const (
	ExtendedUnknown Extended = 0
	ExtendedYes     Extended = 1
	ExtendedNo      Extended = -1
)

// String is "yes", "no" or "unknown".
func (e Extended) String() string {
	switch e {
	case ExtendedYes:
		return "yes"
	case ExtendedNo:
		return "no"
	}
	return "unknown"
}

// historical returns the historical bytes of an answer to reset (ISO/IEC 7816-3 §8.2).
func historical(atr []byte) []byte {
	if len(atr) < 2 {
		return nil
	}
	n := int(atr[1] & 0x0F)
	i := 1
	for more := true; more; {
		if i >= len(atr) {
			return nil
		}
		y := atr[i] >> 4
		i++
		for y1 := y & 0x7; y1 != 0; y1 &= y1 - 1 { // TA, TB, TC
			i++
		}
		more = y&0x8 != 0 // TD stands at i
	}
	if i > len(atr) || n > len(atr)-i {
		return nil
	}
	return atr[i : i+n]
}

// The clock rate conversion integers with the highest clock in kHz, and the baud rate
// adjustment integers (ISO/IEC 7816-3 §8.3, tables 7 and 8). Zero is reserved.
var (
	conversion = [16]struct{ f, clock int }{
		{372, 4000},
		{372, 5000},
		{558, 6000},
		{744, 8000},
		{1116, 12000},
		{1488, 16000},
		{1860, 20000},
		9: {512, 5000}, 10: {768, 7500}, 11: {1024, 10000}, 12: {1536, 15000}, 13: {2048, 20000},
	}
	adjustment = [16]int{1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 32, 7: 64, 8: 12, 9: 20}
)

// cardRate returns the bit rate in bit/s that TA1 offers, which is 11 if left out. It is 0
// where TA1 is reserved, and for a contactless card, whose answer to reset the reader made
// up (PC/SC part 3 §3.1.3.2.3).
func cardRate(atr []byte) int {
	if len(atr) < 2 || len(atr) >= 4 && atr[1]>>4 == 8 && atr[2] == 0x80 && atr[3] == 0x01 {
		return 0
	}
	ta1 := byte(0x11)
	if atr[1]&0x10 != 0 {
		if len(atr) < 3 {
			return 0
		}
		ta1 = atr[2]
	}
	c := conversion[ta1>>4]
	if c.f == 0 {
		return 0
	}
	return c.clock * 1000 * adjustment[ta1&0x0F] / c.f
}

// extended reads the third octet of the card capabilities, a compact-TLV object of tag 7
// in historical bytes of category 00 or 80 (ISO/IEC 7816-4 §12.1.1): bit 7 stands for
// extended Lc and Le, bit 6 for EF.ATR/INFO, which then knows better.
func extended(historical []byte) Extended {
	if len(historical) == 0 {
		return ExtendedUnknown
	}
	objects := historical[1:]
	switch historical[0] {
	case 0x00: // three octets of status follow the objects
		if len(objects) < 3 {
			return ExtendedUnknown
		}
		objects = objects[:len(objects)-3]
	case 0x80:
	default:
		return ExtendedUnknown
	}
	for len(objects) > 0 {
		tag, n := objects[0]>>4, int(objects[0]&0x0F)
		if n > len(objects)-1 {
			return ExtendedUnknown
		}
		value := objects[1 : 1+n]
		if tag == 7 && n >= 3 {
			if value[2]&0x40 != 0 {
				return ExtendedYes
			}
			if value[2]&0x20 != 0 {
				return ExtendedUnknown
			}
			return ExtendedNo
		}
		objects = objects[1+n:]
	}
	return ExtendedUnknown
}
