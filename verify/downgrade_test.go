package verify

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
)

// spoiler is someone between card and reader who lets a step of PACE fail.
type spoiler struct {
	apdu.Wire
	left   int // commands of PACE to let pass
	answer []byte
}

func (s *spoiler) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if len(b) > 1 && b[0]&0x0C == 0 && (b[1] == 0x22 || b[1] == 0x86) {
		if s.left--; s.left < 0 {
			if s.answer == nil {
				return nil, apdu.ErrTimeout
			}
			return s.answer, nil
		}
	}
	return s.Wire.Exchange(ctx, b)
}

// PACE that is made to fail never ends in a card that looks as good as one that was
// opened by PACE.
func TestNoSilentDowngrade(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Protocol, Answer string
			Step                 string `json:"failing_step"`
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "downgrade.json"), &file); err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, "CSCA")
	promised, silent := o.usual(), o.usual()
	infos, err := lds.ParseDG14(silent.files[lds.DG14])
	o.must(err)
	infos.PACE = nil
	silent.files[lds.DG14], err = lds.EncodeDG14(*infos)
	o.must(err)
	o.sign(silent)
	zone, err := lds.ParseDG1(promised.files[lds.DG1])
	o.must(err)
	for _, c := range file.Cases {
		if c.Protocol != "PACE" {
			continue
		}
		step := 0
		if n, ok := strings.CutPrefix(c.Step, "GENERAL AUTHENTICATE "); ok {
			step, err = strconv.Atoi(n)
			o.must(err)
		}
		var answer []byte
		if c.Answer != "no answer" {
			answer = unhex(t, c.Answer)
		}
		for card, s := range map[string]*specimen{"promised": promised, "silent": silent} {
			for _, allow := range []bool{false, true} {
				chip := s.chip(t, func(f *virtual.FolderOptions) { f.Rules = &gp.Rules{BAC: true} })
				p := o.options("checkpoint")
				p.AllowBAC, p.Passwords = allow, []auth.Password{auth.MRZ(zone.KeyInfo())}
				r, err := Inspect(context.Background(), apdu.Over(&spoiler{chip, step, answer}, apdu.Limits{}), p)
				switch {
				case err != nil:
				case !allow:
					t.Errorf("%s, %s: BAC that nobody allowed", c.ID, card)
				case r.Verdict == Accept || r.Check(CheckDowngrade).Reason != ReasonDowngrade || r.Session.Access != "BAC-MRZ":
					t.Errorf("%s, %s: %v, %+v", c.ID, card, r.Verdict, r.Check(CheckDowngrade))
				}
			}
		}
	}
}

// TestNoSilentChipFailure has the chip refuse Active, Chip or Terminal Authentication. The
// first two refuse the card by name, the third leaves the fingerprints unread, by name.
func TestNoSilentChipFailure(t *testing.T) {
	var file struct {
		Cases []struct {
			ID, Protocol, Answer string
		}
	}
	if err := json.Unmarshal(testdata.Read(t, "downgrade.json"), &file); err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, "CSCA")
	n := 0
	for _, c := range file.Cases {
		if c.Protocol == "PACE" {
			continue
		}
		n++
		b := unhex(t, c.Answer)
		status := apdu.Status(b[0])<<8 | apdu.Status(b[1])
		s, points, key := o.protected(cvc.ReadDG3)
		p := o.options("checkpoint")
		ins := map[string][]byte{"AA": {0x88}, "CA": {0x22, 0x41}, "TA": {0x2A}}[c.Protocol]
		switch c.Protocol {
		case "CA":
			delete(s.files, lds.DG15)
			o.sign(s)
		case "TA":
			p.Terminal = key
		}
		chip := s.chip(t, func(f *virtual.FolderOptions) { f.TrustPoints = points })
		chip.OnCommand(func(cmd apdu.Command) apdu.Status {
			if cmd.INS == ins[0] && (len(ins) == 1 || cmd.P1 == ins[1]) {
				return status
			}
			return 0
		})
		r := inspect(t, chip, p)
		switch c.Protocol {
		case "AA":
			wantVerdict(t, r, Refuse, ReasonChipRefused)
			if got := r.Check(CheckAA); got.Outcome != Failed || r.Passed(Original) {
				t.Errorf("%s: %+v", c.ID, got)
			}
		case "CA":
			wantVerdict(t, r, Refuse, ReasonChipRefused)
			if got := r.Check(CheckCA1); got.Outcome != Failed || r.Passed(Original) {
				t.Errorf("%s: %+v", c.ID, got)
			}
		case "TA":
			_, read := r.Files[lds.DG3]
			if got := r.Check(CheckTA); got.Outcome != NotRun || got.Reason != ReasonTerminalRefused || read || r.Check(groupCheck(3)).Outcome != NotRun {
				t.Errorf("%s: %+v, DG3 read %v", c.ID, got, read)
			}
		}
	}
	if n != 9 {
		t.Errorf("%d cases", n)
	}
}
