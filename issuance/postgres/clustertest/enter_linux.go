package clustertest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// inside says, in the environment, how far a process has come: the first one in the
// namespaces, the one that runs the tests, or "no: " and why there are none.
const inside = "TAMTHE_CLUSTER_NAMESPACE"

// postgres refuses to run as root: root is somebody else in there.
const nobodySpecial = 1000

// The capabilities that the tests keep in their own namespaces: kill, net_admin, net_raw,
// sys_admin.
var capabilities = []uintptr{5, 12, 13, 21}

// Enter moves the test program into namespaces of its own (users, processes, network,
// mounts, IPC): it runs itself once more in there and ends with its exit status. When that
// process ends, so does all that was started. Where the machine refuses, Enter returns and
// Start skips the tests. Call it first thing in TestMain.
func Enter() {
	switch os.Getenv(inside) {
	case "":
		os.Setenv(inside, "no: "+reexec().Error())
	case "first":
		first()
	}
}

// reexec returns only if the namespaces can't be had.
func reexec() error {
	report, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()
	cmd := again("first")
	cmd.ExtraFiles = []*os.File{theirs}
	uid, gid := os.Getuid(), os.Getgid()
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: notRoot(uid), HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: notRoot(gid), HostID: gid, Size: 1}},
		AmbientCaps: capabilities,
		Pdeathsig:   syscall.SIGKILL,
	}
	runtime.LockOSThread() // Pdeathsig is bound to this thread
	defer runtime.UnlockOSThread()
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return fmt.Errorf("no namespaces: %w", err)
	}
	reason, err := io.ReadAll(report)
	waited := cmd.Wait()
	if len(reason) > 0 || err != nil {
		return fmt.Errorf("no namespaces: %s", reason)
	}
	if waited != nil && !cmd.ProcessState.Exited() {
		fmt.Fprintln(os.Stderr, waited)
		os.Exit(1)
	}
	os.Exit(cmd.ProcessState.ExitCode())
	return nil
}

func notRoot(id int) int {
	if id == 0 {
		return nobodySpecial
	}
	return id
}

// again is this program with the same arguments, one step further.
func again(step string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"="+step)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// first is process 1 of the namespace: it runs the tests, buries the orphans, and ends with
// the tests, which ends all others. PostgreSQL takes an unburied server for a living one.
func first() {
	report := os.NewFile(3, "report")
	syscall.CloseOnExec(3)
	err := furnish()
	var tests *exec.Cmd
	if err == nil {
		tests = again("yes")
		tests.SysProcAttr = &syscall.SysProcAttr{AmbientCaps: capabilities}
		err = tests.Start()
	}
	if err != nil {
		fmt.Fprint(report, err)
		os.Exit(1)
	}
	report.Close()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if pid != tests.Process.Pid || err != nil {
			continue
		}
		if status.Signaled() {
			os.Exit(128 + int(status.Signal()))
		}
		os.Exit(status.ExitStatus())
	}
}

// furnish gives the namespace what programs expect.
func furnish() error {
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// The shared memory of servers that were killed goes with the namespace.
	if err := syscall.Mount("tmpfs", "/dev/shm", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /dev/shm: %w", err)
	}
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", "hall", "type", "bridge"},
		{"address", "add", center + "/24", "dev", "hall"},
		{"link", "set", "hall", "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	return nil
}

// The addresses are those of RFC 5737: nobody has them.
const (
	network = "192.0.2.0/24"
	center  = "192.0.2.254" // where the desks and HAProxy are
)

func addressOf(node int) string { return "192.0.2." + strconv.Itoa(node) }
