// Package eid lets a portal rely on a citizen's card over the network.
//
// A relying party asks a Server for named fields for a named purpose. The citizen's agent
// opens the chip, shows who asks for what, reads the files and lets the chip prove itself
// for this very login; the Server judges, has its Store keep the decision, and only then
// answers with an assertion that the relying party's own browser session can redeem, once.
//
// How a chip proves itself, and what each proof is worth:
//
//   - Active: the chip signs a challenge derived from relying party, purpose, fields,
//     session, audience, the server's nonce and the agent's, to which the agent commits
//     itself before it hears the server's: neither chooses the challenge. Anybody can
//     verify it later; nobody can use it for another login.
//
//   - Agreement: the Server runs Chip Authentication from afar (auth.Remote1). Only the chip
//     can answer, and only now; nobody else is convinced by the transcript. But it answers
//     whoever asks: a service that a citizen logs in to can pass on the question of another. So
//     a chip that can sign must sign, too, whatever a party needs.
//
//   - Relay: the Server is the terminal (Server.Relay). It runs Chip Authentication and reads
//     the files under its keys, so that what it reads comes from the chip itself, and whoever
//     is in between can neither read nor change it. The agent opens the card, keeps its
//     password, and holds the Server to the files that the fields need (apdu/relay); which
//     of what is in them the Server goes on to use, it cannot see.
//
// All show that the genuine chip took part and that whoever held it knew its password,
// and no more: Possession. That it was its holder somebody has to see: Holder.
package eid

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tamthe/tamthe/card/auth"
)

// Level is how sure one may be who it was.
type Level string

const (
	Possession Level = "possession" // the card was there, with its password
	Holder     Level = "holder"     // and somebody saw that it was its holder
)

// Code is why a login came to nothing. It is stable, and says nothing about the citizen.
type Code string

// The codes.
const (
	CodeProtocol     Code = "protocol"        // the agent speaks another version of it
	CodeUnknown      Code = "unknown-session" // no such login, or over
	CodeExpired      Code = "expired"         // it took too long
	CodeTaken        Code = "taken"           // another agent has it, or it was answered
	CodeReplayed     Code = "replayed"        // redeemed before
	CodeUnbound      Code = "unbound"         // not the browser session that began it
	CodeNonce        Code = "wrong-nonce"     // proof of another login, party, purpose or audience
	CodeAudience     Code = "wrong-audience"  // evidence for another service
	CodeOther        Code = "other-party"     // evidence for another relying party
	CodeLogin        Code = "other-login"     // evidence for another login of the party
	CodeParty        Code = "unknown-party"   // who asks is not known here
	CodePurpose      Code = "no-purpose"      // no purpose, or none of the party's
	CodeFields       Code = "over-asked"      // a field that the party may not have
	CodeLevel        Code = "level"           // more is asked than was shown
	CodeRate         Code = "too-many"        // too many logins at once, or too many wrong codes
	CodeEvidence     Code = "malformed"       // no evidence that can be read
	CodeUnproven     Code = "chip-unproven"   // the chip did not prove itself
	CodeClone        Code = "clone"           // it tried, with another key
	CodeAltered      Code = "altered"         // a file is not the signed one
	CodeNotGenuine   Code = "not-genuine"     // refused for another reason
	CodeRevoked      Code = "revoked"         // card or signer is out of force
	CodeInconclusive Code = "inconclusive"    // what is needed to decide is not there
)

// Codes lists them.
func Codes() []Code {
	return []Code{
		CodeProtocol, CodeUnknown, CodeExpired, CodeTaken, CodeReplayed, CodeUnbound, CodeNonce, CodeAudience, CodeOther, CodeLogin, CodeParty, CodePurpose, CodeFields, CodeLevel, CodeRate,
		CodeEvidence, CodeUnproven, CodeClone, CodeAltered, CodeNotGenuine, CodeRevoked, CodeInconclusive,
	}
}

// Refusal is a login that came to nothing. Reasons are those of verify, if it got so far.
type Refusal struct {
	Code    Code
	Reasons []string
}

func (r *Refusal) Error() string {
	if len(r.Reasons) == 0 {
		return "refused: " + string(r.Code)
	}
	return "refused: " + string(r.Code) + " (" + strings.Join(r.Reasons, ", ") + ")"
}

func refuse(c Code, reasons ...string) error { return &Refusal{c, reasons} }

// CodeOf is the code of a refusal, "" for any other error.
func CodeOf(err error) Code {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return ""
}

// Ask is what a relying party wants to know.
type Ask struct {
	Party   string   `json:"party"`
	Purpose string   `json:"purpose"` // one printable line of at most 200 octets, shown to the citizen
	Fields  []string `json:"fields"`  // of Fields
	Level   Level    `json:"level"`   // Possession if empty
	Nonce   string   `json:"nonce"`   // the party's own, given back in the assertion; at most 200 octets
}

// check says what cannot be asked: CodePurpose, CodeFields, CodeLevel, CodeEvidence.
func (a *Ask) check() error {
	if a.Level == "" {
		a.Level = Possession
	}
	slices.Sort(a.Fields)
	a.Fields = slices.Compact(a.Fields)
	switch {
	case strings.TrimSpace(a.Purpose) == "" || !line(a.Purpose):
		return refuse(CodePurpose)
	case a.Level != Possession && a.Level != Holder:
		return refuse(CodeLevel)
	case len(a.Nonce) > maxText || !line(a.Nonce):
		return refuse(CodeEvidence)
	}
	for _, f := range a.Fields {
		if !slices.Contains(Fields(), f) {
			return refuse(CodeFields)
		}
	}
	return nil
}

const maxText = 200

// line reports whether a text is one printable line.
func line(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// Request is what the agent is told, and what the chip's signature is bound to.
type Request struct {
	Session string    `json:"session"` // names the login
	Server  string    `json:"server"`  // the audience: where the agent talks to
	Party   string    `json:"party"`
	Name    string    `json:"name"` // the party's, for people
	Purpose string    `json:"purpose"`
	Fields  []string  `json:"fields"`
	Level   Level     `json:"level"`
	Nonce   string    `json:"nonce"` // the server's, 32 hexadecimal digits
	Relay   bool      `json:"relay"` // the server reads the card itself (Login.Lend)
	Expires time.Time `json:"expires"`
}

// plain reports whether a citizen can be shown all of what is asked, as it is signed: known
// fields, each once, in their order, and texts of one printable line.
func (r Request) plain() bool {
	a := Ask{Purpose: r.Purpose, Fields: slices.Clone(r.Fields), Level: r.Level}
	return a.check() == nil && a.Level == r.Level && slices.Equal(a.Fields, r.Fields) && r.Party != "" && line(r.Party) && line(r.Name)
}

// Challenge is what the chip signs for this login: the first eight octets, other than zeros,
// of SHA-256("tamthe eid challenge v2" ‖ 0 ‖ each of audience, session, party, purpose,
// level, fields with spaces between, the server's nonce and the agent's, behind its length
// in four octets).
func (r Request) Challenge(agent string) [auth.ChallengeSize]byte {
	h := sha256.New()
	h.Write([]byte("tamthe eid challenge v2\x00"))
	for _, s := range []string{r.Server, r.Session, r.Party, r.Purpose, string(r.Level), strings.Join(r.Fields, " "), r.Nonce, agent} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	c := [auth.ChallengeSize]byte(h.Sum(nil))
	if c == [auth.ChallengeSize]byte{} {
		c[0] = 1
	}
	return c
}

// random is a name that nobody guesses: n octets in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// digits are n decimal digits that nobody guesses in a few tries.
func digits(n int) string {
	var b strings.Builder
	for b.Len() < n {
		var x [1]byte
		if rand.Read(x[:]); x[0] < 250 {
			fmt.Fprint(&b, x[0]%10)
		}
	}
	return b.String()
}

// NewNonce draws an agent's nonce.
func NewNonce() string { return random(16) }

// Commitment is what an agent sends of its nonce before it hears the server's: SHA-256("tamthe
// eid agent v2" ‖ 0 ‖ nonce) in hexadecimal. A server that knew the nonce could look for one of
// its own that makes this login's challenge that of another.
func Commitment(nonce string) string {
	sum := sha256.Sum256([]byte("tamthe eid agent v2\x00" + nonce))
	return hex.EncodeToString(sum[:])
}

// isCommitment reports whether s is 64 hexadecimal digits.
func isCommitment(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && hex.EncodeToString(b) == s
}
