package pkcs11

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// maxPIN bounds a PIN, in octets.
const maxPIN = 256

// askPIN finds the token's PIN: by the URI's pin-source, else by asking. typed says that a
// person gave it just now.
func askPIN(ctx context.Context, u URI, o Options, token string) (pin []byte, typed bool, err error) {
	switch {
	case u.PINSource != "":
		pin, err = sourced(u.PINSource)
	case o.PIN != nil:
		typed = true
		pin, err = o.PIN(ctx, token)
	default:
		err = fmt.Errorf("%w: nobody gave one", ErrPIN)
	}
	if err == nil && (len(pin) == 0 || len(pin) > maxPIN) {
		err = fmt.Errorf("%w: a PIN has 1 to %d octets", ErrPIN, maxPIN)
	}
	return pin, typed, err
}

// sourced reads a PIN from what pin-source names (RFC 7512 §2.4): file:PATH or an absolute
// path, which nobody but its owner may read, or fd:N, a descriptor that the parent process
// left open.
func sourced(source string) ([]byte, error) {
	if number, ok := strings.CutPrefix(source, "fd:"); ok {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil || n < 3 {
			return nil, fmt.Errorf("%w: pin-source fd:N, N from 3", ErrURI)
		}
		f := os.NewFile(uintptr(n), "pin-source")
		defer f.Close()
		return fromDescriptor(f)
	}
	path := strings.TrimPrefix(source, "file:")
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("%w: pin-source is file:PATH with an absolute path, or fd:N", ErrURI)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the PIN: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the PIN: %w", err)
	}
	if !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s must be a file of mode 0600", ErrPIN, path)
	}
	return fromDescriptor(f)
}

func fromDescriptor(f *os.File) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(f, maxPIN+3))
	if err != nil {
		return nil, fmt.Errorf("read the PIN: %w", err)
	}
	return bytes.TrimRight(b, "\r\n"), nil
}
