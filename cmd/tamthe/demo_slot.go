package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/card/virtual"
)

// slot is where the demonstration holds its chips: a reader of a private PC/SC service, or
// the process itself.
type slot interface {
	// insert puts a chip in, in place of the one before.
	insert(ctx context.Context, chip *virtual.Chip) error
	// remove takes it out.
	remove() error
	connect(ctx context.Context, name string) (*reader, error)
	close() error
}

// inProcess holds a chip without any reader.
type inProcess struct{ chip *virtual.Chip }

func (s *inProcess) insert(_ context.Context, chip *virtual.Chip) error {
	s.chip = chip
	chip.Reset()
	return nil
}

func (s *inProcess) remove() error {
	s.chip = nil
	return nil
}

func (s *inProcess) connect(context.Context, string) (*reader, error) {
	if s.chip == nil {
		return nil, pcsc.ErrNoCard
	}
	chip := s.chip
	chip.Reset()
	reset := func(context.Context) error {
		chip.Reset()
		return nil
	}
	limits := apdu.Limits{Command: 65535, Response: 65535}
	return &reader{Wire: chip, reset: reset, close: func() error { return nil }, limits: limits}, nil
}

func (s *inProcess) close() error { return nil }

// virtualReader is the first slot of a private pcscd.
type virtualReader struct {
	daemon *private.Daemon
	atr    []byte        // of the chip inserted
	stop   func()        // ends its service
	served chan error    // what it ended with
	patrol time.Duration // how long the reader may take to notice
}

// errOtherCard says that another program put its card into our reader.
var errOtherCard = errors.New("the virtual reader holds a card that is not ours")

func newVirtualReader(ctx context.Context, driver string) (*virtualReader, error) {
	daemon, err := private.Start(ctx, private.Options{Driver: driver})
	if err != nil {
		return nil, err
	}
	return &virtualReader{daemon: daemon, patrol: 10 * time.Second}, nil
}

func (s *virtualReader) name() string { return s.daemon.ReaderName(0) }

func (s *virtualReader) insert(ctx context.Context, chip *virtual.Chip) error {
	if err := s.remove(); err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ready := make(chan struct{}, 1)
	s.stop, s.served, s.atr = stop, make(chan error, 1), chip.ATR()
	go func() {
		s.served <- virtual.Serve(serving, chip, virtual.ServeOptions{
			Addr: s.daemon.Addr(0),
			Ready: func() {
				select {
				case ready <- struct{}{}:
				default:
				}
			},
		})
	}()
	select {
	case <-ready:
	case err := <-s.served:
		s.stop = nil
		return fmt.Errorf("virtual reader: %w", err)
	case <-time.After(s.patrol):
		return fmt.Errorf("virtual reader: no answer for %v", s.patrol)
	}
	waiting, cancel := context.WithTimeout(ctx, s.patrol)
	defer cancel()
	return pcsc.Wait(waiting, s.name())
}

// remove takes the chip out and waits until the reader has noticed.
func (s *virtualReader) remove() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	<-s.served
	s.stop = nil
	for end := time.Now().Add(s.patrol); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		list, err := pcsc.Readers(context.Background())
		if err != nil {
			return err
		}
		here := false
		for _, r := range list {
			here = here || r.Name == s.name() && r.Card
		}
		if !here {
			return nil
		}
	}
	return fmt.Errorf("virtual reader: the card is still there after %v", s.patrol)
}

// connect opens the chip; a card with another ATR is refused, for where the reader's port
// can be reached from outside anybody could put one in.
func (s *virtualReader) connect(ctx context.Context, _ string) (*reader, error) {
	r, err := connectPCSC(ctx, s.name())
	if err != nil {
		return nil, err
	}
	if card, ok := r.Wire.(*pcsc.Card); ok && !bytes.Equal(card.ATR(), s.atr) {
		_ = r.close()
		return nil, errOtherCard
	}
	return r, nil
}

func (s *virtualReader) close() error {
	return errors.Join(s.remove(), s.daemon.Close())
}
