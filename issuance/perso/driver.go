package perso

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// driver is what one card operating system wants otherwise than another.
type driver struct {
	aid    []byte                  // of the application to personalise and to lock
	aa, ca gp.KeyRef               // without the curve
	dgi    func(lds.File) uint16   // of a file
	reread func(lds.File) []byte   // what SELECT names a file by to read it back
	access func(*Content) []gp.DGI // keys and rules, in the order of writing
}

// gpDGI is the dialect of card/gp.
var gpDGI = driver{
	aid: []byte{0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01},
	aa:  gp.KeyRef{Use: gp.Signature, Reference: gp.KeyAA},
	ca:  gp.KeyRef{Use: gp.Agreement, Reference: gp.KeyCA},
	dgi: fileDGI,
	reread: func(f lds.File) []byte {
		return []byte{byte(fileDGI(f) >> 8), byte(fileDGI(f))}
	},
	access: func(c *Content) []gp.DGI {
		list := []gp.DGI{
			{Tag: gp.DGIBACSeed, Value: c.BACSeed},
			{Tag: gp.DGIPACEMRZ, Value: c.PACEMRZ},
			{Tag: gp.DGIPACECAN, Value: c.PACECAN},
			{Tag: gp.DGIRules, Value: c.Rules.Bytes()},
		}
		return slices.DeleteFunc(list, func(d gp.DGI) bool { return d.Value == nil })
	},
}

func fileDGI(f lds.File) uint16 {
	if f == lds.CardSecurity {
		return gp.DGICardSecurity
	}
	return f.FID()
}

// storeFiles writes every file, the security object last.
func (r *run) storeFiles(ctx context.Context) error {
	var dgis []gp.DGI
	for _, f := range r.files() {
		dgis = append(dgis, gp.DGI{Tag: r.driver.dgi(f), Value: r.s.Signed.Files[f]})
	}
	err := r.channel.StoreData(ctx, r.block(), dgis, func(done, total int) {
		r.progress(issuance.Write, done, total)
	})
	if err != nil {
		return fmt.Errorf("write the files: %w", err)
	}
	return nil
}

// storeAccess writes what opens the card later on.
func (r *run) storeAccess(ctx context.Context) error {
	if err := r.channel.StoreData(ctx, r.block(), r.driver.access(r.s.Signed), nil); err != nil {
		return fmt.Errorf("write the access keys: %w", err)
	}
	return nil
}

// block is the largest STORE DATA that goes through the link.
func (r *run) block() int { return r.channel.MaxCommand(r.link.Limits()) }

// files lists what the content holds, EF.SOD last.
func (r *run) files() []lds.File {
	list := slices.Sorted(maps.Keys(r.s.Signed.Files))
	list = slices.DeleteFunc(list, func(f lds.File) bool { return f == lds.SODFile })
	return append(list, lds.SODFile)
}

// readBack compares every file on the chip with what it should be.
func (r *run) readBack(ctx context.Context) error {
	done, total := 0, 0
	for _, b := range r.s.Signed.Files {
		total += len(b)
	}
	for _, f := range r.files() {
		want := r.s.Signed.Files[f]
		got, err := r.readFile(ctx, f, len(want), func(n int) {
			r.progress(issuance.WriteDone, done+n, total)
		})
		if err != nil {
			return fmt.Errorf("read back %s: %w", f, err)
		}
		if n := differ(got, want); n >= 0 {
			return &DifferError{File: f, Offset: n}
		}
		done += len(want)
	}
	return nil
}

// readFile reads a file of an expected size through the channel, and one octet more if
// there is one.
func (r *run) readFile(ctx context.Context, f lds.File, size int, read func(int)) ([]byte, error) {
	sel := apdu.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: r.driver.reread(f), Le: apdu.MaxShortLe}
	a, err := r.channel.Transmit(ctx, sel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sel.Name(), err)
	}
	if err := sel.Refused(a.Status); err != nil {
		return nil, err
	}
	var out []byte
	for len(out) <= size {
		part, err := r.readPart(ctx, len(out), size)
		if err != nil {
			return nil, err
		}
		if len(part) == 0 {
			break
		}
		out = append(out, part...)
		read(min(len(out), size))
	}
	return out, nil
}

// readPart reads from an offset; nothing is the end of the file. Offsets of more than 15
// bits need the odd INS with the offset in a data object (ISO/IEC 7816-4 §11.3.3).
func (r *run) readPart(ctx context.Context, offset, size int) ([]byte, error) {
	const tagOffset, tagData, header = 0x54, 0x53, 4
	le := min(r.channel.MaxResponse(r.link.Limits()), max(size-offset, 1))
	c := apdu.Command{INS: 0xB0, P1: byte(offset >> 8), P2: byte(offset), Le: le}
	odd := offset > 0x7FFF
	if odd {
		at := []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)}
		c = apdu.Command{INS: 0xB1, Data: tlv.Encode(tagOffset, at), Le: le + header}
	}
	a, err := r.channel.Transmit(ctx, c)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	case a.Status == apdu.WrongOffset && offset >= size:
		return nil, nil
	case a.Status != apdu.OK && a.Status != apdu.EndOfFile:
		return nil, c.Refused(a.Status)
	}
	data := a.Data
	if odd {
		var ok bool
		if data, ok = tlv.Find(data, tagData); !ok {
			return nil, fmt.Errorf("%s: %w", c.Name(), gp.ErrAnswer)
		}
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%s at %d of %d: nothing: %w", c.Name(), offset, size, gp.ErrAnswer)
	}
	return data, nil
}
