package issuance

import "slices"

// RuleBook is the number of the rules below. An entry is judged by the book it names;
// there is one so far.
const RuleBook = 1

// rule says what one act on one kind of stream needs and does.
type rule struct {
	kind Kind
	act  Act
	from []Phase
	to   Phase
	role []Role // one of these; none only for the first entry of a log

	apart   []Act // persons behind these acts of the same stream may not do this one
	apartBy []Act // … nor persons behind these acts of the card's application

	need   []string // fields it must carry
	same   []string // fields that must say what the stream says already
	extra  []string // fields it may carry besides; none else but remarks
	must   string   // the only value that its verdict may have
	commit bool     // it must carry Content
	agree  bool     // … and it must be what the stream says already

	claim   []ClaimKind // at least one of each
	may     []ClaimKind // any of these besides
	hold    []ClaimKind // exactly one of each
	release []ClaimKind // what the stream holds of these must be released

	check func(*Book, *Subject, *Entry) error // across streams; sees the stream before the act
	owes  func(*Entry) due                    // an act on another stream that must come with it
}

// due is an act that must follow in the same append.
type due struct {
	stream StreamID
	act    Act
}

// rules is the one table of what may be done. Intent is recorded before effect: rotate,
// write and lock stand in the ledger before the chip sees the first command of them,
// and may be repeated after a cut.
var rules = []rule{
	{
		kind: KindOperator, act: Init, to: Enrolled,
		need: []string{"key", "person", "name", "roles", "logkey"}, hold: []ClaimKind{HoldName}, check: isFirst,
	},
	{
		kind: KindOperator, act: Enrol, to: Enrolled, role: []Role{Admin},
		need: []string{"key", "person", "name", "roles"}, hold: []ClaimKind{HoldName}, check: isItsKey,
	},
	{
		kind: KindOperator, act: Revoke, from: []Phase{Enrolled}, to: Revoked, role: []Role{Admin},
		need: []string{"reason"}, release: []ClaimKind{HoldName}, check: isAnotherKey,
	},

	{
		kind: KindApplication, act: Enrol, to: Enrolled, role: []Role{Registrar},
		need: []string{"doctype", "reason"}, extra: []string{"profile", "replaces"}, commit: true, hold: []ClaimKind{HoldApplication}, check: replacesOwnCard,
	},
	{
		kind: KindApplication, act: Change, from: []Phase{Enrolled, Approved}, to: Enrolled, role: []Role{Registrar},
		extra: []string{"reason"}, commit: true,
	},
	{
		kind: KindApplication, act: Approve, from: []Phase{Enrolled}, to: Approved, role: []Role{Approver},
		apart: []Act{Enrol, Change}, commit: true, agree: true,
	},
	{
		kind: KindApplication, act: Reject, from: []Phase{Enrolled, Approved}, to: Rejected, role: []Role{Approver},
		need: []string{"reason"}, release: []ClaimKind{HoldApplication},
	},
	{
		kind: KindApplication, act: Cancel, from: []Phase{Enrolled, Approved, Personalising}, to: Cancelled, role: []Role{Registrar},
		need: []string{"reason"}, release: []ClaimKind{HoldApplication}, check: noCardInTheMaking,
	},
	{
		kind: KindApplication, act: Personalise, from: []Phase{Approved, Personalising}, to: Personalising, role: []Role{Personaliser},
		apart: []Act{Approve}, need: []string{"card"}, commit: true, agree: true, check: noCardInTheMaking,
		owes: func(e *Entry) due { return due{Card(e.Fields["card"]), Allocate} },
	},
	{
		kind: KindApplication, act: Issue, from: []Phase{Personalising}, to: Issued, role: []Role{Clerk},
		same: []string{"card"}, release: []ClaimKind{HoldApplication}, check: cardIsActive,
	},

	{
		kind: KindCard, act: Allocate, to: Allocated, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"application", "plan"}, extra: []string{"profile"}, commit: true,
		claim: []ClaimKind{ClaimChip}, may: []ClaimKind{ClaimCardSerial}, check: isForApplication,
	},
	{
		kind: KindCard, act: Rotate, from: []Phase{Allocated, Rotating}, to: Rotating, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"keyset"},
	},
	{
		kind: KindCard, act: Generate, from: []Phase{Rotating, Keyed}, to: Keyed, role: []Role{Personaliser}, apartBy: []Act{Approve},
		claim: []ClaimKind{ClaimChipKey},
	},
	{
		kind: KindCard, act: Prepare, from: []Phase{Keyed}, to: Prepared, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"cardid"}, extra: []string{"tbs", "ds"}, commit: true, agree: true,
		claim: []ClaimKind{ClaimCardID}, may: []ClaimKind{ClaimStatus}, check: claimsItsCardID,
	},
	{
		kind: KindCard, act: Sign, from: []Phase{Prepared}, to: Signed, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"sod", "ds"}, same: []string{"cardid"},
	},
	{
		kind: KindCard, act: Write, from: []Phase{Signed, Writing}, to: Writing, role: []Role{Personaliser}, apartBy: []Act{Approve},
		same: []string{"sod"},
	},
	{
		kind: KindCard, act: WriteDone, from: []Phase{Writing}, to: Written, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"readback"}, same: []string{"sod"},
	},
	{
		kind: KindCard, act: Lock, from: []Phase{Written, Locking}, to: Locking, role: []Role{Personaliser}, apartBy: []Act{Approve},
	},
	{
		kind: KindCard, act: LockDone, from: []Phase{Locking}, to: Locked, role: []Role{Personaliser}, apartBy: []Act{Approve},
	},
	{
		kind: KindCard, act: Check, from: []Phase{Locked, Checked}, to: Checked, role: []Role{Inspector},
		apart: []Act{Allocate, Rotate, Generate, Prepare, Sign, Write, WriteDone, Lock, LockDone},
		need:  []string{"report"}, must: "accept",
	},
	{
		kind: KindCard, act: Spoil, to: Spoiled, role: []Role{Personaliser, Inspector},
		from: []Phase{Allocated, Rotating, Keyed, Prepared, Signed, Writing, Written, Locking, Locked, Checked},
		need: []string{"reason"},
	},
	{
		kind: KindCard, act: Deliver, from: []Phase{Checked}, to: Active, role: []Role{Clerk},
		hold: []ClaimKind{HoldCard}, check: isDue,
		owes: func(e *Entry) due { return due{Application(e.Fields["application"]), Issue} }, same: []string{"application"},
	},
	{
		kind: KindCard, act: Suspend, from: []Phase{Active}, to: Suspended, role: []Role{Revoker},
		need: []string{"reason"},
	},
	{
		kind: KindCard, act: Resume, from: []Phase{Suspended}, to: Active, role: []Role{Revoker},
		need: []string{"reason"},
	},
	{
		kind: KindCard, act: Revoke, from: []Phase{Active, Suspended}, to: Revoked, role: []Role{Revoker},
		need: []string{"reason"}, release: []ClaimKind{HoldCard},
	},
	{
		kind: KindCard, act: Supersede, from: []Phase{Active, Suspended}, to: Superseded, role: []Role{Clerk},
		need: []string{"successor"}, release: []ClaimKind{HoldCard}, check: hasSuccessor,
		owes: func(e *Entry) due { return due{Card(e.Fields["successor"]), Deliver} },
	},

	{
		kind: KindKey, act: Generate, to: Generated, role: []Role{Custodian},
		need: []string{"usage", "public"}, extra: []string{"algorithm"},
	},
	{
		kind: KindKey, act: Prepare, from: []Phase{Generated, Preparing, InUse}, to: Preparing, role: []Role{Custodian},
		need: []string{"object", "tbs"}, extra: []string{"issuer"}, may: []ClaimKind{ClaimCertSerial},
	},
	{
		kind: KindKey, act: Issue, from: []Phase{Preparing}, to: InUse, role: []Role{Custodian},
		need: []string{"issued"}, same: []string{"object", "tbs"},
	},
	{
		kind: KindKey, act: Revoke, from: []Phase{Generated, Preparing, InUse}, to: Revoked, role: []Role{Custodian},
		need: []string{"reason"},
	},
}

// ruleFor finds the rule of an act; nil if the kind knows no such act.
func ruleFor(kind Kind, act Act) *rule {
	for i := range rules {
		if rules[i].kind == kind && rules[i].act == act {
			return &rules[i]
		}
	}
	return nil
}

// After is the phase in which an act leaves its stream; Absent if there is no such act.
func After(kind Kind, act Act) Phase {
	if r := ruleFor(kind, act); r != nil {
		return r.to
	}
	return Absent
}

// Possible lists the acts that may follow a phase, in the order of the table.
func Possible(kind Kind, p Phase) []Act {
	var acts []Act
	for i := range rules {
		if rules[i].kind == kind && rules[i].follows(p) {
			acts = append(acts, rules[i].act)
		}
	}
	return acts
}

// follows reports whether the act may follow a phase. A rule without phases begins a
// stream.
func (r *rule) follows(p Phase) bool {
	if len(r.from) == 0 {
		return p == Absent
	}
	return slices.Contains(r.from, p)
}
