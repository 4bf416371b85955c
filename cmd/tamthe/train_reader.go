package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify/conformance/training"
	"github.com/tamthe/tamthe/verify/durable"
)

// readerPatience is how long a virtual reader may take to notice a card.
const readerPatience = 10 * time.Second

// hold puts the card of a question into the virtual reader, with the files that verify needs
// beside it. out takes it out again.
func (t *trainer) hold(ctx context.Context, q *training.Question) (out func(), err error) {
	dir := filepath.Join(t.o.dir, fmt.Sprintf("q%02d", q.Number))
	if err := writeStation(dir, q); err != nil {
		return nil, err
	}
	held, err := q.Scene.Hold()
	if err != nil {
		return nil, err
	}
	serving, stop := context.WithCancel(ctx)
	ready, served := make(chan struct{}, 1), make(chan error, 1)
	go func() { // ends with stop, which out calls
		served <- virtual.Serve(serving, held, virtual.ServeOptions{Addr: t.o.vpcd, Ready: func() {
			select {
			case ready <- struct{}{}:
			default:
			}
		}})
	}()
	out = func() {
		stop()
		<-served
		_ = held.Close()
	}
	select {
	case <-ready:
		return out, nil
	case err = <-served:
		served <- err
	case <-time.After(readerPatience):
		err = fmt.Errorf("virtual reader: no answer for %v", readerPatience)
	}
	out()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, hint(err, "is a pcscd with the vpcd driver running, and listening on %s?", t.o.vpcd)
}

// The files of a question that verify reads.
const (
	trainTrust = "trust"
	trainCAN   = "can.txt"
	trainZone  = "mrz.txt"
	trainQR    = "qr.txt"
)

// writeStation writes what the checkpoint of a question has.
func writeStation(dir string, q *training.Question) error {
	trust, err := q.Scene.Trust()
	if err != nil {
		return err
	}
	for name, b := range trust {
		path := filepath.Join(dir, trainTrust, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := durable.Export(path, b, 0o600); err != nil {
			return err
		}
	}
	secret, text := trainCAN, q.Scene.CAN
	if m := q.Scene.Printed; m != nil && q.ByZone() {
		secret, text = trainZone, strings.Join(m.Lines, "\n")
	}
	if err := durable.Export(filepath.Join(dir, secret), []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	if q.Scene.QR != "" {
		return durable.Export(filepath.Join(dir, trainQR), []byte(q.Scene.QR+"\n"), 0o600)
	}
	return nil
}

// verifyArguments are those of the verify that judges the card of a question as its lesson has
// it.
func verifyArguments(dir string, q *training.Question) []string {
	at := func(name string) string { return filepath.Join(dir, name) }
	station := q.Scene.Station
	args := []string{"verify", "--trust", at(trainTrust), "--at", station.At.UTC().Format(time.RFC3339), "--policy", station.Policy.Name}
	if q.ByZone() {
		args = append(args, "--mrz-file", at(trainZone))
	} else {
		args = append(args, "--can-file", at(trainCAN))
	}
	if q.Scene.QR != "" {
		args = append(args, "--qr-file", at(trainQR))
	}
	if station.AllowBAC {
		args = append(args, "--allow-bac")
	}
	if station.Specimen {
		args = append(args, "--specimen")
	}
	return args
}

// verifyCommand is the line to type: with a home of the question's own, so that no record of a
// real checkpoint has cards in it that are none, and that no list of one question is taken for
// one that was put back in the next.
func verifyCommand(dir string, q *training.Question) string {
	return "TAMTHE_HOME=" + filepath.Join(dir, "home") + " tamthe " + strings.Join(verifyArguments(dir, q), " ")
}
