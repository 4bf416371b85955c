package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/receipt"
)

// judgeLog judges the proof, inside the signature, that the card stands in a log of its
// issuer's. Whoever stole a document signer's key can sign a card, but cannot have it
// logged: a proof that is missing where the issuer's must be there, one taken from another
// card and one that no pinned log signed all refuse the document.
//
// It says nothing of a document whose chain is not trusted: what the issuer has is asked of
// the issuer's documents, and under a CSCA that we do not hold nobody knows whose it is.
func (a *assessment) judgeLog() {
	if a.sod == nil || !a.trusted {
		return
	}
	issuer := a.chain.Issuer
	proof, present, ok := a.sod.LogProof()
	switch {
	case issuer.Log == pki.LogNone:
		a.set(CheckLog, Absent, ReasonLogNotPublished, "")
	case issuer.Log == pki.LogUnset:
		if present {
			a.set(CheckLog, NotRun, ReasonLogUnset, "")
		}
	case len(issuer.Logs) == 0:
		a.set(CheckLog, Undetermined, ReasonLogUnset, "")
	case !present && a.earlier(issuer.LogFrom):
		a.set(CheckLog, Absent, ReasonLogEarlier, "")
	case !present:
		a.set(CheckLog, Failed, ReasonLogMissing, "")
	case !ok:
		a.set(CheckLog, Failed, ReasonLogMalformed, "")
	default:
		a.proof(proof, issuer.LogPolicy())
	}
}

// earlier reports whether the trusted signer's certificate began before the log did, by the word
// of the CSCA and not of the document.
func (a *assessment) earlier(from time.Time) bool {
	return !from.IsZero() && a.signer != nil && a.signer.NotBefore.Before(from)
}

// proof verifies the proof, and that its leaf is of this card.
func (a *assessment) proof(p lds.LogProof, policy receipt.Policy) {
	parsed, err := receipt.ParseBinary(p.Proof)
	if err != nil {
		a.fail(CheckLog, ReasonLogMalformed, err)
		return
	}
	leaf, err := receipt.ParseLeaf(p.Leaf)
	if err != nil {
		a.fail(CheckLog, ReasonLogMalformed, err)
		return
	}
	proven, err := receipt.Verify(parsed, p.Leaf, policy)
	if errors.Is(err, receipt.ErrQuorum) {
		a.fail(CheckLog, ReasonLogUnwitnessed, err)
		return
	}
	if err != nil {
		a.fail(CheckLog, ReasonLogForged, err)
		return
	}
	card := a.sod.CardID()
	if leaf.Kind != "card" || leaf.Act != "prepare" || leaf.Fields["cardid"] != hex.EncodeToString(card[:]) {
		a.set(CheckLog, Failed, ReasonLogOther, "")
		return
	}
	a.set(CheckLog, Passed, "", fmt.Sprintf("entry %d of %d in %s, %d of %d witnesses",
		proven.Index, proven.Size, proven.Origin, len(proven.Witnesses), len(policy.Witnesses)))
}
