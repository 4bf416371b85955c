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

// parseSignature fills r and s, which are as long as the order, with the numbers of a
// signature. It takes the one DER encoding of two numbers that are not negative and fit,
// and nothing after it.
func parseSignature(r, s, sig []byte) bool {
	if len(sig) < 2 || sig[0] != 0x30 {
		return false
	}
	body, length := sig[2:], int(sig[1])
	if length == 0x81 && len(body) > 0 && body[0] >= 0x80 {
		body, length = body[1:], int(body[0])
	} else if length >= 0x80 {
		return false
	}
	if length != len(body) {
		return false
	}
	body, ok := readInteger(r, body)
	if !ok {
		return false
	}
	body, ok = readInteger(s, body)
	return ok && len(body) == 0
}

// readInteger fills v with the number that b begins with and returns what follows it.
func readInteger(v, b []byte) (rest []byte, ok bool) {
	if len(b) < 3 || b[0] != 0x02 || b[1] == 0 || b[1] >= 0x80 || int(b[1]) > len(b)-2 {
		return nil, false
	}
	number, rest := b[2:2+b[1]], b[2+b[1]:]
	if number[0] >= 0x80 {
		return nil, false
	}
	if number[0] == 0 && len(number) > 1 {
		if number = number[1:]; number[0] < 0x80 {
			return nil, false
		}
	}
	if len(number) > len(v) {
		return nil, false
	}
	clear(v)
	copy(v[len(v)-len(number):], number)
	return rest, true
}
