package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
)

// ErrChallenge says that Options.Challenge is no challenge: not of eight octets, or all
// zero.
var ErrChallenge = errors.New("a challenge is eight octets, not all zero")

// Proofs is what a chip showed of its keys, in a form that can be kept and judged again
// with JudgeRecord. Nothing in it is personal or secret.
type Proofs struct {
	Active    *ActiveRecord    // Active Authentication; nil if the chip was not asked or did not answer
	Agreement *AgreementRecord // Chip Authentication; nil as well if it failed
	Mapping   *AgreementRecord // of PACE with Chip Authentication Mapping; nil as well if it failed
}

// ActiveRecord is what the chip signed in Active Authentication (Doc 9303-11 §6.1), rightly
// or not. Anybody can verify it with the key in DG15; what a right one says of an occasion
// depends on who chose the challenge.
type ActiveRecord struct {
	Challenge [auth.ChallengeSize]byte
	Chosen    bool   // it was Options.Challenge; else it was drawn for the inspection
	Signature []byte // as the chip gave it
}

// AgreementRecord is the transcript of a key agreement that the chip took part in (Doc
// 9303-11 §6.2, §4.4.3.5). It shows nothing to others: whoever chose the ephemeral key
// could have made all of it without a chip.
type AgreementRecord struct {
	Key       []byte // the chip's static key, as TR-03110-3 §D.3 encodes it
	Ephemeral []byte // ours, likewise; its private half is destroyed
	Answer    []byte // the first answer under the new keys, protected; nil for Mapping
}

// Record is what is left of an inspection, to judge it again without the card. The zero
// value of its flags believes nobody.
type Record struct {
	Files  Files
	Proofs Proofs
	// Bound says that the caller has seen for itself that the challenge of Active
	// Authentication follows from the occasion: a right signature then counts.
	Bound bool
	// Agreed says that the caller itself ran the key agreement of Chip Authentication from afar
	// and verified the chip's answer (auth.Remote1): the transcript then counts.
	Agreed bool
	// Vouched says that the caller trusts the device that recorded. Its word then stands
	// for what cannot be seen any more, and the report says so.
	Vouched bool
}

// JudgeRecord judges files as JudgeFiles does, and with them what their chip showed then. It
// asks no chip. The signature of Active Authentication is verified again, with DG15 covered
// by a trusted signed list as ever; it counts if the record is Bound or Vouched. A transcript
// of Chip Authentication is held against DG14 or EF.CardSecurity, and counts if Agreed or Vouched. What
// is right and does not count is NotRun, ReasonRecorded.
func JudgeRecord(ctx context.Context, rec Record, o Options) (*Report, error) {
	o = o.withDefaults("checkpoint")
	o.Policy.Chip = true // what it showed is there to be judged
	chip := &chipEvidence{recorded: &rec, asked: rec.Proofs.Active}
	infos, _ := lds.ParseDG14(rec.Files[lds.DG14])
	if a := rec.Proofs.Active; a != nil {
		chip.active = &proof[auth.ActiveProof]{}
		chip.active.result, chip.active.err = a.verify(rec.Files[lds.DG15], infos)
	}
	if a := rec.Proofs.Agreement; a != nil {
		chip.agreement = a.again(infos)
	}
	if a := rec.Proofs.Mapping; a != nil {
		var signed *lds.SecurityInfos
		if s, err := lds.ParseCardSecurity(rec.Files[lds.CardSecurity]); err == nil {
			signed = s.Infos
		}
		chip.mapping = a.again(signed)
	}
	return finish(ctx, &evidence{files: rec.Files, chip: chip}, o)
}

// verify checks the signature with the key of DG15.
func (a *ActiveRecord) verify(dg15 []byte, infos *lds.SecurityInfos) (*auth.ActiveProof, error) {
	pub, h, err := activeKey(dg15, infos)
	if err != nil {
		return nil, err
	}
	if a.Challenge == [auth.ChallengeSize]byte{} {
		return nil, fmt.Errorf("%w: %w", auth.ErrSignature, auth.ErrChallenge)
	}
	return auth.VerifyActive(pub, h, a.Challenge, a.Signature)
}

// activeKey is the key of DG15 and the hash that the chip signs with.
func activeKey(dg15 []byte, infos *lds.SecurityInfos) (cert.PublicKey, crypto.Hash, error) {
	pub, err := lds.ParseDG15(dg15)
	if err != nil || pub.EC == nil {
		return pub, 0, err
	}
	h, _, err := auth.ActiveHash(infos, pub.EC)
	return pub, h, err
}

// again finds the key of the transcript among those that the document lists.
func (a *AgreementRecord) again(infos *lds.SecurityInfos) *proof[auth.ChipProof] {
	if infos != nil {
		for _, k := range infos.ChipKeys {
			if e := k.Key.Element(); e != nil && bytes.Equal(e.Bytes(), a.Key) {
				return &proof[auth.ChipProof]{result: &auth.ChipProof{Key: lds.ChipAuthKey{KeyID: k.KeyID, Public: e}}}
			}
		}
	}
	return &proof[auth.ChipProof]{err: fmt.Errorf("the transcript is of a key that the document does not list: %w", auth.ErrSignature)}
}

// proofs is what the chip showed.
func (c *chipEvidence) proofs() Proofs {
	return Proofs{Active: c.asked, Agreement: transcript(c.agreement), Mapping: transcript(c.mapping)}
}

func transcript(p *proof[auth.ChipProof]) *AgreementRecord {
	if p == nil || p.err != nil || p.result == nil || p.result.Ephemeral == nil {
		return nil
	}
	return &AgreementRecord{p.result.Key.Public.Bytes(), p.result.Ephemeral.Bytes(), p.result.Protected}
}

// byRecord says of proofs that passed on what they rest, once all of them are judged.
func (a *assessment) byRecord() {
	if a.ev.chip == nil || a.ev.chip.recorded == nil {
		return
	}
	rec := a.ev.chip.recorded
	for _, id := range []string{CheckAA, CheckCA1, CheckCAM} {
		c := a.checks[id]
		switch {
		case c.Outcome != Passed || id == CheckAA && rec.Bound || id == CheckCA1 && rec.Agreed:
		case rec.Vouched:
			a.checks[id] = Check{ID: id, Outcome: Passed, Reason: ReasonRecorded}
		default:
			a.checks[id] = Check{ID: id, Outcome: NotRun, Reason: ReasonRecorded}
		}
	}
}

// challenge is what the chip is to sign: the caller's, else one drawn now.
func (o Options) challenge() (c [auth.ChallengeSize]byte) {
	if o.Challenge != nil {
		return [auth.ChallengeSize]byte(o.Challenge)
	}
	_, _ = rand.Read(c[:]) // never fails
	return c
}

// checkChallenge refuses what could not have been meant.
func (o Options) checkChallenge() error {
	if o.Challenge != nil && (len(o.Challenge) != auth.ChallengeSize || bytes.Equal(o.Challenge, make([]byte, auth.ChallengeSize))) {
		return ErrChallenge
	}
	return nil
}
