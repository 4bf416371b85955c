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
		got, err := r.readFile(ctx, f, want, func(n int) {
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

// readFile reads a file that should be want, and one octet more if there is one.
func (r *run) readFile(ctx context.Context, f lds.File, want []byte, read func(int)) ([]byte, error) {
	fid := f.FID()
	if f == lds.CardSecurity {
		fid = gp.DGICardSecurity
	}
	sel := apdu.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(fid >> 8), byte(fid)}, Le: apdu.MaxShortLe}
	if r.channel == nil {
		sel.Le = 0
	}
	if err := r.tell(ctx, sel); err != nil {
		return nil, err
	}
	var out []byte
	for len(out) <= len(want) {
		part, err := r.readPart(ctx, len(out), want)
		if err != nil {
			return nil, err
		}
		if len(part) == 0 {
			break
		}
		out = append(out, part...)
		read(min(len(out), len(want)))
	}
	return out, nil
}

// readPart reads from an offset; nothing is the end of the file. Offsets of more than 15
// bits need the odd INS with the offset in a data object (ISO/IEC 7816-4 §11.3.3).
func (r *run) readPart(ctx context.Context, offset int, file []byte) ([]byte, error) {
	const tagOffset, tagData, header = 0x54, 0x53, 4
	size := len(file)
	le := min(r.response(), max(size-offset, 1))
	odd := offset > 0x7FFF
	if odd {
		le = min(le, r.response()-header)
	}
	want := apdu.Response{Data: file[offset:min(offset+le, size)], Status: apdu.OK}
	c := apdu.Command{INS: 0xB0, P1: byte(offset >> 8), P2: byte(offset), Le: le}
	if odd {
		at := []byte{byte(offset >> 16), byte(offset >> 8), byte(offset)}
		c = apdu.Command{INS: 0xB1, Data: tlv.Encode(tagOffset, at), Le: le + header}
		want.Data = tlv.Encode(tagData, want.Data)
	}
	if offset >= size {
		want = apdu.Response{Status: apdu.WrongOffset}
	}
	a, err := r.exchange(ctx, c, want)
	switch {
	case err != nil:
		return nil, err
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
