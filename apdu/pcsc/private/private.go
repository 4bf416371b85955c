// Package private runs a PC/SC service of its own with virtual readers, for demos and
// tests: nothing is installed, no other program sees the readers, and where the machine
// allows it the virtual readers' network port lies in a network of its own.
package private

import (
	"context"
	"errors"
)

var (
	// ErrUnsupported says that this operating system has no pcscd.
	ErrUnsupported = errors.New("a private PC/SC service needs Linux")
	// ErrNoDriver says that the virtual reader's driver (libifdvpcd.so) was not found.
	ErrNoDriver = errors.New("the virtual reader driver is not there")
	// ErrNoDaemon says that there is no pcscd on this machine.
	ErrNoDaemon = errors.New("pcscd is not there")
)

// Options say what to start. The zero value is one reader entry, in a new temporary
// folder, with the driver that TAMTHE_VPCD names or that lies under .tamthe/vpcd.
type Options struct {
	Driver  string // libifdvpcd.so or a folder above it
	Readers int    // reader entries of two slots each, 1 to 8; 0 is 1
	Dir     string // folder for socket and configuration, kept short; "" makes one
}

// Daemon is a running service.
type Daemon struct{}

// Enter puts the program into a network of its own.
func Enter() (bool, error) { panic("todo") }

// Start starts the service.
func Start(ctx context.Context, o Options) (*Daemon, error) { panic("todo") }

// Addr is where the card of a slot connects.
func (d *Daemon) Addr(slot int) string { panic("todo") }

// ReaderName is the name of a slot's reader.
func (d *Daemon) ReaderName(slot int) string { panic("todo") }

// Close ends the service.
func (d *Daemon) Close() error { panic("todo") }
