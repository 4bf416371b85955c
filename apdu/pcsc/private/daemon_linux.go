package private

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Daemon is a running service. It must be closed.
type Daemon struct {
	dir     string
	made    bool // dir is ours to remove
	port    int
	slots   int
	process *os.Process
	ended   chan struct{} // closed when the process is gone
	cancel  context.CancelFunc
	closing sync.Once
}

// ready is how long the readers may take to appear; they take some milliseconds.
const ready = 5 * time.Second

// Start starts the service and waits until its readers listen. It then points the PC/SC
// library of this process, and of those that it starts, to the service by the
// environment variable PCSCLITE_CSOCK_NAME: call Start before the first use of PC/SC, and
// once a process.
//
// The service ends with Close, when ctx is done, or with this process. A ctx with a
// deadline is thus a watchdog: calls that hang in the service come back when it ends.
//
// Errors wrap ErrNoDaemon, ErrNoDriver or say what the service logged.
func Start(ctx context.Context, o Options) (*Daemon, error) {
	if o.Readers == 0 {
		o.Readers = 1
	}
	if o.Readers < 0 || o.Readers > 8 {
		return nil, fmt.Errorf("%d readers: 1 to 8 are possible", o.Readers)
	}
	program, err := findDaemon()
	if err != nil {
		return nil, err
	}
	driver, err := findDriver(o.Driver)
	if err != nil {
		return nil, err
	}
	port, err := freePorts(o.Readers * slotsPerReader)
	if err != nil {
		return nil, err
	}
	d := &Daemon{dir: o.Dir, made: o.Dir == "", port: port, slots: o.Readers * slotsPerReader, ended: make(chan struct{})}
	if d.made {
		d.dir, err = shortDir()
	} else {
		d.dir, err = filepath.Abs(o.Dir)
	}
	if err != nil {
		return nil, err
	}
	if err := d.start(ctx, program, driver, o.Readers); err != nil {
		d.Close()
		return nil, fmt.Errorf("start pcscd: %w", err)
	}
	return d, nil
}

func (d *Daemon) start(ctx context.Context, program, driver string, readers int) error {
	if err := d.configure(driver, readers); err != nil {
		return err
	}
	ctx, d.cancel = context.WithCancel(ctx)
	if err := d.run(ctx, program); err != nil {
		return err
	}
	if err := d.await(ctx); err != nil {
		return err
	}
	return os.Setenv("PCSCLITE_CSOCK_NAME", d.Socket())
}

func (d *Daemon) configure(driver string, readers int) error {
	if err := os.MkdirAll(d.path("readers"), 0o700); err != nil {
		return err
	}
	var b bytes.Buffer
	for i := range readers {
		port := d.port + i*slotsPerReader
		library, err := d.library(driver, i)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "FRIENDLYNAME %q\nDEVICENAME /dev/null:0x%X\nLIBPATH %s\nCHANNELID 0x%X\n\n",
			friendlyName(i), port, library, port)
	}
	return os.WriteFile(d.path("readers", "vpcd"), b.Bytes(), 0o600)
}

// library returns a driver for an entry. The driver keeps its slots in global variables,
// so each entry after the first needs a copy that the loader takes for another library.
func (d *Daemon) library(driver string, entry int) (string, error) {
	if entry == 0 {
		return driver, nil
	}
	image, err := os.ReadFile(driver)
	if err != nil {
		return "", err
	}
	path := d.path(fmt.Sprintf("driver%d.so", entry))
	return path, os.WriteFile(path, image, 0o700)
}

// maxSocket is the longest name in a sockaddr_un.
const maxSocket = 107

// run starts the process with a listening socket as systemd would (sd_listen_fds(3)).
// One goroutine, which keeps its thread because Pdeathsig is bound to that, owns the
// process and ends with it.
func (d *Daemon) run(ctx context.Context, program string) error {
	if n := len(d.Socket()); n > maxSocket {
		return fmt.Errorf("%s: a socket's name of %d octets, at most %d are possible", d.dir, n, maxSocket)
	}
	os.Remove(d.Socket())
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: d.Socket(), Net: "unix"})
	if err != nil {
		return err
	}
	// Ours is closed after the start: else clients of a dead service would wait in the
	// socket's queue for ever instead of being refused.
	l.SetUnlinkOnClose(false)
	defer l.Close()
	socket, err := l.File()
	if err != nil {
		return err
	}
	defer socket.Close()
	log, err := os.Create(d.path("log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"`, program, "--foreground", "--config", d.path("readers"))
	if knowsPolkit(ctx, program) {
		cmd.Args = append(cmd.Args, "--disable-polkit")
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{socket}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
			close(d.ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	d.process = cmd.Process
	return nil
}

// await waits until every slot's port is listened on.
func (d *Daemon) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ready)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !listening(d.port, d.slots) {
		select {
		case <-tick.C:
		case <-d.ended:
			return fmt.Errorf("it ended: %s", d.logged())
		case <-ctx.Done():
			return fmt.Errorf("no readers: %w: %s", ctx.Err(), d.logged())
		}
	}
	return nil
}

// logged returns the end of the service's log.
func (d *Daemon) logged() []byte {
	b, err := os.ReadFile(d.path("log"))
	if err != nil {
		return nil
	}
	return bytes.TrimSpace(b[max(0, len(b)-500):])
}

func (d *Daemon) path(elem ...string) string {
	return filepath.Join(append([]string{d.dir}, elem...)...)
}

// Socket is the path of the service's socket, the value of PCSCLITE_CSOCK_NAME.
func (d *Daemon) Socket() string { return d.path("s") }

// Slots is the number of readers that the service shows: two for each entry.
func (d *Daemon) Slots() int { return d.slots }

// Addr is where the card of a slot, 0 to Slots()-1, connects by TCP.
func (d *Daemon) Addr(slot int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port+slot))
}

// ReaderName is the name that the service gives to the reader of a slot.
func (d *Daemon) ReaderName(slot int) string {
	return fmt.Sprintf("%s 00 %02X", friendlyName(slot/slotsPerReader), slot%slotsPerReader)
}

// friendlyName names an entry: the service would show equal ones twice.
func friendlyName(entry int) string {
	if entry == 0 {
		return "Virtual PCD"
	}
	return fmt.Sprintf("Virtual PCD %c", 'A'+entry)
}

// PID is the service's process.
func (d *Daemon) PID() int { return d.process.Pid }

// Done is closed when the service has ended, for whatever reason.
func (d *Daemon) Done() <-chan struct{} { return d.ended }

// Close ends the service, waits for its end and removes the temporary folder. It may be
// called more than once.
func (d *Daemon) Close() error {
	var err error
	d.closing.Do(func() {
		if d.process != nil {
			// A card that keeps silent keeps the service from ending by itself.
			err = d.process.Kill()
			<-d.ended
		}
		if d.cancel != nil {
			d.cancel()
		}
		if d.made {
			err = errors.Join(err, os.RemoveAll(d.dir))
		}
	})
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
