package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tamthe/tamthe/apdu"
)

// program is what one run works with: its streams, its settings and the way to a card.
// The verbs' run functions take it, and so does the demonstration, which puts its own
// home, clock and readers in.
type program struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	connect  func(ctx context.Context, reader string) (*reader, error)

	home home
	conf config
	json bool
	lang string // "en" or "vi"

	langFlag, readerFlag string
	operatorFlag         string
	passphraseFile       string

	stdinTaken bool
}

// reader is a card that can be spoken to, powered down and let go of; it is a desk.Chip.
type reader struct {
	apdu.Wire
	reset func(context.Context) error
	close func() error
}

// Reset powers the card down and up again.
func (r *reader) Reset(ctx context.Context) error { return r.reset(ctx) }

// configure finds the home and settles language and reader: flag, then environment,
// then config.toml, then the default.
func (p *program) configure() error {
	if p.home == "" {
		h, err := defaultHome()
		if err != nil {
			return err
		}
		p.home = h
	}
	c, err := p.home.config()
	if err != nil {
		return err
	}
	p.conf = c
	p.lang = first(p.langFlag, os.Getenv("TAMTHE_LANG"), c.Lang, localeLang())
	if p.lang != "en" && p.lang != "vi" {
		return usagef("--lang is en or vi, not %q", p.lang)
	}
	p.readerFlag = first(p.readerFlag, os.Getenv("TAMTHE_READER"), c.Reader)
	return nil
}

// localeLang is vi where the locale says so, else en.
func localeLang() string {
	if strings.HasPrefix(first(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), "vi") {
		return "vi"
	}
	return "en"
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// say prints a line of progress or explanation on standard error.
func (p *program) say(format string, a ...any) {
	fmt.Fprintf(p.err, "tamthe: %s\n", printable(fmt.Sprintf(format, a...)))
}

// terminal says whether standard error is one: only then is progress drawn.
func (p *program) terminal() bool { return isTerminal(p.err) }

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// maxSecretFile bounds a file that holds a password, MRZ or CAN.
const maxSecretFile = 4096

// readSecretFile reads a --…-file flag; "-" is standard input, once a command.
func (p *program) readSecretFile(path string) (string, error) {
	var r io.Reader
	if path == "-" {
		if p.stdinTaken {
			return "", usagef("standard input can be read for one file only")
		}
		p.stdinTaken = true
		r = p.in
	} else {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	if len(b) > maxSecretFile {
		return "", fmt.Errorf("%s is longer than %d octets", path, maxSecretFile)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// errNoPrompt says that a secret is needed and nobody is there to ask.
var errNoPrompt = errors.New("a secret is needed, and standard input is no terminal")

// ask prompts on standard error and reads one line without echo.
func (p *program) ask(question string) (string, error) {
	f, ok := p.in.(*os.File)
	if !ok || !isTerminal(f) {
		return "", errNoPrompt
	}
	fmt.Fprintf(p.err, "%s: ", question)
	b, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(p.err)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return string(b), nil
}
