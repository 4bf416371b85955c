package auth

import (
	"bytes"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/cvc"
)

// TerminalChip is the chip's end of Terminal Authentication in either version. It begins
// anew with each session: keys of certificates and rights end with it. The date and the
// trust points move on (Chain), for its owner to keep.
type TerminalChip struct {
	chain *cvc.Chain
	chip  []byte // ID_PICC
	short []byte // the terminal's compressed ephemeral key: of Chip Authentication, or announced here

	second    bool
	auxiliary []byte

	name      cvc.Reference // of the key that MSE:Set AT chose, "" for none
	challenge []byte        // the last one that was given, for one use
	rights    cvc.CHAT
	done      bool
	fresh     []byte // a challenge fixed by an example
}

// NewTerminalChip1 makes the end of version 1. chip is ID_PICC, ephemeral the compressed
// key of the terminal in the Chip Authentication before it.
func NewTerminalChip1(chain *cvc.Chain, chip, ephemeral []byte) *TerminalChip {
	return &TerminalChip{chain: chain, chip: chip, short: ephemeral}
}

// NewTerminalChip2 makes the end of version 2, in which the terminal announces the key of
// the Chip Authentication after it.
func NewTerminalChip2(chain *cvc.Chain, chip []byte) *TerminalChip {
	return &TerminalChip{chain: chain, chip: chip, second: true}
}

// Chain is the judgement of certificates, with the chip's date and trust points as they
// are now.
func (t *TerminalChip) Chain() *cvc.Chain { return t.chain }

// Rights returns the effective rights of the terminal; false before it is authenticated.
func (t *TerminalChip) Rights() (cvc.CHAT, bool) { return t.rights, t.done }

// Announced returns the compressed ephemeral key that an authenticated terminal announced
// (version 2), else nil.
func (t *TerminalChip) Announced() []byte {
	if !t.done {
		return nil
	}
	return t.short
}

// Auxiliary returns the data that an authenticated terminal gave to compare, 67 whole;
// else nil.
func (t *TerminalChip) Auxiliary() []byte {
	if !t.done {
		return nil
	}
	return t.auxiliary
}

// Process answers MSE:Set DST, PSO: VERIFY CERTIFICATE (the chain of it already put
// together), MSE:Set AT, GET CHALLENGE and EXTERNAL AUTHENTICATE, and any other command
// with 6D00. After success it refuses to begin again.
func (t *TerminalChip) Process(c apdu.Command) apdu.Response {
	challenge := t.challenge
	t.challenge = nil // it is good for the command right after it
	switch {
	case t.done:
		return apdu.Response{Status: apdu.ConditionsNotSatisfied}
	case c.INS == 0x22 && c.P1 == 0x81 && c.P2 == 0xB6:
		return apdu.Response{Status: t.choose(c.Data)}
	case c.INS == 0x2A && c.P1 == 0 && c.P2 == 0xBE:
		return apdu.Response{Status: t.verify(c.Data)}
	case c.INS == 0x22 && c.P1 == 0x81 && c.P2 == 0xA4:
		return apdu.Response{Status: t.setAT(c.Data)}
	case c.INS == 0x84 && c.P1 == 0 && c.P2 == 0:
		if t.name == "" {
			return apdu.Response{Status: apdu.ConditionsNotSatisfied}
		}
		if c.Le != terminalChallenge && c.Le != apdu.MaxShortLe {
			return apdu.Response{Status: apdu.WrongLength}
		}
		t.challenge = draw(t.fresh, terminalChallenge)
		return apdu.Response{Data: t.challenge, Status: apdu.OK}
	case c.INS == 0x82 && c.P1 == 0 && c.P2 == 0:
		return apdu.Response{Status: t.authenticate(challenge, c.Data)}
	case c.INS == 0x22, c.INS == 0x2A, c.INS == 0x84, c.INS == 0x82:
		return apdu.Response{Status: apdu.WrongP1P2}
	}
	return apdu.Response{Status: apdu.INSNotSupported}
}

func (t *TerminalChip) choose(data []byte) apdu.Status {
	t.name = ""
	s := tlv.String(data)
	var name tlv.String
	if !s.ReadTag(tagKeyName, &name) || !s.Empty() {
		return apdu.WrongData
	}
	if t.chain.Choose(cvc.Reference(name)) != nil {
		return apdu.ReferenceNotFound
	}
	return apdu.OK
}

func (t *TerminalChip) verify(data []byte) apdu.Status {
	c, err := cvc.ParseContents(data)
	if err != nil {
		_ = t.chain.Choose("") // what was chosen is forgotten
		return apdu.WrongData
	}
	if t.chain.Import(c) != nil {
		return apdu.AuthenticationFailed
	}
	return apdu.OK
}

// setAT takes the name of the terminal's key, and in version 2 algorithm, auxiliary data
// and the announced key.
func (t *TerminalChip) setAT(data []byte) apdu.Status {
	t.name, t.auxiliary = "", nil
	if t.second {
		t.short = nil
	}
	s := tlv.String(data)
	var oid, name, auxiliary, short tlv.String
	hasOID := s.ReadTag(tagProtocol, &oid)
	if !s.ReadTag(tagKeyName, &name) {
		return apdu.WrongData
	}
	before := s
	if s.ReadTag(tagAuxiliary, &auxiliary) {
		t.auxiliary = bytes.Clone(before[:len(before)-len(s)])
	}
	hasShort := s.ReadTag(tagShortKey, &short)
	if !s.Empty() || hasShort != t.second || !t.second && auxiliary != nil || t.second && !hasOID {
		return apdu.WrongData
	}
	key, _, err := t.chain.Terminal(cvc.Reference(name))
	if err != nil {
		return apdu.ReferenceNotFound
	}
	if want, err := contents(key.Algorithm.OID()); err != nil || hasOID && !bytes.Equal(oid, want) {
		return apdu.WrongData
	}
	if t.second {
		t.short = bytes.Clone(short)
	}
	t.name = cvc.Reference(name)
	return apdu.OK
}

func (t *TerminalChip) authenticate(challenge, sig []byte) apdu.Status {
	name := t.name
	t.name = ""
	if name == "" || challenge == nil {
		return apdu.ConditionsNotSatisfied
	}
	key, rights, err := t.chain.Terminal(name)
	if err != nil || key.Verify(signedInput(t.chip, challenge, t.short, t.auxiliary), sig) != nil {
		return apdu.AuthenticationFailed
	}
	t.rights, t.done = rights, true
	return apdu.OK
}
