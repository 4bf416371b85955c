// Package private runs a PC/SC service of its own with virtual readers, for demos and
// tests: nothing is installed, no other program sees the readers, and where the machine
// allows it the readers' network ports lie in a network of their own.
//
// The service is Debian's pcscd, the readers are those of the package vsmartcard-vpcd,
// which needs only to be unpacked. A card is a program that connects to the address of
// a slot.
//
// A program begins with Enter, then starts one Daemon, because the PC/SC library can
// talk to one service a process:
//
//	inside, err := private.Enter() // false: the ports are reachable, err says why
//	daemon, err := private.Start(ctx, private.Options{})
//	defer daemon.Close()
package private

import "errors"

var (
	// ErrUnsupported says that this operating system has no pcscd.
	ErrUnsupported = errors.New("a private PC/SC service needs Linux")
	// ErrNoDriver says that the virtual readers' driver, libifdvpcd.so, was not found.
	ErrNoDriver = errors.New("the virtual reader driver libifdvpcd.so is not there")
	// ErrNoDaemon says that there is no pcscd on this machine.
	ErrNoDaemon = errors.New("pcscd is not there")
)

// Options say what to start. The zero value is one reader entry, in a new temporary
// folder, with the driver that the environment variable TAMTHE_VPCD names or that lies
// under .tamthe/vpcd in the working directory or a folder above it.
type Options struct {
	Driver  string // libifdvpcd.so, or a folder with it somewhere below
	Readers int    // reader entries of two slots each, 1 to 8; 0 is 1
	Dir     string // existing folder for socket, configuration and log, of a short name; "" makes one
}

// slotsPerReader is a build constant of the driver.
const slotsPerReader = 2
