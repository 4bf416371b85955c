package monitor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/receipt"
)

// seeSOD takes in a security object that a checkpoint or reader saw. Foreign cards are seen
// too, and what is none: those are passed over when they are judged.
func (m *Monitor) seeSOD(ctx context.Context, r *Round, _, name string, octets []byte) error {
	if bytes.HasPrefix(octets, []byte(inspectionBegins)) {
		return m.seeRecord(ctx, name, octets)
	}
	raw := octets
	if evidence.Is(octets) {
		b, err := evidence.Parse(octets)
		if err != nil {
			r.Away = append(r.Away, fmt.Errorf("%s: %w", name, err))
			return nil
		}
		if raw = b.Files[lds.SODFile]; raw == nil {
			return nil
		}
	}
	if _, err := lds.ParseSOD(raw); err != nil {
		if len(raw) > 0 && raw[0] == sodTag {
			r.Away = append(r.Away, fmt.Errorf("%s: %w", name, err))
		}
		return nil
	}
	return m.see(ctx, name, raw)
}

// inspectionBegins is how a line of a record of inspections begins.
const inspectionBegins = `{"schema":"tamthe/inspection/`

// seeRecord takes from a record of inspections what a checkpoint found not to be logged. Of
// other cards the record says no more than their names, and not whose they are.
func (m *Monitor) seeRecord(ctx context.Context, name string, octets []byte) error {
	for line := range bytes.Lines(octets) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if e, err := record.ParseEntry(line); err != nil || !unlogged(e) {
			continue
		}
		if err := m.see(ctx, name, line); err != nil {
			return err
		}
	}
	return nil
}

func unlogged(e record.Entry) bool {
	return e.Card != "" && slices.ContainsFunc(e.Checks, func(c record.Check) bool {
		return c.ID == verify.CheckLog && c.Outcome == verify.Failed
	})
}

// inspection judges a card that a checkpoint's record names.
func (c *court) inspection(s Sight) (done bool, err error) {
	e, err := record.ParseEntry(s.SOD)
	if err != nil {
		return true, nil //nolint:nilerr // another program's
	}
	id, err := hex.DecodeString(e.Card)
	if err != nil || len(id) != 32 {
		return true, nil //nolint:nilerr // it names no card
	}
	_, ok, err := c.tx.Card([32]byte(id))
	if err != nil || ok {
		return ok, err
	}
	if !c.ripe(s) {
		return false, nil
	}
	c.found = append(c.found, newAlarm(Unlogged, "", -1, e.Card,
		"a checkpoint found on %s that a card of the issuer does not stand in a log, and it does not", e.Time.Format(time.DateOnly)).with(File{"inspection", s.SOD}))
	return true, nil
}

// sodTag begins EF.SOD.
const sodTag = 0x77

// seeObject takes in what the authority publishes.
func (m *Monitor) seeObject(ctx context.Context, _ *Round, _, name string, octets []byte) error {
	der := der(octets)
	if _, err := cert.Parse(der); err == nil {
		return m.see(ctx, name, der)
	}
	if _, err := cert.ParseCRL(der); err == nil {
		return m.see(ctx, name, der)
	}
	return nil
}

func der(octets []byte) []byte {
	if block, _ := pem.Decode(octets); block != nil {
		return block.Bytes
	}
	return octets
}

func (m *Monitor) see(ctx context.Context, place string, octets []byte) error {
	return m.o.State.Change(ctx, func(tx Tx) error {
		return tx.See(Sight{sha256.Sum256(octets), bytes.Clone(octets), place, m.o.Now()})
	})
}

// court judges what was seen by what all logs say.
type court struct {
	m     *Monitor
	tx    Tx
	now   time.Time
	facts map[string]*facts
	known map[string]Known
	fresh map[string]bool
	roots []root // of the logs, as far as they were ever seen
	found []Alarm
	done  []string // of the inbox
}

// object finds what the logs say of something signed, by its digest.
func (c *court) object(octets []byte) (origin string, o objectFacts, ok bool) {
	sum := sha256.Sum256(octets)
	for _, name := range sortedKeys(c.facts) {
		if o, ok := c.facts[name].Objects[hex.EncodeToString(sum[:])]; ok {
			return name, o, true
		}
	}
	return "", o, false
}

// ripe says whether the logs have come so far that what was seen would stand in them if it
// ever will: their entries are later, or they were read themselves.
func (c *court) ripe(s Sight) bool {
	if c.now.Sub(s.Since) > c.m.o.Lag {
		return true
	}
	for origin, f := range c.facts {
		if !c.fresh[origin] && !f.Newest.After(s.Since.Add(skew)) {
			return false
		}
	}
	return true
}

// sight judges one; done is false if it is too early.
func (c *court) sight(s Sight) (done bool, err error) {
	switch {
	case len(s.SOD) > 0 && s.SOD[0] == sodTag:
		return c.sod(s)
	case len(s.SOD) > 0 && s.SOD[0] == '{':
		return c.inspection(s)
	}
	if x, err := cert.Parse(s.SOD); err == nil {
		return c.strange(s, x.Subject.String(), c.certificate(x), x.CheckSignature), nil
	}
	if l, err := cert.ParseCRL(s.SOD); err == nil {
		_, _, ours := c.object(s.SOD)
		return c.strange(s, "list "+l.Issuer.String(), ours, l.CheckSignature), nil
	}
	return true, nil
}

// sod judges a security object: one that a document signer of the logs signed stands in a log.
func (c *court) sod(s Sight) (done bool, err error) {
	sod, err := lds.ParseSOD(s.SOD)
	if err != nil {
		return true, nil //nolint:nilerr // nobody reads it
	}
	signer := signerOf(sod)
	if signer == nil {
		return true, nil // not signed by whom it names
	}
	origin, key, ours := c.keyOf(signer)
	if !ours {
		return c.strange(Sight{s.ID, signer.Raw, s.Place, s.Since}, signer.Subject.String(), false, signer.CheckSignature, File{"EF.SOD", s.SOD}), nil
	}
	c.certificate(signer)
	id := sod.CardID()
	card, ok, err := c.tx.Card(id)
	if err != nil {
		return false, err
	}
	files := []File{{"EF.SOD", s.SOD}, {"signer.cer", signer.Raw}, {"checkpoint", c.known[origin].Note}}
	switch {
	case ok && card.Signer != key:
		c.found = append(c.found, newAlarm(OtherSigner, card.Origin, card.Index, hex.EncodeToString(id[:]),
			"%s signed the card, the log says %s", key, card.Signer).with(files...))
		return true, nil
	case ok:
		return true, nil
	}
	claimed, wait, err := c.claims(sod, s)
	if err != nil || wait {
		return false, err
	}
	if !c.ripe(s) && claimed != claimForged && claimed != claimOther {
		return false, nil
	}
	c.found = append(c.found, newAlarm(Unlogged, origin, -1, hex.EncodeToString(id[:]),
		"%s signed a card that does not stand in the log of %d entries; %s", key, c.known[origin].Size, claimed).with(files...))
	return true, nil
}

// What a security object says of its own place in a log.
const (
	claimNone   = "it names no place in a log"
	claimForged = "the place in a log that it names is made up"
	claimOther  = "the place in a log that it names is another's"
	claimAway   = "it names a place in a log that is not followed"
)

// claims looks at the proof that a security object carries. Where a log signed that it stands
// at a place that has not been read yet, it is to be waited for, and what the log signed is to
// be seen of the log.
func (c *court) claims(sod *lds.SOD, s Sight) (what string, wait bool, err error) {
	p, present, ok := sod.LogProof()
	if !present {
		return claimNone, false, nil
	}
	if !ok {
		return claimForged, false, nil
	}
	proof, err := receipt.ParseBinary(p.Proof)
	if err != nil {
		return claimForged, false, nil //nolint:nilerr // it is what is told
	}
	at, err := receipt.ParseCheckpoint(proof.Checkpoint)
	if err != nil {
		return claimForged, false, nil //nolint:nilerr // likewise
	}
	keys := c.m.logs[at.Origin]
	if len(keys) == 0 {
		return claimAway, false, nil
	}
	proven, err := receipt.Verify(proof, p.Leaf, receipt.Policy{Logs: keys})
	if err != nil {
		return claimForged, false, nil //nolint:nilerr // likewise
	}
	if proven.Size > c.known[at.Origin].Size {
		return "", true, c.tx.Show(Shown{at.Origin, proven.Size, proven.Root, proof.Checkpoint, s.Place, s.Since})
	}
	return claimOther, false, nil
}

// signerOf finds the certificate among those of a security object whose key signed it.
func signerOf(sod *lds.SOD) *cert.Certificate {
	info, err := sod.Signer()
	if err != nil {
		return nil
	}
	for _, x := range sod.Signed.SignerCertificates(info) {
		if sod.Verify(x.PublicKey) == nil {
			return x
		}
	}
	return nil
}
