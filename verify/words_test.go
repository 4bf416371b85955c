package verify

import (
	"strings"
	"testing"
	"unicode"
)

func TestEveryReasonInEveryLanguage(t *testing.T) {
	for lang, v := range map[Lang]*vocabulary{English: &english, Vietnamese: &vietnamese} {
		for _, r := range Reasons() {
			w, ok := v.reasons[r]
			if !ok || w.Cause == "" || w.Remedy == "" {
				t.Errorf("%s: %s has no words", lang, r)
				continue
			}
			if !strings.HasSuffix(w.Remedy, ".") || strings.HasSuffix(w.Cause, ".") {
				t.Errorf("%s: %s: %q, %q", lang, r, w.Cause, w.Remedy)
			}
		}
		if len(v.reasons) != len(Reasons()) {
			t.Errorf("%s has words for %d reasons, there are %d", lang, len(v.reasons), len(Reasons()))
		}
		for _, k := range catalogue {
			if title := (Check{ID: k.id}).Title(lang); title == k.id || title == "" {
				t.Errorf("%s: %s has no title", lang, k.id)
			}
		}
		for c := Integrity; c <= HolderBound; c++ {
			if v.claims[c] == "" {
				t.Errorf("%s: %v has no words", lang, c)
			}
		}
	}
}

func TestLanguagesDiffer(t *testing.T) {
	for _, r := range Reasons() {
		en, vi := r.Words(English), r.Words(Vietnamese)
		if en.Cause == vi.Cause || en.Remedy == vi.Remedy {
			t.Errorf("%s is not translated", r)
		}
		if !strings.ContainsFunc(vi.Cause, func(c rune) bool { return c > unicode.MaxASCII }) {
			t.Errorf("%s has no diacritics: %q", r, vi.Cause)
		}
	}
}

func TestUnknownReasonIsShownAsItsCode(t *testing.T) {
	if w := Reason("x\x1b[2J").Words(Vietnamese); strings.ContainsRune(w.Cause, '\x1b') {
		t.Errorf("%q", w.Cause)
	}
}
