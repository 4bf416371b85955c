package keystore

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

var (
	// ErrHelper says that a helper program cannot be used, or broke the protocol.
	ErrHelper = errors.New("the helper program failed")
	// ErrRefused says that a key's holder does not want to.
	ErrRefused = errors.New("the key's holder refused")
)

const (
	maxAnswer     = 64 << 10
	helperTimeout = 30 * time.Second
	helperGrace   = 2 * time.Second // from the end of its input until it is killed
)

// helper is a program that runs.
type helper struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	next uint64
}

// exchange sends a request and waits for its answer; after anything but a good answer the
// program is gone. The caller holds x.mu.
func (x *Exec) exchange(ctx context.Context, r request) (answer, error) {
	if x.running == nil {
		h, err := startHelper(x.Program, x.Stderr)
		if err != nil {
			return answer{}, err
		}
		x.running = h
	}
	h := x.running
	timeout := x.Timeout
	if timeout <= 0 {
		timeout = helperTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	h.next++
	r.ID = h.next
	type result struct {
		answer answer
		err    error
	}
	done := make(chan result, 1)
	go func() { // ends with the program at the latest
		a, err := h.roundTrip(r)
		done <- result{a, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			x.running = nil
			h.kill()
		}
		return d.answer, d.err
	case <-ctx.Done():
		x.running = nil
		h.kill()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return answer{}, ErrTimeout
		}
		return answer{}, ctx.Err()
	}
}

// startHelper runs a program that nobody but its owner can have changed.
func startHelper(program string, stderr io.Writer) (*helper, error) {
	if !filepath.IsAbs(program) {
		return nil, fmt.Errorf("%w: %q is no absolute path", ErrHelper, program)
	}
	info, err := os.Stat(program)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrHelper, err)
	case !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return nil, fmt.Errorf("%w: %s: others may write to it", ErrHelper, program)
	}
	cmd := exec.Command(program)
	cmd.Stderr = stderr
	cmd.WaitDelay = helperGrace
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHelper, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHelper, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHelper, err)
	}
	return &helper{cmd: cmd, in: in, out: bufio.NewReaderSize(out, maxAnswer)}, nil
}

// roundTrip writes a line and reads one.
func (h *helper) roundTrip(r request) (answer, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return answer{}, err
	}
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return answer{}, fmt.Errorf("%w: %w", ErrHelper, err)
	}
	back, err := h.out.ReadSlice('\n')
	if err != nil {
		return answer{}, fmt.Errorf("%w: no line of at most %d octets: %w", ErrHelper, maxAnswer, err)
	}
	return parseAnswer(back, r.ID)
}

// parseAnswer reads the line that answers a request.
func parseAnswer(line []byte, id uint64) (answer, error) {
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, fmt.Errorf("%w: no JSON", ErrHelper) // which could quote anything
	}
	if a.ID != id {
		return answer{}, fmt.Errorf("%w: answer %d to request %d", ErrHelper, a.ID, id)
	}
	return a, nil
}

// kill ends the program at once.
func (h *helper) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.in.Close()
	_ = h.cmd.Wait()
}

// Close ends the program's input and waits a little for it to end. The next request would
// start it anew.
func (x *Exec) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	h := x.running
	if h == nil {
		return nil
	}
	x.running = nil
	_ = h.in.Close()
	timer := time.AfterFunc(helperGrace, func() { _ = h.cmd.Process.Kill() })
	defer timer.Stop()
	if err := h.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %w", x.Program, ErrHelper, err)
	}
	return nil
}
