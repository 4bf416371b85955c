package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/apdutest"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
)

// connectChip is how the tests put a chip under the program: TEST_CHIP names its memory
// file, TEST_FAULT a fault on the way to it, TEST_READERS what there is instead of a
// reader with a card, TEST_EXTENDED that chip and reader take extended length. It is in test
// files only.
func connectChip(ctx context.Context, name string) (*reader, error) {
	if err := readersAre(os.Getenv("TEST_READERS"), name); err != nil {
		return nil, err
	}
	path := os.Getenv("TEST_CHIP")
	if path == "" {
		return connectPCSC(ctx, name)
	}
	chip, err := virtual.Load(path)
	if err != nil {
		return nil, err
	}
	chip.Reset()
	wire, err := faulty(chip, os.Getenv("TEST_FAULT"))
	if err != nil {
		return nil, err
	}
	reset := func(context.Context) error {
		chip.Reset()
		return nil
	}
	r := &reader{Wire: wire, reset: reset, close: chip.Close}
	if os.Getenv("TEST_EXTENDED") != "" {
		r.limits = apdu.Limits{Command: 65535, Response: 65535}
		chip.Limit(r.limits)
	}
	return r, nil
}

// readersAre is the error that readers in this state lead to.
func readersAre(state, name string) error {
	two := []pcsc.Reader{{Name: "Reader A 00 00", Card: true}, {Name: "Reader B 00 00", Card: true}}
	switch state {
	case "":
		return nil
	case "none":
		return pcsc.ErrNoReader
	case "empty":
		return pcsc.ErrNoCard
	case "mute":
		return fmt.Errorf("open Reader A 00 00: %w", pcsc.ErrUnresponsive)
	case "busy":
		return fmt.Errorf("open Reader A 00 00: %w", pcsc.ErrBusy)
	case "denied":
		return pcsc.ErrDenied
	case "two":
		for _, r := range two {
			if name != "" && strings.Contains(r.Name, name) {
				return nil
			}
		}
		return &pcsc.AmbiguousError{Readers: two}
	}
	return fmt.Errorf("TEST_READERS is %q", state)
}

// faulty puts a fault between the program and the chip: a word and, for most, the number
// of the exchange from 0; for cut that of the write to the chip's memory from 1.
func faulty(chip *virtual.Chip, fault string) (apdu.Wire, error) {
	if fault == "" {
		return chip, nil
	}
	var word, file string
	var n int
	if _, err := fmt.Sscanf(fault, "%s %d %s", &word, &n, &file); err != nil && word != "garbage" && n == 0 {
		return nil, fmt.Errorf("TEST_FAULT is %q: %w", fault, err)
	}
	switch word {
	case "cut":
		chip.OnWrite(func(write int) bool { return write != n })
		return chip, nil
	case "remove":
		return apdutest.With(chip, apdutest.Remove(n)), nil
	case "tear":
		return apdutest.With(chip, apdutest.Tear(n)), nil
	case "reset":
		return apdutest.With(chip, apdutest.Reset(n, chip.Reset)), nil
	case "drop":
		return apdutest.With(chip, apdutest.Drop(n)), nil
	case "flip":
		return apdutest.With(chip, apdutest.Flip(n, 7)), nil
	case "garbage":
		return garbage{}, nil
	case "hang":
		return &hanging{Wire: chip, n: n, file: file}, nil
	}
	return nil, fmt.Errorf("TEST_FAULT is %q", fault)
}

// garbage is a chip that answers anything.
type garbage struct{}

func (garbage) Exchange(context.Context, []byte) ([]byte, error) {
	return []byte{0x6F, 0x81, 0xFF, 0x00, 0x31, 0x1B, 0x5B, 0x90, 0x00}, nil
}

// hanging makes a file and keeps silent at an exchange, until ctx is done.
type hanging struct {
	apdu.Wire
	n    int
	file string
}

func (h *hanging) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if h.n--; h.n >= 0 {
		return h.Wire.Exchange(ctx, b)
	}
	if err := os.WriteFile(h.file, nil, 0o600); err != nil {
		return nil, err
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// chipCommand makes and changes chips, and puts them into the reader:
//
//	chip blank FILE [OS]
//	chip copy FOLDER FILE CAN     what a forger makes of a card's files
//	chip tamper FILE              one octet of DG2
//	chip insert FILE
func chipCommand(ts *testscript.TestScript, neg bool, args []string) {
	want := map[string]int{"blank": 2, "copy": 4, "tamper": 2, "insert": 2}
	if neg || len(args) == 0 || len(args) != want[args[0]] && !(args[0] == "blank" && len(args) == 3) {
		ts.Fatalf("usage: chip blank|copy|tamper|insert …")
	}
	file := ts.MkAbs(args[1])
	var chip *virtual.Chip
	var err error
	switch args[0] {
	case "blank":
		dialect, _ := virtual.ParseDialect(strings.Join(args[2:], ""))
		chip, err = virtual.Create(file, virtual.Config{Dialect: dialect})
	case "copy":
		file = ts.MkAbs(args[2])
		chip, err = virtual.FromFolder(os.DirFS(ts.MkAbs(args[1])), virtual.FolderOptions{Path: file, CAN: args[3], Counterfeit: true})
	case "tamper":
		if chip, err = virtual.Load(file); err == nil {
			err = chip.Tamper(lds.DG2, 5000, 0x01)
		}
	}
	ts.Check(err)
	if chip != nil {
		ts.Check(chip.Close())
	}
	ts.Setenv("TEST_CHIP", file)
}
