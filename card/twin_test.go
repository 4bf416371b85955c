package card

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

const anyMRZ = "T22000129364081251010318"

// twin is the least of a chip that a session needs: access protocols, files, and the
// ways in which real chips read them. It is a Wire.
type twin struct {
	bac     *auth.BACChip
	pace    *auth.PACEChip
	ca      *auth.ChipAuthChip
	aa      *auth.ActiveChip
	files   map[lds.File][]byte // EF.CardAccess among them if there is one
	limits  apdu.Limits
	mf      apdu.Status // of SELECT MF; when OK, it makes EF.CardAccess visible
	hidden  bool        // EF.CardAccess, until then
	noSFI   apdu.Status // answers READ BINARY by SFI, unless 0
	shape   func(want int, rest []byte) apdu.Response
	alter   func(c apdu.Command, r *apdu.Response)         // before protection
	tamper  func(c apdu.Command, b []byte) ([]byte, error) // after it
	odd     func(*apdu.Response)                           // changes the answers to odd reads
	atr     []byte                                         // EF.ATR/INFO
	drops   int                                            // more answer data than this ends the session with a plain 6700, unless 0
	channel *sm.Chip
	current []byte
	app     bool
	seen    []apdu.Command // in the clear, or as they were below the protection
	secured []bool
}

// plainly gives as much as is wanted and there.
func plainly(want int, rest []byte) apdu.Response {
	return apdu.Response{Data: rest[:min(want, len(rest))], Status: apdu.OK}
}

func (w *twin) Exchange(_ context.Context, b []byte) ([]byte, error) {
	c, err := apdu.ParseCommand(b)
	if err != nil {
		return nil, err
	}
	answer, err := w.answer(c)
	if w.tamper != nil && err == nil {
		return w.tamper(w.seen[len(w.seen)-1], answer)
	}
	return answer, err
}

func (w *twin) answer(c apdu.Command) ([]byte, error) {
	under := w.channel
	if !c.Secured() {
		under = nil
	} else if under == nil {
		return apdu.Response{Status: apdu.SMNotSupported}.Bytes(), nil
	}
	if under != nil {
		plain, err := under.Open(c)
		var status apdu.Status
		if errors.As(err, &status) {
			return apdu.Response{Status: status}.Bytes(), nil
		}
		if err != nil {
			return apdu.Response{Status: apdu.ConditionsNotSatisfied}.Bytes(), nil
		}
		c = plain
	}
	if w.drops > 0 && under != nil && c.Le > w.drops {
		w.channel = nil
		return apdu.Response{Status: apdu.WrongLength}.Bytes(), nil
	}
	w.seen, w.secured = append(w.seen, c), append(w.secured, under != nil)
	r, keys := w.process(c)
	if w.alter != nil {
		w.alter(c, &r)
	}
	if under != nil {
		var err error
		if r, err = under.Seal(r); err != nil {
			return nil, err
		}
	}
	if keys != nil {
		w.channel = sm.NewChip(*keys)
	}
	return r.Bytes(), nil
}

func (w *twin) process(c apdu.Command) (apdu.Response, *sm.Keys) {
	switch {
	case c.INS == 0xA4:
		return apdu.Response{Status: w.choose(c)}, nil
	case c.INS == 0xB0:
		return w.read(c), nil
	case c.INS == 0xB1:
		return w.readOdd(c), nil
	case (c.INS == 0x84 || c.INS == 0x82) && w.bac != nil && w.app:
		return w.bac.Process(c)
	case c.INS == 0x22 && c.P1 == 0xC1 && w.pace != nil, c.INS == 0x86 && w.pace != nil && w.pace.Running():
		return w.pace.Process(c)
	case (c.INS == 0x22 || c.INS == 0x86) && w.ca != nil:
		return w.ca.Process(c)
	case c.INS == 0x88 && w.aa != nil:
		return w.aa.Process(c), nil
	}
	return apdu.Response{Status: apdu.INSNotSupported}, nil
}

func (w *twin) choose(c apdu.Command) apdu.Status {
	switch {
	case c.P1 == 0x04 && bytes.Equal(c.Data, LDS1()):
		w.app = true
		return apdu.OK
	case c.P1 == 0x00:
		w.app, w.hidden = false, w.hidden && w.mf != apdu.OK
		return w.mf
	case c.P1 == 0x02:
		for f, data := range w.files {
			if f.FID() == uint16(c.Data[0])<<8|uint16(c.Data[1]) && w.visible(f) {
				w.current = data
				return apdu.OK
			}
		}
	}
	return apdu.FileNotFound
}

func (w *twin) visible(f lds.File) bool {
	if f == lds.CardAccess {
		return !w.hidden && !w.app
	}
	return w.app && w.channel != nil
}

func (w *twin) read(c apdu.Command) apdu.Response {
	offset := int(c.P1)<<8 | int(c.P2)
	if c.P1 == 0x81 && !w.app {
		if w.atr == nil {
			return apdu.Response{Status: apdu.FileNotFound}
		}
		return plainly(c.Le, w.atr)
	}
	if c.P1&0x80 != 0 {
		if w.noSFI != 0 {
			return apdu.Response{Status: w.noSFI}
		}
		w.current, offset = nil, int(c.P2)
		for f, data := range w.files {
			if f.SFI() == c.P1&0x1F && w.visible(f) {
				w.current = data
			}
		}
		if w.current == nil {
			return apdu.Response{Status: apdu.FileNotFound}
		}
	}
	if offset > len(w.current) {
		return apdu.Response{Status: apdu.WrongOffset}
	}
	want := c.Le
	if w.channel != nil {
		want = min(want, w.channel.MaxResponse(w.limits))
	}
	return w.shape(want, w.current[offset:])
}

// readOdd serves READ BINARY with the odd INS: an offset object in, a data object out.
func (w *twin) readOdd(c apdu.Command) apdu.Response {
	s := tlv.String(c.Data)
	var where tlv.String
	if !s.ReadTag(tagOffset, &where) || !s.Empty() || c.P1|c.P2 != 0 || len(where) < 2 {
		return apdu.Response{Status: apdu.WrongData}
	}
	offset := 0
	for _, b := range where {
		offset = offset<<8 | int(b)
	}
	if offset > len(w.current) {
		return apdu.Response{Status: apdu.WrongOffset}
	}
	want := min(c.Le, w.channel.MaxResponse(w.limits))
	for n := want; n > 0; n-- {
		if h := tlv.AppendHeader(nil, tagData, n); len(h)+n <= want {
			r := w.shape(n, w.current[offset:])
			if len(r.Data) > 0 {
				r.Data = tlv.Encode(tagData, r.Data)
			}
			if w.odd != nil {
				w.odd(&r)
			}
			return r
		}
	}
	return apdu.Response{Status: apdu.WrongLength}
}

// newTwin makes a chip with BAC and the files.
func newTwin(t testing.TB, files map[lds.File][]byte) *twin {
	t.Helper()
	seed, err := auth.MRZ(anyMRZ).BACSeed()
	if err != nil {
		t.Fatal(err)
	}
	return &twin{bac: auth.NewBACChip(seed), files: files, mf: apdu.INSNotSupported, shape: plainly}
}

func (w *twin) link() *apdu.Link { return apdu.Over(w, w.limits) }

// count returns how many commands with this INS came in.
func (w *twin) count(ins ...byte) int {
	n := 0
	for _, c := range w.seen {
		if slices.Contains(ins, c.INS) {
			n++
		}
	}
	return n
}

// clearAfter reports whether a command came in the clear after a protected one.
func (w *twin) clearAfter() bool {
	i := slices.Index(w.secured, true)
	return i >= 0 && slices.Contains(w.secured[i:], false)
}

// fileOf makes a file of total octets, its header included.
func fileOf(f lds.File, total int) []byte {
	for header := 2; header <= 5; header++ {
		b := appendHeader(nil, f, total-header)
		if len(b) != header {
			continue
		}
		for i := range total - header {
			b = append(b, byte(i*7+i>>8))
		}
		return b
	}
	panic("no file of this size")
}
