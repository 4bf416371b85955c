package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/evidence/slip"
)

// slipConfig is the table [slip] of config.toml: what citizens are told after each check.
type slipConfig struct {
	Every    bool   `toml:"every,omitempty"`    // a slip is made of each verify, read and agent login
	Office   string `toml:"office,omitempty"`   // the office and the device's place in it
	Purpose  string `toml:"purpose,omitempty"`  // where --purpose names none
	Basis    string `toml:"basis,omitempty"`    // the law that lets it read cards
	Complain string `toml:"complain,omitempty"` // where to ask and to complain
	Folder   string `toml:"folder,omitempty"`   // where slips go; slips in the home
}

// check refuses a table that would make slips that tell less than they must.
func (c slipConfig) check() error {
	for name, s := range map[string]string{"office": c.Office, "purpose": c.Purpose, "basis": c.Basis, "complain": c.Complain} {
		if len(s) > maxPurpose || verify.Escape(s) != s {
			return fmt.Errorf("%s is one line of at most %d octets", name, maxPurpose)
		}
	}
	if c.Every && (c.Office == "" || c.Basis == "" || c.Complain == "") {
		return errors.New("every = true wants office, basis and complain, which each slip tells")
	}
	return nil
}

// slipFolder is where slips go that no flag names a file for.
const slipFolder = "slips"

// slipOption is the flag of the verbs that read a card.
type slipOption struct{ file string }

func (o *slipOption) flag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.file, "slip", "", "also write a slip for the citizen, without a value of the card, into this new `FILE`, .txt or .html")
}

// wanted reports whether a slip is to be made.
func (o slipOption) wanted(p *program) bool { return o.file != "" || p.conf.Slip.Every }

// prepare refuses, before the card is read, what would make no slip; it gives the purpose that
// the slip and the record tell.
func (o slipOption) prepare(p *program, purpose string) (string, error) {
	if !o.wanted(p) {
		return purpose, nil
	}
	c := p.conf.Slip
	purpose = first(purpose, c.Purpose)
	switch {
	case c.Office == "" || c.Basis == "" || c.Complain == "":
		return "", hintBoth(usageBoth(wordSlipLacks), wordFillSlip, p.home.path(configFile))
	case strings.TrimSpace(purpose) == "":
		return "", usageBoth(wordSlipPurpose)
	}
	return purpose, o.free()
}

// free refuses a file that is there, or of another kind.
func (o slipOption) free() error {
	if o.file == "" {
		return nil
	}
	if ext := filepath.Ext(o.file); ext != ".txt" && ext != ".html" {
		return usagef("--slip names a file that ends in .txt or .html")
	}
	if _, err := os.Lstat(o.file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", o.file, errors.Join(fs.ErrExist, err))
	}
	_, err := os.Stat(filepath.Dir(o.file))
	return err
}

// make writes the slip of an inspection that is on record. That it cannot is said, and changes
// nothing about the card.
func (o slipOption) make(p *program, e *record.Entry, r *verify.Report, kept ...string) {
	if !o.wanted(p) {
		return
	}
	err := errNoEntry
	if e != nil {
		c := p.conf.Slip
		var s slip.Slip
		if s, err = slip.New(*e, r, slip.Office{Name: c.Office, Basis: c.Basis, Complain: c.Complain}, kept...); err == nil {
			err = o.write(p, s, fmt.Sprintf("%08d", e.Number))
		}
	}
	if err != nil {
		p.warn("no-slip", p.text(wordNoSlip), err.Error())
	}
}

// login writes the slip of a login by the citizen's own agent: also of one that came to nothing
// after files of the card had gone to the service.
func (o slipOption) login(p *program, l *eid.Login, step *eid.Step) {
	if !o.wanted(p) || len(l.Read) == 0 {
		return
	}
	q := l.Request
	told := slip.Login{Party: first(q.Name, q.Party), Server: q.Server, Purpose: q.Purpose, Session: q.Session, At: p.now()}
	for _, f := range l.Read {
		told.Files = append(told.Files, f.Name())
	}
	if step != nil {
		told.Told = step.Told
	}
	if err := o.write(p, slip.NewLogin(told), "login-"+p.now().UTC().Format("20060102T150405.000")); err != nil {
		p.warn("no-slip", p.text(wordNoSlip), err.Error())
	}
}

// errNoEntry means that there is nothing that a slip could name.
var errNoEntry = errors.New("the inspection is not on record")

// write writes the slip where the flag says, and where the configuration has each go.
func (o slipOption) write(p *program, s slip.Slip, name string) error {
	var paths []string
	if o.file != "" {
		paths = append(paths, o.file)
	}
	if p.conf.Slip.Every {
		dir := first(p.conf.Slip.Folder, p.home.path(slipFolder))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		paths = append(paths, filepath.Join(dir, name+".html"), filepath.Join(dir, name+".txt"))
	}
	var device *evidence.Device
	if s.Verb != slipLogin {
		var err error
		if device, err = p.device(""); err != nil {
			return err
		}
	}
	for _, path := range paths {
		var b bytes.Buffer
		form := s.Page
		if filepath.Ext(path) == ".txt" {
			form = s.Text
		}
		if err := form(&b, verify.Lang(p.lang), device, p.now().Location()); err != nil {
			return err
		}
		if err := durable.Export(path, b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// slipLogin is the verb of a slip that a citizen's own agent makes.
const slipLogin = "login"
