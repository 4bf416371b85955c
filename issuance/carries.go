package issuance

import (
	"fmt"
	"slices"
	"strings"
)

// carries holds an entry against what its rule says it must bring along.
func (r *rule) carries(remarks []string, s *Subject, e *Entry) error {
	if err := checkFields(e); err != nil {
		return err
	}
	for name := range e.Fields {
		if !r.takes(name) && !slices.Contains(remarks, name) {
			return fmt.Errorf("%w: %s carries no field %q", ErrEntry, e.Act, name)
		}
	}
	for _, name := range r.need {
		if e.Fields[name] == "" {
			return fmt.Errorf("%w: %s needs the field %q", ErrEntry, e.Act, name)
		}
	}
	for _, name := range r.same {
		if got, want := e.Fields[name], s.Fields[name]; got == "" || got != want {
			return fmt.Errorf("%s of %s: %q: %w", e.Act, e.Stream, name, ErrChanged)
		}
	}
	for name, values := range r.only {
		if got, ok := e.Fields[name]; ok && !slices.Contains(values, got) {
			return &wordError{e.Act, name, got, values}
		}
	}
	content, ok := e.Commitments[Content]
	if r.commit && !ok {
		return fmt.Errorf("%w: %s needs the commitment %q", ErrEntry, e.Act, Content)
	}
	if r.agree && content != s.Commitments[Content] {
		return fmt.Errorf("%s of %s: %w", e.Act, e.Stream, ErrChanged)
	}
	if ok && !r.commit {
		return fmt.Errorf("%w: %s may not commit to content", ErrEntry, e.Act)
	}
	return r.claims(s, e)
}

// wordError names the words that there are.
type wordError struct {
	act       Act
	name, got string
	words     []string
}

func (e *wordError) Error() string {
	return fmt.Sprintf("%s: %q is no %s; it is one of %s", e.act, e.got, e.name, strings.Join(e.words, ", "))
}

func (e *wordError) Unwrap() []error { return []error{ErrEntry, ErrWord} }

// takes reports whether the act may carry the field. The newest value of a field is what
// the stream says, so that an act which carried more than its own could turn what an act
// before it was judged by: whose application it is, which card it replaces.
func (r *rule) takes(name string) bool {
	return slices.Contains(r.need, name) || slices.Contains(r.same, name) || slices.Contains(r.extra, name)
}

// claims: what must be unique is claimed, what must be given up is released, and
// nothing else.
func (r *rule) claims(s *Subject, e *Entry) error {
	for _, kind := range r.claim {
		if valueOf(e.Claims, kind) == "" {
			return fmt.Errorf("%w: %s must claim its %s", ErrEntry, e.Act, kind)
		}
	}
	for _, c := range e.Claims {
		if !slices.Contains(r.claim, c.Kind) && !slices.Contains(r.may, c.Kind) {
			return fmt.Errorf("%w: %s claims no %s", ErrEntry, e.Act, c.Kind)
		}
	}
	if err := r.holds(e); err != nil {
		return err
	}
	var want []Claim
	for _, c := range s.Held {
		if slices.Contains(r.release, c.Kind) {
			want = append(want, c)
		}
	}
	got := slices.Clone(e.Release)
	slices.SortFunc(got, compareClaims)
	slices.SortFunc(want, compareClaims)
	if !slices.Equal(got, want) {
		return fmt.Errorf("%w: %s must release what its stream holds", ErrEntry, e.Act)
	}
	return nil
}

// holds: one thing of each kind that the act holds one of, at least one of the others.
func (r *rule) holds(e *Entry) error {
	for _, kind := range slices.Concat(r.hold, r.every) {
		if valueOf(e.Hold, kind) == "" {
			return fmt.Errorf("%w: %s must hold its %s", ErrEntry, e.Act, kind)
		}
	}
	seen := map[ClaimKind]bool{}
	for _, c := range e.Hold {
		one := slices.Contains(r.hold, c.Kind)
		if !one && !slices.Contains(r.every, c.Kind) || one && seen[c.Kind] {
			return fmt.Errorf("%w: %s holds no such %s", ErrEntry, e.Act, c.Kind)
		}
		seen[c.Kind] = true
	}
	return nil
}
