package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/vault"
)

// Record keeps an act of the card's stream, unless another desk has taken application or chip
// over. Before the lock, which nobody can undo, the finished files are judged.
func (m *making) Record(ctx context.Context, r perso.Record) error {
	if err := m.tenure.take(ctx, chipSubject(hex.EncodeToString(r.Chip[:]))); err != nil {
		return err
	}
	switch r.Act {
	case issuance.Allocate:
		return m.allocate(ctx, r)
	case issuance.Lock:
		if err := m.judge(ctx); err != nil {
			return err
		}
	}
	return m.o.do(ctx, issuance.Card(m.card), r.Act, func(e *issuance.Entry) error {
		switch r.Act {
		case issuance.Attempt:
			e.Fields = map[string]string{"attempt": fmt.Sprint(r.Attempt)}
		case issuance.Rotate:
			e.Fields = map[string]string{"keyset": fmt.Sprint(r.KeyVersion)}
		case issuance.Generate:
			return m.noteKeys(ctx, e, r)
		case issuance.Write:
			e.Fields = map[string]string{"sod": digest(m.made.Files[lds.SODFile])}
			return m.keepContent(ctx, e)
		case issuance.WriteDone:
			e.Fields = map[string]string{"sod": digest(m.made.Files[lds.SODFile]), "readback": digestOf(m.made.Files)}
		}
		return nil
	})
}

// keepContent keeps what was signed, for the runs after this one. It comes with the first
// act after the signature, which is the signing service's own.
func (m *making) keepContent(ctx context.Context, e *issuance.Entry) error {
	files := map[string][]byte{}
	for f, b := range m.made.Files {
		files[f.Name()] = b
	}
	return m.o.sealFiles(ctx, e, m.app, contentName, files)
}

// noteKeys claims the chip's public keys, which no other card may ever have, and keeps them
// with the files that will hold them: what a card is known by, should it never be written.
func (m *making) noteKeys(ctx context.Context, e *issuance.Entry, r perso.Record) error {
	notes := chipNotes{}
	for _, key := range []struct {
		point          *dh.Point
		proof          *gp.Evidence
		note, evidence *[]byte
	}{{r.AA, r.AAEvidence, &notes.AA, &notes.AAEvidence}, {r.CA, r.CAEvidence, &notes.CA, &notes.CAEvidence}} {
		if key.point == nil {
			continue
		}
		*key.note = key.point.Bytes()
		e.Claims = append(e.Claims, issuance.Claim{Kind: issuance.ClaimChipKey, Value: digest(*key.note)})
		if key.proof == nil { // it was imported
			continue
		}
		var err error
		if *key.evidence, err = key.proof.MarshalBinary(); err != nil {
			return err
		}
	}
	e.Fields = map[string]string{"evidence": digest(slices.Concat(notes.AAEvidence, notes.CAEvidence))}
	files, err := m.files(perso.PublicKeys{AA: r.AA, CA: r.CA})
	if err != nil {
		return err
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return classOf(name) != vault.Technical })
	if err := m.o.sealAs(ctx, e, m.app, vault.Technical, filesName, files); err != nil {
		return err
	}
	if r.Imported != "" {
		e.Fields["imported"] = r.Imported
	}
	return m.o.seal(ctx, e, m.app, chipName, notes)
}

// triesOfBlank is how often the next blank is taken before desks that take them at once are
// given up.
const triesOfBlank = 64

// allocate binds the chip to the application. Where another desk took the blank meanwhile
// that this one found, it goes on to the next, as long as blanks there came with the same
// transport key: the chip has been opened with that.
func (m *making) allocate(ctx context.Context, r perso.Record) error {
	for range triesOfBlank {
		err := m.bind(ctx, r)
		taken, ok := errors.AsType[*issuance.DuplicateError](err)
		if !ok || taken.Claim.Kind != issuance.ClaimBlank || m.p.Blank != (Blank{}) {
			return err
		}
		next, err := m.o.NextBlank(ctx, "")
		if err != nil {
			return err
		}
		if next.Transport != m.blank.Transport {
			break
		}
		m.blank = next
	}
	return issuance.ErrConflict
}

// bind binds chip and blank to the application, in one append with the act that begins
// personalising.
func (m *making) bind(ctx context.Context, r perso.Record) error {
	app, card := issuance.Application(m.app), issuance.Card(m.card)
	s, err := m.o.begin(ctx, app, card, issuance.Stock(m.blank.Batch))
	if err != nil {
		return err
	}
	err = s.add(app, issuance.Personalise, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"card": m.card}
		e.Commitments = map[string][32]byte{issuance.Content: m.content}
		return nil
	})
	if err != nil {
		return err
	}
	err = s.add(card, issuance.Allocate, func(e *issuance.Entry) error {
		e.Fields = map[string]string{
			"application": m.app, "plan": m.plan(), "profile": m.draft.Profile, "os": r.Driver,
			"batch": m.blank.Batch, "blank": strconv.FormatUint(m.blank.Number, 10), "at": m.blank.At,
		}
		e.Commitments = map[string][32]byte{issuance.Content: m.content}
		e.Claims = []issuance.Claim{
			{Kind: issuance.ClaimChip, Value: hex.EncodeToString(r.Chip[:])}, issuance.ClaimOfBlank(m.blank.Batch, m.blank.Number),
		}
		if !m.renewed { // else the application's first card has claimed it for good
			e.Claims = append(e.Claims, issuance.Claim{Kind: issuance.ClaimCardSerial, Value: m.draft.Serial})
		}
		return m.o.seal(ctx, e, m.app, variantName, m.variant)
	})
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	m.begun = true
	return nil
}

// plan is the digest of how the card is made, with a random value.
func (m *making) plan() string {
	var salt [32]byte
	rand.Read(salt[:])
	sum := issuance.Commit(salt, fmt.Appendf(nil, "%s bac-only=%v no-aa=%v keyset=%d", m.draft.Profile, m.BACOnly, m.NoAA, keySet))
	return hex.EncodeToString(sum[:])
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// digestOf is the digest of files in the order of the LDS, each with its name and length.
func digestOf(files map[lds.File][]byte) string {
	h := sha256.New()
	for _, f := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s %d\n", f.Name(), len(files[f]))
		h.Write(files[f])
	}
	return hex.EncodeToString(h.Sum(nil))
}
