package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/verify/receipt"
)

// drop takes in security objects that checkpoints and readers hand in: nothing but what
// somebody signed.
func (x *watcher) drop(w http.ResponseWriter, in *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, in.Body, monitor.MaxSOD))
	if err == nil {
		err = x.m.Hand(b)
	} else {
		err = monitor.ErrNoSOD
	}
	switch {
	case errors.Is(err, monitor.ErrNoSOD):
		http.Error(w, "no security object", http.StatusBadRequest)
	case errors.Is(err, monitor.ErrFull):
		http.Error(w, "the drop is full", http.StatusInsufficientStorage)
	case err != nil:
		http.Error(w, "the drop is in trouble", http.StatusInternalServerError)
	default:
		w.WriteHeader(http.StatusAccepted)
	}
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
