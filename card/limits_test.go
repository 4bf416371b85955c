package card

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// whole is a reader that bears every APDU.
var whole = apdu.Limits{Command: 65544, Response: 65538}

// TestLimits holds what is used to the smaller of what card and reader say.
func TestLimits(t *testing.T) {
	says := func(n int) []byte { return lds.EncodeATRInfo(lds.ATRInfo{Command: n, Response: n}) }
	for name, c := range map[string]struct {
		atr     []byte
		reader  apdu.Limits
		claimed bool
		want    int // largest answer
	}{
		"short reader":             {says(1520), apdu.Limits{}, true, 258},
		"card of 1,520":            {says(1520), whole, false, 1520},
		"reader of 600":            {says(1520), apdu.Limits{Command: 600, Response: 600}, false, 600},
		"silent card":              {nil, whole, false, 258},
		"silent card that claims":  {nil, whole, true, 65538},
		"capabilities":             {lds.EncodeATRInfo(lds.ATRInfo{Capabilities: 0x40}), whole, false, 65538},
		"no extended length":       {lds.EncodeATRInfo(lds.ATRInfo{Capabilities: 0x80}), whole, true, 258},
		"malformed and no claim":   {[]byte{0x7F, 0x66, 0x02}, whole, false, 258},
		"malformed, but it claims": {[]byte{0x7F, 0x66, 0x02}, whole, true, 65538},
	} {
		w := newPACETwin(t, reference())
		w.atr, w.limits = c.atr, apdu.Limits{}
		if c.want > 258 {
			w.limits = apdu.Limits{Command: c.want, Response: c.want}
		}
		link := apdu.Over(w, apdu.Limits{})
		s, err := Open(t.Context(), link, Options{Passwords: can(), Reader: c.reader, Claimed: c.claimed, Block: 1 << 16})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, got := s.Access().Limits.Sizes(); got != c.want || s.Access().Limits != link.Limits() {
			t.Errorf("%s: answers of %d, want %d", name, got, c.want)
		}
		if got, err := s.ReadFile(t.Context(), lds.DG2, nil); err != nil || !bytes.Equal(got, w.files[lds.DG2]) {
			t.Errorf("%s: %d octets, %v", name, len(got), err)
		}
	}
}

// TestBudgetExtended counts the commands of the reference document over cards that say
// what they bear.
func TestBudgetExtended(t *testing.T) {
	for _, c := range []struct{ limit, block, want int }{{1520, 0, 28}, {65544, 0, 19}, {65544, 1 << 16, 15}} {
		w := newPACETwin(t, reference())
		w.limits = apdu.Limits{Command: c.limit, Response: min(c.limit, 65538)}
		w.atr = lds.EncodeATRInfo(lds.ATRInfo{Command: w.limits.Command, Response: w.limits.Response})
		link := apdu.Over(w, apdu.Limits{})
		s, err := Open(t.Context(), link, Options{Passwords: can(), Reader: whole, Block: c.block})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []lds.File{lds.SODFile, lds.DG14, lds.DG15, lds.DG1, lds.DG13, lds.DG2} {
			if _, err := s.ReadFile(t.Context(), f, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := link.Traffic().APDUs + 1; n > c.want { // and one for Active Authentication
			t.Errorf("answers of %d, blocks of %d: %d commands, want at most %d", c.limit, c.block, n, c.want)
		}
	}
}

// TestReopen meets cards that claim extended length and end the session at the first
// command of it (gmrtd#457): they are read with short APDUs, and the report can tell.
func TestReopen(t *testing.T) {
	for _, password := range [][]byte{nil, {1}} { // PACE, BAC
		w := newPACETwin(t, reference())
		o := Options{Passwords: can(), Reader: whole}
		if password != nil {
			delete(w.files, lds.CardAccess)
			o.Passwords = mrz()
		}
		w.atr, w.limits, w.drops = lds.EncodeATRInfo(lds.ATRInfo{Command: 65535, Response: 65535}), whole, 256
		s, err := Open(t.Context(), apdu.Over(w, apdu.Limits{}), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []lds.File{lds.SODFile, lds.DG2} {
			if got, err := s.ReadFile(t.Context(), f, nil); err != nil || !bytes.Equal(got, w.files[f]) {
				t.Errorf("%v: %d octets, %v", f, len(got), err)
			}
		}
		if _, response := s.Access().Limits.Sizes(); !errors.Is(s.Access().Reopened, sm.ErrProtection) || response != 258 {
			t.Errorf("reopened for %v, answers of %d", s.Access().Reopened, response)
		}
		// It is done once: a card that ends this session too has broken it.
		w.drops = 16
		if _, err := s.ReadFile(t.Context(), lds.DG13, nil); !errors.Is(err, sm.ErrProtection) {
			t.Errorf("second time: %v", err)
		}
	}
}

// TestNoReopen spares a session whose extended length has worked: what breaks it then is
// no matter of length.
func TestNoReopen(t *testing.T) {
	w := newPACETwin(t, reference())
	w.atr, w.limits = lds.EncodeATRInfo(lds.ATRInfo{Command: 65535, Response: 65535}), whole
	s, err := Open(t.Context(), apdu.Over(w, apdu.Limits{}), Options{Passwords: can(), Reader: whole})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadFile(t.Context(), lds.SODFile, nil); err != nil {
		t.Fatal(err)
	}
	w.drops = 256
	if _, err := s.ReadFile(t.Context(), lds.DG2, nil); !errors.Is(err, sm.ErrProtection) || s.Access().Reopened != nil {
		t.Errorf("%v, reopened for %v", err, s.Access().Reopened)
	}
}

// TestNoReopenForDamage: an answer that was changed on its way ends the session, whatever its
// length, and so does its owner.
func TestNoReopenForDamage(t *testing.T) {
	fresh := func() (*twin, *Session) {
		w := newPACETwin(t, reference())
		w.atr, w.limits = lds.EncodeATRInfo(lds.ATRInfo{Command: 65535, Response: 65535}), whole
		s, err := Open(t.Context(), apdu.Over(w, apdu.Limits{}), Options{Passwords: can(), Reader: whole})
		if err != nil {
			t.Fatal(err)
		}
		return w, s
	}
	w, s := fresh()
	w.tamper = func(_ apdu.Command, b []byte) ([]byte, error) {
		b[len(b)/2] ^= 1
		return b, nil
	}
	if _, err := s.ReadFile(t.Context(), lds.SODFile, nil); !errors.Is(err, sm.ErrProtection) || s.Access().Reopened != nil {
		t.Errorf("%v, reopened for %v", err, s.Access().Reopened)
	}
	w, s = fresh()
	s.Close()
	before := len(w.seen)
	if raw, err := s.ReadFile(t.Context(), lds.DG1, nil); raw != nil || !errors.Is(err, sm.ErrClosed) || len(w.seen) != before {
		t.Errorf("after Close: %d octets, %v, %d commands", len(raw), err, len(w.seen)-before)
	}
	if _, err := s.Transmit(t.Context(), apdu.Command{INS: 0xB0}); !errors.Is(err, sm.ErrClosed) {
		t.Error(err)
	}
}

// TestOpenByAnyPassword opens a chip with the PUK, and with a CAN under a reference of its
// own.
func TestOpenByAnyPassword(t *testing.T) {
	for _, p := range []auth.Password{auth.PUK("9876543210"), auth.CAN(anyCAN).At(0x0A)} {
		w := newPACETwin(t, reference())
		secret, err := p.PACESecret()
		if err != nil {
			t.Fatal(err)
		}
		infos := []lds.PACEInfo{{OID: paceAES128, Version: 2, ParameterID: 12}}
		if w.pace, err = auth.NewPACEChip(infos, map[byte][]byte{p.Reference(): secret}); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), w.link(), Options{Passwords: []auth.Password{p}})
		if err != nil {
			t.Fatalf("%s: %v", p.Name(), err)
		}
		if s.Access().Password != p.Name() {
			t.Errorf("opened by %s, told as %s", p.Name(), s.Access().Password)
		}
	}
}

// TestOddRead lies in the answers beyond an offset of 32,767.
func TestOddRead(t *testing.T) {
	for name, odd := range map[string]func(*apdu.Response){
		"no object":      func(r *apdu.Response) { r.Data = r.Data[2:] },
		"other object":   func(r *apdu.Response) { r.Data[0] = 0x54 },
		"cut":            func(r *apdu.Response) { r.Data = r.Data[:len(r.Data)-1] },
		"trailing octet": func(r *apdu.Response) { r.Data = append(r.Data, 0) },
		"empty object":   func(r *apdu.Response) { r.Data = tlv.Encode(tagData) },
		"no data":        func(r *apdu.Response) { r.Data = nil },
	} {
		w := newTwin(t, map[lds.File][]byte{lds.DG2: fileOf(lds.DG2, 40000)})
		w.odd = odd
		s := openBAC(t, w)
		if got, err := s.ReadFile(t.Context(), lds.DG2, nil); !errors.Is(err, ErrFileBroken) || got != nil {
			t.Errorf("%s: %d octets, %v", name, len(got), err)
		}
	}
	// A card without the command says so, and its file stays unread.
	w := newTwin(t, map[lds.File][]byte{lds.DG2: fileOf(lds.DG2, 40000)})
	w.odd = func(r *apdu.Response) { *r = apdu.Response{Status: apdu.INSNotSupported} }
	if _, err := openBAC(t, w).ReadFile(t.Context(), lds.DG2, nil); !errors.Is(err, apdu.INSNotSupported) {
		t.Errorf("%v", err)
	}
}
