package cms

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNormalise(t *testing.T) {
	for _, c := range [][2]string{
		{"3003 020101", "3003 020101"},
		{"3080 020101 0000", "3003 020101"},
		{"3080 3080 0500 0000 0401 00 0000", "3007 3002 0500 0401 00"},
		{"308103 020101", "3003 020101"},               // length not minimal
		{"30840000 0003 020101", "3003 020101"},        // four octets of it
		{"2480 0402 0102 0401 03 0000", "0403 010203"}, // chunks
		{"2407 0402 0102 0401 03", "0403 010203"},
		{"2480 2480 0401 01 0000 0400 0401 02 0000", "0402 0102"}, // chunks of chunks
		{"2480 0000", "0400"},
		{"a080 0402 3080 0000", "a004 0402 3080"}, // octets that look like BER stay
		{"30820085 048181" + strings.Repeat("00", 129), "308184 048181" + strings.Repeat("00", 129)},
	} {
		in := c[0]
		if strings.HasPrefix(in, "30820085") {
			in = "30820084" + in[8:]
		}
		got, err := normalise(unhex(t, in))
		if want := unhex(t, c[1]); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %v, want %s", c[0], got, err, c[1])
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "no length": "30", "short": "3003 0201", "no end": "3080 020101", "one zero": "3080 020101 00",
		"primitive of indefinite length": "0480 0000", "chunk of another kind": "2480 0201 01 0000",
		"long tag": "1f8101 00", "five length octets": "3085 0000000000", "length beyond": "3084 ffffffff",
		"trailing": "3000 00", "chunk over the end": "2404 0403 0102",
	} {
		if got, err := normalise(unhex(t, bad)); !errors.Is(err, ErrStructure) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// TestNormaliserIsBounded feeds what would be slow or large without its caps.
func TestNormaliserIsBounded(t *testing.T) {
	for name, in := range map[string][]byte{
		"2000 levels":   append(bytes.Repeat(unhex(t, "3080"), 2000), make([]byte, 4000)...),
		"a million":     append(append(unhex(t, "3080"), bytes.Repeat(unhex(t, "0500"), 1<<20)...), 0, 0),
		"empty chunks":  append(append(unhex(t, "2480"), bytes.Repeat(unhex(t, "0400"), 1<<20)...), 0, 0),
		"over the size": make([]byte, MaxSize+1),
		"huge length":   unhex(t, "30847fffffff 02"),
	} {
		start := time.Now()
		if _, err := Parse(in); !errors.Is(err, ErrStructure) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > 10*time.Second { // a hang, not a busy machine
			t.Errorf("%s: took %v", name, took)
		}
	}
}
