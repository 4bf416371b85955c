//go:build cgo && !nopcsc && !windows && !darwin

package pcsc

import "github.com/ebfe/scard"

func libraryVersion() string { return "pcsclite " + scard.Version() }
