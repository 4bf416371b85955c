package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/outbox"
)

// Outbox is where a desk keeps what it takes in while its ledger is away, and the key of its
// home that seals it.
type Outbox struct {
	outbox.Box
	Key outbox.Wrapper
	// Origin is the name of the log that the home was last at; empty if that is not known.
	Origin string
}

// AlreadyKeptError means that something of the same person waits in the outbox.
type AlreadyKeptError struct{ Application string }

// Error names the draft.
func (e *AlreadyKeptError) Error() string {
	return fmt.Sprintf("the person has %s here, which is not filed yet", e.Application)
}

// Kept is an enrolment that waits in the outbox. It holds personal data and does not print
// them.
//
// The name of the application is given when it is kept, so that however often it is sent, the
// ledger takes it once; the citizen can be told of it at once. Two moments are signed. What
// was taken in is signed there and then, by the officer who did: nobody with the files and the
// key of the home can have something filed in that officer's name. The act itself is signed
// when it is sent, by the same officer: it rests on what only the ledger knows (the person's
// pseudonym, a card in force), and is of that time, for the ledger's order is its clock, and
// the officer's key and roles have to hold then. So the day of issue and the term count from
// the filing, and an act that others did meanwhile was first.
type Kept struct {
	Enrolment
	Taken    time.Time
	Operator issuance.KeyID
	Origin   string // of the log that it was taken in for; empty if that was not known
}

// String says what it is and nothing of the person.
func (*Kept) String() string { return "enrolment that waits (personal data)" }

// GoString is String.
func (k *Kept) GoString() string { return k.String() }

// Format is String for every verb.
func (k *Kept) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// keptContext keeps an officer's signature of what was taken in apart from all others.
const keptContext = "enrolment taken in"

// keptBody is what the officer signs.
type keptBody struct {
	Origin      string    `json:"origin"`
	Application string    `json:"application"`
	Taken       time.Time `json:"taken"`
	Key         string    `json:"key"` // of the officer, as the ledger has it
	Profile     string    `json:"profile"`
	Reason      string    `json:"reason"`
	Replaces    string    `json:"replaces"`
	Person      vn.Person `json:"person"`
	Portrait    []byte    `json:"portrait"`
	Fingers     []byte    `json:"fingers"`
}

// keptText is the content of a draft.
type keptText struct {
	Body      json.RawMessage `json:"body"`
	Signature []byte          `json:"signature"`
}

// Keep puts an enrolment, which must have the name of its application, into the outbox, checked
// as far as that is possible without the ledger: errors as of Enrol. Where something of the
// same person lies there, and not only just came, it is *AlreadyKeptError. Only the operator's key and the clock of the
// office are needed.
func (o *Office) Keep(ctx context.Context, b Outbox, n Enrolment) error {
	if o.Signer == nil {
		return ErrNoOperator
	}
	if _, err := newDraft(n, o.Now()); err != nil {
		return err
	}
	if !slices.Contains(issuance.EnrolReasons(), n.Reason) {
		return fmt.Errorf("%w: %q is no reason for which a card is asked for", issuance.ErrWord, n.Reason)
	}
	if err := b.without(ctx, n.Person.Number); err != nil {
		return err
	}
	h := outbox.Head{Name: n.Application, Taken: o.Now().UTC().Truncate(time.Microsecond)}
	key, err := issuance.KeyField(o.Signer.Public())
	if err == nil {
		h.Operator, err = o.me()
	}
	if err != nil {
		return err
	}
	body, err := json.Marshal(keptBody{b.Origin, n.Application, h.Taken, key, n.Profile, n.Reason, n.Replaces, n.Person, n.Portrait, n.Fingers})
	if err != nil {
		return err
	}
	defer clear(body)
	sig, err := issuance.SignMessage(o.Signer, keptContext, body)
	if err != nil {
		return err
	}
	text, err := json.Marshal(keptText{body, sig})
	if err != nil {
		return err
	}
	defer clear(text)
	if _, err := parseKept(h, text); err != nil { // while the citizen is there
		return err
	}
	return b.Box.Keep(ctx, b.Key, h, text)
}

// without refuses a person of whom something waits. A draft that does not open is of nobody
// known: it is in nobody's way here, and the ledger refuses a second application.
func (b Outbox) without(ctx context.Context, number vn.Number) error {
	list, err := b.List()
	if err != nil {
		return err
	}
	for _, i := range list {
		if k, err := b.Kept(ctx, i.Name); err == nil && k.Person.Number == number {
			return &AlreadyKeptError{i.Name}
		}
	}
	return nil
}

// Kept opens a draft and proves that its officer took it in as it is. Errors are those of the
// box, and outbox.ErrFormat or issuance.ErrSignature.
func (b Outbox) Kept(ctx context.Context, name string) (*Kept, error) {
	h, text, err := b.Open(ctx, b.Key, name)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	k, err := parseKept(h, text)
	if err != nil {
		return nil, fmt.Errorf("draft %s: %w", name, err)
	}
	return k, nil
}

// parseKept reads the content of a draft, of which its file said what h is. No error holds
// any of it.
func parseKept(h outbox.Head, text []byte) (*Kept, error) {
	var t keptText
	var body keptBody
	if decodeExactly(text, &t) != nil || decodeExactly(t.Body, &body) != nil {
		return nil, outbox.ErrFormat
	}
	key, err := hex.DecodeString(body.Key)
	if err != nil || sha256.Sum256(key) != h.Operator || body.Application != h.Name || !body.Taken.Equal(h.Taken) {
		return nil, outbox.ErrFormat
	}
	if err := issuance.CheckMessage(body.Key, keptContext, t.Body, t.Signature); err != nil {
		return nil, issuance.ErrSignature
	}
	return &Kept{Enrolment{
		Person: body.Person, Portrait: body.Portrait, Fingers: body.Fingers, Profile: body.Profile, Reason: body.Reason,
		Replaces: body.Replaces, Application: body.Application,
	}, h.Taken, h.Operator, body.Origin}, nil
}

// decodeExactly reads JSON that encoding/json would write for v octet by octet.
func decodeExactly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	again, err := json.Marshal(v)
	if err == nil && !bytes.Equal(again, text) {
		err = errors.New("not in its one form")
	}
	return err
}
