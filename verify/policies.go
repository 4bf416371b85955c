package verify

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoPolicy is the error of PolicyByName for a name that is not in Policies.
var ErrNoPolicy = errors.New("no such policy")

// everywhere are the softenings that every built-in policy shares: a portrait that
// an officer has to compare by eye anyway, old but unbroken algorithms, data that
// nobody signed and nobody uses, and what only a second look can decide.
var everywhere = []Softening{
	{ReasonAlgorithmWeak, Accept},
	{ReasonOutlived, Accept},
	{ReasonPhotoUnread, Refer},
	{ReasonPhotoMissing, Refer},
	{ReasonGroupsUnusual, Refer},
	{ReasonPrintMismatch, Refer},
	{ReasonPrintUnreadable, Refer},
	{ReasonHolderUnsure, Refer},
	{ReasonHolderDisputed, Refer},
	{ReasonDeviation, Refer},
}

// day is what the ages of lists are written in.
const day = 24 * time.Hour

// crlAge is how often a State lists what it revoked, at the least (ICAO Doc 9303-12
// §7.1.4): an older list is not its newest.
const crlAge = 90 * day

// policies holds what the program can be asked for by name.
var policies = []Policy{
	{
		Name: "checkpoint", Need: []Claim{Integrity, Authentic, Original, InForce}, Groups: []int{1, 2},
		Soften: everywhere, Chip: true, Photo: true, StatusAge: 7 * day, CRLAge: crlAge,
	},
	{
		Name: "quick", Need: []Claim{Integrity, Authentic, Original, InForce}, Groups: []int{1},
		Soften: everywhere, Chip: true, StatusAge: 7 * day, CRLAge: crlAge,
	},
	{
		Name: "online", Need: []Claim{Integrity, Authentic, Original, InForce}, Groups: []int{1},
		Demand: []string{CheckStatus}, Soften: []Softening{{ReasonOutlived, Accept}},
		Chip: true, COM: true, StatusAge: day, CRLAge: crlAge,
	},
	{
		Name: "archive", Need: []Claim{Integrity, Authentic}, Groups: []int{1},
		Soften: append(slices.Clone(everywhere),
			Softening{ReasonGroupUnlisted, Accept}, Softening{ReasonCOMMismatch, Accept}),
		Photo: true, COM: true,
	},
	{
		Name: "desk-qa", Need: []Claim{Integrity, Authentic, Original}, Groups: []int{1, 2, 13, 14, 15},
		Soften: []Softening{{ReasonCardUndelivered, Accept}}, Chip: true, Photo: true, COM: true, CRLAge: crlAge,
	},
}

// Policies returns the built-in policies: checkpoint asks all of a card; quick does
// without the photo and says so; online stands where no officer looks, and wants to know
// the card's status, one day old at the most; archive judges files without their chip;
// desk-qa overlooks nothing before a card is handed out. They are the caller's to change.
func Policies() []Policy {
	list := slices.Clone(policies)
	for i := range list {
		list[i] = list[i].clone()
	}
	return list
}

// clone shares nothing with p: a softening that one caller adds must not reach another.
func (p Policy) clone() Policy {
	p.Need, p.Groups, p.Demand, p.Soften = slices.Clone(p.Need), slices.Clone(p.Groups), slices.Clone(p.Demand), slices.Clone(p.Soften)
	return p
}

// PolicyByName returns a built-in policy, the caller's to change, or ErrNoPolicy.
func PolicyByName(name string) (Policy, error) {
	for _, p := range policies {
		if p.Name == name {
			return p.clone(), nil
		}
	}
	return Policy{}, fmt.Errorf("policy %q: %w", name, ErrNoPolicy)
}
