package ledgertest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance"
)

// number is the claim by which a person of the test is known.
func number(person string) issuance.Claim {
	return issuance.Claim{Kind: issuance.ClaimNumber, Value: Digest("number of " + person)}
}

// Holder is what a person holds while they apply, and by a card.
func Holder(kind issuance.ClaimKind, person string) []issuance.Claim {
	p := issuance.Subject{Stream: issuance.Person("P-" + person), Claimed: []issuance.Claim{number(person)}}
	return issuance.HoldsOf(p, "id-card", kind)
}

// Register makes the person of an application known.
func Register(enrol Step) Step {
	id := enrol.Fields["subject"]
	return Step{
		Stream: issuance.Person(id), Act: issuance.Register, By: enrol.By,
		Fields: map[string]string{"application": enrol.Stream.ID}, Claims: []issuance.Claim{number(strings.TrimPrefix(id, "P-"))},
	}
}

// Know makes persons known who have no application open.
func (o *Office) Know(t testing.TB, persons ...string) {
	t.Helper()
	for _, p := range persons {
		o.Must(t, o.Enrol("A-of-"+p, p, ""))
		o.Must(t, o.Cancel("A-of-"+p, p))
	}
}

// Certify makes a document signer that may sign so many cards.
func (o *Office) Certify(name, most string) []Step {
	step := func(act issuance.Act, fields map[string]string) Step {
		return Step{Stream: issuance.Key(name), Act: act, By: o.Custodian, Second: &o.CustodianMate, Fields: fields}
	}
	object := map[string]string{"object": "certificate", "tbs": Digest("tbs of " + name)}
	issue := maps.Clone(object)
	object["cap"], issue["issued"] = most, Digest("certificate of "+name)
	return []Step{
		step(issuance.Generate, map[string]string{"usage": "ds", "public": Digest(name)}),
		step(issuance.Prepare, object), step(issuance.Issue, issue),
	}
}

// Enrol opens an application for a person; replaces names the card to be replaced, if any.
func (o *Office) Enrol(app, person, replaces string) Step {
	s := Step{
		Stream: issuance.Application(app), Act: issuance.Enrol, By: o.Registrar, Made: app,
		Fields: map[string]string{"doctype": "id-card", "reason": "first", "subject": "P-" + person, "ordinal": "1"},
		Hold:   Holder(issuance.HoldApplication, person),
		Attach: []issuance.Attachment{{Name: "person", Sealed: []byte("sealed data of " + app)}},
	}
	if replaces != "" {
		s.Fields["reason"], s.Fields["replaces"] = "lost", replaces
	}
	return s
}

// Cancel withdraws an application.
func (o *Office) Cancel(app, person string) Step {
	return Step{
		Stream: issuance.Application(app), Act: issuance.Cancel, By: o.Registrar,
		Fields: map[string]string{"reason": "withdrawn"}, Release: Holder(issuance.HoldApplication, person),
	}
}

// Approve approves what was enrolled.
func (o *Office) Approve(app string) Step {
	return Step{Stream: issuance.Application(app), Act: issuance.Approve, By: o.Approver, Made: app}
}

// The blank cards of the test office.
const (
	batch = "B-1"
	place = "here"
)

// Stock takes in as many blank cards as a batch can have, in two deliveries.
func (o *Office) Stock() []Step {
	const half = issuance.MaxBlank / 2
	receive := func(first, last uint64) Step {
		return Step{
			Stream: issuance.Stock(batch), Act: issuance.Receive, By: o.Keeper,
			Fields: map[string]string{"at": place, "first": fmt.Sprint(first), "last": fmt.Sprint(last), "count": fmt.Sprint(last - first + 1)},
		}
	}
	return []Step{receive(1, half), receive(half+1, issuance.MaxBlank)}
}

// Begin binds a card to an approved application.
func (o *Office) Begin(app, card string) []Step {
	return []Step{
		{
			Stream: issuance.Application(app), Act: issuance.Personalise, By: o.Personaliser, Made: app,
			Fields: map[string]string{"card": card},
		},
		{
			Stream: issuance.Card(card), Act: issuance.Allocate, By: o.Personaliser, Made: app,
			Fields: map[string]string{
				"application": app, "plan": Digest("plan " + card), "batch": batch, "blank": fmt.Sprint(use(card)), "at": place,
			},
			Claims: []issuance.Claim{{Kind: issuance.ClaimChip, Value: "chip-of-" + card}, issuance.ClaimOfBlank(batch, use(card))},
		},
	}
}

// Journal is personalisation from the first key to the lock, one append an act.
func (o *Office) Journal(app, card string) []Step {
	sod, id := Digest("sod "+card), Digest("id "+card)
	step := func(act issuance.Act, fields map[string]string) Step {
		return Step{Stream: issuance.Card(card), Act: act, By: o.Personaliser, Fields: fields}
	}
	generate := step(issuance.Generate, map[string]string{"evidence": Digest("evidence of " + card)})
	generate.Claims = []issuance.Claim{
		{Kind: issuance.ClaimChipKey, Value: Digest("aa " + card)},
		{Kind: issuance.ClaimChipKey, Value: Digest("ca " + card)},
	}
	prepare := step(issuance.Prepare, map[string]string{"cardid": id, "ds": "ds-001"})
	prepare.By, prepare.Made = o.Signer, app
	prepare.Claims = []issuance.Claim{
		{Kind: issuance.ClaimCardID, Value: id},
		{Kind: issuance.ClaimUse, Value: fmt.Sprint("ds-001:", use(card))},
		{Kind: issuance.ClaimStatus, Value: fmt.Sprintf("%s:%d", StatusList, Place(card))},
	}
	sign := step(issuance.Sign, map[string]string{"cardid": id, "sod": sod, "ds": "ds-001"})
	sign.By = o.Signer
	sign.Attach = []issuance.Attachment{{Name: "sod", Sealed: []byte("sealed sod of " + card)}}
	return []Step{
		step(issuance.Rotate, map[string]string{"keyset": "2"}), generate, prepare, sign,
		step(issuance.Write, map[string]string{"sod": sod}),
		step(issuance.WriteDone, map[string]string{"sod": sod, "readback": Digest("files " + card)}),
		step(issuance.Lock, nil), step(issuance.LockDone, nil),
	}
}

// StatusList is the list of card status that the cards of the test are in.
const StatusList = "urn:tamthe:test:status:1"

// Place is where in the list a card is.
func Place(card string) uint32 { return uint32(use(card)) }

// use is the number of the signature that a card takes, and of its blank: any that no other
// takes will do.
func use(card string) uint64 {
	sum := sha256.Sum256([]byte(card))
	return 1 + binary.BigEndian.Uint64(sum[:])%issuance.MaxBlank
}

// Check records that our own checkpoint accepts the card.
func (o *Office) Check(card string) Step {
	return Step{
		Stream: issuance.Card(card), Act: issuance.Check, By: o.Inspector,
		Fields: map[string]string{"report": Digest("report " + card), "verdict": "accept"},
	}
}

// Deliver hands the card over and closes its application; replaces names the card that
// goes out of force with it, if any.
func (o *Office) Deliver(app, card, person, replaces string) []Step {
	var steps []Step
	if replaces != "" {
		steps = append(steps, Step{
			Stream: issuance.Card(replaces), Act: issuance.Supersede, By: o.Clerk,
			Fields: map[string]string{"successor": card, "withdrawn": "yes"}, Release: Holder(issuance.HoldCard, person),
		})
	}
	return append(steps,
		Step{
			Stream: issuance.Card(card), Act: issuance.Deliver, By: o.Clerk,
			Fields: map[string]string{"application": app, "holder": "match"}, Hold: Holder(issuance.HoldCard, person),
		},
		Step{
			Stream: issuance.Application(app), Act: issuance.Issue, By: o.Clerk,
			Fields: map[string]string{"card": card}, Release: Holder(issuance.HoldApplication, person),
		},
	)
}

// Revoke puts a card out of force.
func (o *Office) Revoke(card, person string) Step {
	return Step{
		Stream: issuance.Card(card), Act: issuance.Revoke, By: o.Revoker,
		Fields: map[string]string{"reason": "lost"}, Release: Holder(issuance.HoldCard, person),
	}
}

// MakeCard takes a card from application to locked and checked.
func (o *Office) MakeCard(t testing.TB, app, card, person, replaces string) {
	t.Helper()
	o.Must(t, o.Enrol(app, person, replaces))
	o.Must(t, o.Approve(app))
	o.Must(t, o.Begin(app, card)...)
	for _, s := range o.Journal(app, card) {
		o.Must(t, s)
	}
	o.Must(t, o.Check(card))
}

// IssueCard takes a card from application into its holder's hand.
func (o *Office) IssueCard(t testing.TB, app, card, person, replaces string) {
	t.Helper()
	o.MakeCard(t, app, card, person, replaces)
	o.Must(t, o.Deliver(app, card, person, replaces)...)
}
