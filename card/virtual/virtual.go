// Package virtual is a chip card in software: the files of Doc 9303-10 behind the access
// rules of Doc 9303-11, with the chip's ends of BAC, PACE, Chip Authentication and Active
// Authentication, and before that a state in which an SCP03 channel personalises it. It
// is an apdu.Wire in process, and a card in a real PC/SC reader by Serve.
//
// What a power cut leaves is what a real chip would keep: all lasting state is in one
// non-volatile memory, in memory or in a file, that grows by checksummed records, each of
// which is written whole or not at all. Every command is answered.
//
// The chip's memory holds its keys in the clear, as a chip's does. It protects nobody's
// card; it is for tests, demonstrations and developers.
package virtual

import (
	"context"
	"errors"
	"io/fs"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
)

var (
	// ErrLocked says that another process, or another Chip of this one, has the memory
	// file in use.
	ErrLocked = errors.New("the chip's memory is in use")
	// ErrNotChip says that a file is no chip's memory, or of a newer version.
	ErrNotChip = errors.New("not a chip's memory")
	// ErrCorrupt says that a memory file is damaged before its end, which no power cut
	// does.
	ErrCorrupt = errors.New("the chip's memory is damaged")
)

// Config is a chip as it leaves the factory. The zero value is a good one.
type Config struct {
	Keys       gp.Keys     // transport keys; none stands for gp.TransportKeys
	KDD        gp.KDD      // zeros stand for random ones
	Historical []byte      // of the ATR, at most 15 octets; nil for those of a contactless ID card
	Limits     apdu.Limits // see Limit
}

// FolderOptions say how FromFolder makes a chip of a folder of files.
type FolderOptions struct {
	Path        string         // memory file to create; "" keeps the memory in the process
	MRZ         string         // MRZ information (document number, birth, expiry, each with its check digit); "" takes it from DG1
	CAN         string         // for PACE; "" leaves PACE with the MRZ only
	Rules       *gp.Rules      // nil: BAC allowed, and otherwise the zero value
	AA, CA      *dh.PrivateKey // the chip's keys, if the caller has them; copied
	Counterfeit bool           // make fresh keys on the curves of DG15 and DG14 where AA and CA are nil
	Historical  []byte         // as in Config
	Limits      apdu.Limits    // as in Config
}

// Chip is one card. It is an apdu.Wire, serves one command at a time, and is safe for
// concurrent use.
type Chip struct{}

// New returns a chip that keeps its memory in the process. A key set that gp.Keys.Check
// refuses makes a chip that nobody can open.
func New(c Config) *Chip { panic("todo") }

// Create makes a chip whose memory is a new file of mode 0600 and locks it. A file that is
// there already is fs.ErrExist.
func Create(path string, c Config) (*Chip, error) { panic("todo") }

// Load opens a memory file and locks it: ErrLocked, ErrNotChip, ErrCorrupt, or what the
// file system says. A record that was torn at the end of the file is dropped, as the chip
// does when power comes back.
func Load(path string) (*Chip, error) { panic("todo") }

// FromFolder makes a card in use from an EF folder (EF.COM.bin, EF.SOD.bin, DG1.bin …,
// names matched without case): BAC, and PACE if EF.CardAccess.bin is there. Without chip
// keys it can't answer Active or Chip Authentication.
//
// It is also what a counterfeiter can do who has read a genuine card: copy everything but
// the chip's keys. With Counterfeit the copy has keys of its own and answers with those.
func FromFolder(fsys fs.FS, o FolderOptions) (*Chip, error) { panic("todo") }

// Exchange takes one encoded command and returns the answer. Whatever the octets are,
// there is an answer; the error is ctx's, or apdu.ErrRemoved after Close and between a
// torn write and the next Reset.
func (c *Chip) Exchange(ctx context.Context, b []byte) ([]byte, error) { panic("todo") }

// Reset takes the power away and gives it back: every session and half-finished sequence
// is gone, and the memory is read anew.
func (c *Chip) Reset() { panic("todo") }

// ATR returns the answer to reset of a contactless card in PC/SC's form.
func (c *Chip) ATR() []byte { panic("todo") }

// Limit sets the largest command and answer that the chip takes. The zero value stands
// for short encoding; the other extreme is 65,535 and 65,538 octets.
func (c *Chip) Limit(l apdu.Limits) { panic("todo") }

// KDD returns the chip's name, as it is printed on the batch's papers.
func (c *Chip) KDD() gp.KDD { panic("todo") }

// InUse reports whether the chip is locked for good.
func (c *Chip) InUse() bool { panic("todo") }

// Close takes the card away and releases its file. It may be called more than once.
func (c *Chip) Close() error { panic("todo") }

// OnWrite sets a fault for tests: hook is called before each write to the memory with its
// number from 1 since OnWrite, and when it returns false the power fails in the midst of
// that write: half of the record lands, the command is not answered, and the chip is
// silent (apdu.ErrRemoved) until Reset, or until its file is loaded again. nil ends it.
func (c *Chip) OnWrite(hook func(n int) bool) { panic("todo") }

// Tamper changes one octet of a stored file as a fault in the chip's memory would: XOR
// with mask. The keys of the chip stay what they are. A file that is not there is
// fs.ErrNotExist, an offset beyond its end fs.ErrInvalid.
func (c *Chip) Tamper(fid uint16, offset int, mask byte) error { panic("todo") }
