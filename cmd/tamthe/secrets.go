package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/mrz"
)

// maxSecretFile bounds a file that holds a passphrase, MRZ or CAN, in octets.
const maxSecretFile = 4096

// input reads a file that is named on the command line, whole; "-" is standard input,
// once a command. More than most octets are an error.
func (p *program) input(path string, most int64) ([]byte, error) {
	var r io.Reader = p.in
	if path == "-" {
		if p.stdinTaken {
			return nil, usageBoth(wordStdinOnce)
		}
		p.stdinTaken = true
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s is longer than %d octets", path, most)
	}
	return b, nil
}

// hide hides the process's memory, before a secret is read into it.
func (p *program) hide() error {
	if p.guard == nil {
		return nil
	}
	if err := p.guard(); err != nil {
		return fmt.Errorf("hide the memory of this process: %w", err)
	}
	return nil
}

// secretFile reads a --…-file flag without the end of its line.
func (p *program) secretFile(path string) (string, error) {
	if err := p.hide(); err != nil {
		return "", err
	}
	b, err := p.input(path, maxSecretFile)
	return strings.TrimRight(string(b), "\r\n"), err
}

// errNoPrompt says that a secret is needed and nobody is there to ask.
var errNoPrompt = errors.New("a secret is needed, and standard input is no terminal")

// typed is a line that somebody typed.
type typed struct {
	text []byte
	err  error
}

// ask prompts on standard error and reads one line without echo. It ends with ctx; the
// goroutine that waits for the line then goes on to wait, for a terminal cannot be read with a
// time limit, and the next question takes it over.
func (p *program) ask(ctx context.Context, question string) (string, error) {
	if err := p.hide(); err != nil {
		return "", err
	}
	f, ok := p.in.(*os.File)
	if !ok || !isTerminal(f) {
		return "", errNoPrompt
	}
	fd := int(f.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for a secret: %w", err)
	}
	select { // what was typed behind a question that nobody waits for any more is no answer to this one
	case <-p.unread:
		p.unread = nil
	default:
	}
	fmt.Fprintf(p.err, "%s: ", question)
	if p.unread == nil {
		answer := make(chan typed, 1)
		p.unread = answer
		go func() {
			b, err := term.ReadPassword(fd)
			answer <- typed{b, err}
		}()
	}
	select {
	case a := <-p.unread:
		p.unread = nil
		fmt.Fprintln(p.err)
		if a.err != nil {
			return "", fmt.Errorf("read the answer: %w", a.err)
		}
		return string(a.text), nil
	case <-ctx.Done():
		fmt.Fprintln(p.err)
		_ = term.Restore(fd, before)
		return "", ctx.Err()
	}
}

// passphrase reads the passphrase of an operator's key from a file, or asks for it.
func (p *program) passphrase(ctx context.Context, file, flag, operator string) (string, error) {
	if file != "" {
		return p.secretFile(file)
	}
	s, err := p.ask(ctx, fmt.Sprintf(p.text(wordPassphrase), operator))
	if errors.Is(err, errNoPrompt) {
		return "", hintBoth(err, wordGiveFile, flag)
	}
	return s, err
}

// newPassphrase reads a passphrase for a new key from a file, or asks for it twice: with a
// slip in it the key would be lost.
func (p *program) newPassphrase(ctx context.Context, file, flag, operator string) (string, error) {
	if file != "" {
		return p.secretFile(file)
	}
	s, err := p.ask(ctx, fmt.Sprintf(p.text(wordNewPassphrase), operator))
	if errors.Is(err, errNoPrompt) {
		return "", hintBoth(err, wordGiveFile, flag)
	}
	if err != nil {
		return "", err
	}
	again, err := p.ask(ctx, p.text(wordRepeat))
	if err == nil && again != s {
		err = hintBoth(errors.New("the two passphrases are not the same"), wordRunAgain)
	}
	return s, err
}

// parseCAN takes a CAN as it is printed: six digits. Anything else would only cost a try
// on the chip.
func parseCAN(s string) (auth.Password, error) {
	s = strings.TrimSpace(s)
	if len(s) != 6 || strings.Trim(s, "0123456789") != "" {
		return auth.Password{}, usagef("a CAN is six digits")
	}
	return auth.CAN(s), nil
}

// askPassword asks for the CAN where the card takes it, else for the MRZ.
func (p *program) askPassword(ctx context.Context, q card.Prompt) (auth.Password, error) {
	for _, kind := range q.Passwords {
		if kind == "CAN" {
			s, err := p.ask(ctx, p.text(wordAskCAN))
			if err != nil {
				return auth.Password{}, hintFiles(err)
			}
			return parseCAN(s)
		}
	}
	s, err := p.ask(ctx, p.text(wordAskMRZ))
	if err != nil {
		return auth.Password{}, hintFiles(err)
	}
	key, err := mrz.ParseKey(s)
	if err != nil {
		return auth.Password{}, usageError{err}
	}
	return auth.MRZ(key.Info()), nil
}

func hintFiles(err error) error {
	if errors.Is(err, errNoPrompt) {
		return hintBoth(err, wordGiveCAN)
	}
	return err
}
