package mrz

// Glance is what a look at a zone in order shows, of the octets themselves.
type Glance struct {
	Document [2]byte
	Issuer   [3]byte
	Expiry   [6]byte
}

// Sound reports whether a zone of a card or passport is in order: Decode takes it and finds
// nothing wrong. A document number too long for its field is left to Decode, and so is all
// that has only two lines of 36: false says nothing.
func Sound(octets []byte) (g Glance, ok bool) {
	switch len(octets) {
	case 90:
		return soundTD1(string(octets[:30]), string(octets[30:60]), string(octets[60:]))
	case 88:
		if octets[0] != 'V' {
			return soundTD3(string(octets[:44]), string(octets[44:]))
		}
	}
	return Glance{}, false
}

func soundTD1(l1, l2, l3 string) (Glance, bool) {
	ok := l1[14] != '<' && right(l1[14], l1[5:14]) && some(l1[5:14]) && only(l1[5:30], alphanumeric) &&
		only(l2[15:18], letters) && only(l2[18:29], alphanumeric) && soundDates(l2, 0) &&
		l2[29] == checkOver(l1[5:30], l2[0:7], l2[8:15], l2[18:29]) && some(l3) && only(l3, letters)
	return glance(l1, l2[8:14], ok)
}

func soundTD3(l1, l2 string) (Glance, bool) {
	ok := l2[9] != '<' && right(l2[9], l2[0:9]) && some(l2[0:9]) && only(l2[0:9], alphanumeric) && only(l2[28:42], alphanumeric) &&
		(right(l2[42], l2[28:42]) || l2[42] == '<' && !some(l2[28:42])) && only(l2[10:13], letters) && soundDates(l2, 13) &&
		l2[43] == checkOver(l2[0:10], l2[13:20], l2[21:43]) && some(l1[5:]) && only(l1[5:], letters)
	return glance(l1, l2[21:27], ok)
}

func glance(l1, expiry string, ok bool) (Glance, bool) {
	if !ok || !some(l1[0:2]) || !some(l1[2:5]) || !only(l1[:5], letters) {
		return Glance{}, false
	}
	var g Glance
	copy(g.Document[:], l1)
	copy(g.Issuer[:], l1[2:])
	copy(g.Expiry[:], expiry)
	return g, true
}

// soundDates looks at both dates and the sex between them, from an offset of line 2 on.
func soundDates(line string, at int) bool {
	birth, sex, expiry := line[at:at+6], line[at+7], line[at+8:at+14]
	return right(line[at+6], birth) && right(line[at+14], expiry) && Date(birth).Valid() && Date(expiry).Valid() &&
		(sex == 'F' || sex == 'M' || sex == '<' || sex == 'X')
}

func right(digit byte, data string) bool { return digit == Check(data) }

// some says whether there is more than filler.
func some(s string) bool {
	for i := range len(s) {
		if s[i] != '<' {
			return true
		}
	}
	return false
}

// only says whether every character has a place in the field: letters, or digits too.
func only(s, allowed string) bool {
	for i := range len(s) {
		if v := value(s[i]); v < 0 || allowed == letters && s[i] >= '0' && s[i] <= '9' {
			return false
		}
	}
	return true
}

// checkOver is Check of the parts one after the other.
func checkOver(parts ...string) byte {
	sum, n := 0, 0
	for _, p := range parts {
		for i := range len(p) {
			sum += max(0, value(p[i])) * [3]int{7, 3, 1}[n%3]
			n++
		}
	}
	return byte('0' + sum%10)
}
