package dh

// encodeSignature returns SEQUENCE { INTEGER r, INTEGER s } of unsigned numbers.
func encodeSignature(r, s []byte) []byte {
	body := appendInteger(appendInteger(nil, r), s)
	if len(body) < 0x80 {
		return append([]byte{0x30, byte(len(body))}, body...)
	}
	return append([]byte{0x30, 0x81, byte(len(body))}, body...)
}

func appendInteger(dst, v []byte) []byte {
	for len(v) > 1 && v[0] == 0 {
		v = v[1:]
	}
	if v[0] < 0x80 {
		return append(append(dst, 0x02, byte(len(v))), v...)
	}
	return append(append(dst, 0x02, byte(len(v)+1), 0), v...)
}

// parseSignature returns the numbers of a signature in size octets each. It takes the one
// DER encoding of two numbers that are not negative and fit, and nothing after it.
func parseSignature(sig []byte, size int) (r, s []byte, ok bool) {
	if len(sig) < 2 || sig[0] != 0x30 {
		return nil, nil, false
	}
	body, length := sig[2:], int(sig[1])
	if length == 0x81 && len(body) > 0 && body[0] >= 0x80 {
		body, length = body[1:], int(body[0])
	} else if length >= 0x80 {
		return nil, nil, false
	}
	if length != len(body) {
		return nil, nil, false
	}
	if r, body, ok = readInteger(body, size); !ok {
		return nil, nil, false
	}
	if s, body, ok = readInteger(body, size); !ok || len(body) != 0 {
		return nil, nil, false
	}
	return r, s, true
}

func readInteger(b []byte, size int) (v, rest []byte, ok bool) {
	if len(b) < 3 || b[0] != 0x02 || b[1] == 0 || b[1] >= 0x80 || int(b[1]) > len(b)-2 {
		return nil, nil, false
	}
	number, rest := b[2:2+b[1]], b[2+b[1]:]
	if number[0] >= 0x80 {
		return nil, nil, false
	}
	if number[0] == 0 && len(number) > 1 {
		if number = number[1:]; number[0] < 0x80 {
			return nil, nil, false
		}
	}
	if len(number) > size {
		return nil, nil, false
	}
	v = make([]byte, size)
	copy(v[size-len(number):], number)
	return v, rest, true
}
