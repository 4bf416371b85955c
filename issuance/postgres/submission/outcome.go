package submission

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
)

// ErrRefused means that a sequencer could make nothing of a submission and says no more; its
// own log does.
var ErrRefused = errors.New("the sequencer could make nothing of it")

// kinds are the errors that a desk can tell apart, by the words that stand for them in an
// outcome; a word is never given another meaning. Errors that say that something cannot be
// done now are not among them: those leave a submission waiting.
var kinds = []struct {
	word string
	err  error
}{
	{"entry", issuance.ErrEntry},
	{"word", issuance.ErrWord},
	{"conflict", issuance.ErrConflict},
	{"four-eyes", issuance.ErrFourEyes},
	{"role", issuance.ErrRole},
	{"operator", issuance.ErrOperator},
	{"signature", issuance.ErrSignature},
	{"changed", issuance.ErrChanged},
	{"link", issuance.ErrLink},
	{"gap", issuance.ErrGap},
	{"cap", issuance.ErrCap},
	{"malformed", ErrMalformed},
	{"refused", ErrRefused},
}

// Final reports whether an append failed for what was asked, so that asking again is of no
// use before something else has changed.
func Final(err error) bool { return told(err).final() }

// Refusal encodes why a submission was refused. What Final does not know is ErrRefused to the
// desk, and its text, which is nobody's business there, is left out.
func Refusal(err error) string {
	o := told(err)
	if !o.final() {
		o = told(ErrRefused)
	}
	b, err := json.Marshal(o)
	if err != nil || len(b) > maxOutcome { // of nothing that the rules say
		return `{"text":"","kinds":["refused"]}`
	}
	return string(b)
}

// KindOf is the word for what a refusal is first of all, such as a count of refusals has it.
func KindOf(err error) string {
	switch o := told(err); {
	case o.Duplicate != nil:
		return "duplicate"
	case o.Transition != nil:
		return "transition"
	case len(o.Kinds) > 0:
		return o.Kinds[0]
	}
	return "refused"
}

// Refused is a refusal as the desk has it: its text is what was said at the sequencer, and
// errors.Is and errors.As find in it what they would have found there.
type Refused struct {
	text string
	why  []error
}

// Error is what was said at the sequencer.
func (r *Refused) Error() string { return r.text }

// Unwrap gives the errors that it was there.
func (r *Refused) Unwrap() []error { return r.why }

// ParseRefusal reads what Refusal wrote. It is total: of whatever else it makes an
// ErrRefused.
func ParseRefusal(text string) *Refused {
	var o outcome
	if len(text) > maxOutcome || json.Unmarshal([]byte(text), &o) != nil {
		o = told(ErrRefused)
	}
	r := &Refused{text: printable(o.Text)}
	for _, k := range kinds {
		if slices.Contains(o.Kinds, k.word) {
			r.why = append(r.why, k.err)
		}
	}
	if err := o.Duplicate.error(); err != nil {
		r.why = append(r.why, err)
	}
	if err := o.Transition.error(); err != nil {
		r.why = append(r.why, err)
	}
	if len(r.why) == 0 {
		r.why = []error{ErrRefused}
	}
	if r.text == "" {
		r.text = r.why[0].Error()
	}
	return r
}

const (
	maxText    = 1 << 10
	maxOutcome = 16 << 10
)

// outcome is a refusal as JSON.
type outcome struct {
	Text       string      `json:"text"`
	Kinds      []string    `json:"kinds,omitempty"`
	Duplicate  *duplicate  `json:"duplicate,omitempty"`
	Transition *transition `json:"transition,omitempty"`
}

func (o outcome) final() bool { return len(o.Kinds) > 0 || o.Duplicate != nil || o.Transition != nil }

func told(err error) outcome {
	var o outcome
	if err == nil {
		return o
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			o.Kinds = append(o.Kinds, k.word)
		}
	}
	if d, ok := errors.AsType[*issuance.DuplicateError](err); ok {
		o.Duplicate = &duplicate{string(d.Claim.Kind), d.Claim.Value, streamText(d.Holder)}
	}
	if t, ok := errors.AsType[*issuance.TransitionError](err); ok {
		o.Transition = &transition{streamText(t.Stream), t.Phase, t.Act, t.Possible}
	}
	o.Text = printable(err.Error())
	return o
}

// duplicate is an issuance.DuplicateError.
type duplicate struct {
	Kind   string `json:"kind"`
	Value  string `json:"value"`
	Holder string `json:"holder"`
}

func (d *duplicate) error() error {
	if d == nil || !plain(d.Kind) {
		return nil
	}
	holder, err := stream(d.Holder)
	if err != nil {
		return nil
	}
	return &issuance.DuplicateError{Claim: issuance.Claim{Kind: issuance.ClaimKind(d.Kind), Value: printable(d.Value)}, Holder: holder}
}

// transition is an issuance.TransitionError.
type transition struct {
	Stream   string         `json:"stream"`
	Phase    issuance.Phase `json:"phase"`
	Act      issuance.Act   `json:"act"`
	Possible []issuance.Act `json:"possible,omitempty"`
}

func (t *transition) error() error {
	if t == nil || t.Phase != issuance.Absent && !plain(string(t.Phase)) || !plain(string(t.Act)) {
		return nil
	}
	if slices.ContainsFunc(t.Possible, func(a issuance.Act) bool { return !plain(string(a)) }) {
		return nil
	}
	s, err := stream(t.Stream)
	if err != nil {
		return nil
	}
	return &issuance.TransitionError{Stream: s, Phase: t.Phase, Act: t.Act, Possible: t.Possible}
}

// streamText and stream take the stream that names nothing, too.
func streamText(s issuance.StreamID) string {
	if s.IsZero() {
		return ""
	}
	return s.String()
}

func stream(text string) (issuance.StreamID, error) {
	if text == "" {
		return issuance.StreamID{}, nil
	}
	return issuance.ParseStreamID(text)
}

// printable bounds a text, and keeps what cannot play tricks on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), maxText)])
}
