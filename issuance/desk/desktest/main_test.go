//go:build linux && cgo

package desktest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/testdata"
)

// service is the PC/SC service of this program, started by the first test that needs it.
var service struct {
	start  sync.Once
	begin  func()
	daemon *private.Daemon
	err    error
	free   chan int // slots that nobody uses; not those of the last entry
}

// entries are the reader entries of two slots each. The last is for the test of readers
// that can be mistaken for each other. With all eight that there may be, pcsc_scan fails:
// it waits for one thing more than the service can.
const entries = 7

// TestMain moves the tests into a network of their own, because virtual readers listen to
// everybody, and has the service end with them.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if path := os.Getenv(chipFile); path != "" {
		return serveChip(path)
	}
	if in, err := private.Enter(); !in {
		fmt.Fprintln(os.Stderr, "the virtual readers' ports are reachable:", err)
	}
	// The watchdog: a call that hangs in the service returns when the service ends.
	end := 10 * time.Minute
	if soaking() {
		end = 6 * time.Hour
	}
	ctx, cancel := context.WithTimeout(context.Background(), end)
	defer cancel()
	defer func() {
		if service.daemon != nil {
			service.daemon.Close()
		}
	}()
	service.begin = func() {
		service.daemon, service.err = private.Start(ctx, private.Options{Readers: entries})
		if service.err != nil {
			return
		}
		_, service.err = pcsc.Readers(ctx)
		service.free = make(chan int, service.daemon.Slots())
		for n := range service.daemon.Slots() - 2 {
			service.free <- n
		}
	}
	flag.Parse()
	// The tests wait for the readers more than for the processor.
	if err := flag.Set("test.parallel", fmt.Sprint(2*entries-2)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer tell()
	return m.Run()
}

// daemon returns the service, or skips the test.
func daemon(t testing.TB) *private.Daemon {
	t.Helper()
	service.start.Do(service.begin)
	for _, none := range []error{private.ErrNoDaemon, private.ErrNoDriver, private.ErrUnsupported, pcsc.ErrUnavailable} {
		if errors.Is(service.err, none) {
			testdata.Missing(t, "pcscd", service.err.Error())
		}
	}
	check(t, service.err)
	return service.daemon
}

// soaking says whether everything is to be tried, however long it takes.
func soaking() bool { return os.Getenv("TAMTHE_SOAK") != "" }

// needSoak skips what takes minutes.
func needSoak(t *testing.T) {
	t.Helper()
	if !soaking() {
		t.Skip("TAMTHE_SOAK is not set: this takes minutes")
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
