package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// The attachments by which the ledger keeps personal data and what a card is made of.
const (
	draftName    = "draft"    // of an application: a Draft without its portrait
	portraitName = "portrait" // of an application: the portrait
	fingersName  = "fingers"  // of an application: DG3
	variantName  = "variant"  // of an allocation: a variant
	chipName     = "chip"     // of a generation: chipNotes
	preparedName = "prepared" // of what will be signed, as the first versions kept it: prepared
	filesName    = "files"    // of a generation: the files that hold the keys, by name
	contentName  = "content"  // of what was signed: files by name
	reportName   = "report"   // of a check: a checkedReport
	printName    = "print"    // of a print: printed
)

// classes says by which key an attachment is sealed. What the office needs after a
// subject was shredded, such as the chip's keys for a list of revoked cards, is about
// nobody.
var classes = map[string]vault.Class{
	draftName: vault.Personal, portraitName: vault.Biometric, fingersName: vault.Biometric, reportName: vault.Personal, printName: vault.Personal, registerName: vault.Personal,
	searchName:  vault.Biometric,
	variantName: vault.Technical, chipName: vault.Technical, preparedName: vault.Technical,
}

// parts are the attachments that files are split into, by the class of their key.
var parts = []struct {
	class  vault.Class
	suffix string
}{{vault.Technical, ""}, {vault.Personal, ".person"}, {vault.Biometric, ".biometrics"}}

// allClasses are the keys that all of a card's files need.
var allClasses = []vault.Class{vault.Technical, vault.Personal, vault.Biometric}

// classOf says by which key a file of a card is sealed: one that is not known to be about
// nobody is about the holder.
func classOf(name string) vault.Class {
	f, ok := lds.ByName(name)
	if !ok {
		return vault.Personal
	}
	switch f {
	case lds.COM, lds.CardAccess, lds.CardSecurity, lds.DG14, lds.DG15:
		return vault.Technical
	case lds.DG2, lds.DG3, lds.DG4, lds.DG5, lds.DG6, lds.DG7:
		return vault.Biometric
	}
	return vault.Personal
}

func place(entry [16]byte, name string) vault.Place {
	return vault.Place{Table: "attachment", Row: hex.EncodeToString(entry[:]), Column: name}
}

// seal puts v, as JSON, into an attachment of the entry, for the application that it is
// about.
func (o *Office) seal(ctx context.Context, e *issuance.Entry, app, name string, v any) error {
	return o.sealAs(ctx, e, app, classes[name], name, v)
}

func (o *Office) sealAs(ctx context.Context, e *issuance.Entry, app string, class vault.Class, name string, v any) error {
	if o.Vault == nil {
		return ErrNoVault
	}
	plain, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("seal %s: %w", name, err)
	}
	sealed, err := o.Vault.Seal(ctx, app, class, place(e.ID, name), plain)
	clear(plain)
	if err != nil {
		return err
	}
	e.Attach = append(e.Attach, issuance.Attachment{Name: name, Sealed: sealed})
	return nil
}

// sealFiles puts a card's files into attachments of the entry, each under the key for what
// it holds.
func (o *Office) sealFiles(ctx context.Context, e *issuance.Entry, app, name string, files map[string][]byte) error {
	for _, p := range parts {
		part := maps.Clone(files)
		maps.DeleteFunc(part, func(f string, _ []byte) bool { return classOf(f) != p.class })
		if err := o.sealAs(ctx, e, app, p.class, name+p.suffix, part); err != nil {
			return err
		}
	}
	return nil
}

// openFiles unseals those of the newest files of the name on a stream that lie under the
// classes of keys. Without such files the error is ErrUnknown.
func (o *Office) openFiles(ctx context.Context, stream issuance.StreamID, name string, of ...vault.Class) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, p := range parts {
		if !slices.Contains(of, p.class) {
			continue
		}
		var part map[string][]byte
		_, err := o.openLast(ctx, stream, name+p.suffix, &part)
		if errors.Is(err, ErrUnknown) && p.suffix != "" && len(files) > 0 {
			continue // an earlier version put all files together
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(files, part)
	}
	return files, nil
}

// openLast unseals the newest attachment of the name on a stream into v, and returns the
// entry that it belongs to. Without one the error is ErrUnknown; one that was shredded is
// vault.ErrShredded.
func (o *Office) openLast(ctx context.Context, stream issuance.StreamID, name string, v any) (issuance.Entry, error) {
	if o.Vault == nil {
		return issuance.Entry{}, ErrNoVault
	}
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return issuance.Entry{}, err
	}
	return o.openLastOf(ctx, stream, entries, name, v)
}

// openLastOf is openLast of the entries of a stream that are given.
func (o *Office) openLastOf(ctx context.Context, stream issuance.StreamID, entries []issuance.Entry, name string, v any) (issuance.Entry, error) {
	if o.Vault == nil {
		return issuance.Entry{}, ErrNoVault
	}
	for _, e := range slices.Backward(entries) {
		i := slices.IndexFunc(e.Attach, func(a issuance.Attachment) bool { return a.Name == name })
		if i < 0 {
			continue
		}
		sealed, err := o.Store.Attachment(ctx, e.ID, name)
		if err == nil {
			err = o.open(ctx, subjectOf(stream, entries), e.ID, e.Attach[i], sealed, v)
		}
		if err != nil {
			return issuance.Entry{}, fmt.Errorf("open %s of %s: %w", name, stream, err)
		}
		return e, nil
	}
	return issuance.Entry{}, fmt.Errorf("%s of %s: %w", name, stream, ErrUnknown)
}

// subjectOf names whose keys seal what belongs to a stream: those of the application.
func subjectOf(stream issuance.StreamID, entries []issuance.Entry) string {
	if stream.Kind == issuance.KindApplication {
		return stream.ID
	}
	return entries[0].Fields["application"]
}

// open unseals an attachment, if it has the digest which the entry bound: octets put in
// its place later are issuance.ErrChanged.
func (o *Office) open(ctx context.Context, app string, entry [16]byte, a issuance.Attachment, sealed []byte, v any) error {
	if sha256.Sum256(sealed) != a.Digest {
		return issuance.ErrChanged
	}
	if err := o.unshredded(ctx, app, sealed); err != nil {
		return err
	}
	secret, err := o.Vault.Open(ctx, app, place(entry, a.Name), sealed)
	if err != nil {
		return err
	}
	defer secret.Destroy()
	return json.Unmarshal(secret.Bytes(), v)
}
