package outbox

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzFile: the parser ends, and what it takes is written again octet by octet.
func FuzzFile(f *testing.F) {
	w := key(f)
	good, err := seal(f.Context(), w, head(1), content)
	check(f, err)
	f.Add(good)
	f.Add(good[:len(good)-40])
	f.Add(head(1).text())
	f.Add([]byte(magic + "\nA-1\n2026-11-26T09:00:00.000000Z\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := parseFile(raw)
		if err != nil {
			if x.Name != "" || x.sealed != nil {
				t.Errorf("something comes with %v", err)
			}
			return
		}
		again := binary.BigEndian.AppendUint16(x.text(), uint16(len(x.wrapped)))
		again = append(append(again, x.wrapped...), x.sealed...)
		if !bytes.Equal(again, raw) {
			t.Errorf("%q is written as %q", raw, again)
		}
		if _, err := x.open(t.Context(), w); err == nil && !bytes.Equal(raw, good) {
			t.Errorf("opens: %q", raw)
		}
	})
}
