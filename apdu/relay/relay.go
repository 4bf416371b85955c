// Package relay lets a terminal that is far away speak with a card that is here.
//
// The terminal has a Wire, whoever is at the card runs Carry, and between them is a stream.
// Carry hands on what Rules allow and nothing else: it is the only one of the two that the
// holder of the card has a reason to trust.
//
// Who holds the secure channel decides what Rules can see, so it is not left open here.
// Whoever is at the card opens it and selects the application: the card's password never
// goes over the stream, and there is no command by which the terminal could open the card
// itself. What the terminal sends in the clear goes within that channel and is seen whole.
// It may run Chip Authentication, and from then on only it and the chip have the keys. Of a
// protected command class, instruction and parameters stay legible, and the chip's check of
// the MAC covers them. Only READ BINARY is let through then, which names its file there;
// SELECT, whose file would be sealed, is not. So the terminal has to read files by their
// short identifiers, and no others than those that were agreed.
//
// What Rules cannot see is what the terminal does with a file that it may read.
package relay

import (
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// Protocol names the stream where a connection is turned over to it (HTTP's Upgrade).
const Protocol = "tamthe-relay/1"

var (
	// ErrBusy means that an exchange was begun while another was under way.
	ErrBusy = errors.New("another exchange with the card is under way")
	// ErrStream means that what came is no frame of the protocol, or none that is due.
	ErrStream = errors.New("the relay's stream is broken")
	// ErrGone means that the other end is gone without having ended the session.
	ErrGone = errors.New("the other end of the relay is gone")
	// ErrSilent means that the terminal said nothing for too long.
	ErrSilent = errors.New("the terminal far away said nothing for too long")
	// ErrCard means that the card did not answer, for a reason that is told where it is.
	ErrCard = errors.New("the card far away did not answer")
)

// Code is why a command was not handed on. It is stable.
type Code string

// The codes.
const (
	CodeMalformed   Code = "malformed"   // no command
	CodeClass       Code = "class"       // logical channels, chaining, proprietary classes
	CodeCommand     Code = "command"     // an instruction that no reading needs
	CodeApplication Code = "application" // another application
	CodeFile        Code = "file"        // a file that was not agreed, or that is not named
	CodeChallenge   Code = "challenge"   // the chip is asked to sign something else
	CodeAgreement   Code = "agreement"   // a protocol that is not Chip Authentication
	CodeOrder       Code = "order"       // out of the protocol's order
	CodeSealed      Code = "sealed"      // what it says is hidden
	CodeAmount      Code = "amount"      // more commands or octets than were agreed
)

// Codes lists them.
func Codes() []Code {
	return []Code{
		CodeMalformed, CodeClass, CodeCommand, CodeApplication, CodeFile, CodeChallenge, CodeAgreement, CodeOrder, CodeSealed, CodeAmount,
	}
}

// Refusal is a command that was not handed on. It ends the session: a terminal that keeps to
// what was agreed has none.
type Refusal struct {
	Code    Code
	Command string // its name in the standard, "" where it is not known
}

func (r *Refusal) Error() string {
	if r.Command == "" {
		return "the relay refuses a command: " + string(r.Code)
	}
	return fmt.Sprintf("the relay refuses %s: %s", r.Command, r.Code)
}

// CodeOf is the code of a refusal, "" for any other error.
func CodeOf(err error) Code {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return ""
}

// File is a file that may be read, by both its names. FID 0 stands for one that has none.
type File struct {
	FID uint16
	SFI byte // 1 to 30
}

// Rules say what a terminal far away may have the card do. The zero value lets it do
// nothing but prove the chip.
type Rules struct {
	// Files may be read.
	Files []File
	// Applications may be selected again, by their AIDs; the files are those of each.
	Applications [][]byte
	// Challenge is all that the chip may be asked to sign; nil for nothing.
	Challenge []byte
	// Commands and Octets are the most commands, and octets of answers; 512 and 128 KiB if 0.
	Commands, Octets int
	// Silence is how long the terminal may say nothing; 15 seconds if 0.
	Silence time.Duration
}

const (
	defaultCommands = 512
	defaultOctets   = 128 << 10
	defaultSilence  = 15 * time.Second
	defaultTimeout  = 20 * time.Second
)

// faults are what may be wrong with a card, as frames name it.
var faults = [...]error{0: ErrCard, 1: apdu.ErrRemoved, 2: apdu.ErrReset, 3: apdu.ErrTimeout, 4: apdu.ErrAbandoned}

// faultOf is the number of an error of the card.
func faultOf(err error) byte {
	for i, f := range faults {
		if i > 0 && errors.Is(err, f) {
			return byte(i)
		}
	}
	return 0
}
