package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
)

// basicAccess serves GET CHALLENGE and EXTERNAL AUTHENTICATE (Doc 9303-11 §4.3) where the
// card's rules allow BAC.
func (d *document) basicAccess(cmd apdu.Command) apdu.Response {
	if d.bac == nil || d.application != aidLDS1 {
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	}
	r, keys := d.bac.Process(cmd)
	if keys != nil {
		d.openSession = openSession{channel: sm.NewChip(*keys), eac: extendedAccess{name: d.c.image.documentNumber()}}
	}
	return r
}

// isPACE says whether MSE is MSE:Set AT for PACE.
func isPACE(cmd apdu.Command) bool { return cmd.INS == 0x22 && cmd.P1 == 0xC1 && cmd.P2 == 0xA4 }

// setPACE serves MSE:Set AT (Doc 9303-11 §4.4.4.1, TR-03110-3 §B.1). A password that has
// been blocked is refused here; one with few tries left is taken with a warning.
func (d *document) setPACE(cmd apdu.Command) apdu.Response {
	q := d.c.image.quirks
	switch {
	case q.PACE != 0:
		return apdu.Response{Status: q.PACE}
	case q.CaseFour != 0 && cmd.Le > 0:
		return apdu.Response{Status: q.CaseFour}
	case d.pace == nil || !isPACE(cmd):
		return apdu.Response{Status: apdu.FunctionNotSupported}
	}
	r, _ := d.pace.Process(cmd)
	if r.Status == apdu.OK {
		d.announce()
		r.Status = d.warning(d.pace.Reference())
		if r.Status != apdu.OK && !usable(r.Status) {
			d.pace.Reset()
		}
	}
	return r
}

// announce has PACE tell a terminal that asks for rights the names of the trust points for
// its kind.
func (d *document) announce() {
	var names [][]byte
	if chat, err := cvc.ParseCHAT(d.pace.CHAT()); err == nil {
		for _, n := range d.c.image.trust.names(chat.Terminal) {
			names = append(names, []byte(n))
		}
	}
	d.pace.Announce(names[:min(len(names), 2)]...)
}

// runPACE serves the steps of PACE. Keys come with the answer that ends it.
func (d *document) runPACE(cmd apdu.Command) (apdu.Response, *sm.Keys) {
	ref, info := d.pace.Reference(), d.pace.Info()
	if ref == auth.RefPIN && d.suspended() {
		d.pace.Reset()
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}, nil
	}
	r, keys := d.pace.Process(cmd)
	d.paceWork(info, cmd, r.Status)
	d.noteKeys(info, cmd, r)
	switch status := d.count(ref, r.Status, keys != nil); {
	case status != apdu.OK:
		d.pace.Reset()
		if keys != nil {
			keys.Destroy()
		}
		return apdu.Response{Status: status}, nil
	case keys != nil:
		d.opened(ref)
	}
	return r, keys
}

// opened begins a session, or one in place of another, after PACE with a password. The
// channel is still the one before.
func (d *document) opened(ref byte) {
	d.current = 0
	d.openSession = openSession{
		channel: d.channel, byPACE: true, by: ref, resumed: d.resumed || ref == auth.RefCAN,
		eac: extendedAccess{name: d.ephemeral, short: d.mapped, ask: d.pace.CHAT()},
	}
}

// noteKeys notes the ephemeral keys, compressed, if the step of PACE brings them: the
// chip's names it in Terminal Authentication, and the terminal's stands for that of Chip
// Authentication where the mapping has proven the chip.
func (d *document) noteKeys(info lds.PACEInfo, cmd apdu.Command, r apdu.Response) {
	group, err := dh.GroupByID(info.ParameterID)
	if err != nil || r.Status != apdu.OK {
		return
	}
	theirs, err := group.ParseElement(dynamic(cmd.Data, 0x83))
	if err != nil {
		return
	}
	ours, err := group.ParseElement(dynamic(r.Data, 0x84))
	if err != nil {
		return
	}
	d.ephemeral, d.mapped = auth.Compress(ours), nil
	if mapsChip(info) {
		d.mapped = auth.Compress(theirs)
	}
}

// dynamic is an object within dynamic authentication data, nil for none.
func dynamic(b []byte, tag tlv.Tag) []byte {
	s := tlv.String(b)
	var inner, value tlv.String
	if !s.ReadTag(0x7C, &inner) || !inner.ReadTag(tag, &value) {
		return nil
	}
	return value
}

// generalAuthenticate serves the steps of PACE outside a session.
func (d *document) generalAuthenticate(cmd apdu.Command) apdu.Response {
	if d.pace == nil {
		return apdu.Response{Status: apdu.INSNotSupported}
	}
	r, keys := d.runPACE(cmd)
	if keys != nil {
		d.channel = sm.NewChip(*keys)
	}
	return r
}
