package verify

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// ErrPolicy is the error of ParsePolicy for a text that is no policy; its message says why.
var ErrPolicy = errors.New("not a policy")

// maxPolicy bounds a policy's text, in octets.
const maxPolicy = 1 << 14

// policyFile is the form of an operator's own policy. What is not said is as in the base.
type policyFile struct {
	Name      string                             `toml:"name"`
	Base      string                             `toml:"base"`
	Need      []word[Claim, *Claim]              `toml:"need"`
	Groups    []int                              `toml:"groups"`
	Demand    []string                           `toml:"demand"`
	Chip      *bool                              `toml:"chip"`
	Photo     *bool                              `toml:"photo"`
	COM       *bool                              `toml:"com"`
	StatusAge string                             `toml:"status_age"`
	CRLAge    string                             `toml:"crl_age"`
	Soften    map[Reason]word[Verdict, *Verdict] `toml:"soften"`
}

// word is a value that is written as a word: a number would be one, too, for its kind.
type word[T any, P interface {
	*T
	UnmarshalText([]byte) error
}] struct{ is T }

// UnmarshalText takes the words of the value.
func (w *word[T, P]) UnmarshalText(b []byte) error { return P(&w.is).UnmarshalText(b) }

// policyName is what a policy may be called.
var policyName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// ParsePolicy reads an operator's own policy, a TOML text that names a built-in one as its
// base and says what differs. Keys, claims, checks and reasons that this version doesn't
// know are errors, and so are the name of a built-in policy, a softening of a hard reason
// and a policy that needs nothing. Errors wrap ErrPolicy or ErrNoPolicy.
func ParsePolicy(text []byte) (Policy, error) {
	if len(text) > maxPolicy {
		return Policy{}, fmt.Errorf("%w: more than %d octets", ErrPolicy, maxPolicy)
	}
	var f policyFile
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(strict.Errors) > 0 {
			return Policy{}, fmt.Errorf("%w: unknown key %q", ErrPolicy, strings.Join(strict.Errors[0].Key(), "."))
		}
		return Policy{}, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	p, err := PolicyByName(f.Base)
	if err != nil {
		return Policy{}, fmt.Errorf("base: %w", err)
	}
	if err := f.check(); err != nil {
		return Policy{}, err
	}
	if p, err = f.ages(p); err != nil {
		return Policy{}, err
	}
	return f.over(p), nil
}

func (f policyFile) check() error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrPolicy}, a...)...)
	}
	if _, err := PolicyByName(f.Name); err == nil || !policyName.MatchString(f.Name) {
		return bad("name %q is a built-in one's, or not of small letters, digits and hyphens", f.Name)
	}
	if f.Need != nil && len(f.Need) == 0 {
		return bad("it needs nothing")
	}
	for _, n := range f.Groups {
		if n < 1 || n > 16 {
			return bad("there is no data group %d", n)
		}
	}
	for _, id := range f.Demand {
		if !slices.ContainsFunc(catalogue, func(k kind) bool { return k.id == id }) {
			return bad("there is no check %q", id)
		}
	}
	for r := range f.Soften {
		if _, ok := grades[r]; !ok {
			return bad("there is no reason %q", string(r))
		}
		if r.Hard() {
			return bad("%s is never softened", r)
		}
	}
	return nil
}

// ages takes how old lists may be.
func (f policyFile) ages(p Policy) (Policy, error) {
	for _, a := range []struct {
		key, text string
		age       *time.Duration
	}{{"status_age", f.StatusAge, &p.StatusAge}, {"crl_age", f.CRLAge, &p.CRLAge}} {
		if a.text == "" {
			continue
		}
		d, err := time.ParseDuration(a.text)
		if err != nil || d <= 0 {
			return Policy{}, fmt.Errorf("%w: %s %q is no duration such as 36h", ErrPolicy, a.key, a.text)
		}
		*a.age = d
	}
	return p, nil
}

// over lays what the file says over its base.
func (f policyFile) over(p Policy) Policy {
	p.Name = f.Name
	if f.Need != nil {
		p.Need = nil
		for _, c := range f.Need {
			p.Need = append(p.Need, c.is)
		}
	}
	if f.Groups != nil {
		p.Groups = f.Groups
	}
	if f.Demand != nil {
		p.Demand = f.Demand
	}
	for _, b := range []struct {
		from *bool
		to   *bool
	}{{f.Chip, &p.Chip}, {f.Photo, &p.Photo}, {f.COM, &p.COM}} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	for _, r := range slices.Sorted(maps.Keys(f.Soften)) {
		p.Soften = slices.DeleteFunc(p.Soften, func(s Softening) bool { return s.Reason == r })
		p.Soften = append(p.Soften, Softening{r, f.Soften[r].is})
	}
	return p
}
