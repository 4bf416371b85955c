// Package ceremony runs a key ceremony by a script that was written before it, with
// custodians who each prove themselves, and keeps a transcript of it that anybody can
// replay.
//
// The script says step by step what is said, asked, done and read aloud. Every prompt and
// every answer goes into the transcript with its time, each record holding the hash of the
// one before; at its end every custodian signs it. A custodian who is missing, an answer
// that is not the one the step needs, and an act that fails stop the ceremony, and the
// transcript says where. A rehearsal is the same with throwaway keys; its transcript says
// that it is one.
package ceremony

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

var (
	// ErrScript means that a script is not well formed.
	ErrScript = errors.New("not a ceremony script")
	// ErrCustodian means that a custodian is missing, is there twice, or did not prove who
	// they are.
	ErrCustodian = errors.New("a custodian is missing")
	// ErrAnswer means that an answer is not the one that the step needs.
	ErrAnswer = errors.New("the answer stops the ceremony")
	// ErrTranscript means that a transcript was changed, or is not whole.
	ErrTranscript = errors.New("not the transcript of a ceremony")
)

// The bounds of scripts and transcripts.
const (
	maxScript     = 64 << 10
	maxTranscript = 8 << 20
	maxSteps      = 500
	maxCustodians = 12
	maxText       = 4096
)

// Script is what a ceremony is to be.
type Script struct {
	Title      string `toml:"title"`
	Custodians int    `toml:"custodians"` // how many must be there, 2 or more
	Steps      []Step `toml:"step"`

	raw []byte
}

// Step is one step of a script.
type Step struct {
	Do   string            `toml:"do"`   // see the kinds below
	Text string            `toml:"text"` // what is said or asked
	Act  string            `toml:"act"`  // of an act: its name
	With map[string]string `toml:"with"` // … and what it is told
	Of   string            `toml:"of"`   // what is read aloud, taken in or given out
}

// The kinds of steps.
const (
	DoAttend = "attend" // each custodian signs a challenge; the first step, and no other
	DoSay    = "say"    // the text is read; somebody answers yes
	DoAsk    = "ask"    // the text is asked; the answer is kept
	DoAct    = "act"    // a key is made or used
	DoRead   = "read"   // the check value of a file or key is read aloud and typed back
	DoImport = "import" // a file comes in from outside, with its signatures
	DoExport = "export" // a file goes out, signed by the custodians
)

// Parse reads a script in TOML. Unknown keys, a script without steps, with fewer than two
// custodians, or whose first step is not attend, are ErrScript.
func Parse(b []byte) (*Script, error) {
	if len(b) > maxScript {
		return nil, fmt.Errorf("%w: %d octets", ErrScript, len(b))
	}
	s := &Script{raw: bytes.Clone(b)}
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrScript, err)
	}
	switch {
	case !printed(s.Title) || s.Title == "":
		return nil, fmt.Errorf("%w: it has no title", ErrScript)
	case s.Custodians < 2 || s.Custodians > maxCustodians:
		return nil, fmt.Errorf("%w: %d custodians", ErrScript, s.Custodians)
	case len(s.Steps) == 0 || len(s.Steps) > maxSteps || s.Steps[0].Do != DoAttend:
		return nil, fmt.Errorf("%w: its first step is not attend", ErrScript)
	}
	for i, step := range s.Steps {
		if why := step.refuse(i); why != "" {
			return nil, fmt.Errorf("%w: step %d: %s", ErrScript, i+1, why)
		}
	}
	return s, nil
}

// refuse says why a step is none, or nothing.
func (s Step) refuse(i int) string {
	needs := map[string]string{DoAttend: "", DoSay: "text", DoAsk: "text", DoAct: "act", DoRead: "of", DoImport: "of", DoExport: "of"}
	need, known := needs[s.Do]
	has := map[string]bool{"text": s.Text != "", "act": s.Act != "", "of": s.Of != "", "with": len(s.With) > 0}
	switch {
	case !known:
		return fmt.Sprintf("do = %q is not known", s.Do)
	case s.Do == DoAttend && i > 0:
		return "custodians attend once"
	case need != "" && !has[need]:
		return fmt.Sprintf("%s needs %s", s.Do, need)
	case !printed(s.Text) || !word(s.Act) || !name(s.Of):
		return "a text, act or name that cannot be printed"
	}
	for _, other := range []string{"text", "act", "of", "with"} {
		if has[other] && other != need && !(other == "with" && s.Do == DoAct) && !(other == "text" && need != "") {
			return fmt.Sprintf("%s has no use for %s", s.Do, other)
		}
	}
	for k, v := range s.With {
		if !word(k) || !printed(v) {
			return "with: a name or value that cannot be printed"
		}
	}
	return ""
}

// printed says whether a text is one line of printable characters, or empty.
func printed(s string) bool {
	return len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xFFFD || r == 0x2028 || r == 0x2029 })
}

func word(s string) bool {
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && len(s) <= 64
}

// name is that of a file or key without any way to it.
func name(s string) bool {
	return len(s) <= 96 && !strings.HasPrefix(s, ".") && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-._:") == ""
}

// Acts lists the names of the acts in a script, each once, in their order.
func (s *Script) Acts() []string {
	var list []string
	for _, step := range s.Steps {
		if step.Do == DoAct && !slices.Contains(list, step.Act) {
			list = append(list, step.Act)
		}
	}
	return list
}
