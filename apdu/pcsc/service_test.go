//go:build linux && cgo && !nopcsc

package pcsc

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
)

// TestServiceDies: the service is killed under an open card.
func TestServiceDies(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	name, addr := slot(t)
	insert(t, name, addr, ok)
	card := open(t, name, Options{})
	if err := rig.daemon.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := card.Exchange(t.Context(), selectMF)
	if !errors.Is(err, apdu.ErrRemoved) || !errors.Is(err, ErrNoService) {
		t.Error("exchange:", err)
	}
	if err := card.Close(); err != nil {
		t.Error("close:", err)
	}
	if _, err := Readers(t.Context()); !errors.Is(err, ErrNoService) {
		t.Error("readers:", err)
	}
	if err := Wait(t.Context(), name); !errors.Is(err, ErrNoService) {
		t.Error("wait:", err)
	}
	if _, err := Open(t.Context(), name, Options{}); !errors.Is(err, ErrNoService) {
		t.Error("open:", err)
	}
	if d := Diagnose(t.Context()); !errors.Is(d.Service, ErrNoService) {
		t.Error("diagnose:", d.Service)
	}
}

// TestServiceDiesWhileWaiting: who waits for a card is told.
func TestServiceDiesWhileWaiting(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	name, _ := slot(t)
	told := make(chan error, 1)
	go func() { told <- Wait(t.Context(), name) }()
	time.Sleep(2 * slice)
	if err := rig.daemon.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-told:
		if !errors.Is(err, ErrNoService) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody told")
	}
}

// TestServiceHangs: the service is stopped, so that nothing comes back from it.
func TestServiceHangs(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	name, addr := slot(t)
	insert(t, name, addr, ok)
	card := open(t, name, Options{Timeout: 100 * time.Millisecond})
	if err := syscall.Kill(rig.daemon.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 1000 { // a busy machine may take a moment to stop all threads
		if _, err = card.Exchange(t.Context(), selectMF); err != nil {
			break
		}
	}
	if !errors.Is(err, apdu.ErrTimeout) {
		t.Error("exchange:", err)
	}
	if err := card.Close(); err != nil {
		t.Error("close:", err)
	}
	_, err = Open(t.Context(), name, Options{EstablishTimeout: 100 * time.Millisecond})
	if !errors.Is(err, ErrNoService) {
		t.Error("open:", err)
	}
}

// TestBacklog: a socket on which nobody accepts, as systemd leaves it when the service
// can't start, hangs whoever connects.
func TestBacklog(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Setenv("PCSCLITE_CSOCK_NAME", socket); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "x", Options{EstablishTimeout: 100 * time.Millisecond}); !errors.Is(err, ErrNoService) {
		t.Error("open:", err)
	}
	late := theWatcher.watch(t.Context(), 100*time.Millisecond, func([]Reader) bool { return true })
	if !errors.Is(late, ErrNoService) {
		t.Error("watch:", late)
	}
}

func TestNoService(t *testing.T) {
	t.Parallel()
	if !inChild(t) {
		return
	}
	if err := os.Setenv("PCSCLITE_CSOCK_NAME", filepath.Join(t.TempDir(), "none")); err != nil {
		t.Fatal(err)
	}
	if _, err := Readers(t.Context()); !errors.Is(err, ErrNoService) {
		t.Error(err)
	}
}
