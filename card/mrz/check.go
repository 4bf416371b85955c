package mrz

// value is a character's value in check digits, -1 for one that no zone has
// (Doc 9303-3 §4.9).
func value(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	case c == '<':
		return 0
	}
	return -1
}

// Check is the check digit of data: weights 7, 3, 1, modulus 10 (Doc 9303-3 §4.9).
// Characters that no zone has count as nothing.
func Check(data string) byte {
	sum := 0
	for i := range len(data) {
		sum += max(0, value(data[i])) * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}
