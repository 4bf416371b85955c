package tlv

// String is a sequence of data objects that is read from its front, in the manner of
// cryptobyte: a method that returns false has changed nothing.
type String []byte

// Empty reports whether nothing is left.
func (s String) Empty() bool { return len(s) == 0 }

// next cuts the first object of s.
func (s String) next() (tag Tag, value, rest String, ok bool) {
	tag, header, length, err := Header(s)
	if err != nil || length > len(s)-header {
		return 0, nil, nil, false
	}
	end := header + length
	return tag, s[header:end:end], s[end:], true
}

// Read takes the first object, whatever its tag is. The value is a part of s.
func (s *String) Read(tag *Tag, value *String) bool {
	t, v, rest, ok := s.next()
	if !ok {
		return false
	}
	*tag, *value, *s = t, v, rest
	return true
}

// ReadTag takes the first object if it has the tag want.
func (s *String) ReadTag(want Tag, value *String) bool {
	t, v, rest, ok := s.next()
	if !ok || t != want {
		return false
	}
	*value, *s = v, rest
	return true
}

// ReadObject takes the first object and gives it whole, tag and length included.
func (s *String) ReadObject(tag *Tag, object *String) bool {
	t, _, rest, ok := s.next()
	if !ok {
		return false
	}
	n := len(*s) - len(rest)
	*tag, *object, *s = t, (*s)[:n:n], rest
	return true
}

// Peek returns the tag of the first object and takes nothing. It is false at the end and
// where no whole tag stands.
func (s String) Peek() (Tag, bool) {
	tag, _, err := readTag(s)
	return tag, err == nil
}

// SkipFiller takes the octets 00 that ISO/IEC 7816-4 allows before, between and after
// data objects. Reading does not do so by itself.
func (s *String) SkipFiller() {
	for len(*s) > 0 && (*s)[0] == 0 {
		*s = (*s)[1:]
	}
}

// Find returns the value of the first object with the tag at the top level of b. What
// follows that object is not looked at; ok is false if it is not there or if something
// malformed stands before it.
func Find(b []byte, tag Tag) (value []byte, ok bool) {
	var t Tag
	var v String
	for s := String(b); s.Read(&t, &v); {
		if t == tag {
			return v, true
		}
	}
	return nil, false
}
