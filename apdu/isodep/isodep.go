// Package isodep makes an apdu.Wire of a phone's contactless reader: Android's
// android.nfc.tech.IsoDep, or anything of that shape. Its exported names keep to what
// gomobile can bind.
package isodep

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tamthe/tamthe/apdu"
)

// Tag is the part of IsoDep that is needed. Its methods may be called from any thread.
type Tag interface {
	// Transceive sends a command APDU and returns the answer with its two status octets.
	// A tag that left the field is an error.
	Transceive(command []byte) ([]byte, error)
	// MaxTransceiveLength is the largest command in octets, 0 if the phone doesn't say.
	MaxTransceiveLength() int
	// ExtendedLength says whether the phone carries APDUs of extended length
	// (IsoDep.isExtendedLengthApduSupported).
	ExtendedLength() bool
}

// Wire is an apdu.Wire over a Tag. It serves one goroutine at a time. The tag stays its
// caller's to connect and to close.
type Wire struct {
	mu        sync.Mutex
	tag       Tag
	abandoned bool
}

// New returns a Wire over a connected tag.
func New(tag Tag) *Wire { return &Wire{tag: tag} }

// Limits returns what the phone carries, for apdu.Over.
func (w *Wire) Limits() apdu.Limits {
	if !w.tag.ExtendedLength() {
		return apdu.Limits{}
	}
	most := w.tag.MaxTransceiveLength()
	if most <= 0 || most > maxAPDU {
		most = maxAPDU
	}
	return apdu.Limits{Command: most, Response: most}
}

// maxAPDU is the largest APDU that a phone is asked for: an answer of 65,536 octets and
// its status.
const maxAPDU = apdu.MaxLe + 2

// Exchange sends one command. A ctx that ends does not stop the phone: the exchange is
// given up, its answer dropped, and from then on there is only apdu.ErrAbandoned. Any
// failure of the tag is apdu.ErrRemoved and wraps what the tag said.
func (w *Wire) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.abandoned {
		return nil, apdu.ErrAbandoned
	}
	type answer struct {
		b   []byte
		err error
	}
	done := make(chan answer, 1)
	command := append([]byte(nil), b...)
	go func() { // ends with the phone's own time-out at the latest
		r, err := w.tag.Transceive(command)
		done <- answer{r, err}
	}()
	select {
	case <-ctx.Done():
		w.abandoned = true
		return nil, ctx.Err()
	case a := <-done:
		if a.err != nil {
			return nil, errors.Join(apdu.ErrRemoved, fmt.Errorf("transceive: %w", a.err))
		}
		return append([]byte(nil), a.b...), nil
	}
}
