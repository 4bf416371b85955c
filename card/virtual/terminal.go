package virtual

import (
	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

// extendedAccess is what Extended Access Control has come to in a session.
type extendedAccess struct {
	name     []byte // ID_PICC: the chip's ephemeral key of PACE, or its document number
	short    []byte // the terminal's key of Chip Authentication version 1; nil before that
	terminal *auth.TerminalChip
	last     cvc.PublicKey // of the last certificate, for the modelled time
	ask      []byte        // the CHAT that PACE was run with
	proven   bool          // Chip Authentication version 2 has run

	second     *auth.Chip2Chip // what an MSE has begun
	restricted *auth.RestrictedChip
	third      *auth.Chip3Chip // from the first command of version 3 to the end of the session
}

// isTerminal says whether a command belongs to Terminal Authentication.
func isTerminal(cmd apdu.Command) bool {
	switch cmd.INS {
	case 0x22:
		return cmd.P1 == 0x81
	case 0x2A, 0x84, 0x82:
		return true
	}
	return false
}

// terminalAuthentication serves version 1 after Chip Authentication, and version 2 after
// PACE without it. What it moves on in trust points and date lasts before it is answered.
func (d *document) terminalAuthentication(cmd apdu.Command) apdu.Response {
	trust := &d.c.image.trust
	if len(trust.points) == 0 {
		return apdu.Response{Status: apdu.INSNotSupported}
	}
	if d.eac.terminal == nil {
		switch {
		case d.eac.name == nil:
			return apdu.Response{Status: apdu.ConditionsNotSatisfied}
		case d.eac.short != nil:
			d.eac.terminal = auth.NewTerminalChip1(trust.chain(), d.eac.name, d.eac.short)
		case d.byPACE:
			d.eac.terminal = auth.NewTerminalChip2(trust.chain(), d.eac.name)
		default:
			return apdu.Response{Status: apdu.ConditionsNotSatisfied}
		}
		d.eac.last = trust.points[0].Key
	}
	r := d.eac.terminal.Process(cmd)
	d.terminalWork(cmd, r.Status)
	if cmd.INS == 0x2A && r.Status == apdu.OK {
		if s := d.moveOn(cmd.Data); s != apdu.OK {
			return apdu.Response{Status: s}
		}
	}
	return r
}

// moveOn keeps the trust points and the date after a certificate, given by its contents.
func (d *document) moveOn(contents []byte) apdu.Status {
	chain, trust := d.eac.terminal.Chain(), d.c.image.trust
	c, err := cvc.ParseContents(contents)
	if err != nil {
		return apdu.OK
	}
	if c.CHAT.Role == cvc.CVCA {
		points := []*cvc.Certificate{c}
		for _, p := range trust.points {
			if trusted(chain, p.Holder) && p.Holder != c.Holder {
				points = append(points, p)
			}
		}
		if s := d.c.store(trustRecord(points)); s != apdu.OK {
			return s
		}
	}
	if trust.today.Before(chain.Today()) {
		return d.c.store(dateRecord(chain.Today()))
	}
	return apdu.OK
}

func trusted(chain *cvc.Chain, name cvc.Reference) bool {
	for _, p := range chain.TrustPoints() {
		if p.Name == name {
			return true
		}
	}
	return false
}

// terminalWork adds the signatures that were verified: a certificate's with the key of the
// one before it, the terminal's with its own.
func (d *document) terminalWork(cmd apdu.Command, s apdu.Status) {
	if s != apdu.OK || cmd.INS != 0x2A && cmd.INS != 0x82 {
		return
	}
	if k := d.eac.last; k.RSA != nil {
		d.c.cost.PublicKey += d.c.model.Keys.rsa(verify, k.RSA.N.BitLen())
	} else if k.EC != nil {
		d.c.worked(k.EC.Curve(), verify)
	}
	if c, err := cvc.ParseContents(cmd.Data); err == nil && cmd.INS == 0x2A && (c.Key.EC != nil || c.Key.RSA != nil) {
		d.eac.last = c.Key
	}
}

// rights are what the terminal may do now: the effective rights of its certificates, and
// with version 2 no more than it asked for in PACE and only once Chip Authentication has
// run.
func (d *document) rights() (cvc.CHAT, bool) {
	if d.eac.terminal == nil {
		return cvc.CHAT{}, false
	}
	chat, ok := d.eac.terminal.Rights()
	if !ok || d.eac.short != nil {
		return chat, ok
	}
	asked, err := cvc.ParseCHAT(d.eac.ask)
	if err != nil {
		return cvc.CHAT{}, false // who asks for nothing in PACE gets nothing
	}
	return chat.And(asked), d.eac.proven
}

// granted says whether Terminal Authentication gave the right of a rule.
func (d *document) granted(r rule) bool {
	kind := cvc.InspectionSystem
	if r.who == authority {
		kind = cvc.AuthenticationTerminal
	}
	chat, ok := d.rights()
	return ok && chat.Terminal == kind && chat.Has(int(r.bit))
}

// documentNumber is ID_PICC after BAC: the number in DG1 with its check digit (Doc 9303-11
// §7.1); nil if it can't be read.
func (m *image) documentNumber() []byte {
	f := m.files[fidDG1]
	if f == nil {
		return nil
	}
	zone, err := lds.ParseDG1(f.data)
	const dates = 14 // octets of birth and expiry with their check digits
	if err != nil || len(zone.KeyInfo()) <= dates {
		return nil
	}
	info := zone.KeyInfo()
	return []byte(info[:len(info)-dates])
}

// groups are those of the chip's keys of Chip Authentication.
func (m *image) groups() []dh.Group {
	var out []dh.Group
	for _, k := range m.agreements() {
		out = append(out, k.Element().Group())
	}
	return out
}

// sentKey is the first object within GENERAL AUTHENTICATE, a public key in Chip
// Authentication.
func sentKey(cmd apdu.Command) []byte {
	var tag tlv.Tag
	var inner, key tlv.String
	s := tlv.String(cmd.Data)
	s.ReadTag(0x7C, &inner)
	inner.Read(&tag, &key)
	return key
}
