package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/verify"
)

type demoOptions struct {
	dir       string
	inProcess bool
}

func newDemo(p *program) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Issue, read and verify cards with software chips, and refuse forged ones",
		Long: `Plays a card's whole life with two officers, three invented citizens and software
chips in a private PC/SC service: issue, read, verify, and refuse what is forged, cloned
or revoked. Everything it makes lies under --dir, which is emptied first; nothing of this
machine's own home or readers is touched.
`,
		Example: "  tamthe demo\n  tamthe demo --in-process --json",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), p, o) },
	}
	cmd.Flags().StringVar(&o.dir, "dir", ".tamthe/demo", "the `FOLDER` to work in; it is emptied first")
	cmd.Flags().BoolVar(&o.inProcess, "in-process", false, "do without PC/SC: the chips stay inside this program")
	return cmd
}

// demoPassphrase seals the keys of the demonstration's two officers. It protects nothing:
// the keys are SPECIMEN.
const demoPassphrase = "specimen"

// marker is the file by which a folder is known to be a demonstration's, and may be
// emptied.
const marker = ".tamthe-demo"

// demo is one run of the demonstration.
type demo struct {
	p    *program // as the user called it
	dir  string
	slot slot
	runs []demoRun
}

// demoRun is one inspection.
type demoRun struct {
	Name    string          `json:"name"`
	Verdict verify.Verdict  `json:"verdict"`
	Reasons []verify.Reason `json:"reasons"`
	Exit    int             `json:"exit"`
	Session *demoRunSession `json:"session"`
	want    verify.Verdict  // what must come out
}

type demoRunSession struct {
	Access   string `json:"access"`
	APDUs    int    `json:"apdus"`
	BytesIn  int    `json:"bytes_in"`
	BytesOut int    `json:"bytes_out"`
}

func runDemo(ctx context.Context, p *program, o demoOptions) error {
	if !o.inProcess {
		inside, err := private.Enter() // on success the rest happens in a second process
		if !inside && err != nil {
			p.say("no network of its own here (%v): the virtual reader's port can be reached from outside while this runs", err)
		}
	}
	dir, err := emptyDemo(o.dir)
	if err != nil {
		return err
	}
	d := &demo{p: p, dir: dir, slot: &inProcess{}}
	if !o.inProcess {
		if d.slot, err = newVirtualReader(ctx, ""); err != nil {
			return hint(err, "`make demo` sets up what is needed; --in-process does without PC/SC")
		}
	}
	defer d.slot.close()
	if err := d.play(ctx); err != nil {
		return err
	}
	return d.finish()
}

// emptyDemo empties the folder, if it is a demonstration's or empty, and marks it.
func emptyDemo(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return "", hint(fmt.Errorf("%s is not empty and no demonstration's folder", dir), "name another one with --dir")
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	for _, d := range []string{"home", "chips", "reports", "forged"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(filepath.Join(dir, marker), []byte("made by tamthe demo; it empties this folder\n"), 0o600)
}

func (d *demo) path(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// as is the program as an officer of the demonstration runs it: own home, own reader,
// standard output into a buffer.
func (d *demo) as(officer string) (*program, *bytes.Buffer) {
	out := &bytes.Buffer{}
	p := &program{
		in: strings.NewReader(""), out: out, err: d.p.err, now: d.p.now, connect: d.slot.connect, home: home(d.path("home")),
		lang: d.p.lang, json: d.p.json, operatorFlag: officer, passphraseFile: d.path("passphrase"),
		secondPassFile: d.path("passphrase"),
	}
	return p, out
}

// step runs one verb as an officer and says so.
func (d *demo) step(officer, what string, verb func(*program) error) (string, error) {
	p, out := d.as(officer)
	if err := verb(p); err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if !d.p.json {
		fmt.Fprintf(d.p.out, "  ✓ %-6s %s\n", officer, what)
	}
	return strings.TrimSpace(out.String()), nil
}

func (d *demo) heading(en, vi string) {
	if d.p.json {
		return
	}
	if d.p.lang == "vi" {
		en = vi
	}
	fmt.Fprintf(d.p.out, "\n%s\n", en)
}

// finish says how the runs came out; a verdict that is not the one expected is a failure.
func (d *demo) finish() error {
	if d.p.json {
		runs := d.runs
		if err := json.NewEncoder(d.p.out).Encode(struct {
			Schema string    `json:"schema"`
			Runs   []demoRun `json:"runs"`
		}{"tamthe/demo/1", runs}); err != nil {
			return err
		}
	} else {
		d.summary(d.p.out)
	}
	for _, r := range d.runs {
		if r.Verdict != r.want {
			return fmt.Errorf("run %s ended in %s, %s was expected", r.Name, r.Verdict, r.want)
		}
	}
	return nil
}

func (d *demo) summary(w io.Writer) {
	d.heading("Summary", "Tóm tắt")
	for _, r := range d.runs {
		apdus := ""
		if r.Session != nil {
			apdus = fmt.Sprintf("%d APDUs", r.Session.APDUs)
		}
		reasons := make([]string, len(r.Reasons))
		for i, reason := range r.Reasons {
			reasons[i] = string(reason)
		}
		fmt.Fprintf(w, "  %-12s %-7s exit %d  %-10s %s\n", r.Name, strings.ToUpper(r.Verdict.String()), r.Exit, apdus, strings.Join(reasons, ", "))
	}
	fmt.Fprintf(w, "\nfiles of the first card  %s\ntrust folder             %s\nreports                  %s\n", d.path("card"), d.path("trust"), d.path("reports"))
	fmt.Fprintf(w, "the desk's home          %s (operators an, binh; passphrase %q)\n", d.path("home"), demoPassphrase)
}
