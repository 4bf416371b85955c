package ca

import (
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/cvc"
)

// Subscriber asks for a certificate of a document verifier or terminal by its request.
type Subscriber struct {
	Request *cvc.Request
	Holder  string    // country code and mnemonic under which the requester is registered
	Role    cvc.Role  // DVDomestic or DVForeign under a CVCA, TerminalRole under a DV
	Rights  []int     // bits of its CHAT, such as cvc.ReadDG3
	From    time.Time // the day of issue
	Days    int       // of validity; 0 means the most that its role may have

	// Outer is the key that the request's outer signature must be of: that of the holder's
	// last certificate, or of the CVCA which vouches for a foreign DV. Nil is for the first
	// request of somebody who was registered in person.
	Outer *cvc.PublicKey
	// OuterName is the reference of Outer.
	OuterName cvc.Reference
}

// PrepareSubscriber lays out the certificate that a request asks for under the issuer i. The
// inner signature must be the requested key's, always; the outer one is checked with Outer
// where that is given (TR-03110-3 §C.2, TR-03139). The role must be the one below i's, rights
// are those of i at most, and a certificate ends no later than i's. Errors wrap ErrReference,
// ErrRights, ErrValidity, ErrOuter, ErrKey, ErrRequest or cvc's errors.
func (i *CVIssuer) PrepareSubscriber(r Subscriber) (*Draft, error) {
	d, err := i.prepareSubscriber(r)
	if err != nil {
		return nil, fmt.Errorf("prepare CV certificate: %w", err)
	}
	return d, nil
}

func (i *CVIssuer) prepareSubscriber(r Subscriber) (*Draft, error) {
	q := r.Request
	if q == nil {
		return nil, fmt.Errorf("%w: there is none", ErrRequest)
	}
	if err := i.checkRequest(r); err != nil {
		return nil, err
	}
	key, err := i.requested(q.Key)
	if err != nil {
		return nil, err
	}
	chat, err := i.chat(r)
	if err != nil {
		return nil, err
	}
	from := cvc.On(r.From)
	until := cvBounds[r.Role].most(from.Time())
	if r.Days != 0 {
		until = from.Time().AddDate(0, 0, r.Days)
	}
	to := cvc.On(until)
	if i.Certificate.Expiry.Before(to) {
		to = i.Certificate.Expiry
	}
	if from.Before(i.Certificate.Effective) || i.Certificate.Expiry.Before(from) {
		return nil, fmt.Errorf("%w: %s is not valid on %s", ErrValidity, i.Certificate.Holder, from)
	}
	return prepareCV(cvc.Template{
		Authority: i.Certificate.Holder, Holder: q.Holder, Key: key, CHAT: chat, Effective: from, Expiry: to,
	}, i.Key, i.twin)
}

// checkRequest judges references and signatures.
func (i *CVIssuer) checkRequest(r Subscriber) error {
	q := r.Request
	switch {
	case !goodReference(q.Holder) || Holder(q.Holder) != r.Holder:
		return fmt.Errorf("%w: %q is not of %q", ErrReference, q.Holder, r.Holder)
	case q.Authority != "" && q.Authority != i.Certificate.Holder:
		return fmt.Errorf("%w: the request is to %q, not to %q", ErrReference, q.Authority, i.Certificate.Holder)
	case r.Role == cvc.DVDomestic && r.Holder[:2] != string(i.Certificate.Holder[:2]):
		return fmt.Errorf("%w: a domestic verifier of another state", ErrReference)
	case r.Role == cvc.DVForeign && r.Holder[:2] == string(i.Certificate.Holder[:2]):
		return fmt.Errorf("%w: a foreign verifier of this state", ErrReference)
	}
	if err := q.Verify(); err != nil {
		return fmt.Errorf("inner signature: %w", err)
	}
	if r.Outer == nil {
		return nil
	}
	if q.Outer == "" || q.Outer != r.OuterName {
		return fmt.Errorf("%w: it is by %q, not by %q", ErrOuter, q.Outer, r.OuterName)
	}
	if err := q.VerifyOuter(*r.Outer); err != nil {
		return fmt.Errorf("%w: %w", ErrOuter, err)
	}
	if q.Key.Is(rawCVKey(*r.Outer)) {
		return fmt.Errorf("%w: the same key again", ErrKey)
	}
	return nil
}

// requested is the key of a request, which has to be of the issuer's kind and on its curve:
// the certificate does not name it.
func (i *CVIssuer) requested(k cvc.PublicKey) (cvc.PublicKey, error) {
	switch {
	case k.Is(rawCVKey(i.Key)):
		return k, fmt.Errorf("%w: the issuer's own", ErrKey)
	case k.Algorithm != i.Key.Algorithm:
		return k, fmt.Errorf("%w: %v under %v", ErrKey, k.Algorithm, i.Key.Algorithm)
	case k.EC != nil && k.EC.Curve().Name() != i.Key.EC.Curve().Name():
		return k, fmt.Errorf("%w: on %s, not on %s", ErrKey, k.EC.Curve().Name(), i.Key.EC.Curve().Name())
	}
	return k, nil
}

// chat is the authorisation: no more than the issuer's.
func (i *CVIssuer) chat(r Subscriber) (cvc.CHAT, error) {
	above := i.Certificate.CHAT
	below := above.Role == cvc.CVCA && (r.Role == cvc.DVDomestic || r.Role == cvc.DVForeign) ||
		(above.Role == cvc.DVDomestic || above.Role == cvc.DVForeign) && r.Role == cvc.TerminalRole
	if !below {
		return cvc.CHAT{}, fmt.Errorf("%w: a %v under a %v", ErrRights, r.Role, above.Role)
	}
	for _, bit := range r.Rights {
		if !above.Has(bit) {
			return cvc.CHAT{}, fmt.Errorf("%w: right %d", ErrRights, bit)
		}
	}
	return cvc.NewCHAT(above.Terminal, r.Role, r.Rights...), nil
}
