package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/verify/receipt"
)

// dropBox keeps security objects that checkpoints and readers hand in, one a file. It takes
// nothing but what somebody signed, and so many of them.
type dropBox struct {
	dir string

	mu sync.Mutex
	n  int // how many there are, once they were counted
}

// mostDropped bounds what is kept: who cleans up keeps what was judged elsewhere.
const mostDropped = 50_000

// ServeHTTP takes one in.
func (d *dropBox) ServeHTTP(w http.ResponseWriter, in *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, in.Body, monitor.MaxSOD))
	if err != nil || !monitor.IsSigned(b) {
		http.Error(w, "no security object", http.StatusBadRequest)
		return
	}
	switch err := d.keep(b); {
	case errors.Is(err, errFull):
		http.Error(w, "the drop is full", http.StatusInsufficientStorage)
	case err != nil:
		http.Error(w, "the drop is in trouble", http.StatusInternalServerError)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}

var errFull = errors.New("the drop is full")

func (d *dropBox) keep(b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == 0 {
		list, err := os.ReadDir(d.dir)
		if err != nil {
			return err
		}
		d.n = len(list)
	}
	sum := sha256.Sum256(b)
	path := filepath.Join(d.dir, hex.EncodeToString(sum[:])+".sod")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if d.n >= mostDropped {
		return errFull
	}
	d.n++
	beside := path + ".new"
	f, err := os.OpenFile(beside, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(beside, path)
	}
	return err
}

// runJudgeFork checks the evidence of a fork with nothing but the log's key.
func runJudgeFork(p *program, o watchOptions) error {
	keys, err := o.keys()
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return usagef("--log-key says whose the log is")
	}
	var notes [][]byte
	for _, name := range []string{"known", "newest", "checkpoint", "shown", "other"} {
		b, err := os.ReadFile(filepath.Join(o.judge, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil {
			notes = append(notes, b)
		}
	}
	proof, err := os.ReadFile(filepath.Join(o.judge, "fork"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i, one := range notes {
		for _, other := range notes[i+1:] {
			if monitor.CheckFork(one, other, proof, receipt.Policy{Logs: keys}) == nil {
				if _, err := fmt.Fprintln(p.out, p.text(alarmWords[monitor.Fork])); err != nil {
					return err
				}
				return verdictError(exitRefused)
			}
		}
	}
	return fmt.Errorf("%s: %w", o.judge, monitor.ErrNoFork)
}
