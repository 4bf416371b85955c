package signing

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// approved is a request that was judged good, with what follows from it.
type approved struct {
	r         *Request
	app, card issuance.Subject
	groups    []lds.GroupHash
	document  string // code of the document, as the signer's certificate lists it
}

// approve is every question that the service asks before it signs, in one place. Nothing is
// believed for the desk's word: what the log says was judged entry by entry, and what the
// log can't know the request proves.
func (s *Service) approve(ctx context.Context, r *Request) (*approved, error) {
	if err := s.view.need(ctx, s.o.Log, issuance.Application(r.Application), issuance.Card(r.Card)); err != nil {
		return nil, err
	}
	a := &approved{r: r, app: s.view.book.Subject(issuance.Application(r.Application)), card: s.view.book.Subject(issuance.Card(r.Card))}
	for _, ask := range []func() error{
		a.isInTheMaking, // approved, being made into this card, whose chip has made its keys
		func() error { return a.byThreePersons(s.view) }, // registrar, approver, and a personaliser who asks and signed
		a.isWhatWasApproved,                            // salt and digests open the commitment that the approver signed
		func() error { return a.isOf(s.o.Documents) },  // a document that this service signs, with the groups it must have
		func() error { return a.hasItsKeys(ctx, s.o) }, // DG14 and DG15 hold what the chip made, proven by its own code
	} {
		if err := ask(); err != nil {
			return nil, fmt.Errorf("card %s: %w", r.Card, err)
		}
	}
	return a, nil
}

// isInTheMaking: the application waits for this card, and the card stands between its key
// pairs and its signature.
func (a *approved) isInTheMaking() error {
	switch {
	case a.app.Phase != issuance.Personalising || a.app.Fields["card"] != a.r.Card:
		return fmt.Errorf("%w: application %s does not make it", ErrNotApproved, a.r.Application)
	case a.card.Fields["application"] != a.r.Application:
		return fmt.Errorf("%w: it belongs to another application", ErrNotApproved)
	case !slices.Contains([]issuance.Phase{issuance.Keyed, issuance.Prepared, issuance.Signed}, a.card.Phase):
		return fmt.Errorf("%w: it is %s", ErrNotApproved, a.card.Phase)
	}
	return nil
}

// byThreePersons: who asks signed this request, and the three are the application's.
func (a *approved) byThreePersons(v *view) error {
	return v.threePersons(a.app, a.r.Operator, a.r.signedBy)
}

// threePersons: who asks is a personaliser and signed, and stands behind neither approval nor,
// as the approver, enrolment. The rules say so of each act in the log; here it is said of the
// whole. signed verifies under the field "key" of who asks.
func (v *view) threePersons(app issuance.Subject, asks issuance.KeyID, signed func(keyField string) error) error {
	op, ok := v.book.Operator(asks)
	switch {
	case !ok || !op.Active:
		return fmt.Errorf("%w: who asks", issuance.ErrOperator)
	case !op.May(issuance.Personaliser):
		return fmt.Errorf("%w: who asks is no %s", issuance.ErrRole, issuance.Personaliser)
	}
	key := v.book.Subject(issuance.OperatorStream(asks)).Fields["key"]
	if err := signed(key); err != nil {
		return err
	}
	approvers := persons(v, app.Actors[issuance.Approve])
	if len(approvers) == 0 {
		return fmt.Errorf("%w: nobody approved", ErrNotApproved)
	}
	others := append(persons(v, app.Actors[issuance.Enrol]), persons(v, app.Actors[issuance.Change])...)
	for _, p := range append(others, op.Person) {
		if slices.Contains(approvers, p) {
			return fmt.Errorf("%w: who approved did something else too", issuance.ErrFourEyes)
		}
	}
	return v.approvedByHolder(app.Stream.ID)
}

// approvedByHolder: the key that approved was still its holder's. A revocation that says since
// when it may have been another's voids what it approved from then on, by the date or by its
// place behind an entry of that date. One that says nothing leaves what was approved approved.
func (v *view) approvedByHolder(app string) error {
	last := v.approval[app]
	by := v.book.Subject(issuance.OperatorStream(last.by))
	text, ok := by.Fields["from"]
	if by.Phase != issuance.Revoked || !ok {
		return nil
	}
	from, err := time.Parse(time.RFC3339, text)
	if err != nil || !last.latest.Before(from) {
		return fmt.Errorf("%w: the approver's key may have been another's since %s: cancel the application and enrol again", ErrNotApproved, text)
	}
	return nil
}

func persons(v *view, keys []issuance.KeyID) []string {
	var list []string
	for _, k := range keys {
		op, _ := v.book.Operator(k)
		list = append(list, op.Person)
	}
	return list
}

// isWhatWasApproved: the digests are those under the approver's signature, and what the
// application says in clear is what they say.
func (a *approved) isWhatWasApproved() error {
	content, err := issuance.CommitParts(a.r.Salt, a.r.Parts...)
	if err != nil {
		return err
	}
	if content != a.app.Commitments[issuance.Content] || content != a.card.Commitments[issuance.Content] {
		return fmt.Errorf("%w: the digests", issuance.ErrChanged)
	}
	for name, text := range map[string]string{
		"doctype": a.app.Fields["doctype"], "profile": a.app.Fields["profile"], "issued": a.r.Issued.Format(time.DateOnly),
	} {
		if a.part(name) != sha256.Sum256([]byte(text)) {
			return fmt.Errorf("%w: %s", issuance.ErrChanged, name)
		}
	}
	return nil
}

// part is the digest of a part, zero if there is none.
func (a *approved) part(name string) [32]byte {
	for _, p := range a.r.Parts {
		if p.Name == name {
			return p.Digest
		}
	}
	return [32]byte{}
}

// isOf collects the hashes of the groups: those approved, and those of the chip.
func (a *approved) isOf(documents map[string]Document) error {
	d, ok := documents[a.app.Fields["profile"]]
	if !ok {
		return fmt.Errorf("%w: no documents of profile %q are signed here", ErrNotApproved, a.app.Fields["profile"])
	}
	a.document = d.Code
	for _, p := range a.r.Parts {
		number, isGroup := strings.CutPrefix(p.Name, "dg")
		if !isGroup {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > 16 || n == 14 || n == 15 || strconv.Itoa(n) != number {
			return fmt.Errorf("%w: the approval is for a part %q", ErrNotApproved, p.Name)
		}
		a.groups = append(a.groups, lds.GroupHash{Number: n, Hash: append([]byte(nil), p.Digest[:]...)})
	}
	for n, file := range map[int][]byte{14: a.r.DG14, 15: a.r.DG15} {
		if len(file) > 0 {
			sum := sha256.Sum256(file)
			a.groups = append(a.groups, lds.GroupHash{Number: n, Hash: sum[:]})
		}
	}
	slices.SortFunc(a.groups, func(x, y lds.GroupHash) int { return x.Number - y.Number })
	for _, n := range d.Groups {
		if !slices.ContainsFunc(a.groups, func(g lds.GroupHash) bool { return g.Number == n }) {
			return fmt.Errorf("%w: there is no DG%d", ErrNotApproved, n)
		}
	}
	return nil
}

// hasItsKeys: each key in DG14 and DG15 is a point that this card's chip gave under its own
// authentication code, and that this card has claimed before all others.
func (a *approved) hasItsKeys(ctx context.Context, o Options) error {
	infos, err := lds.ParseDG14(a.r.DG14)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if len(infos.ChipKeys) != 1 {
		return fmt.Errorf("%w: DG14 holds %d keys", ErrEvidence, len(infos.ChipKeys))
	}
	if err := a.made(ctx, o, a.r.CA, gp.KeyRef{Use: gp.Agreement, Reference: gp.KeyCA}, infos.ChipKeys[0].Key); err != nil {
		return fmt.Errorf("DG14: %w", err)
	}
	if len(a.r.DG15) == 0 {
		return nil
	}
	key, err := lds.ParseDG15(a.r.DG15)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if err := a.made(ctx, o, a.r.AA, gp.KeyRef{Use: gp.Signature, Reference: gp.KeyAA}, key); err != nil {
		return fmt.Errorf("DG15: %w", err)
	}
	return nil
}

// made: the card's own chip made the key, or the log says for good that it did not, and the
// service was told to sign for such chips.
func (a *approved) made(ctx context.Context, o Options, e *gp.Evidence, ref gp.KeyRef, key cert.PublicKey) error {
	bad := func(why string) error { return fmt.Errorf("%w: %s", ErrEvidence, why) }
	if key.EC == nil {
		return bad("not a key on a curve")
	}
	curve, ok := key.EC.Curve().ID()
	if !ok {
		return bad("an unknown curve")
	}
	ref.Curve = byte(curve)
	sum := sha256.Sum256(key.EC.Bytes())
	if !claims(a.card, issuance.ClaimChipKey, hex.EncodeToString(sum[:])) {
		return bad("the card has not claimed it")
	}
	if e == nil {
		if !o.Imported || !slices.Contains(strings.Split(a.card.Fields["imported"], "-"), imports[ref.Use]) {
			return bad("the chip has not made it")
		}
		return nil
	}
	kdd, err := e.KDD()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if !claims(a.card, issuance.ClaimChip, hex.EncodeToString(kdd[:])) {
		return bad("another chip gave it")
	}
	k, err := o.CardKeys(ctx, kdd)
	if err != nil {
		return err
	}
	defer k.Destroy()
	got, err := e.PublicKey(k, ref)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEvidence, err)
	}
	if given, err := key.EC.Curve().ParsePoint(got); err != nil || !given.Equal(key.EC) {
		return bad("the chip gave another")
	}
	return nil
}

// imports are the names of keys by their use, as the log lists imported ones.
var imports = map[gp.KeyUse]string{gp.Signature: "aa", gp.Agreement: "ca"}

func claims(s issuance.Subject, kind issuance.ClaimKind, value string) bool {
	return slices.Contains(s.Claimed, issuance.Claim{Kind: kind, Value: value})
}

// hash of every group of every document so far.
const hash = crypto.SHA256
