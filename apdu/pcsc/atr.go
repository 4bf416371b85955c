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
