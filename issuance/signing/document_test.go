package signing

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

// refusesAll expects a refusal, and that nothing was announced or signed.
func (r *rig) refusesAll(what string, c *candidate, want error) {
	r.t.Helper()
	check(r.t, c.request.Sign(r.office.Personaliser.Key))
	if _, err := r.service().Sign(r.t.Context(), c.request); !errors.Is(err, want) {
		r.t.Errorf("%s: %v, not %v", what, err, want)
	}
	if acts, n := r.acts(c.card), r.signatures(); len(acts) > 0 || n != 0 {
		r.t.Errorf("%s: %v, %d signatures", what, acts, n)
	}
}

// TestRefusesOtherDocuments: what was approved is signed only as a document that the service
// was told of, with all groups that such a one must have.
func TestRefusesOtherDocuments(t *testing.T) {
	r := newRig(t)
	c := r.keyed()
	r.o.Documents = map[string]Document{"another": {Code: "ID"}}
	r.refusesAll("of a profile that is not signed here", c, ErrNotApproved)
	r.o.Documents = map[string]Document{profileName: {Code: "ID", Groups: []int{1, 2, 3, 13, 14}}}
	r.refusesAll("without a group that it must have", c, ErrNotApproved)
}

// TestRefusesUnclaimedKeys: every key is one that the log says is this card's alone.
func TestRefusesUnclaimedKeys(t *testing.T) {
	r := newRig(t)
	c := r.begun()
	check(t, r.act(act{
		stream: issuance.Card(c.card), act: issuance.Generate, by: r.office.Personaliser,
		fields: map[string]string{"evidence": ledgertest.Digest(c.card)},
		claims: []issuance.Claim{{Kind: issuance.ClaimChipKey, Value: ledgertest.Digest(string(c.points(t)[0]))}},
	}))
	r.refusesAll("DG15 holds a key that was not claimed", c, ErrEvidence)
	key := must(rsa.GenerateKey(rand.Reader, 2048))(t)
	c.request.DG15 = must(lds.EncodeDG15(cert.PublicKey{RSA: &key.PublicKey}))(t)
	r.refusesAll("DG15 holds a key of RSA, which no chip proves", c, ErrEvidence)
}
