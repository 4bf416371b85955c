package virtual

import "context"

// Event is what a hand does to a card in a virtual reader.
type Event byte

// The events of ServeOptions.Control.
const (
	Insert     Event = iota + 1 // put the card in; nothing if it is there
	Remove                      // take it out
	PowerCycle                  // take it out and put it in again
)

// ServeOptions say how Serve works.
type ServeOptions struct {
	Addr    string       // host:port of the reader; "" is 127.0.0.1:35963
	Out     bool         // begin with the card outside the reader
	Control <-chan Event // nil: the card stays; closed: Serve ends
	Ready   func()       // called each time that the reader has fetched the ATR after an insertion
}

// Serve holds the card into a virtual reader (vpcd of the vsmartcard project) until ctx is
// done or Control is closed, and then returns nil. A reader that isn't there or goes away
// is an error. The chip stays the caller's.
func Serve(ctx context.Context, c *Chip, o ServeOptions) error { panic("todo") }
