package slip

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/sheet"
)

//go:embed page.html
var source string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(source)) })

// row is a label and what it labels.
type row struct{ Label, Value string }

// data is what page and text are made of.
type data struct {
	Lang            verify.Lang
	Labels          *labels
	Style           template.CSS
	Specimen        bool
	Did             string
	Rows            []row
	Heading         string   // of what was read or told
	Items           []string // in words
	Technical       string
	Kept            []string // none: nothing was
	Reference, Code string
}

func (s Slip) data(l verify.Lang, d *evidence.Device, zone *time.Location) (*data, error) {
	w := words(l)
	out := &data{Lang: verify.English, Labels: w, Style: template.CSS(sheet.Style()), Specimen: s.Specimen, Did: cmp.Or(w.verbs[s.Verb], s.Verb), Technical: technical(s)}
	if w == &vietnamese {
		out.Lang = verify.Vietnamese
	}
	add := func(label, value string) {
		if value != "" {
			out.Rows = append(out.Rows, row{label, verify.Escape(value)})
		}
	}
	add(w.Time, s.Time.In(zone).Format(w.day))
	if s.Verb == "login" {
		add(w.Party, s.Office)
		add(w.Server, s.Server)
	} else {
		add(w.Office, s.Office)
		add(w.Device, short(s.Device))
		add(w.Officer, short(s.Officer))
	}
	add(w.Purpose, s.Purpose)
	add(w.Basis, s.Basis)
	add(w.Case, s.Case)
	if s.Verdict != "" {
		result := cmp.Or(w.verdicts[s.Verdict], s.Verdict)
		if s.Reason != "" {
			result += ", " + w.Why + " " + s.Reason.Words(out.Lang).Cause
		}
		add(w.Result, result)
	}
	add(w.Complain, s.Complain)
	out.Heading, out.Items = w.Read, w.personal(s)
	if s.Verb == "login" {
		out.Heading, out.Items = w.Told, nil
		for _, f := range s.Fields {
			out.Items = append(out.Items, cmp.Or(w.fields[f], verify.Escape(f)))
		}
	}
	for _, k := range s.Kept {
		out.Kept = append(out.Kept, cmp.Or(w.kept[k], k))
	}
	if s.Verb == "login" {
		out.Reference, out.Code = w.Login+" "+verify.Escape(s.Login), ""
		return out, nil
	}
	out.Reference = fmt.Sprintf("%s %d · %s", w.Entry, s.Entry, hex.EncodeToString(s.Hash))
	var err error
	out.Code, err = s.code(d)
	return out, err
}

// short is enough of a pseudonym to tell two apart.
func short(b evidence.Hex) string {
	text := hex.EncodeToString(b)
	return text[:min(16, len(text))]
}

// Page writes the slip as one page to print, in the language, sealed by the device that
// recorded the inspection. The device is nil for a login. Times are told in the zone.
func (s Slip) Page(w io.Writer, l verify.Lang, d *evidence.Device, zone *time.Location) error {
	out, err := s.data(l, d, zone)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := page().Execute(&b, out); err != nil {
		return fmt.Errorf("write the slip: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// Text is Page in lines.
func (s Slip) Text(w io.Writer, l verify.Lang, d *evidence.Device, zone *time.Location) error {
	out, err := s.data(l, d, zone)
	if err != nil {
		return err
	}
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	if out.Specimen {
		line("*** %s ***", out.Labels.Specimen)
	}
	line("%s\n%s\n", strings.ToUpper(out.Labels.Title), out.Did)
	for _, r := range out.Rows {
		line("%s: %s", r.Label, r.Value)
	}
	line("\n%s:", out.Heading)
	for _, i := range out.Items {
		line("- %s", i)
	}
	if len(out.Items) == 0 {
		line("- %s", out.Labels.Nothing)
	}
	if out.Technical != "" {
		line("(%s)", out.Technical)
	}
	if s.Verb != "login" {
		line("\n%s:", out.Labels.Kept)
		for _, k := range out.Kept {
			line("- %s", k)
		}
		if len(out.Kept) == 0 {
			line("- %s", out.Labels.KeptNone)
		}
	}
	line("\n%s\n\n%s", out.Labels.Rights, out.Reference)
	if out.Code != "" {
		line("\n%s:\n%s", out.Labels.Code, out.Code)
	} else {
		line("%s", out.Labels.NoSeal)
	}
	_, err = io.WriteString(w, b.String())
	return err
}
