package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

type lookupOptions struct {
	trust string
	lists []string
	index int64
	uri   string
}

func newStatusLookup(p *program) *cobra.Command {
	var o lookupOptions
	cmd := &cobra.Command{
		Use:   "lookup [CARD-ID]",
		Short: "Look a card up in the lists of a trust folder, or show these lists",
		Long: `Says how a card stands by the lists of a trust folder: active (exit status 0), suspended,
superseded, revoked or undelivered (3), or not sure (4): no list covers it, or a filter
hits it that no exact list has confirmed. CARD-ID is the card_id of a report (--json); a card
that carries an index is looked up by --index, which is the status.index there. Without a card
the lists are shown.
`,
		Example: "  tamthe status lookup\n  tamthe status lookup --index 86443439\n" +
			"  tamthe status lookup --list cards.status --list hour.status --index 86443439",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("status lookup takes one CARD-ID, not %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return runStatusLookup(p, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.trust, "trust", "", "trust `FOLDER` (else the home's); its issuers.toml pins the signers")
	f.StringArrayVar(&o.lists, "list", nil, "only this `FILE`: a snapshot, and with the same flag again its delta; no matter how old")
	f.Int64Var(&o.index, "index", -1, "`NUMBER` of the card in its list")
	f.Lookup("index").DefValue = "0" // -1 is none, which help need not tell
	f.StringVar(&o.uri, "uri", "", "`URI` of the list that the index is of (else the only one)")
	return cmd
}

func runStatusLookup(p *program, o lookupOptions, args []string) error {
	c, asked, err := o.card(args)
	if err != nil {
		return err
	}
	trust, err := p.trust(o.trust)
	if err != nil {
		return err
	}
	var s *status.Source
	if len(o.lists) > 0 {
		s, err = sourceOf(o.lists, trust)
	} else {
		s, err = p.loadLists(o.trust, trust)
	}
	if err != nil {
		return err
	}
	if !asked {
		return p.showLists(s)
	}
	if c.Ref != nil && c.Ref.List == "" {
		if c.Ref.List, err = onlyList(s); err != nil {
			return err
		}
	}
	a, failed := s.Lookup(c)
	if err := p.showAnswer(s, a, failed); err != nil {
		return err
	}
	switch {
	case failed == nil && a.State == status.Active:
		return nil
	case failed == nil && a.State != status.Unknown && a.Exact:
		return verdictError(exitRefused)
	}
	return verdictError(exitRefer)
}

// card is what the command line asks for.
func (o lookupOptions) card(args []string) (c status.Card, asked bool, err error) {
	switch {
	case o.index > 1<<32-1 || o.index < -1:
		return c, false, usagef("--index is 0 to 4294967295")
	case o.index >= 0 && len(args) > 0:
		return c, false, usagef("CARD-ID and --index: one of them")
	case o.index >= 0:
		c.Ref = &lds.StatusReference{List: o.uri, Index: uint32(o.index)}
		return c, true, nil
	case o.uri != "":
		return c, false, usagef("--uri goes with --index")
	case len(args) == 0:
		return c, false, nil
	}
	b, err := hex.DecodeString(args[0])
	if err != nil || len(b) != len(c.ID) {
		return c, false, usagef("%q is no CARD-ID: 64 hexadecimal digits, the card_id of a report", args[0])
	}
	c.ID = [32]byte(b)
	return c, true, nil
}

// onlyList is the one index list there is.
func onlyList(s *status.Source) (string, error) {
	uri := ""
	for _, l := range s.Lists() {
		if l.Sort != status.Index {
			continue
		}
		if uri != "" && uri != l.URI {
			return "", usagef("there are several lists with indexes: name one with --uri")
		}
		uri = l.URI
	}
	return uri, nil
}

// anyKey pins one key, whatever its list speaks of.
type anyKey [32]byte

// Issuer implements [status.Signers].
func (k anyKey) Issuer(country, document string) (pki.Issuer, bool) {
	return pki.Issuer{Country: country, Documents: []string{document}, StatusKeys: [][32]byte{k}}, true
}

// readList reads the file of a list.
func readList(path string) ([]byte, error) {
	return pki.ReadFile(os.DirFS(filepath.Dir(path)), filepath.Base(path), status.MaxList)
}

// sourceOf is a snapshot, and its delta if there are two files.
func sourceOf(paths []string, trust *pki.Store) (*status.Source, error) {
	var snapshot, delta *status.List
	for _, path := range paths {
		b, err := readList(path)
		if err != nil {
			return nil, err
		}
		l, err := status.Parse(b, trust)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if l.Sort.Delta() && delta == nil {
			delta = l
		} else if !l.Sort.Delta() && snapshot == nil {
			snapshot = l
		} else {
			return nil, usagef("--list: one snapshot, and at most one delta of it")
		}
	}
	if snapshot == nil {
		return nil, usagef("--list: a delta needs its snapshot beside it")
	}
	return status.Of(snapshot, delta)
}

type refusedJSON struct {
	File string `json:"file"`
	Code string `json:"code"`
	Why  string `json:"why"`
}

// lookupJSON is the result of a look-up; without a card it has lists only.
type lookupJSON struct {
	Schema     string        `json:"schema"`
	State      string        `json:"state,omitempty"`
	Exact      *bool         `json:"exact,omitempty"`
	AsOf       string        `json:"as_of,omitempty"`
	NextUpdate string        `json:"next_update,omitempty"`
	Source     string        `json:"source,omitempty"`
	Lists      []listJSON    `json:"lists"`
	Refused    []refusedJSON `json:"refused"`
}

func lookupOf(s *status.Source) lookupJSON {
	j := lookupJSON{Schema: "tamthe/status-lookup/1", Lists: []listJSON{}, Refused: []refusedJSON{}}
	for _, l := range s.Lists() {
		j.Lists = append(j.Lists, listOf(l))
	}
	for _, r := range s.Refused() {
		j.Refused = append(j.Refused, refusedJSON{r.Path, classify(r.Err).Code, r.Err.Error()})
	}
	return j
}

func (p *program) showLists(s *status.Source) error {
	if p.documents {
		return p.document(lookupOf(s))
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, l := range s.Lists() {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%d\n", l.URI, l.Sort, l.Sequence, l.Signed.UTC().Format(time.RFC3339), p.age(l.Signed), l.Cards())
	}
	err := w.Flush()
	if err == nil && len(s.Lists())+len(s.Refused()) == 0 {
		_, err = fmt.Fprintln(p.out, p.text(wordNoLists))
	}
	for _, r := range s.Refused() {
		_, failed := fmt.Fprintln(p.out, p.refusal(r))
		err = errors.Join(err, failed)
	}
	return err
}

// refusal says which list is not used, and why.
func (p *program) refusal(r status.Refused) string {
	why := verify.Escape(r.Err.Error())
	if p.lang == "vi" {
		why = inVietnamese[classify(r.Err).Code].what + " (" + why + ")"
	}
	return fmt.Sprintf(p.text(wordListRefused), verify.Escape(r.Path), why)
}

func (p *program) age(t time.Time) string {
	return fmt.Sprintf(p.text(wordHoursOld), int(p.now().Sub(t).Hours()))
}

// showAnswer prints how the card stands; what is refused is part of that.
func (p *program) showAnswer(s *status.Source, a status.Answer, failed error) error {
	if p.documents {
		j := lookupOf(s)
		j.State, j.Exact, j.Source = a.State.String(), &a.Exact, a.Source
		if !a.AsOf.IsZero() {
			j.AsOf, j.NextUpdate = a.AsOf.UTC().Format(time.RFC3339), a.NextUpdate.UTC().Format(time.RFC3339)
		}
		return p.document(j)
	}
	state := p.text(wordStates[a.State])
	if a.State != status.Unknown && !a.Exact {
		state = p.text(wordProbable)
	}
	lines := []string{state}
	if !a.AsOf.IsZero() {
		lines = append(lines, fmt.Sprintf(p.text(wordAsOf), a.AsOf.Local().Format(time.DateTime), p.age(a.AsOf), verify.Escape(a.Source)))
		if p.now().After(a.NextUpdate) {
			lines = append(lines, fmt.Sprintf(p.text(wordOverdue), a.NextUpdate.Local().Format(time.DateTime)))
		}
	}
	if failed != nil || a.State == status.Unknown {
		for _, r := range s.Refused() {
			lines = append(lines, p.refusal(r))
		}
	}
	var errs []error
	for _, l := range lines {
		_, err := fmt.Fprintln(p.out, l)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
