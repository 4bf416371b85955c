package pcsc

import (
	"errors"
	"strings"
	"testing"
)

func TestPick(t *testing.T) {
	a, b := Reader{Name: "ACS ACR1252 00 00"}, Reader{Name: "ACS ACR1252 SAM 00 01"}
	full := func(r Reader) Reader { r.Card = true; return r }
	for _, c := range []struct {
		readers []Reader
		name    string
		want    string
		err     error
	}{
		{nil, "", "", ErrNoReader},
		{[]Reader{a, b}, "", "", ErrNoCard},
		{[]Reader{a, full(b)}, "", b.Name, nil},
		{[]Reader{full(a), full(b)}, "sam", b.Name, nil},
		{[]Reader{full(a), b}, "SAM", "", ErrNoCard},
		{[]Reader{full(a)}, "omnikey", "", ErrNoReader},
		{[]Reader{{Name: "R 1", Card: true}, {Name: "R 10", Card: true}}, "R 1", "R 1", nil},
	} {
		r, err := pick(c.readers, c.name)
		if r.Name != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q of %v: %q, %v", c.name, c.readers, r.Name, err)
		}
	}
	_, err := pick([]Reader{full(a), full(b)}, "")
	var ambiguous *AmbiguousError
	if !errors.As(err, &ambiguous) || len(ambiguous.Readers) != 2 || !strings.Contains(err.Error(), b.Name) {
		t.Error(err)
	}
}
