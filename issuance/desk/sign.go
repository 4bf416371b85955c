package desk

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/signing"
)

// build makes the files over the chip's keys and has the signing service sign them. It may be
// asked again: the same chip and the same draft lead to the same files, and the service
// signs a card once.
func (m *making) build(ctx context.Context, keys perso.PublicKeys) (*perso.Content, error) {
	files, err := m.files(keys)
	if err != nil {
		return nil, err
	}
	r, err := m.request(files, keys)
	if err != nil {
		return nil, err
	}
	sod, err := m.o.Signing.Sign(ctx, r)
	if err != nil {
		return nil, err
	}
	files[lds.SODFile.Name()] = sod
	return m.signed(files)
}

// request asks for the card's security object. Of the person it says digests, and of the
// chip what proves that it made its keys.
func (m *making) request(files map[string][]byte, keys perso.PublicKeys) (*signing.Request, error) {
	parts, err := m.draft.parts()
	if err != nil {
		return nil, err
	}
	if err := m.notes.complete(&keys); err != nil {
		return nil, err
	}
	r := &signing.Request{
		Application: m.app, Card: m.card, Salt: m.draft.Salt, Parts: parts, Issued: m.draft.Issued,
		DG14: files[lds.DG14.Name()], DG15: files[lds.DG15.Name()], AA: keys.AAEvidence, CA: keys.CAEvidence,
	}
	return r, r.Sign(m.o.Signer)
}

// approved refuses files whose groups about the person are not those that the approval
// was for.
func (m *making) approved(files map[string][]byte) error {
	groups, err := m.draft.groups()
	if err != nil {
		return err
	}
	for f, want := range groups {
		if !bytes.Equal(files[f.Name()], want) {
			return fmt.Errorf("%s of card %s: %w", f.Name(), m.card, issuance.ErrChanged)
		}
	}
	return nil
}

// signed is all that the chip gets once its SOD exists: the files, and the keys by which
// it is opened.
func (m *making) signed(files map[string][]byte) (*perso.Content, error) {
	if err := m.approved(files); err != nil {
		return nil, err
	}
	kind, err := profile.ByName(m.draft.Profile)
	if err != nil {
		return nil, err
	}
	c := &perso.Content{Files: map[lds.File][]byte{}, Rules: gp.Rules{BAC: m.BACOnly, NoSelectMF: kind.Has(profile.NoSelectMF)}}
	if m.Trust != nil {
		c.Trust = [][]byte{m.Trust}
	}
	for name, b := range files {
		f, ok := lds.ByName(name)
		if !ok {
			return nil, fmt.Errorf("file %q: %w", name, issuance.ErrEntry)
		}
		c.Files[f] = b
	}
	if zone, err := m.draft.zone(); err != nil {
		return nil, err
	} else if m.BACOnly {
		c.BAC = &perso.MRZFields{Document: zone.Number, Birth: string(zone.Birth), Expiry: string(zone.Expiry)}
	}
	m.made = c
	return c, m.lockUp(c)
}

// lockUp sets the secrets that the chip is opened with.
func (m *making) lockUp(c *perso.Content) error {
	passwords, err := m.draft.passwords()
	if err != nil {
		return err
	}
	defer destroy(passwords)
	for _, p := range passwords {
		switch {
		case m.BACOnly && p.Reference() == auth.RefMRZ:
			c.BACSeed, err = p.BACSeed()
		case m.BACOnly:
		case p.Reference() == auth.RefMRZ:
			c.PACEMRZ, err = p.PACESecret()
		default:
			c.PACECAN, err = p.PACESecret()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
