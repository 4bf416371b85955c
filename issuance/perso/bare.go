package perso

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// A chip of a driver without channel has no name and proves nothing. While it is written,
// a random name stands in its EF.SOD, and after that the security object itself, which no
// two cards share. That tells chips apart that get mixed up on a table, and keeps off
// nobody who wants to deceive: one more reason why such a driver is for tests only.

// openBare finds out which chip this is. locked is as in open.
func (r *run) openBare(ctx context.Context) (locked bool, err error) {
	c := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: r.driver.Application}
	if err := r.tell(ctx, c); err != nil {
		return false, err
	}
	name, status, err := r.readName(ctx)
	switch {
	case err != nil:
		return false, err
	case status == apdu.FileNotFound:
		return false, r.begunBlank()
	case status == apdu.SecurityStatus || status == apdu.ConditionsNotSatisfied:
		if r.s.Phase == issuance.Locking {
			return true, nil
		}
		return false, ErrInUse
	case r.s.Phase == issuance.Absent:
		return false, ErrUsed
	case status == apdu.NoCurrentFile: // a file that is not whole
		r.blank = !r.s.reached(issuance.Writing)
		return false, nil
	case status != apdu.OK:
		return false, fmt.Errorf("read the chip's name: %w", status)
	}
	if !r.named(name) {
		return false, &WrongChipError{Want: r.s.Chip, Got: gp.KDD(append(name, make([]byte, len(gp.KDD{}))...))}
	}
	return false, nil
}

// begunBlank takes a chip without name: a new one, or one whose name was never written.
func (r *run) begunBlank() error {
	switch r.s.Phase {
	case issuance.Absent:
		rand.Read(r.s.Chip[:])
	case issuance.Allocated, issuance.Rotating:
	default:
		return &WrongChipError{Want: r.s.Chip}
	}
	r.blank = true
	return nil
}

// named says whether the head of EF.SOD is this card's name or its security object.
func (r *run) named(name []byte) bool {
	if bytes.Equal(name, r.s.Chip[:]) {
		return true
	}
	return r.s.Signed != nil && bytes.HasPrefix(r.s.Signed.Files[lds.SODFile], name)
}

// readName reads the head of EF.SOD.
func (r *run) readName(ctx context.Context) ([]byte, apdu.Status, error) {
	fid := lds.SODFile.FID()
	for _, c := range []apdu.Command{
		{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(fid >> 8), byte(fid)}},
		{INS: 0xB0, Le: len(gp.KDD{})},
	} {
		a, err := r.link.Transmit(ctx, c)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", c.Name(), err)
		}
		if a.Status != apdu.OK || c.INS == 0xB0 {
			return a.Data, a.Status, nil
		}
	}
	return nil, 0, nil
}

// nameBlank writes the name onto a chip that has none.
func (r *run) nameBlank(ctx context.Context) error {
	if r.s.Phase == issuance.Allocated {
		if err := r.record(ctx, Record{Act: issuance.Rotate}, issuance.Rotating); err != nil {
			return err
		}
	}
	if !r.blank {
		return nil
	}
	if err := r.driver.dialect.putFile(ctx, r, lds.SODFile, r.s.Chip[:], true); err != nil {
		return fmt.Errorf("name the chip: %w", err)
	}
	return nil
}

// closedBare makes sure that a chip without channel takes no keys any more.
func (r *run) closedBare(ctx context.Context) error {
	sel := apdu.Command{INS: 0xA4, P1: 0x04, P2: 0x0C, Data: r.driver.Application}
	put := apdu.Command{INS: gp.InsPutData, P1: gp.PutMRZ >> 8, P2: gp.PutMRZ & 0xFF}
	for _, c := range []apdu.Command{sel, put} {
		a, err := r.link.Transmit(ctx, c)
		if err != nil {
			return fmt.Errorf("probe the lock: %s: %w", c.Name(), err)
		}
		switch a.Status {
		case apdu.ConditionsNotSatisfied, apdu.SecurityStatus, apdu.INSNotSupported, apdu.CLANotSupported:
		default:
			if c.INS == gp.InsPutData {
				return ErrOpen
			}
		}
	}
	return nil
}
