//go:build !linux

package private

import "context"

// Enter returns false and ErrUnsupported.
func Enter() (bool, error) { return false, ErrUnsupported }

// Daemon is a running service.
type Daemon struct{}

// Start returns ErrUnsupported.
func Start(context.Context, Options) (*Daemon, error) { return nil, ErrUnsupported }

// Addr returns nothing.
func (d *Daemon) Addr(int) string { return "" }

// ReaderName returns nothing.
func (d *Daemon) ReaderName(int) string { return "" }

// Slots returns 0.
func (d *Daemon) Slots() int { return 0 }

// Socket returns nothing.
func (d *Daemon) Socket() string { return "" }

// PID returns 0.
func (d *Daemon) PID() int { return 0 }

// Done returns nil.
func (d *Daemon) Done() <-chan struct{} { return nil }

// Close does nothing.
func (d *Daemon) Close() error { return nil }
