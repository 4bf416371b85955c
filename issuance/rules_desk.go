package issuance

import "fmt"

// deskRules are those of a desk that may work apart from the others: what it was given,
// and up to where its own log was taken over.
var deskRules = []rule{
	{
		kind: KindDesk, act: Invite, from: []Phase{Absent, Invited}, to: Invited, role: []Role{Admin}, two: always,
	},
	{
		kind: KindDesk, act: Enrol, from: []Phase{Absent, Invited}, to: Enrolled, role: []Role{Admin}, two: always,
		need: []string{"origin", "logkey", "at"}, claim: []ClaimKind{ClaimOrigin}, check: claimsItsOrigin,
	},
	{
		kind: KindDesk, act: Grant, from: []Phase{Enrolled}, to: Enrolled, role: []Role{Admin, StockKeeper, Custodian}, two: always,
		extra: []string{"batch", "count", "ds", "cap", "first", "last"},
	},
	{
		kind: KindDesk, act: Sync, from: []Phase{Enrolled}, to: Enrolled, role: []Role{Admin, Auditor, Signer},
		need: []string{"size", "tree"}, extra: []string{"conflicts"},
	},
	{
		kind: KindDesk, act: Revoke, from: []Phase{Enrolled}, to: Revoked, role: []Role{Admin}, two: always,
		need: []string{"reason"}, extra: []string{"from"}, only: map[string][]string{"reason": operatorReasons}, check: fromThePast,
	},
}

func fromThePast(_ *Book, _ *Subject, e *Entry) error { return isPast(e) }

// claimsItsOrigin: no two desks stand for one log.
func claimsItsOrigin(_ *Book, _ *Subject, e *Entry) error {
	if valueOf(e.Claims, ClaimOrigin) != e.Fields["origin"] {
		return fmt.Errorf("%w: the claimed origin is not the field's", ErrEntry)
	}
	return nil
}

// conflictRules: what two logs cannot both be right about is found by a sync, and waits
// until two administrators have settled it.
var conflictRules = []rule{
	{
		kind: KindConflict, act: Find, to: Found, role: []Role{Admin, Auditor, Signer},
		need: []string{"object", "left"}, extra: []string{"right"},
	},
	{
		kind: KindConflict, act: Settle, from: []Phase{Found}, to: Settled, role: []Role{Admin}, two: always,
		need: []string{"reason"},
	},
}
