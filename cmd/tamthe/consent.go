package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/verify/eid"
)

// errNoConsent says that the citizen did not agree.
var errNoConsent = errors.New("not agreed; nothing was read of the card")

// agreement is what a citizen agrees to beforehand: that this party may be told these fields
// for this purpose.
type agreement struct {
	party, purpose string
	fields         []string
}

// parseConsents reads values of --agree. A purpose may have colons in it, the others have none.
func parseConsents(values []string) ([]agreement, error) {
	var list []agreement
	for _, v := range values {
		party, rest, ok := strings.Cut(v, ":")
		i := strings.LastIndex(rest, ":")
		if !ok || i < 0 || party == "" || strings.TrimSpace(rest[:i]) == "" {
			return nil, usagef("--agree %s: it says PARTY:PURPOSE:FIELDS", v)
		}
		a := agreement{party: party, purpose: rest[:i]}
		if rest[i+1:] != "" {
			a.fields = strings.Split(rest[i+1:], ",")
		}
		for _, f := range a.fields {
			if !slices.Contains(eid.Fields(), f) {
				return nil, usagef("--agree %s: %s is none of %s", v, f, strings.Join(eid.Fields(), ", "))
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// covers is nil if one of the agreements covers all that is asked.
func covers(agreed []agreement, r eid.Request) error {
	i := slices.IndexFunc(agreed, func(a agreement) bool { return a.party == r.Party })
	if i < 0 {
		return hintBoth(errNoConsent, wordOtherParty, r.Party)
	}
	var more string
	for _, a := range agreed {
		if a.party != r.Party || a.purpose != r.Purpose {
			continue
		}
		n := slices.IndexFunc(r.Fields, func(f string) bool { return !slices.Contains(a.fields, f) })
		if n < 0 {
			return nil
		}
		more = r.Fields[n]
	}
	if more == "" {
		return hintBoth(errNoConsent, wordOtherPurpose, r.Party, r.Purpose)
	}
	return hintBoth(errNoConsent, wordOtherField, more)
}

// sayAsked says who asks for what, and why.
func (p *program) sayAsked(r eid.Request) {
	p.say(p.text(wordAsks), r.Name, r.Party)
	p.say(p.text(wordAsksWhy), r.Purpose)
	p.say(p.text(wordAsksFor), p.fieldWords(r.Fields))
	if r.Relay {
		p.say("%s", p.text(wordReadsItself))
	}
}

// fieldWords names fields to people.
func (p *program) fieldWords(fields []string) string {
	var list []string
	for _, f := range fields {
		vi, en := eid.FieldWord(f)
		if p.lang == "vi" {
			en = vi
		}
		list = append(list, en)
	}
	return strings.Join(list, ", ")
}

// consent says who asks for what, and asks, unless that was agreed to beforehand.
func (p *program) consent(ctx context.Context, r eid.Request, agreed []agreement) error {
	if len(agreed) > 0 {
		return covers(agreed, r)
	}
	p.sayAsked(r)
	answer, err := p.ask(ctx, p.text(wordAgree))
	if errors.Is(err, errNoPrompt) { // without the party and purpose, which a stranger chose: hints are pasted into shells
		known := slices.DeleteFunc(slices.Clone(r.Fields), func(f string) bool { return !slices.Contains(eid.Fields(), f) })
		return hintBoth(usageBoth(wordNobodyAgrees), wordNoConsenter, strings.Join(known, ","))
	}
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"y", "yes", "c", "có", "co"}, strings.ToLower(strings.TrimSpace(answer))) {
		return errNoConsent
	}
	return nil
}
