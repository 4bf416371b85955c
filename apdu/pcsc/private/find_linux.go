package private

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func findDaemon() (string, error) {
	for _, name := range []string{"pcscd", "/usr/sbin/pcscd", "/usr/local/sbin/pcscd"} {
		if p, err := exec.LookPath(name); err == nil {
			return filepath.Abs(p)
		}
	}
	return "", ErrNoDaemon
}

// knowsPolkit says whether the service would ask polkit about its clients, and lets
// itself be told not to (pcscd 2.x).
func knowsPolkit(ctx context.Context, program string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	help, err := exec.CommandContext(ctx, program, "--help").CombinedOutput()
	return err == nil && bytes.Contains(help, []byte("--disable-polkit"))
}

const driverName = "libifdvpcd.so"

// findDriver looks at the path given, else at TAMTHE_VPCD, else for .tamthe/vpcd in the
// working directory and above, else where Debian installs the driver.
func findDriver(path string) (string, error) {
	if path == "" {
		path = os.Getenv("TAMTHE_VPCD")
	}
	if path != "" {
		return driverBelow(path)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if p, err := driverBelow(filepath.Join(dir, ".tamthe", "vpcd")); err == nil {
			return p, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return driverBelow("/usr/lib/pcsc/drivers/serial")
	}
}

func driverBelow(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	var found string
	err = filepath.WalkDir(path, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && (e.Name() == driverName || p == path) {
			found = p
			return fs.SkipAll
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && found == "":
		return "", fmt.Errorf("%s: %w", path, ErrNoDriver)
	case err != nil:
		return "", fmt.Errorf("look for the virtual reader driver: %w", err)
	}
	return found, nil
}

// shortDir makes a folder whose name leaves room for a socket in the 108 octets of
// sockaddr_un.
func shortDir() (string, error) {
	parent := os.TempDir()
	if len(parent) > 80 {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "tamthe-")
}

// standardPort is the first port of the driver as Debian configures it.
const standardPort = 35963

// freePorts returns the first of n ports in a row that nobody listens on. In a network of
// its own that is the standard port.
func freePorts(n int) (int, error) {
	if os.Getenv(inside) != "" && free(standardPort, n) {
		return standardPort, nil
	}
	for range 100 {
		l, err := net.Listen("tcp4", ":0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		port := l.Addr().(*net.TCPAddr).Port &^ 1
		l.Close()
		if port+n < 1<<16 && free(port, n) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find %d free ports in a row: none found", n)
}

func free(port, n int) bool {
	for i := range n {
		l, err := net.Listen("tcp4", ":"+strconv.Itoa(port+i))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// listening says whether n ports from port on are listened on. A connection would be a
// card, so it looks at the kernel's table (proc(5), /proc/net/tcp: state 0A).
func listening(port, n int) bool {
	b, err := os.ReadFile("/proc/self/net/tcp")
	if err != nil {
		return false
	}
	open := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 4 || f[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		p, err := strconv.ParseUint(hex, 16, 16)
		if err == nil && int(p) >= port && int(p) < port+n {
			open++
		}
	}
	return open == n
}
