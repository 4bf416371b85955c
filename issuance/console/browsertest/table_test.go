package browsertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

// service is the one PC/SC service of this test binary: the library talks to no other after.
var service struct {
	start  sync.Once
	daemon *private.Daemon
	err    error
}

// withService runs the tests and ends the service, if one was started. One that hangs ends
// with the tests' time.
func withService(run func() int) int {
	defer func() {
		if service.daemon != nil {
			service.daemon.Close()
		}
	}()
	return run()
}

// newTable clears the reader for a test.
func newTable(t *testing.T) *table {
	t.Helper()
	service.start.Do(func() { service.daemon, service.err = private.Start(context.Background(), private.Options{}) })
	if errors.Is(service.err, private.ErrNoDaemon) || errors.Is(service.err, private.ErrNoDriver) {
		testdata.Missing(t, "pcscd", service.err.Error())
	}
	must(t, service.err)
	b := &table{daemon: service.daemon}
	t.Cleanup(func() { must(t, b.clear()) })
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
