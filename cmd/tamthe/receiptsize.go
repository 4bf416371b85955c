package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/verify/receipt"
)

// A receipt has at most maxReceipt octets, so that it fits a QR code of version 40-L
// (2,953 octets, ISO/IEC 18004 Table 7) with some to spare. That it does is seen to where
// the names in it are chosen: the receipt of a handover, as it is made out to its holder,
// fits while the log has no more than 1<<maxReceiptDepth entries.
const (
	maxReceipt      = 2500
	maxReceiptDepth = 31

	// For how many witnesses, and of what names, a new log leaves room.
	usualWitnesses   = 2
	usualWitnessName = 40
)

// errReceiptSize says that a receipt is too large, or that names make it so.
var errReceiptSize = errors.New("more than a receipt may have")

// receiptFits says whether the receipt of a handover at that place fits, in a log of that
// name under the cosignatures of witnesses of these names. errReceiptSize if not.
func receiptFits(origin, place string, witnesses []string) error {
	text, err := largestReceipt(origin, place, witnesses)
	if err == nil && len(text) > maxReceipt {
		err = fmt.Errorf("the names of the log and of its witnesses would make receipts of %d octets, of %d: %w", len(text), maxReceipt, errReceiptSize)
	}
	return err
}

// largestReceipt is a receipt of the form and size of the largest of a handover in person:
// by a key of P-384, in a log of 1<<maxReceiptDepth entries. It proves nothing.
func largestReceipt(origin, place string, witnesses []string) ([]byte, error) {
	leaf, err := handover(origin, place)
	if err != nil {
		return nil, err
	}
	signers := []note.Signer{sized{name: origin, octets: 64}} // Ed25519
	for i, name := range witnesses {
		signers = append(signers, sized{name, uint32(i), 8 + 64}) // the time before it
	}
	const size = 1 << maxReceiptDepth
	signed, err := note.Sign(&note.Note{Text: (&receipt.Checkpoint{Origin: origin, Size: size}).Text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("the name of a log or a witness: %w", err)
	}
	p := receipt.Proof{Index: size - 1, Hashes: make([]tlog.Hash, maxReceiptDepth), Checkpoint: signed, Extra: leaf}
	return p.MarshalText()
}

func handover(origin, place string) ([]byte, error) {
	e := issuance.Entry{
		Origin: origin, Rules: issuance.RuleBook, Stream: issuance.Card("C-0123456789"), Seq: 1, ID: issuance.NewID(),
		Act: issuance.Deliver, Time: time.Unix(1, 0).UTC(), Operator: issuance.KeyID{1},
		Fields:    map[string]string{"application": "A-0123456789", "desk": place, "holder": "match"},
		Signature: make([]byte, 2*48),
	}
	return e.Leaf()
}

// sized signs with as many zeros as a signature has.
type sized struct {
	name   string
	number uint32 // no two signatures are by one key
	octets int
}

func (s sized) Name() string                { return s.name }
func (s sized) KeyHash() uint32             { return s.number }
func (s sized) Sign([]byte) ([]byte, error) { return make([]byte, s.octets), nil }

// roomForWitnesses is what a new log is held to: names of usual length, if none are known.
func roomForWitnesses() []string {
	return slices.Repeat([]string{strings.Repeat("w", usualWitnessName)}, usualWitnesses)
}

// neededWitnesses are the longest of the names, as many as must cosign; all if quorum is 0.
func neededWitnesses(keys []*receipt.WitnessKey, quorum int) []string {
	var names []string
	for _, k := range keys {
		names = append(names, k.Name())
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	if quorum > 0 && quorum < len(names) {
		names = names[:quorum]
	}
	return names
}

// receiptText is the proof as text. Where it would be too large, cosignatures beyond the
// quorum are left out, the last first; errReceiptSize if that is not enough.
func receiptText(p *receipt.Proof, quorum int) ([]byte, error) {
	short := *p
	for {
		text, err := short.MarshalText()
		if err != nil || len(text) <= maxReceipt {
			return text, err
		}
		head, lines, _ := bytes.Cut(short.Checkpoint, []byte("\n\n"))
		signatures := slices.Collect(bytes.Lines(lines))
		if quorum <= 0 || len(signatures) <= 1+quorum { // the log's own is one
			return nil, fmt.Errorf("the receipt has %d octets, of %d: %w", len(text), maxReceipt, errReceiptSize)
		}
		kept := bytes.Join(signatures[:len(signatures)-1], nil)
		short.Checkpoint = slices.Concat(head, []byte("\n\n"), kept)
	}
}
