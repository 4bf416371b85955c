package status

import (
	"crypto/sha256"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// written are the states in the order of the payload.
var written = [...]State{Undelivered, Active, Suspended, Superseded, Revoked}

// payload is what a list says of cards; lookups do not change it.
type payload interface {
	marshal(b *cryptobyte.Builder)
	read(s *cryptobyte.String, delta bool) bool
	count() uint64
}

func newPayload(s Sort) payload {
	switch s {
	case Index, IndexDelta:
		return &indexes{}
	case Filter:
		return &filter{}
	case heads:
		return &headPayload{}
	case Exact, ExactDelta:
	}
	return &names{}
}

// decode reads a payload whole.
func decode(s Sort, b []byte) (payload, error) {
	p, rest := newPayload(s), cryptobyte.String(b)
	if !p.read(&rest, s.Delta()) || !rest.Empty() {
		return nil, fmt.Errorf("%w: payload", ErrMalformed)
	}
	return p, nil
}

func encode(p payload) []byte {
	var b cryptobyte.Builder
	p.marshal(&b)
	return b.BytesOrPanic()
}

// editionOf names the statuses of a snapshot.
func editionOf(payload []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("tamthe status edition\x00"))
	h.Write(payload)
	return [32]byte(h.Sum(nil))
}
