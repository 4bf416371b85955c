package relay

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// stage is how far Chip Authentication is.
type stage int

const (
	legible   stage = iota // commands come in the clear
	announced              // MSE:Set AT was taken, the agreement is due
	agreed                 // the chip has left the keys that are here for the terminal's
)

// gate holds the terminal to the rules. Its memory is what the card did, not what it was
// asked for.
type gate struct {
	rules            Rules
	stage            stage
	current          bool // the card's current file is one of Files
	commands, octets int
}

func newGate(r Rules) *gate {
	r.Commands, r.Octets, r.Silence = cmp.Or(r.Commands, defaultCommands), cmp.Or(r.Octets, defaultOctets), cmp.Or(r.Silence, defaultSilence)
	return &gate{rules: r}
}

// The instructions that there is a rule for.
const (
	insMSE          = 0x22
	insAgree        = 0x86
	insSign         = 0x88
	insSelect       = 0xA4
	insRead         = 0xB0
	claSealed       = 0x0C // secure messaging, header authenticated, no chain, basic channel
	byAID, inFolder = 0x04, 0x02
	noAnswer        = 0x0C
)

// admit says why a command is not handed on, nil if it is.
func (g *gate) admit(c apdu.Command) *Refusal {
	no := func(code Code) *Refusal { return &Refusal{code, c.Name()} }
	if g.commands++; g.commands > g.rules.Commands {
		return no(CodeAmount)
	}
	var code Code
	switch {
	case c.CLA == claSealed:
		code = g.admitSealed(c)
	case c.CLA != 0:
		code = CodeClass
	default:
		code = g.admitClear(c)
	}
	if code != "" {
		return no(code)
	}
	return nil
}

// admitClear judges a command that goes within the channel of who is at the card.
func (g *gate) admitClear(c apdu.Command) Code {
	if !slices.Contains([]byte{insMSE, insAgree, insSign, insSelect, insRead}, c.INS) {
		return CodeCommand
	}
	if g.stage == agreed || g.stage == announced && c.INS != insAgree {
		return CodeOrder
	}
	switch c.INS {
	case insRead:
		if len(c.Data) > 0 {
			return CodeFile
		}
		return g.reads(c)
	case insSelect:
		return g.selects(c)
	case insSign:
		if c.P1 != 0 || c.P2 != 0 || len(g.rules.Challenge) == 0 || !bytes.Equal(c.Data, g.rules.Challenge) {
			return CodeChallenge
		}
	case insMSE:
		if !chipAuthentication(c) {
			return CodeAgreement
		}
	case insAgree:
		if g.stage != announced || c.P1 != 0 || c.P2 != 0 {
			return CodeOrder
		}
	}
	return ""
}

// admitSealed judges a command of the terminal's own channel, of which only the head and the
// Le are legible.
func (g *gate) admitSealed(c apdu.Command) Code {
	switch {
	case c.INS == insSelect || c.INS == insRead|1:
		return CodeSealed // which file it is cannot be seen
	case c.INS != insRead:
		return CodeCommand
	case g.stage < agreed:
		return CodeOrder
	case !nothingSealed(c.Data):
		return CodeSealed
	}
	return g.reads(c)
}

// reads judges READ BINARY with an even instruction (ISO/IEC 7816-4 §11.3.3): bit 8 of P1
// says whether it has a short identifier or goes on with the current file.
func (g *gate) reads(c apdu.Command) Code {
	if c.P1&0x80 == 0 {
		if !g.current {
			return CodeFile
		}
		return ""
	}
	sfi := c.P1 & 0x7F
	if sfi < 1 || sfi > 30 || !slices.ContainsFunc(g.rules.Files, func(f File) bool { return f.SFI == sfi }) {
		return CodeFile
	}
	return ""
}

// selects judges SELECT of an application by its AID, or of a file of it.
func (g *gate) selects(c apdu.Command) Code {
	if c.P2 != noAnswer || c.Le != 0 {
		return CodeFile
	}
	switch {
	case c.P1 == byAID && slices.ContainsFunc(g.rules.Applications, func(a []byte) bool { return bytes.Equal(a, c.Data) }):
		return ""
	case c.P1 == byAID:
		return CodeApplication
	case c.P1 == inFolder && len(c.Data) == 2:
		fid := uint16(c.Data[0])<<8 | uint16(c.Data[1])
		if fid != 0 && slices.ContainsFunc(g.rules.Files, func(f File) bool { return f.FID == fid }) {
			return ""
		}
	}
	return CodeFile
}

// idCA begins the protocols of Chip Authentication, id-CA (Doc 9303-11 §9.2.5), in DER.
var idCA = [...]byte{0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x03}

const (
	tagProtocol  tlv.Tag = 0x80
	tagReference tlv.Tag = 0x84
	tagEphemeral tlv.Tag = 0x91
	tagLe        tlv.Tag = 0x97
	tagMAC       tlv.Tag = 0x8E
)

// chipAuthentication reports whether MSE sets Chip Authentication up and nothing else:
// Restricted Identification is begun by the same command with another protocol, Terminal
// Authentication and PACE by others.
func chipAuthentication(c apdu.Command) bool {
	first := tagProtocol
	if c.P1 == 0x41 && c.P2 == 0xA6 {
		first = tagEphemeral
	} else if c.P1 != 0x41 || c.P2 != 0xA4 {
		return false
	}
	s, value := tlv.String(c.Data), tlv.String(nil)
	if !s.ReadTag(first, &value) || first == tagProtocol && !bytes.HasPrefix(value, idCA[:]) {
		return false
	}
	return s.Empty() || s.ReadTag(tagReference, &value) && s.Empty()
}

// nothingSealed reports whether a protected command holds an Le and a MAC alone.
func nothingSealed(b []byte) bool {
	s, value := tlv.String(b), tlv.String(nil)
	s.ReadTag(tagLe, &value)
	return s.ReadTag(tagMAC, &value) && s.Empty()
}

// answered learns from the card's answer, and says why it is not handed back.
func (g *gate) answered(c apdu.Command, a apdu.Response) *Refusal {
	if g.octets += len(a.Data) + 2; g.octets > g.rules.Octets {
		return &Refusal{CodeAmount, c.Name()}
	}
	done := a.Status == apdu.OK
	switch {
	case c.INS == insRead && c.P1&0x80 != 0 && (done || a.Status == apdu.EndOfFile):
		g.current = true
	case c.INS == insSelect:
		g.current = done && c.P1 == inFolder
	case c.INS == insMSE && done && c.P2 == 0xA6, c.INS == insAgree && done:
		g.stage = agreed
	case c.INS == insMSE && done:
		g.stage = announced
	case c.INS == insAgree: // the chip refused: its old keys stand
		g.stage = legible
	}
	return nil
}
