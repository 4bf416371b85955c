package cms

import (
	"bytes"
	"errors"
	"testing"
)

// Every octet of a message changed to every value is read or refused: the parser has no
// other end.
func TestParseIsTotal(t *testing.T) {
	key, c := ecSigner(t)
	signed, err := Sign(Message{ContentType: OIDLDSSecurityObject, Content: []byte("content"), Certificate: c, Algorithm: ecdsa256}, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := bytes.Index(signed, c.Raw)
	for i := range signed {
		if i >= certificate && i < certificate+len(c.Raw) { // package cert's own
			continue
		}
		b := bytes.Clone(signed)
		for v := range 256 {
			if b[i] = byte(v); v == int(signed[i]) {
				continue
			}
			if _, err := Parse(b); err != nil && !errors.Is(err, ErrStructure) {
				t.Fatalf("octet %d is %02X: %v", i, v, err)
			}
		}
	}
}
