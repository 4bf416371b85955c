package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/tamthe/tamthe/issuance/printjob"
)

// ocrDeadline is how long a program may read a card.
const ocrDeadline = time.Minute

// readBody runs a program of the operator's that reads a card's body: without a shell, with
// the scans as arguments and nothing of the environment but PATH. What it prints is the
// reading. An error holds nothing that it wrote.
func readBody(ctx context.Context, program string, scans []string) ([]byte, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, usagef("--ocr: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, ocrDeadline)
	defer cancel()
	cmd := exec.CommandContext(limited, path, scans...)
	cmd.Stderr = io.Discard
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.WaitDelay = time.Second // for children that keep the pipe open
	out := &capped{most: printjob.MaxReading}
	cmd.Stdout = out
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, fmt.Errorf("the program that reads the card's body takes longer than %v", ocrDeadline)
	case err != nil:
		return nil, fmt.Errorf("run the program that reads the card's body: %w", err)
	}
	return out.buffer.Bytes(), nil
}
