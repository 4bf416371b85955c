package desk

import (
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
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
	Files  map[string][]byte `json:",omitempty"` // by name; sealed apart
	At     time.Time
	Signer string // the document signer's stream
	List   string
	Index  uint32
}

// sealPrepared puts what was prepared into the entry.
func (m *making) sealPrepared(ctx context.Context, e *issuance.Entry, p prepared) error {
	if err := m.o.sealFiles(ctx, e, m.app, filesName, p.Files); err != nil {
		return err
	}
	p.Files = nil
	return m.o.seal(ctx, e, m.app, preparedName, p)
}

// openPrepared opens what was prepared, as this or an earlier version sealed it.
func (m *making) openPrepared(ctx context.Context, card issuance.StreamID) (prepared, error) {
	var p prepared
	_, err := m.o.openLast(ctx, card, preparedName, &p)
	if err == nil && p.Files == nil {
		p.Files, err = m.o.openFiles(ctx, card, filesName, allClasses...)
	}
	return p, err
}

// prepare makes every file but the SOD and settles what goes into that.
func (m *making) prepare(ctx context.Context, keys perso.PublicKeys) (prepared, error) {
	files, err := m.files(keys)
	if err != nil {
		return prepared{}, err
	}
	name, err := m.o.newestSigner(ctx, m.draft.Issued)
	if err != nil {
		return prepared{}, err
	}
	index, err := m.o.freeIndex(ctx, m.p.Status, drawIndex)
	if err != nil {
		return prepared{}, err
	}
	return prepared{
		Files: files, At: m.o.Now().UTC().Truncate(time.Second), Signer: name, List: m.p.Status,
		Index: index,
	}, nil
}

// placesOfList is how many indexes a status list has: so many that a hundred million cards
// draw one each without long trying, and so few that the list of them stays a bitmap of
// some megabytes.
const placesOfList = 1 << 27

// triesOfList is how often an index is drawn before a list counts as full.
const triesOfList = 64

// drawIndex draws an index.
func drawIndex() uint32 {
	var b [4]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint32(b[:]) % placesOfList
}

// freeIndex draws a place in the list that no card has. It says nothing about the order of
// issue. Two desks that draw the same place at once are kept apart by the claim on it.
func (o *Office) freeIndex(ctx context.Context, list string, draw func() uint32) (uint32, error) {
	for range triesOfList {
		index := draw()
		taken, err := o.Store.Claimed(ctx, statusClaim(list, index))
		if err != nil {
			return 0, err
		}
		if taken.IsZero() {
			return index, nil
		}
	}
	return 0, fmt.Errorf("%s: %w", list, ErrListFull)
}

// statusClaim is the place of one card in a status list.
func statusClaim(list string, index uint32) issuance.Claim {
	return issuance.Claim{Kind: issuance.ClaimStatus, Value: fmt.Sprintf("%s:%d", list, index)}
}

// files are all but the SOD, by name: about the person, about the chip, and EF.COM.
func (m *making) files(keys perso.PublicKeys) (map[string][]byte, error) {
	groups, err := m.draft.groups()
	if err != nil {
		return nil, err
	}
	infos, access, err := m.infos(keys)
	if err != nil {
		return nil, err
	}
	if groups[lds.DG14], err = lds.EncodeDG14(infos); err != nil {
		return nil, err
	}
	if keys.AA != nil {
		if groups[lds.DG15], err = lds.EncodeDG15(cert.PublicKey{EC: keys.AA}); err != nil {
			return nil, err
		}
	}
	com := lds.Common{Version: "0108", Unicode: "040000"}
	for _, f := range lds.Files() {
		if groups[f] != nil {
			com.Groups = append(com.Groups, f)
		}
	}
	files := map[string][]byte{lds.COM.Name(): lds.EncodeCOM(com)}
	for f, b := range groups {
		files[f.Name()] = b
	}
	if access != nil {
		files[lds.CardAccess.Name()] = access
	}
	return files, nil
}

// infos are what the chip says it can do, signed in DG14, and EF.CardAccess, nil for a
// card without PACE.
func (m *making) infos(keys perso.PublicKeys) (lds.SecurityInfos, []byte, error) {
	protocol := oidChip
	if m.driver.Agreement != nil {
		protocol = m.driver.Agreement
	}
	infos := lds.SecurityInfos{
		Chip:     []lds.ChipAuthInfo{{OID: protocol, Version: 1}},
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
