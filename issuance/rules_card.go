package issuance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The acts by which a card is made. Whoever did one of them may not say that it is good,
// nor hand it over.
var (
	making  = []Act{Allocate, Rotate, Generate, Write, WriteDone, Lock, LockDone, Print}
	signing = []Act{Prepare, Sign}
)

// cardRules are those of one chip, from its application to where it ends.
var cardRules = []rule{
	{
		kind: KindCard, act: Allocate, to: Allocated, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"application", "plan", "batch", "blank", "at"}, extra: []string{"profile"}, commit: true,
		claim: []ClaimKind{ClaimChip, ClaimBlank}, may: []ClaimKind{ClaimCardSerial}, check: checks(isForApplication, isOfBatch),
	},
	{
		kind: KindCard, act: Attempt, to: unchanged, role: []Role{Personaliser}, apartBy: []Act{Approve},
		from: []Phase{Allocated, Rotating, Keyed, Prepared, Signed, Writing, Written, Locking}, need: []string{"attempt"},
	},
	{
		kind: KindCard, act: Rotate, from: []Phase{Allocated, Rotating}, to: Rotating, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"keyset"},
	},
	{
		kind: KindCard, act: Generate, from: []Phase{Rotating, Keyed}, to: Keyed, role: []Role{Personaliser}, apartBy: []Act{Approve},
		extra: []string{"evidence", "imported"}, claim: []ClaimKind{ClaimChipKey}, check: showsItsKeys,
	},
	{
		kind: KindCard, act: Prepare, from: []Phase{Keyed}, to: Prepared, role: []Role{Signer}, apartBy: []Act{Approve},
		need: []string{"cardid", "ds"}, extra: []string{"tbs"}, commit: true, agree: true,
		claim: []ClaimKind{ClaimCardID, ClaimUse}, may: []ClaimKind{ClaimStatus}, check: checks(claimsItsCardID, isWithinCap),
	},
	{
		kind: KindCard, act: Sign, from: []Phase{Prepared}, to: Signed, role: []Role{Signer}, apartBy: []Act{Approve},
		need: []string{"sod"}, same: []string{"cardid", "ds"}, check: signerIsInUse,
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
		kind: KindCard, act: Print, from: []Phase{Locked, Printed}, to: Printed, role: []Role{Personaliser}, apartBy: []Act{Approve},
		need: []string{"print"},
	},
	{
		kind: KindCard, act: Check, from: []Phase{Locked, Printed, Checked}, to: Checked, role: []Role{Inspector},
		apart: slices.Concat(making, signing), need: []string{"report", "verdict"}, only: map[string][]string{"verdict": {"accept"}},
	},
	{
		kind: KindCard, act: Fail, from: []Phase{Locked, Printed, Checked}, to: Failed, role: []Role{Inspector},
		apart: slices.Concat(making, signing), need: []string{"reason"}, extra: []string{"report", "verdict"}, only: map[string][]string{"reason": failReasons},
	},
	{
		kind: KindCard, act: Spoil, to: Spoiled, role: []Role{Personaliser, Inspector},
		from: []Phase{
			Allocated, Rotating, Keyed, Prepared, Signed, Writing, Written, Locking, Locked, Printed, Checked, Failed, InTransit, Arrived,
		},
		need: []string{"reason"}, only: map[string][]string{"reason": spoilReasons},
	},
	{
		kind: KindCard, act: Send, from: []Phase{Checked, Arrived}, to: InTransit, role: []Role{Clerk, StockKeeper},
		need: []string{"to", "shipment"},
	},
	{
		kind: KindCard, act: Receive, from: []Phase{InTransit}, to: Arrived, role: []Role{Clerk, StockKeeper}, apart: []Act{Send},
		same: []string{"to", "shipment"},
	},
	{
		kind: KindCard, act: Deliver, from: []Phase{Checked, Arrived}, to: Active, role: []Role{Clerk}, two: toProxy, apart: making,
		need: []string{"holder"}, same: []string{"application"}, only: map[string][]string{"holder": {"match", "proxy"}},
		every: []ClaimKind{HoldCard}, check: isDue,
		owes: func(e *Entry) []due { return []due{{Application(e.Fields["application"]), Issue}} },
	},
	{
		kind: KindCard, act: Suspend, from: []Phase{Active}, to: Suspended, role: []Role{Revoker},
		need: []string{"reason"}, only: map[string][]string{"reason": suspendReasons},
	},
	{
		kind: KindCard, act: Resume, from: []Phase{Suspended}, to: Active, role: []Role{Revoker},
		need: []string{"reason"}, only: map[string][]string{"reason": resumeReasons},
	},
	{
		kind: KindCard, act: Revoke, from: []Phase{Active, Suspended}, to: Revoked, role: []Role{Revoker},
		need: []string{"reason"}, only: map[string][]string{"reason": revokeReasons}, release: []ClaimKind{HoldCard},
	},
	{
		kind: KindCard, act: Supersede, from: []Phase{Active, Suspended}, to: Superseded, role: []Role{Clerk},
		need: []string{"successor", "withdrawn"}, only: map[string][]string{"withdrawn": {"yes", "lost"}},
		release: []ClaimKind{HoldCard}, check: hasSuccessor,
		owes: func(e *Entry) []due { return []due{{Card(e.Fields["successor"]), Deliver}} },
	},
	{
		kind: KindCard, act: Recall, to: Revoked, role: []Role{Revoker},
		need: []string{"cardid", "origin", "reason"}, only: map[string][]string{"reason": revokeReasons},
		claim: []ClaimKind{ClaimCardID}, may: []ClaimKind{ClaimStatus}, check: claimsItsCardID,
	},
	{
		kind: KindCard, act: Return, from: []Phase{Superseded, Revoked}, to: Returned, role: []Role{Clerk},
	},
	{
		kind: KindCard, act: Destroy, from: []Phase{Spoiled, Superseded, Revoked, Returned}, to: Destroyed, role: []Role{StockKeeper}, two: always,
	},
}

// toProxy: a card that its holder does not fetch in person is handed over by two, for
// nobody compares a face. So is a child's.
var toProxy = &condition{"to a proxy", func(fields map[string]string) bool { return fields["holder"] == "proxy" }}

// The reasons for acts on cards.
var (
	// failReasons are what the checks before delivery find, one each.
	failReasons = []string{
		"unreadable", "files", "signature", "chip", "access", "biometrics", "unlocked", "uid", "optical", "duplicate-key", "sample",
	}
	spoilReasons = []string{
		"torn", "damaged", "chip", "print", "failed", "stuck", "missing", "transport-damage", "lost-in-transit", "signer-revoked", "mistake", "test",
	}
	// suspendReasons are those of Law 26/2023 Art. 29.2, and a loss that was reported and
	// not yet confirmed by its holder.
	suspendReasons = []string{"detention", "prison", "reformatory", "treatment", "reported"}
	resumeReasons  = []string{"released", "found", "mistake"}
	// revokeReasons are those of Art. 29.1 (nationality, wrongly-issued, altered), and what
	// else ends a card.
	revokeReasons = []string{
		"nationality", "wrongly-issued", "altered", "lost", "stolen", "damaged", "died", "compromised", "wrong-data", "recalled",
	}
)

// isForApplication: the application names this card, and approved this content.
func isForApplication(b *Book, _ *Subject, e *Entry) error {
	a, err := b.subject(Application(e.Fields["application"]))
	if err != nil {
		return err
	}
	if a.Phase != Personalising || a.Fields["card"] != e.Stream.ID {
		return fmt.Errorf("%w: application %s is not personalising card %s", ErrLink, a.Stream.ID, e.Stream.ID)
	}
	if a.Commitments[Content] != e.Commitments[Content] {
		return fmt.Errorf("card %s: %w", e.Stream.ID, ErrChanged)
	}
	return nil
}

// showsItsKeys: keys were made on the chip, which evidence shows, or the entry says for
// ever that they were not.
func showsItsKeys(_ *Book, _ *Subject, e *Entry) error {
	if e.Fields["evidence"] == "" && e.Fields["imported"] == "" {
		return fmt.Errorf("%w: %s needs the field \"evidence\", or says which keys were imported", ErrEntry, e.Act)
	}
	return nil
}

func claimsItsCardID(_ *Book, _ *Subject, e *Entry) error {
	if valueOf(e.Claims, ClaimCardID) != e.Fields["cardid"] {
		return fmt.Errorf("%w: the claimed card identity is not the field's", ErrEntry)
	}
	return nil
}

// oldCap is how many cards a document signer certified under book 1 may sign, which knew
// no caps.
const oldCap = 100_000

// Cap is how many SODs may be signed with a document signer.
func (s Subject) Cap() uint64 {
	n, err := strconv.ParseUint(s.Fields["cap"], 10, 63)
	if err != nil {
		return oldCap
	}
	return n
}

// isWithinCap: the document signer is in use and has a signature left; the use that is
// claimed is one of those it has, so that the store's constraint lets nobody have it
// twice.
func isWithinCap(b *Book, s *Subject, e *Entry) error {
	if err := signerIsInUse(b, s, e); err != nil {
		return err
	}
	key, err := b.subject(Key(e.Fields["ds"]))
	if err != nil {
		return err
	}
	number, ok := strings.CutPrefix(valueOf(e.Claims, ClaimUse), key.Stream.ID+":")
	n, err := strconv.ParseUint(number, 10, 63)
	if !ok || err != nil || !isNumber(number) || n < 1 {
		return fmt.Errorf("%w: %s claims no use of %s", ErrEntry, e.Act, key.Stream.ID)
	}
	if n > key.Cap() {
		return fmt.Errorf("%w: %s may sign %d cards", ErrCap, key.Stream.ID, key.Cap())
	}
	return nil
}

// signerIsInUse: the key that the entry names is a document signer, certified and neither
// revoked nor erased.
func signerIsInUse(b *Book, _ *Subject, e *Entry) error {
	key, err := b.subject(Key(e.Fields["ds"]))
	if err != nil {
		return err
	}
	if key.Phase != InUse || key.Fields["usage"] != "ds" {
		return fmt.Errorf("%w: %s is no document signer in use", ErrLink, key.Stream.ID)
	}
	return nil
}

// isDue: the card's application waits for it, the holder is the applicant, and the card
// that it replaces is no longer in force.
func isDue(b *Book, s *Subject, e *Entry) error {
	a, err := b.subject(Application(s.Fields["application"]))
	if err != nil {
		return err
	}
	if a.Phase != Personalising || a.Fields["card"] != s.Stream.ID {
		return fmt.Errorf("%w: application %s does not wait for card %s", ErrLink, a.Stream.ID, s.Stream.ID)
	}
	if err := hasNumber(b, a, e); err != nil {
		return err
	}
	if !sameValues(a.Held, HoldApplication, e.Hold, HoldCard) {
		return fmt.Errorf("%w: the card is delivered to another person than applied", ErrLink)
	}
	id, ok := a.Fields["replaces"]
	if !ok {
		return nil
	}
	old, err := b.subject(Card(id))
	if err != nil {
		return err
	}
	if slices.Contains([]Phase{Active, Suspended}, old.Phase) {
		return fmt.Errorf("%w: card %s, which this one replaces, is %s", ErrLink, id, orAbsent(old.Phase))
	}
	return nil
}

// sameValues reports whether the claims of one kind in a list have the values of those of
// another kind in another.
func sameValues(list []Claim, kind ClaimKind, others []Claim, other ClaimKind) bool {
	values := func(list []Claim, kind ClaimKind) []string {
		var v []string
		for _, c := range list {
			if c.Kind == kind {
				v = append(v, c.Value)
			}
		}
		slices.Sort(v)
		return v
	}
	return slices.Equal(values(list, kind), values(others, other))
}

// hasSuccessor: the successor is ready to be delivered and was made to replace this card.
func hasSuccessor(b *Book, s *Subject, e *Entry) error {
	next, err := b.subject(Card(e.Fields["successor"]))
	if err != nil {
		return err
	}
	if next.Phase != Checked && next.Phase != Arrived {
		return fmt.Errorf("%w: card %s is %s, not ready to replace another", ErrLink, next.Stream.ID, orAbsent(next.Phase))
	}
	a, err := b.subject(Application(next.Fields["application"]))
	if err != nil {
		return err
	}
	if a.Fields["replaces"] != s.Stream.ID {
		return fmt.Errorf("%w: card %s was not made to replace %s", ErrLink, next.Stream.ID, s.Stream.ID)
	}
	return nil
}

// valueOf is the value of the first claim of a kind, empty if there is none.
func valueOf(list []Claim, kind ClaimKind) string {
	for _, c := range list {
		if c.Kind == kind {
			return c.Value
		}
	}
	return ""
}

func orAbsent(p Phase) string {
	if p == Absent {
		return "not there"
	}
	return string(p)
}
