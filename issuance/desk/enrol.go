package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
)

// Enrolment is what a person applies for.
type Enrolment struct {
	Person   vn.Person
	Portrait []byte // JPEG
	Profile  string
	Reason   string // first, lost, damaged, expired, changed …
	Replaces string // the card that the new one replaces, if any
}

// draftName is the attachment of an application that holds its Draft.
const draftName = "draft"

// Enrol opens an application and returns its name, A-… . A person who has one open
// already is *issuance.DuplicateError.
func (o *Office) Enrol(ctx context.Context, n Enrolment) (string, error) {
	if o.Vault == nil {
		return "", ErrNoVault
	}
	d, err := newDraft(n.Person, n.Portrait, n.Profile, n.Reason, o.Now())
	if err != nil {
		return "", err
	}
	content, err := d.commitment()
	if err != nil {
		return "", err
	}
	person, err := o.Vault.Person(string(n.Person.Number))
	if err != nil {
		return "", err
	}
	id := newName("A-")
	stream := issuance.Application(id)
	streams := []issuance.StreamID{stream}
	if n.Replaces != "" {
		streams = append(streams, issuance.Card(n.Replaces))
	}
	s, err := o.begin(ctx, streams...)
	if err != nil {
		return "", err
	}
	if n.Replaces != "" {
		if err := known(s.state.Subject(issuance.Card(n.Replaces))); err != nil {
			return "", err
		}
	}
	err = s.add(stream, issuance.Enrol, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"doctype": DocumentType, "profile": n.Profile, "reason": n.Reason}
		if n.Replaces != "" {
			e.Fields["replaces"] = n.Replaces
		}
		e.Commitments = map[string][32]byte{issuance.Content: content}
		e.Hold = []issuance.Claim{{Kind: issuance.HoldApplication, Value: person + ":" + DocumentType}}
		return o.seal(e, draftName, d)
	})
	if err != nil {
		return "", err
	}
	return id, s.commit(ctx)
}

// Draft opens what an application asks for, and proves that it is what the ledger says
// was enrolled.
func (o *Office) Draft(ctx context.Context, app string) (*Draft, error) {
	var d Draft
	stream := issuance.Application(app)
	entry, err := o.openLast(ctx, stream, draftName, &d)
	if err != nil {
		return nil, err
	}
	content, err := d.commitment()
	if err != nil {
		return nil, err
	}
	if content != entry.Commitments[issuance.Content] {
		return nil, fmt.Errorf("%s: %w", stream, issuance.ErrChanged)
	}
	return &d, nil
}

// openLast unseals the newest attachment of the name on a stream into v.
func (o *Office) openLast(ctx context.Context, stream issuance.StreamID, name string, v any) (issuance.Entry, error) {
	if o.Vault == nil {
		return issuance.Entry{}, ErrNoVault
	}
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return issuance.Entry{}, err
	}
	for i := len(entries) - 1; i >= 0; i-- {
		for _, a := range entries[i].Attach {
			if a.Name != name {
				continue
			}
			sealed, err := o.Store.Attachment(ctx, entries[i].ID, name)
			if err != nil {
				return issuance.Entry{}, fmt.Errorf("open %s of %s: %w", name, stream, err)
			}
			return entries[i], o.open(entries[i].ID, name, a.Digest, sealed, v)
		}
	}
	return issuance.Entry{}, fmt.Errorf("%s of %s: %w", name, stream, ErrUnknown)
}

// open unseals an attachment that has the digest which the entry bound.
func (o *Office) open(entry [16]byte, name string, digest [32]byte, sealed []byte, v any) error {
	if sha256.Sum256(sealed) != digest {
		return fmt.Errorf("%s of entry %s: %w", name, hex.EncodeToString(entry[:]), issuance.ErrChanged)
	}
	secret, err := o.Vault.Open(place(entry, name), sealed)
	if err != nil {
		return err
	}
	defer secret.Destroy()
	return json.Unmarshal(secret.Bytes(), v)
}

// Approve says that what the application asks for may be made. The approver is shown the
// draft by the caller; what is signed is the commitment computed from the sealed data
// here and now.
func (o *Office) Approve(ctx context.Context, app string) error {
	stream := issuance.Application(app)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(stream)); err != nil {
		return err
	}
	d, err := o.Draft(ctx, app)
	if err != nil {
		return err
	}
	content, err := d.commitment()
	if err != nil {
		return err
	}
	err = s.add(stream, issuance.Approve, func(e *issuance.Entry) error {
		e.Commitments = map[string][32]byte{issuance.Content: content}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}
