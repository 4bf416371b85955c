package desk

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/verify"
)

// The protocols of the profile's chips (Doc 9303-11 §9.2).
var (
	oidPACE    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2} // ECDH, generic mapping, AES-128
	oidChip    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2} // ECDH, AES-128
	oidChipKey = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
	oidPlain   = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3} // ecdsa-plain-SHA256
)

// brainpoolP256r1 by the number of the standardised domain parameters.
const paceParameters = 13

// prepared is what a card's SOD will be signed over; it is sealed in the ledger before the
// signature, so that a cut between the two leads to the same octets.
type prepared struct {
	Files  map[string][]byte // by name
	At     time.Time
	Signer string // the document signer's stream
	List   string
	Index  uint32
}

// The attachments that hold what a card is made of.
const (
	preparedName = "prepared"
	contentName  = "content"
)

// build makes the files over the chip's keys, records what will be signed, signs it once
// and records that.
func (m *making) build(ctx context.Context, keys perso.PublicKeys) (*perso.Content, error) {
	stream := issuance.Card(m.card)
	s, err := issuance.Load(ctx, m.o.Store, stream)
	if err != nil {
		return nil, err
	}
	var prep prepared
	if s.Subject(stream).Phase == issuance.Prepared {
		if _, err := m.o.openLast(ctx, stream, preparedName, &prep); err != nil {
			return nil, err
		}
	} else if prep, err = m.prepare(ctx, keys); err != nil {
		return nil, err
	}
	signer, err := m.o.signer(ctx, prep.Signer)
	if err != nil {
		return nil, err
	}
	draft, err := signer.issuer.PrepareSOD(m.request(prep))
	if err != nil {
		return nil, err
	}
	if s.Subject(stream).Phase != issuance.Prepared {
		if err := m.recordPrepare(ctx, prep, draft); err != nil {
			return nil, err
		}
	}
	sod, err := draft.Issue(signer.key)
	if err != nil {
		return nil, err
	}
	prep.Files[lds.SODFile.Name()] = sod
	if err := m.recordSign(ctx, prep, draft, sod); err != nil {
		return nil, err
	}
	return m.chipContent(prep.Files)
}

// prepare makes every file but the SOD.
func (m *making) prepare(ctx context.Context, keys perso.PublicKeys) (prepared, error) {
	groups, err := m.draft.groups()
	if err != nil {
		return prepared{}, err
	}
	infos, access, err := m.infos(keys)
	if err != nil {
		return prepared{}, err
	}
	if groups[lds.DG14], err = lds.EncodeDG14(infos); err != nil {
		return prepared{}, err
	}
	if keys.AA != nil {
		if groups[lds.DG15], err = lds.EncodeDG15(cert.PublicKey{EC: keys.AA}); err != nil {
			return prepared{}, err
		}
	}
	com := lds.Common{Version: "0108", Unicode: "040000"}
	for _, f := range lds.Files() {
		if groups[f] != nil {
			com.Groups = append(com.Groups, f)
		}
	}
	groups[lds.COM] = lds.EncodeCOM(com)
	if access != nil {
		groups[lds.CardAccess] = access
	}
	name, err := m.o.newestSigner(ctx)
	if err != nil {
		return prepared{}, err
	}
	var index [4]byte
	rand.Read(index[:])
	p := prepared{
		Files: map[string][]byte{}, At: m.o.Now().UTC().Truncate(time.Second), Signer: name, List: m.p.Status,
		Index: binary.BigEndian.Uint32(index[:]),
	}
	for f, b := range groups {
		p.Files[f.Name()] = b
	}
	return p, nil
}

// infos are what the chip says it can do, signed in DG14, and EF.CardAccess, nil for a
// card without PACE.
func (m *making) infos(keys perso.PublicKeys) (lds.SecurityInfos, []byte, error) {
	infos := lds.SecurityInfos{
		Chip:     []lds.ChipAuthInfo{{OID: oidChip, Version: 1}},
		ChipKeys: []lds.ChipAuthPublicKey{{OID: oidChipKey, Key: cert.PublicKey{EC: keys.CA}}},
	}
	if keys.AA != nil {
		infos.Active = []lds.ActiveAuthInfo{{Version: 1, Algorithm: oidPlain}}
	}
	if m.BACOnly {
		return infos, nil, nil
	}
	pace := []lds.PACEInfo{{OID: oidPACE, Version: 2, ParameterID: paceParameters}}
	infos.PACE = pace
	access, err := lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: pace, Chip: infos.Chip})
	return infos, access, err
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

func (m *making) recordPrepare(ctx context.Context, p prepared, draft *ca.SODDraft) error {
	return m.o.do(ctx, issuance.Card(m.card), issuance.Prepare, func(e *issuance.Entry) error {
		id, tbs := hex.EncodeToString(draft.CardID[:]), draft.Digest()
		e.Fields = map[string]string{"cardid": id, "tbs": hex.EncodeToString(tbs[:]), "ds": p.Signer}
		e.Commitments = map[string][32]byte{issuance.Content: m.content}
		e.Claims = []issuance.Claim{
			{Kind: issuance.ClaimCardID, Value: id},
			{Kind: issuance.ClaimStatus, Value: fmt.Sprintf("%s:%d", p.List, p.Index)},
		}
		return m.o.seal(e, preparedName, p)
	})
}

func (m *making) recordSign(ctx context.Context, p prepared, draft *ca.SODDraft, sod []byte) error {
	return m.o.do(ctx, issuance.Card(m.card), issuance.Sign, func(e *issuance.Entry) error {
		sum := sha256.Sum256(sod)
		e.Fields = map[string]string{
			"cardid": hex.EncodeToString(draft.CardID[:]), "sod": hex.EncodeToString(sum[:]), "ds": p.Signer,
		}
		return m.o.seal(e, contentName, p.Files)
	})
}

// signed opens what was signed, for a run that goes on.
func (m *making) signed(ctx context.Context) (*perso.Content, error) {
	var files map[string][]byte
	if _, err := m.o.openLast(ctx, issuance.Card(m.card), contentName, &files); err != nil {
		return nil, err
	}
	return m.chipContent(files)
}

// chipContent is all that the chip gets: the files, and the keys by which it is opened.
func (m *making) chipContent(files map[string][]byte) (*perso.Content, error) {
	c := &perso.Content{Files: map[lds.File][]byte{}, Rules: gp.Rules{BAC: m.BACOnly, NoSelectMF: true}}
	for name, b := range files {
		f, ok := lds.ByName(name)
		if !ok {
			return nil, fmt.Errorf("file %q: %w", name, issuance.ErrEntry)
		}
		c.Files[f] = b
	}
	passwords, err := m.passwords()
	if err != nil {
		return nil, err
	}
	for _, p := range passwords {
		defer p.Destroy()
		switch {
		case m.BACOnly:
			c.BACSeed, err = p.BACSeed()
		case p.Reference() == auth.RefMRZ:
			c.PACEMRZ, err = p.PACESecret()
		default:
			c.PACECAN, err = p.PACESecret()
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// digestOf is the digest of files in the order of their names, each with its length.
func digestOf(files map[lds.File][]byte) string {
	h := sha256.New()
	var order []lds.File
	for f := range files {
		order = append(order, f)
	}
	slices.Sort(order)
	for _, f := range order {
		fmt.Fprintf(h, "%s %d\n", f.Name(), len(files[f]))
		h.Write(files[f])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// verify looks at the finished card as a stranger does: after a power-down, with what is
// printed on it.
func (m *making) verify(ctx context.Context) error {
	if err := m.chip.Reset(ctx); err != nil {
		return err
	}
	passwords, err := m.passwords()
	if err != nil {
		return err
	}
	o := m.p.Verify
	o.Passwords, o.At, o.Status = passwords, m.o.Now(), m.o
	report, err := verify.Inspect(ctx, apdu.Over(m.chip, m.p.Limits), o)
	if err != nil {
		return err
	}
	if report.Verdict != verify.Accept {
		return &ErrRefused{report}
	}
	return m.isOurs(ctx, report)
}

// isOurs proves that the card that answered is the one that was made.
func (m *making) isOurs(ctx context.Context, r *verify.Report) error {
	s, err := issuance.Load(ctx, m.o.Store, issuance.Card(m.card))
	if err != nil {
		return err
	}
	if want := s.Subject(issuance.Card(m.card)).Fields["cardid"]; want != r.Document.Card.String() {
		return fmt.Errorf("the card in the reader is not card %s: %w", m.card, issuance.ErrChanged)
	}
	return nil
}
