// Package virtual is a chip card in software: the files of Doc 9303-10 and of the eID
// application behind their access rules, with the chip's ends of the protocols of Doc
// 9303-11 and TR-03110, and before that a state in which its issuer personalises it. It
// is an apdu.Wire in process, and a card in a real PC/SC reader by Serve. It can be given
// the manners of chips in the field (Quirks), and adds up what its work would take on
// one (Model).
//
// What a power cut leaves is what a real chip would keep: all lasting state is in one
// non-volatile memory, in the process or in a file, that grows by checksummed records,
// each of which is written whole or not at all. Every command is answered.
//
// The chip's memory holds its keys in the clear, as a chip's does. It protects nobody's
// card; it is for tests, demonstrations and developers.
package virtual

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu"
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
	Dialect    Dialect     // the commands that it is personalised by
	Options    byte        // of SCP03: gp.OptionS16 and gp.OptionPseudoRandom, beside those for all levels
	Quirks     Quirks
	Model      Model // see SetModel
}

// Dialect is a family of commands that a chip is personalised by.
type Dialect byte

// The dialects.
const (
	// DGI is the one of package gp: STORE DATA within SCP03.
	DGI Dialect = iota
	// FilesSCP03 is CREATE FILE and UPDATE BINARY within SCP03, with the keys by PUT DATA.
	FilesSCP03
	// FilesPlain is FilesSCP03 without protection, as the applets of the JMRTD project
	// have it: whoever comes first may write. It is for tests of a driver, and nothing else.
	FilesPlain
	// Card42 is that of an open applet for Java Cards: DGIs that the card's security domain
	// passes on to it.
	Card42
	dialects
)

// dialectNames are what drivers of package perso are called that personalise them.
var dialectNames = [dialects]string{DGI: "gp-dgi", FilesSCP03: "files-scp03", FilesPlain: "passportapplet", Card42: "card42"}

// String is the dialect's name.
func (d Dialect) String() string {
	if d >= dialects {
		return fmt.Sprintf("Dialect(%d)", byte(d))
	}
	return dialectNames[d]
}

// ParseDialect is the inverse of String, for the dialects that there are.
func ParseDialect(name string) (Dialect, bool) {
	i := slices.Index(dialectNames[:], name)
	return Dialect(max(i, 0)), i >= 0
}

// factory are the first records of the chip's memory.
func (c Config) factory() ([]record, error) {
	if c.Keys.Version == 0 {
		c.Keys = gp.TransportKeys()
	}
	if c.Keys.Check() != nil {
		c.Keys = gp.Keys{Version: c.Keys.Version}
	}
	if c.Historical == nil {
		c.Historical = historical()
	}
	if len(c.Historical) > maxHistorical {
		return nil, fmt.Errorf("%d historical octets, the most is %d", len(c.Historical), maxHistorical)
	}
	if c.KDD == (gp.KDD{}) {
		c.KDD = randomKDD()
	}
	if c.Dialect >= dialects {
		return nil, fmt.Errorf("dialect %d is not known", c.Dialect)
	}
	out := []record{factoryRecord(c.KDD, c.Historical, c.Keys)}
	if c.Dialect != DGI {
		out = append(out, record{recDialect, []byte{byte(c.Dialect)}})
	}
	if c.Options != 0 {
		out = append(out, record{recOptions, []byte{c.Options}})
	}
	if c.Quirks != (Quirks{}) {
		out = append(out, quirksRecord(c.Quirks))
	}
	return out, nil
}
