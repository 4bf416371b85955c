package perso

import (
	"context"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// fileDialect is the family of CREATE FILE, UPDATE BINARY and PUT DATA; see gp.TagFile.
type fileDialect struct{}

// installKeys puts each thing by itself. A trust point that the chip has already can't be
// put again, and is left to the inspection of the finished card.
func (d fileDialect) installKeys(ctx context.Context, r *run, k *secrets) error {
	if k.AA != nil {
		return fmt.Errorf("a key of Active Authentication on a curve: %w", ErrOrder)
	}
	if k.CA != nil {
		b := agreementKey(k.CA)
		defer clear(b)
		if err := d.put(ctx, r, gp.PutCAKey, b); err != nil {
			return err
		}
	}
	if k.BAC != nil {
		b := tlv.Encode(0x5A, []byte(k.BAC.Document))
		b = tlv.Append(tlv.Append(b, 0x5B, []byte(k.BAC.Birth)), 0x5C, []byte(k.BAC.Expiry))
		if err := d.put(ctx, r, gp.PutMRZ, tlv.Encode(0x62, b)); err != nil {
			return err
		}
	}
	var passwords []byte
	for ref, secret := range map[byte][]byte{passwordMRZ: k.PACEMRZ, passwordCAN: k.PACECAN} {
		if secret != nil {
			passwords = tlv.Append(passwords, 0x66, append([]byte{ref}, secret...))
		}
	}
	if passwords != nil {
		defer clear(passwords)
		if err := d.put(ctx, r, gp.PutPasswords, tlv.Encode(0x65, passwords)); err != nil {
			return err
		}
	}
	for i, c := range k.Trust {
		err := d.put(ctx, r, uint16(i+1)<<8|gp.PutTrustPoint, c)
		if err != nil && !(r.resumed && errors.Is(err, apdu.ConditionsNotSatisfied)) {
			return err
		}
	}
	if k.Date != nil {
		digits := k.Date.Bytes()
		for i := range digits {
			digits[i] += '0'
		}
		return d.put(ctx, r, gp.PutDate, digits)
	}
	return nil
}

// agreementKey is a key with its domain parameters, as PUT DATA takes it.
func agreementKey(k *dh.PrivateKey) []byte {
	c := k.Point().Curve()
	p := c.Parameters()
	scalar := k.Bytes()
	defer clear(scalar)
	var b []byte
	for i, v := range [][]byte{p.P.Bytes(), p.A.Bytes(), p.B.Bytes(), c.Generator().Bytes(), p.N.Bytes(), scalar, {byte(p.H)}} {
		b = tlv.Append(b, tlv.Tag(0x81+i), v)
	}
	return tlv.Encode(0x63, b)
}

func (d fileDialect) put(ctx context.Context, r *run, what uint16, b []byte) error {
	return r.tell(ctx, apdu.Command{INS: gp.InsPutData, P1: byte(what >> 8), P2: byte(what), Data: b})
}

// putFile makes a file anew and fills it.
func (d fileDialect) putFile(ctx context.Context, r *run, f lds.File, b []byte, _ bool) error {
	name := f.FID()
	if f == lds.CardSecurity {
		name = gp.DGICardSecurity
	}
	if err := d.create(ctx, r, name, b); err != nil {
		return fmt.Errorf("write %s: %w", f, err)
	}
	return nil
}

func (d fileDialect) create(ctx context.Context, r *run, name uint16, b []byte) error {
	size := []byte{byte(len(b) >> 8), byte(len(b))}
	if len(b) > 0xFFFF {
		size = append([]byte{byte(len(b) >> 16)}, size...)
	}
	id := []byte{byte(name >> 8), byte(name)}
	for _, c := range []apdu.Command{
		{INS: gp.InsCreateFile, Data: tlv.Encode(gp.TagFile, append(size, id...))},
		{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: id},
	} {
		if err := r.tell(ctx, c); err != nil {
			return err
		}
	}
	for offset := 0; offset < len(b); {
		c, n := d.update(r, offset, b[offset:])
		if err := r.tell(ctx, c); err != nil {
			return err
		}
		offset += n
		r.wrote(r.done+n, r.total)
	}
	return nil
}

// update is one UPDATE BINARY, with the odd INS from where the even one ends.
func (d fileDialect) update(r *run, offset int, b []byte) (c apdu.Command, n int) {
	const overhead = 5 + 4 // the offset's object, and the heading of the data's
	room := r.block()
	if offset <= 0x7FFF {
		n = min(room, len(b))
		return apdu.Command{INS: gp.InsUpdateBinary, P1: byte(offset >> 8), P2: byte(offset), Data: b[:n]}, n
	}
	n = min(room-overhead, len(b))
	at := tlv.Encode(0x54, []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)})
	return apdu.Command{INS: gp.InsUpdateBinaryOdd, Data: tlv.Append(at, 0x53, b[:n])}, n
}

func (d fileDialect) finish(ctx context.Context, r *run) error {
	return d.put(ctx, r, gp.PutLock, nil)
}
