package private

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/tamthe/tamthe/testdata"
)

// childProgram is what TestEnterHandsOn runs: it says where it is, waits for a signal and
// ends with a status.
func childProgram() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	in, err := Enter()
	l, dialErr := net.Listen("tcp4", "127.0.0.1:35963")
	if dialErr == nil {
		_, dialErr = net.Dial("tcp4", l.Addr().String())
	}
	fmt.Println(in, err, dialErr, os.Getuid())
	if os.Getenv("TAMTHE_TEST_STATUS") == "signal" {
		fmt.Println((<-c).String())
	}
	os.Exit(42)
}

func TestEnterHandsOn(t *testing.T) {
	for _, sig := range []syscall.Signal{0, syscall.SIGTERM, syscall.SIGINT} {
		env := append(os.Environ(), inside+"=", "TAMTHE_TEST_STATUS=status")
		if sig != 0 {
			env = append(env, "TAMTHE_TEST_STATUS=signal")
		}
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Env = env
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Scan()
		if want := fmt.Sprintf("true <nil> <nil> %d", os.Getuid()); lines.Text() != want {
			cmd.Process.Kill()
			cmd.Wait()
			if strings.HasPrefix(lines.Text(), "false") {
				testdata.Missing(t, "namespaces", lines.Text())
			}
			t.Fatalf("%q instead of %q", lines.Text(), want)
		}
		if sig != 0 {
			cmd.Process.Signal(sig)
			if lines.Scan(); lines.Text() != sig.String() {
				t.Errorf("%v came as %q", sig, lines.Text())
			}
		}
		for lines.Scan() {
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 42 {
			t.Errorf("after %v: %v", sig, err)
		}
	}
}
