package perso

import (
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// Driver is one card operating system as data: its capabilities, and what its personaliser
// has to say otherwise than another. Those that this package returns are shared by all
// callers, who must not change them.
type Driver struct {
	Name string
	// TestOnly says that keys cross the reader in the clear and that anybody may write the
	// chip until its lock. Run refuses such a driver unless Order.TestCard says so.
	TestOnly bool

	Application []byte // AID of what is personalised
	Domain      []byte // AID that the channel is opened with; nil for the application's
	Challenge   []byte // AID in pseudo-random challenges
	// FirstSequence is the counter of the first handshake of keys that were just put on.
	FirstSequence uint32

	AA, CA KeyMaking
	// NamesKeys says that the chip tells its public keys, those imported too.
	NamesKeys bool
	// Curves are those that the chip can have keys on, by their number in TR-03110-3 table
	// 4, nil for any.
	Curves []int
	// Agreement is the protocol of Chip Authentication that the chip has, nil for any.
	Agreement asn1.ObjectIdentifier
	// BAC says that the chip opens by BAC whatever else it has: a card needs a seed for it.
	BAC bool
	// NoCAN says that the chip can't be opened with a CAN.
	NoCAN bool
	// NoRules says that the card's manners in use can't be chosen.
	NoRules bool
	// EAC says that the chip takes trust points of Terminal Authentication and a date.
	EAC bool

	Level         gp.Level // of the channel; 0 stands for gp.FullSecurity, and gp.CMACEncRMAC is the least
	CounterOnData bool     // see gp.Start

	// Extended says that a key can be imported over a link with extended length only.
	Extended bool

	Block   int      // most octets of one write, 0 for as many as the channel carries
	MaxFile int      // octets of the largest file
	Read    ReadBack // how files are compared with what was written
	// Reopens says that who holds the issuer's keys can write the card even after its lock.
	Reopens bool

	dialect dialect
}

// KeyMaking is how a key pair of the chip comes about.
type KeyMaking byte

// The ways. A key made on the chip never leaves it; an imported one was known elsewhere, if
// only for a moment, and the card's record says so for good.
const (
	NoKey    KeyMaking = iota
	OnChip             // the chip makes it, unless Order.Import says otherwise
	ByImport           // only import is possible, and Order.Import must allow it
)

// ReadBack is how the files on a chip are compared with what was written.
type ReadBack byte

// The ways to read back.
const (
	InChannel  ReadBack = iota // octet by octet, before the lock
	AsStranger                 // by Order.Verify, before the lock as well as after it
)

// dialect is what the three verbs of personalising are in a family of commands. Nothing
// that was begun before an interruption counts: Run begins with the first verb again.
type dialect interface {
	// installKeys gives the chip what is set in k.
	installKeys(ctx context.Context, r *run, k *secrets) error
	// putFile writes one file. The last one ends what the earlier ones may have left open.
	putFile(ctx context.Context, r *run, f lds.File, b []byte, last bool) error
	// finish locks the chip for good.
	finish(ctx context.Context, r *run) error
}

// ErrDriver says that there is no driver of that name.
var ErrDriver = errors.New("no such driver")

// DriverByName returns a driver; "" stands for Default.
func DriverByName(name string) (*Driver, error) {
	if name == "" {
		name = Default
	}
	for _, d := range drivers {
		if d.Name == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("%q: %w", name, ErrDriver)
}

// Drivers returns the names of all drivers.
func Drivers() []string {
	var out []string
	for _, d := range drivers {
		out = append(out, d.Name)
	}
	return out
}

// Default is the driver of the chips that this project makes.
const Default = "gp-dgi"

var (
	aidLDS    = []byte{0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01}
	aidDomain = []byte{0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00}
	// id-CA-ECDH-3DES-CBC-CBC, TR-03110-3 §A.1.1.2
	oidCA3DES = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 1}
)

// drivers are the card operating systems. A new one whose commands are of a family that is
// here is a new row.
var drivers = []*Driver{
	{
		// The virtual chip of this project, and cards made after its description.
		Name: Default, Application: aidLDS, Challenge: aidDomain, FirstSequence: 1,
		AA: OnChip, CA: OnChip, NamesKeys: true, EAC: true, MaxFile: gp.MaxDGI,
		dialect: dgiDialect{
			seed: gp.DGIBACSeed, mrz: gp.DGIPACEMRZ, can: gp.DGIPACECAN, rules: gp.DGIRules,
			security: gp.DGICardSecurity, key: gp.DGIKey, trust: gp.DGITrust, date: gp.DGIDate,
			status: gp.StatusOfApplication,
		},
	},
	{
		// An open applet for Java Cards, personalised through the card's security domain. Its
		// CAN has another form than Doc 9303-11 §9.7.3 gives it, so it is left out.
		Name: "card42", Application: aidLDS, Domain: aidDomain, Challenge: aidDomain, FirstSequence: 1,
		CA: ByImport, Curves: []int{12}, Agreement: oidCA3DES,
		BAC: true, NoCAN: true, NoRules: true, Block: 231, MaxFile: 0x7FFF, Read: AsStranger, Reopens: true,
		dialect: dgiDialect{
			seed: 0xFF01, mrz: 0xFF04, security: 0xFF05, key: 0xFF03,
			bareKey: true, through: true, status: gp.StatusOfCard,
		},
	},
	{
		// The files of the open passport applets, within a channel.
		Name: "files-scp03", Application: aidLDS, Challenge: aidDomain, FirstSequence: 1,
		CA: ByImport, Extended: true, NoRules: true, EAC: true, MaxFile: 0x1FFFF, dialect: fileDialect{},
	},
	{
		// The open passport applets as they are: for test cards, and nothing else.
		Name: "passportapplet", TestOnly: true, Application: aidLDS,
		CA: ByImport, NoRules: true, Block: 255, MaxFile: 0x1FFFF, dialect: fileDialect{},
	},
}

// channel says whether the driver's chips speak a secure channel.
func (d *Driver) channel() bool { return !d.TestOnly }

// opens is the AID that a channel is opened with.
func (d *Driver) opens() []byte {
	if d.Domain != nil {
		return d.Domain
	}
	return d.Application
}

// makes says how a key comes about in an order: made on the chip, or imported.
func (k KeyMaking) makes(o *Order) (onChip, ok bool) {
	switch k {
	case OnChip:
		return !o.Import, true
	case ByImport:
		return false, o.Import
	}
	return false, false
}

// can says whether a key pair on c can be had.
func (d *Driver) can(k KeyMaking, c *dh.Curve, o *Order) error {
	id, ok := c.ID()
	if !ok {
		return errors.New("a curve without an identifier")
	}
	if d.Curves != nil && !slices.Contains(d.Curves, id) {
		return fmt.Errorf("driver %s has no keys on %s", d.Name, c.Name())
	}
	if _, ok := k.makes(o); !ok {
		return fmt.Errorf("driver %s can't come by such a key, or only by an import that the order doesn't allow", d.Name)
	}
	return nil
}
