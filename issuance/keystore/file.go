package keystore

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/tamthe/tamthe/verify/durable"
)

// maxFile bounds key files; an RSA-4096 key has 3.3 KB.
const maxFile = 64 << 10

// read returns a key file that only its owner can read.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return nil, fmt.Errorf("%w: no regular file of at most %d bytes", ErrFormat, maxFile)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%w (mode %04o, must be 0600)", ErrPermissions, info.Mode().Perm())
	}
	b := make([]byte, info.Size()) // whole at once, so that no copy stays behind
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, err
	}
	return b, nil
}

// write puts a new file of mode 0600 there, whole or not at all.
func write(path string, content []byte) error {
	err := durable.Create(path, content, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	return err
}

func writeBlock(path, kind string, headers map[string]string, content []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Headers: headers, Bytes: content})
	defer clear(text)
	return write(path, text)
}

// readBlock returns the only PEM block of a file.
func readBlock(path, kind string) (*pem.Block, error) {
	raw, err := read(path)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	block, rest := pem.Decode(raw)
	if block == nil || block.Type != kind || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%w: want one PEM block %q", ErrFormat, strings.ToLower(kind))
	}
	return block, nil
}
