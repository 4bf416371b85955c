package mrz

import (
	"strings"
)

// nameField writes primary and secondary identifier into a field of the width. Where they
// do not fit, the secondary identifier is cut at its end; where not even its first letter
// fits, the primary one is cut too (Doc 9303-5 §4.2.3). truncated then says so, and the
// field ends in a letter, which is how readers know: if the cut falls behind a name, that
// name loses its last letter to the initial of the next.
func nameField(primary, secondary string, width int) (field string, truncated bool, err error) {
	w := writer{}
	p, s := w.name(primary), w.name(secondary)
	if p == "" {
		w.fail(Name, "no primary identifier")
	}
	if w.err != nil {
		return "", false, w.err
	}
	whole := p
	if s != "" {
		whole = p + "<<" + s
	}
	if len(whole) <= width {
		return fill(whole, width), false, nil
	}
	if most := width - len("<<A"); s != "" && len(p) > most {
		p = shorten(p, most)
		whole = p + "<<" + s
	}
	return fill(shorten(whole, width), width), true, nil
}

// shorten cuts to the width, or to less if no cut of that width ends in a letter.
func shorten(s string, width int) string {
	for len(s) > width && s[width-1] == '<' {
		i := lastLong(s[:width-1])
		if i < 0 {
			break
		}
		s = s[:i] + s[i+1:]
	}
	return trim(s[:min(width, len(s))])
}

// lastLong is the offset of the last letter of the last name that has more than one.
func lastLong(s string) int {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] != '<' && s[i-1] != '<' {
			return i
		}
	}
	return -1
}

// name joins the words of an identifier with single fillers.
func (w *writer) name(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '<' }), "<")
	for i := range len(s) {
		if strings.IndexByte(letters, s[i]) < 0 {
			w.fail(Name, "not transliterated to A–Z")
		}
	}
	return s
}

// NameIs compares the name of the zone with a whole name in the letters of the zone (see
// Transliterate), in its order. same says that they are one; truncated that the zone's
// line is full and holds as much of the name as a cut one would: of its words, from the
// first on, at least a beginning, and no other word. Words at the end of the primary
// identifier may be gone where it was cut for the secondary's first letter.
func (m *MRZ) NameIs(name string) (same, truncated bool) {
	primary, secondary, want := strings.Fields(m.Primary), strings.Fields(m.Secondary), strings.Fields(name)
	got := append(primary, secondary...)
	if strings.Join(got, " ") == strings.Join(want, " ") {
		return true, false
	}
	if !m.nameFull() || len(got) == 0 {
		return false, false
	}
	if begin(got, want) {
		return false, true
	}
	if len(m.Secondary) != 1 || !begin(primary, want) {
		return false, false
	}
	for _, word := range want[len(primary):] {
		truncated = truncated || strings.HasPrefix(word, m.Secondary)
	}
	return false, truncated
}

// begin reports whether each word of got begins the word of want in its place.
func begin(got, want []string) bool {
	for i, word := range got {
		if i >= len(want) || !strings.HasPrefix(want[i], word) {
			return false
		}
	}
	return true
}

// nameFull reports whether the field of the name may have been cut: Doc 9303 has it end in
// a letter then, but writers are met that cut between two names and leave one filler.
func (m *MRZ) nameFull() bool {
	line := m.Lines[0]
	if m.Format == TD1 {
		line = m.Lines[2]
	}
	return len(trim(line)) >= len(line)-1
}
