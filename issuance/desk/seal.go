package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// The attachments by which the ledger keeps personal data and what a card is made of.
const (
	draftName    = "draft"    // of an application: a Draft
	variantName  = "variant"  // of an allocation: a variant
	chipName     = "chip"     // of a generation: chipNotes
	preparedName = "prepared" // of what will be signed: prepared
	contentName  = "content"  // of what was signed: files by name
	reportName   = "report"   // of a check: a checkedReport
)

func place(entry [16]byte, name string) vault.Place {
	return vault.Place{Table: "attachment", Row: hex.EncodeToString(entry[:]), Column: name}
}

// seal puts v, as JSON, into an attachment of the entry.
func (o *Office) seal(e *issuance.Entry, name string, v any) error {
	if o.Vault == nil {
		return ErrNoVault
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("seal %s: %w", name, err)
	}
	sealed, err := o.Vault.Seal(place(e.ID, name), plain)
	clear(plain)
	if err != nil {
		return err
	}
	e.Attach = append(e.Attach, issuance.Attachment{Name: name, Sealed: sealed})
	return nil
}

// openLast unseals the newest attachment of the name on a stream into v, and returns the
// entry that it belongs to. Without one the error is ErrUnknown.
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
			if err == nil {
				err = o.open(entries[i].ID, a, sealed, v)
			}
			if err != nil {
				return issuance.Entry{}, fmt.Errorf("open %s of %s: %w", name, stream, err)
			}
			return entries[i], nil
		}
	}
	return issuance.Entry{}, fmt.Errorf("%s of %s: %w", name, stream, ErrUnknown)
}

// open unseals an attachment, if it has the digest which the entry bound: octets put in
// its place later are issuance.ErrChanged.
func (o *Office) open(entry [16]byte, a issuance.Attachment, sealed []byte, v any) error {
	if sha256.Sum256(sealed) != a.Digest {
		return issuance.ErrChanged
	}
	secret, err := o.Vault.Open(place(entry, a.Name), sealed)
	if err != nil {
		return err
	}
	defer secret.Destroy()
	return json.Unmarshal(secret.Bytes(), v)
}
