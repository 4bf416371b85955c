package desk

import (
	"context"
	"crypto"
	"fmt"

	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/signing"
)

// servicePerson stands behind the keys of signing services: nobody whom four eyes could
// take for a second person.
const servicePerson = "service"

// EnrolService enrols the key of a signing service under a name. It may sign what it was
// asked for and nothing else. What EnrolService returns is how the service will know this
// log for good: believe it only at the ledger's foundation, or after an audit.
func (o *Office) EnrolService(ctx context.Context, pub crypto.PublicKey, name string) (signing.Pin, error) {
	if err := o.AddOperator(ctx, pub, name, servicePerson, issuance.Signer); err != nil {
		return signing.Pin{}, err
	}
	return o.pin(ctx)
}

// pin finds the log's first entry.
func (o *Office) pin(ctx context.Context) (signing.Pin, error) {
	list, err := o.Store.List(ctx, issuance.KindOperator)
	if err != nil {
		return signing.Pin{}, err
	}
	for _, s := range list {
		entries, err := o.Store.Stream(ctx, s.Stream)
		if err != nil {
			return signing.Pin{}, err
		}
		if len(entries) > 0 && entries[0].Act == issuance.Init {
			return signing.PinOf(entries[0])
		}
	}
	return signing.Pin{}, fmt.Errorf("the log's first entry: %w", ErrUnknown)
}

// CardKeys are the keys that this office gives to chips, for the signing service to read
// what a chip answered under them. The master key must stay as it is while the service does.
func CardKeys(master gp.Master) signing.CardKeys {
	return func(ctx context.Context, kdd gp.KDD) (gp.Keys, error) {
		return gp.KDF3.Keys(ctx, master, kdd, keySet, keySize)
	}
}

// Documents are what a signing service of this office signs, by profile.
func Documents() map[string]signing.Document {
	return map[string]signing.Document{Profile: {Code: "ID", Groups: []int{1, 2, 13, 14}}}
}
