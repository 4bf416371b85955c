package browsertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
)

// table is the office's card reader, a slot of a private pcscd, and what lies on it.
type table struct {
	daemon *private.Daemon
	chip   *virtual.Chip
	stop   context.CancelFunc
	served chan error
}

// newTable starts the one PC/SC service of this test binary.
func newTable(t *testing.T) *table {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute) // a service that hangs
	t.Cleanup(cancel)
	d, err := private.Start(ctx, private.Options{})
	if errors.Is(err, private.ErrNoDaemon) || errors.Is(err, private.ErrNoDriver) {
		testdata.Missing(t, "pcscd", err.Error())
	}
	must(t, err)
	b := &table{daemon: d}
	t.Cleanup(func() {
		must(t, b.clear())
		must(t, d.Close())
	})
	return b
}

// put lays a chip onto the reader, in place of the one before, and waits until it is seen.
func (b *table) put(chipOf func() (*virtual.Chip, error)) error {
	if err := b.clear(); err != nil {
		return err
	}
	chip, err := chipOf()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	ready := make(chan struct{}, 1)
	b.chip, b.stop, b.served = chip, stop, make(chan error, 1)
	go func() {
		b.served <- virtual.Serve(ctx, chip, virtual.ServeOptions{Addr: b.daemon.Addr(0), Ready: func() {
			select {
			case ready <- struct{}{}:
			default:
			}
		}})
	}()
	select {
	case <-ready:
	case err := <-b.served:
		b.served <- err
		return fmt.Errorf("virtual reader: %w", err)
	}
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return pcsc.Wait(waiting, b.daemon.ReaderName(0))
}

// clear takes the chip away, and waits until the reader has noticed.
func (b *table) clear() error {
	if b.chip == nil {
		return nil
	}
	b.stop()
	<-b.served
	err := b.chip.Close()
	b.chip = nil
	for range 200 {
		list, e := pcsc.Readers(context.Background())
		if e != nil {
			return errors.Join(err, e)
		}
		seen := false
		for _, r := range list {
			seen = seen || r.Name == b.daemon.ReaderName(0) && r.Card
		}
		if !seen {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.Join(err, errors.New("the reader still sees the card"))
}
