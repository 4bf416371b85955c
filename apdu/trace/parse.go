package trace

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/tamthe/tamthe/apdu"
)

// Exchange is one command and its answer.
type Exchange struct {
	Command  apdu.Command
	Response apdu.Response
	Failure  string // why there was no answer; then Response is zero
}

// The largest record: octets of a line, which hold any command, and exchanges.
const (
	maxLine      = 2 + 2*(apdu.MaxLe+16)
	maxExchanges = 100_000
)

// Parse reads a record, of at most 100,000 exchanges. Whatever is no record, or ends after
// a command, is apdu.ErrMalformed with the number of the line.
func Parse(r io.Reader) ([]Exchange, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine+2)
	var exchanges []Exchange
	asked := false // the last line was a command
	n := 0
	bad := func(what string) error {
		return fmt.Errorf("line %d: %s: %w", n, what, apdu.ErrMalformed)
	}
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		rest := strings.TrimSpace(line[1:])
		if (line[0] == '>') == asked {
			return nil, bad("commands and answers don't alternate")
		}
		if line[0] == '>' {
			c, err := parseCommand(rest)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			if len(exchanges) == maxExchanges {
				return nil, bad("too many exchanges")
			}
			exchanges = append(exchanges, Exchange{Command: c})
			asked = true
			continue
		}
		if err := exchanges[len(exchanges)-1].answer(line[0], rest); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		asked = false
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read a trace: %w", err)
	}
	if asked {
		return nil, bad("no answer")
	}
	return exchanges, nil
}

func parseCommand(digits string) (apdu.Command, error) {
	b, err := hex.DecodeString(digits)
	if err != nil {
		return apdu.Command{}, fmt.Errorf("%w: %w", apdu.ErrMalformed, err)
	}
	return apdu.ParseCommand(b)
}

// answer takes the line that follows the command.
func (x *Exchange) answer(kind byte, text string) error {
	switch {
	case kind == '!' && text != "":
		x.Failure = text
		return nil
	case kind != '<':
		return fmt.Errorf("line of kind %q: %w", kind, apdu.ErrMalformed)
	}
	b, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("%w: %w", apdu.ErrMalformed, err)
	}
	x.Response, err = apdu.ParseResponse(b)
	return err
}
