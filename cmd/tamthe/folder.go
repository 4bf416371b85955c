package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
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
		return durable.Export(filepath.Join(dir, f.FileName()), b, 0o600)
	}
}
