package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// usualSample is of how many cards one goes through the long suite.
const usualSample = 16

// session opens the chip again, for what a checkpoint never tries.
func (g *gate) session(ctx context.Context) error {
	if g.q.Report == nil {
		return nil
	}
	err := g.opened(ctx, g.chip, func(s *card.Session) error {
		if err := g.protected(ctx, s); err != nil {
			return err
		}
		return g.proofs(ctx, s)
	})
	if err != nil {
		return err
	}
	if !g.sampled() {
		g.set(QASample, verify.NotRun, notAsked)
		return nil
	}
	wire := &spoiler{Wire: g.chip}
	return g.opened(ctx, wire, func(s *card.Session) error { return g.suite(ctx, s, wire) })
}

// opened does something in a session of its own.
func (g *gate) opened(ctx context.Context, w apdu.Wire, do func(*card.Session) error) error {
	if err := g.chip.Reset(ctx); err != nil {
		return err
	}
	passwords, err := g.draft.passwords()
	if err != nil {
		return err
	}
	defer destroy(passwords)
	s, err := card.Open(ctx, apdu.Over(w, g.e.Limits), card.Options{Passwords: passwords})
	switch {
	case err != nil && unopened(err):
		g.set(QAOpens, verify.Failed, "it does not open a second time")
		g.err = err
		return nil
	case err != nil:
		return err
	}
	defer s.Close()
	return do(s)
}

// sampled says whether the card is one of those that go through the long suite. Its name
// says it, which is random and nobody's choice.
func (g *gate) sampled() bool {
	every := g.e.Sample
	if every <= 0 {
		every = usualSample
	}
	sum := sha256.Sum256([]byte("sample " + g.card.Stream.ID))
	return binary.BigEndian.Uint64(sum[:])%uint64(every) == 0
}

// protected asks for fingerprints and irises without any right to them. A terminal that
// has the right, where the card has such files, has read them in the report.
func (g *gate) protected(ctx context.Context, s *card.Session) error {
	has := false
	var open []string
	for _, f := range []lds.File{lds.DG3, lds.DG4} {
		for _, c := range []apdu.Command{
			{INS: 0xB0, P1: 0x80 | f.SFI(), Le: 4},
			{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(f.FID() >> 8), byte(f.FID())}},
		} {
			a, err := s.Transmit(ctx, c)
			if err != nil {
				return g.lostSession(err, QABiometrics)
			}
			if a.Status == apdu.OK || len(a.Data) > 0 {
				open = append(open, f.Name())
				break
			}
		}
		has = has || g.files[f] != nil
	}
	switch {
	case len(open) > 0:
		g.set(QABiometrics, verify.Failed, strings.Join(open, ", ")+" without a right to it")
	case !has:
		g.set(QABiometrics, verify.Passed, "the card has none")
	case g.q.Report.Check(verify.CheckTA).Outcome != verify.Passed:
		g.set(QABiometrics, verify.NotRun, "no terminal that may read them")
	default:
		g.set(QABiometrics, verify.Passed, "")
	}
	return nil
}

// lostSession is a channel that broke in the midst of a check: the card's fault, unless it
// went away.
func (g *gate) lostSession(err error, code string) error {
	if !unopened(err) {
		return err
	}
	g.set(code, verify.Failed, err.Error())
	return nil
}

// proofs wants every proof that the card's own files promise, where a checkpoint is content
// with one: Active Authentication in the stranger's look, Chip Authentication here.
func (g *gate) proofs(ctx context.Context, s *card.Session) error {
	switch c := g.q.Report.Check(verify.CheckAA); {
	case g.files[lds.DG15] == nil || c.Outcome == verify.Passed:
	case c.Outcome == verify.NotRun: // a terminal with rights has asked for the other proof
		if err := g.active(ctx, s); err != nil {
			return g.lostSession(fmt.Errorf("%s: %w", verify.CheckAA, err), QAChip)
		}
	default:
		g.set(QAChip, verify.Failed, fmt.Sprintf("%s %s", c.ID, c.Reason))
	}
	if g.q.Report.Check(verify.CheckCA1).Outcome == verify.Passed {
		g.set(QAChip, verify.Passed, "")
		return nil
	}
	infos, err := lds.ParseDG14(g.files[lds.DG14])
	if err != nil {
		return err
	}
	for _, key := range infos.ChipAuthKeys() {
		if _, err := s.Chip1(ctx, key, lds.DG1); err != nil {
			return g.lostSession(fmt.Errorf("%s: %w", verify.CheckCA1, err), QAChip)
		}
	}
	g.set(QAChip, verify.Passed, "")
	return nil
}

// active runs Active Authentication in this session. A signature in another form than
// Doc 9303 wants is a fault, as it is in a stranger's look.
func (g *gate) active(ctx context.Context, s *card.Session) error {
	key, err := lds.ParseDG15(g.files[lds.DG15])
	if err != nil {
		return err
	}
	infos, err := lds.ParseDG14(g.files[lds.DG14])
	if err != nil {
		return err
	}
	h, _, err := auth.ActiveHash(infos, key.EC)
	if err != nil {
		return err
	}
	proof, err := s.Active(ctx, key, h)
	if err == nil && proof.DER {
		err = errors.New("a signature in another form")
	}
	return err
}

// suite is a part of what BSI TR-03105-3.2 asks of a chip's commands (layer 6) and files
// (layer 7), those of its tests that a locked card of ours can be put to.
func (g *gate) suite(ctx context.Context, s *card.Session, wire *spoiler) error {
	var wrong []string
	for _, t := range []struct {
		name string
		run  func(context.Context, *card.Session) (bool, error)
	}{
		{"LDS", g.layer7},
		{"ISO7816_D beyond the end", g.beyond},
		{"ISO7816_E by file", g.bySelect},
		{"ISO7816_G under secure messaging", g.noWriting},
		{"ISO7816_P broken code", func(ctx context.Context, s *card.Session) (bool, error) { return wire.broken(ctx, s) }},
	} {
		ok, err := t.run(ctx, s)
		if err != nil && !unopened(err) {
			return err
		}
		if !ok || err != nil {
			wrong = append(wrong, t.name)
		}
	}
	if len(wrong) > 0 {
		g.set(QASample, verify.Failed, strings.Join(wrong, ", "))
		return nil
	}
	g.set(QASample, verify.Passed, "")
	return nil
}

// layer7: EF.COM lists what the SOD covers, each group has its tag, and the SOD keeps to
// its profile (Doc 9303-10 §4.6).
func (g *gate) layer7(context.Context, *card.Session) (bool, error) {
	files := g.q.Report.Files
	com, err := lds.ParseCOM(files[lds.COM])
	if err != nil {
		return false, err
	}
	sod, err := lds.ParseSOD(files[lds.SODFile])
	if err != nil {
		return false, err
	}
	var listed []int
	for _, h := range sod.Object.Hashes {
		listed = append(listed, h.Number)
		if b := files[lds.Group(h.Number)]; len(b) == 0 || tlv.Tag(b[0]) != lds.Group(h.Number).Tag() {
			return false, nil
		}
	}
	for _, f := range com.Groups {
		if !slices.Contains(listed, f.Number()) {
			return false, nil
		}
	}
	return len(com.Groups) == len(listed) && len(pki.LintSOD(sod)) == 0, nil
}

// beyond: an offset behind the end is refused or warned of, and gives nothing.
func (g *gate) beyond(ctx context.Context, s *card.Session) (bool, error) {
	if a, err := s.Transmit(ctx, apdu.Command{INS: 0xB0, P1: 0x80 | lds.DG1.SFI(), Le: 1}); err != nil || a.Status != apdu.OK {
		return false, err
	}
	a, err := s.Transmit(ctx, apdu.Command{INS: 0xB0, P1: 0x7F, P2: 0x00, Le: 8})
	return err == nil && a.Status != apdu.OK && len(a.Data) == 0, err
}

// bySelect: a file by its identifier is the file by its short identifier.
func (g *gate) bySelect(ctx context.Context, s *card.Session) (bool, error) {
	f := lds.DG1
	sel := apdu.Command{INS: 0xA4, P1: 0x02, P2: 0x0C, Data: []byte{byte(f.FID() >> 8), byte(f.FID())}}
	if a, err := s.Transmit(ctx, sel); err != nil || a.Status != apdu.OK {
		return false, err
	}
	a, err := s.Transmit(ctx, apdu.Command{INS: 0xB0, Le: 32})
	want := g.files[f]
	return err == nil && len(a.Data) > 0 && bytes.HasPrefix(want, a.Data), err
}

// noWriting: whoever can read cannot write.
func (g *gate) noWriting(ctx context.Context, s *card.Session) (bool, error) {
	a, err := s.Transmit(ctx, apdu.Command{INS: 0xD6, P1: 0x80 | lds.DG1.SFI(), Data: []byte{0x61}})
	return err == nil && a.Status != apdu.OK, err
}

// spoiler is a wire that can break the authentication code of one command.
type spoiler struct {
	apdu.Wire
	armed  bool
	answer []byte
}

// Exchange breaks the octet before Le of the command that it is armed for.
func (w *spoiler) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if w.armed && len(b) > 8 {
		b = bytes.Clone(b)
		b[len(b)-3] ^= 0x01
		w.armed = false
		a, err := w.Wire.Exchange(ctx, b)
		w.answer = bytes.Clone(a)
		return a, err
	}
	return w.Wire.Exchange(ctx, b)
}

// broken: a command whose code does not fit is refused with the status of such an error
// and no data, outside the channel (Doc 9303-11 §9.8.5).
func (w *spoiler) broken(ctx context.Context, s *card.Session) (bool, error) {
	w.armed = true
	if _, err := s.Transmit(ctx, apdu.Command{INS: 0xB0, P1: 0x80 | lds.DG1.SFI(), Le: 4}); err != nil && !unopened(err) {
		return false, err
	}
	if len(w.answer) != 2 {
		return false, nil
	}
	switch apdu.Status(w.answer[0])<<8 | apdu.Status(w.answer[1]) {
	case 0x6988, 0x6987, 0x6982:
	default:
		return false, nil
	}
	return true, nil
}
