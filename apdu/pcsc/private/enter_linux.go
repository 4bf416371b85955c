package private

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"
)

// inside marks, in the environment, a process that lives in a network of its own, and
// all that it starts.
const inside = "TAMTHE_PRIVATE_NETWORK"

// Enter puts the program into a network of its own, so that only itself and what it
// starts can reach the virtual readers: it runs the program once more, with the same
// arguments and files, in a new user and network namespace, hands signals on to that
// process and, when it ends, ends with its exit status. Only in that second process does
// Enter return true. Call it first thing in main or TestMain.
//
// Where the machine refuses namespaces it returns false with the reason, in the first
// process; the program may go on, with ports that others can reach.
func Enter() (bool, error) {
	switch os.Getenv(inside) {
	case "":
		return false, reexec()
	case "starting":
		err := loopbackUp()
		if err == nil {
			err = os.Setenv(inside, "yes")
		}
		report := os.NewFile(3, "report")
		syscall.CloseOnExec(3)
		if err != nil {
			fmt.Fprint(report, err)
			os.Exit(1)
		}
		return true, report.Close()
	}
	return true, nil
}

// capNetAdmin lets the second process set its loopback interface up, if it isn't root.
const capNetAdmin = 12

// reexec returns only if the namespaces can't be had.
func reexec() error {
	report, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=starting")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{theirs}
	uid, gid := os.Getuid(), os.Getgid()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}},
		AmbientCaps: []uintptr{capNetAdmin},
		Pdeathsig:   syscall.SIGKILL,
	}
	runtime.LockOSThread() // Pdeathsig is bound to this thread
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM)
	defer signal.Stop(signals)
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("no network namespace: %w", err)
	}
	reason, err := io.ReadAll(report)
	if len(reason) > 0 || err != nil {
		cmd.Wait()
		return fmt.Errorf("no network namespace: %s", reason)
	}
	done := make(chan struct{})
	go forward(cmd.Process, signals, done)
	err = cmd.Wait()
	close(done)
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	state := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if state.Signaled() {
		os.Exit(128 + int(state.Signal()))
	}
	os.Exit(state.ExitStatus())
	return nil
}

// forward hands signals on until done is closed. An interrupt from the terminal reaches
// both processes by itself.
func forward(p *os.Process, signals <-chan os.Signal, done <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			if s != syscall.SIGINT && s != syscall.SIGQUIT || !inForeground() {
				p.Signal(s)
			}
		case <-done:
			return
		}
	}
}

// inForeground says whether a key on the terminal sends its signal to this process.
func inForeground() bool {
	fd, err := syscall.Open("/dev/tty", syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	var group int32
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	return errno == 0 && int(group) == syscall.Getpgrp()
}

// loopbackUp sets the interface lo up, which a new network namespace has down
// (netdevice(7)).
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("set up loopback: %w", err)
	}
	defer syscall.Close(fd)
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return fmt.Errorf("set up loopback: %w", errno)
	}
	return nil
}
