package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// errNotEmpty says that a folder for a card's files has something in it: two cards' files
// in one folder would be judged as one card.
var errNotEmpty = errors.New("the folder is not empty")

func vacant(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s: %w", dir, errNotEmpty)
	}
	return nil
}

// saveFolder writes files as they were read into an empty or new folder: all or none.
func saveFolder(dir string, files verify.Files) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				_ = os.Remove(path)
			}
		}
	}()
	save := saveTo(dir)
	for f, b := range files {
		if err := save(f, b); err != nil {
			return err
		}
		written = append(written, filepath.Join(dir, f.FileName()))
	}
	return nil
}

// saveTo writes each file as it was read, readable by its owner only.
func saveTo(dir string) func(lds.File, []byte) error {
	return func(f lds.File, b []byte) error {
		return writeNew(filepath.Join(dir, f.FileName()), b)
	}
}

// writeNew writes a file of personal data, readable by its owner only, and never over
// another; whole and on the disk, or not at all.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}
