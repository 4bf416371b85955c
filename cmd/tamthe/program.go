package main

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/issuance/keystore/pkcs11"
	"github.com/tamthe/tamthe/verify"
)

// program is what one run works with: its streams, its settings and the way to a card.
// The verbs' run functions take it, and so does the demonstration, which puts its own
// home, clock and readers in.
type program struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	connect  connector
	guard    func() error // hides the memory of the process before it holds a secret; nil: it is not the program's

	home   home
	ledger place // as TAMTHE_LEDGER names it; zero is that of the home
	conf   config
	json   bool
	lang   string // "en" or "vi"

	langFlag, readerFlag string
	operatorFlag         string
	passphraseFile       string
	secondFlag           string // a second person, for acts that need two
	secondPassFile       string

	ring    ring            // the authority's keys, once they were needed
	modules *pkcs11.Modules // the tokens' libraries that were loaded
	closers []func()        // of what the run has opened

	sealPhrase []byte // the passphrase of the folder of keys, once it is known

	signedIn []crypto.Signer // keys of those who act, where they stand already; see signIn
	keeps    bool            // the run keeps what it took in should the ledger be away
	taker    crypto.Signer   // the key that signs that, once it is open; see operator

	settled    bool // configure has done its work
	documents  bool // what a verb made is printed as a JSON document
	stdinTaken bool
	unread     chan typed // the line that a question still waits for; see ask
}

// connector opens the card of the reader whose name holds the text, or of the only reader
// with a card.
type connector func(ctx context.Context, name string) (*reader, error)

// reader is a card that can be spoken to, powered down and let go of; it is a desk.Chip.
type reader struct {
	apdu.Wire
	reset func(context.Context) error
	close func() error

	limits  apdu.Limits // what it bears; zero is short APDUs
	claimed bool        // the card claims extended length
}

// Reset powers the card down and up again.
func (r *reader) Reset(ctx context.Context) error { return r.reset(ctx) }

// configure finds home and ledger and settles language and reader: flag, then
// environment, then config.toml, then the default.
func (p *program) configure() error {
	p.documents = p.json
	p.lang = localeLang()
	if lang := first(p.langFlag, os.Getenv("TAMTHE_LANG")); lang == "en" || lang == "vi" {
		p.lang = lang // of an error in what follows
	}
	if p.home == "" {
		h, err := defaultHome()
		if err != nil {
			return err
		}
		p.home = h
	}
	if v := os.Getenv("TAMTHE_LEDGER"); v != "" {
		w, err := parsePlace(v)
		if err != nil {
			return usagef("TAMTHE_LEDGER: %w", err)
		}
		p.ledger = w
	}
	c, err := p.home.config()
	if err != nil {
		return err
	}
	p.conf = c
	for _, l := range []struct{ from, lang string }{
		{"--lang", p.langFlag},
		{"TAMTHE_LANG", os.Getenv("TAMTHE_LANG")},
		{p.home.path(configFile) + ": lang", c.Lang},
	} {
		switch l.lang {
		case "":
			continue
		case "en", "vi":
			p.lang = l.lang
		default:
			return usageBoth(wordEnOrVi, l.from, l.lang)
		}
		break
	}
	p.readerFlag = first(p.readerFlag, os.Getenv("TAMTHE_READER"), c.Reader)
	p.settled = true
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

// say prints a line of explanation on standard error, where people read it: with --json
// there is nothing but the result.
func (p *program) say(format string, a ...any) {
	if !p.json {
		fmt.Fprintf(p.err, "tamthe: %s\n", verify.Escape(fmt.Sprintf(format, a...)))
	}
}

// result prints what a verb made: with --json the document, else the text, if there is
// any. name is what would be lost if the output cannot be written.
func (p *program) result(document any, name, text string) error {
	var err error
	if p.documents {
		err = p.document(document)
	} else if text != "" {
		_, err = fmt.Fprintln(p.out, text)
	}
	if err != nil {
		return hintBoth(fmt.Errorf("print the result: %w", err), wordDoneAllTheSame, name)
	}
	return nil
}

// document prints a JSON document on one line, in which no control character and no mark of
// direction stands: names of files and of certificates are whoever's made them.
func (p *program) document(v any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	_, err := p.out.Write(verify.EscapeJSON(b.Bytes()))
	return err
}

// terminal says whether standard error is one: only then is progress drawn.
func (p *program) terminal() bool { return isTerminal(p.err) }

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
