package tlv

// Append appends an object with the shortest form of length to dst. The tag must be a
// valid one and the value not longer than MaxLength, or no reader will take it back.
func Append(dst []byte, tag Tag, value []byte) []byte {
	return append(AppendHeader(dst, tag, len(value)), value...)
}

// AppendHeader appends tag and length of an object whose value of n octets the caller
// appends next.
func AppendHeader(dst []byte, tag Tag, n int) []byte {
	if tag > 0xFFFF {
		dst = append(dst, byte(tag>>16))
	}
	if tag > 0xFF {
		dst = append(dst, byte(tag>>8))
	}
	dst = append(dst, byte(tag))
	switch {
	case n < 0x80:
		return append(dst, byte(n))
	case n < 0x100:
		return append(dst, 0x81, byte(n))
	case n < 0x10000:
		return append(dst, 0x82, byte(n>>8), byte(n))
	}
	return append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
}

// Encode returns an object whose value is the values one after the other.
func Encode(tag Tag, values ...[]byte) []byte {
	n := 0
	for _, v := range values {
		n += len(v)
	}
	b := AppendHeader(make([]byte, 0, n+7), tag, n)
	for _, v := range values {
		b = append(b, v...)
	}
	return b
}
