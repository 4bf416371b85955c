//go:build cgo && !nopcsc

package pcsc

import (
	"errors"
	"fmt"

	"github.com/ebfe/scard"

	"github.com/tamthe/tamthe/apdu"
)

// meaning holds what the service's return codes are to a caller. It compares constants,
// since numbers and texts differ between operating systems.
var meaning = map[scard.Error]error{
	scard.ErrNoService:          ErrNoService,
	scard.ErrServiceStopped:     ErrNoService,
	scard.ErrInvalidHandle:      ErrNoService, // handles die with the service
	scard.ErrShutdown:           ErrNoService,
	scard.ErrCommError:          ErrNoService, // between the library and the service
	scard.ErrSecurityViolation:  ErrNoService, // it closed the connection; see establish
	scard.ErrNoReadersAvailable: ErrNoReader,
	scard.ErrUnknownReader:      ErrNoReader,
	scard.ErrReaderUnavailable:  ErrNoReader,
	scard.ErrNoSmartcard:        ErrNoCard,
	scard.ErrRemovedCard:        ErrNoCard,
	scard.ErrSharingViolation:   ErrBusy,
	scard.ErrUnresponsiveCard:   ErrUnresponsive,
	scard.ErrUnsupportedCard:    ErrUnresponsive,
	scard.ErrProtoMismatch:      ErrUnresponsive,
	scard.ErrNotTransacted:      ErrUnresponsive,
	scard.ErrUnpoweredCard:      ErrUnresponsive,
	scard.ErrResetCard:          apdu.ErrReset,
}

// problem says what a return code means where no card is open.
func problem(err error) error {
	code, ok := errors.AsType[scard.Error](err)
	if !ok {
		return err
	}
	if m, ok := meaning[code]; ok {
		return fmt.Errorf("%w (PC/SC %08X)", m, uint32(code))
	}
	return fmt.Errorf("PC/SC %08X: %w", uint32(code), err)
}

// loss says what a return code means to an open card: without card, reader or service it
// is removed, and power that goes and comes back is a reset.
func loss(err error) error {
	if errors.Is(err, scard.ErrUnpoweredCard) {
		err = scard.ErrResetCard
	}
	err = problem(err)
	if errors.Is(err, ErrNoCard) || errors.Is(err, ErrNoReader) || errors.Is(err, ErrNoService) {
		return fmt.Errorf("%w: %w", apdu.ErrRemoved, err)
	}
	return err
}
