package desk

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/perso"
)

// build makes the files over the chip's keys, records what will be signed, signs it and
// records that. Whatever cuts it short, all that is ever signed for the card are the
// octets recorded first.
func (m *making) build(ctx context.Context, keys perso.PublicKeys) (*perso.Content, error) {
	stream := issuance.Card(m.card)
	s, err := issuance.Load(ctx, m.o.Store, stream)
	if err != nil {
		return nil, err
	}
	card := s.Subject(stream)
	var p prepared
	if card.Phase == issuance.Prepared {
		p, err = m.openPrepared(ctx, stream)
	} else {
		p, err = m.prepare(ctx, keys)
	}
	if err != nil {
		return nil, err
	}
	return m.sign(ctx, p, card)
}

// sign signs what was prepared, and only what was approved.
func (m *making) sign(ctx context.Context, p prepared, card issuance.Subject) (*perso.Content, error) {
	if err := m.approved(p.Files); err != nil {
		return nil, err
	}
	if err := m.o.signsToday(ctx, p.Signer); err != nil {
		return nil, err
	}
	signer, err := m.o.signer(ctx, p.Signer)
	if err != nil {
		return nil, err
	}
	defer signer.forget()
	draft, err := signer.issuer.PrepareSOD(m.request(p))
	if err != nil {
		return nil, err
	}
	tbs := draft.Digest()
	if card.Phase != issuance.Prepared {
		err = m.recordPrepare(ctx, p, draft)
	} else if card.Fields["tbs"] != hex.EncodeToString(tbs[:]) || card.Fields["ds"] != p.Signer {
		err = fmt.Errorf("%s: what was prepared: %w", card.Stream, issuance.ErrChanged)
	}
	if err != nil {
		return nil, err
	}
	sod, err := draft.Issue(signer.key)
	if err != nil {
		return nil, err
	}
	p.Files[lds.SODFile.Name()] = sod
	if err := m.recordSign(ctx, p, draft, sod); err != nil {
		return nil, err
	}
	return m.signed(p.Files)
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

// request is the SOD that prepared files lead to, the same each time.
func (m *making) request(p prepared) ca.SOD {
	r := ca.SOD{
		Hash: crypto.SHA256, Required: []int{1, 2, 13, 14}, Version: 1, DocumentType: "ID", At: p.At,
		Status: &lds.StatusReference{List: p.List, Index: p.Index},
	}
	for n := 1; n <= 16; n++ {
		if b := p.Files[lds.Group(n).Name()]; b != nil {
			sum := sha256.Sum256(b)
			r.Groups = append(r.Groups, lds.GroupHash{Number: n, Hash: sum[:]})
		}
	}
	return r
}

// recordPrepare says what will be signed. A use of the document signer that another desk
// took meanwhile is left to it.
func (m *making) recordPrepare(ctx context.Context, p prepared, draft *ca.SODDraft) error {
	for {
		err := m.tryPrepare(ctx, p, draft)
		d, ok := errors.AsType[*issuance.DuplicateError](err)
		if !ok || d.Claim.Kind != issuance.ClaimUse {
			return err
		}
	}
}

func (m *making) tryPrepare(ctx context.Context, p prepared, draft *ca.SODDraft) error {
	use, err := m.o.nextUse(ctx, p.Signer)
	if err != nil {
		return err
	}
	stream := issuance.Card(m.card)
	s, err := m.o.begin(ctx, stream, issuance.Key(p.Signer))
	if err != nil {
		return err
	}
	err = s.add(stream, issuance.Prepare, func(e *issuance.Entry) error {
		id, tbs := hex.EncodeToString(draft.CardID[:]), draft.Digest()
		e.Fields = map[string]string{"cardid": id, "tbs": hex.EncodeToString(tbs[:]), "ds": p.Signer}
		e.Commitments = map[string][32]byte{issuance.Content: m.content}
		e.Claims = []issuance.Claim{
			{Kind: issuance.ClaimCardID, Value: id},
			statusClaim(p.List, p.Index),
			use,
		}
		return m.sealPrepared(ctx, e, p)
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

func (m *making) recordSign(ctx context.Context, p prepared, draft *ca.SODDraft, sod []byte) error {
	return m.o.do(ctx, issuance.Card(m.card), issuance.Sign, func(e *issuance.Entry) error {
		sum := sha256.Sum256(sod)
		e.Fields = map[string]string{
			"cardid": hex.EncodeToString(draft.CardID[:]), "sod": hex.EncodeToString(sum[:]), "ds": p.Signer,
		}
		return m.o.sealFiles(ctx, e, m.app, contentName, p.Files)
	})
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

// nextUse is the claim on a document signer's next signature. Uses are taken in order, so
// that the first that is free is found by halving; another desk that takes it at the same
// moment is kept apart by the claim.
func (o *Office) nextUse(ctx context.Context, signer string) (issuance.Claim, error) {
	use := func(n uint64) issuance.Claim {
		return issuance.Claim{Kind: issuance.ClaimUse, Value: fmt.Sprintf("%s:%d", signer, n)}
	}
	taken := func(n uint64) (bool, error) {
		stream, err := o.Store.Claimed(ctx, use(n))
		return !stream.IsZero(), err
	}
	low, high := uint64(0), uint64(1) // low is taken, or none; high is free
	for {
		t, err := taken(high)
		if err != nil {
			return issuance.Claim{}, err
		}
		if !t {
			break
		}
		low, high = high, 2*high
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		t, err := taken(middle)
		switch {
		case err != nil:
			return issuance.Claim{}, err
		case t:
			low = middle
		default:
			high = middle
		}
	}
	return use(high), nil
}
