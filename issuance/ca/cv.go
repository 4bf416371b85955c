package ca

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cvc"
)

// What callers branch on when a CV certificate is asked for.
var (
	ErrReference = errors.New("holder or authority reference does not fit")
	ErrRights    = errors.New("rights or role beyond the issuer's")
	ErrValidity  = errors.New("validity outside its bounds")
	ErrOuter     = errors.New("outer signature is missing or wrong")
)

// cvBounds are the shortest and longest validity of each role (BSI TR-03139 §4).
var cvBounds = map[cvc.Role]struct {
	least, most func(from time.Time) time.Time
}{
	cvc.CVCA:         {months(6), months(36)},
	cvc.DVDomestic:   {days(14), months(3)},
	cvc.DVForeign:    {days(14), months(3)},
	cvc.TerminalRole: {days(1), months(1)},
}

func months(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.AddDate(0, n, 0) }
}

func days(n int) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.AddDate(0, 0, n) }
}

// Holder is country code and mnemonic of a reference (TR-03110-3 §A.6.1), without its
// sequence number.
func Holder(r cvc.Reference) string { return string(r[:max(len(r)-5, 0)]) }

// NewReference joins a holder with a sequence number of five characters.
func NewReference(holder, sequence string) (cvc.Reference, error) {
	r := cvc.Reference(holder + sequence)
	if len(sequence) != 5 || !goodReference(r) {
		return "", fmt.Errorf("%w: %q with %q", ErrReference, holder, sequence)
	}
	return r, nil
}

// goodReference: two capital letters, a mnemonic of 1 to 9 letters and digits, a sequence
// number of five (TR-03110-3 §A.6.1).
func goodReference(r cvc.Reference) bool {
	if len(r) < 8 || len(r) > 16 || strings.Trim(string(r[:2]), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return false
	}
	for _, c := range r {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// DefaultCVAlgorithm is what we sign CV certificates with under a key: ECDSA with the SHA-2
// that fits the curve, RSA-PSS with SHA-256 for RSA. A key of another kind is ErrRequest.
func DefaultCVAlgorithm(pub crypto.PublicKey) (cvc.Algorithm, error) {
	k, err := cert.NewPublicKey(pub)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: %w", ErrRequest, err)
	case k.RSA != nil:
		return cvc.RSAPSSSHA256, nil
	case k.EC == nil:
		return 0, fmt.Errorf("%w: no key", ErrRequest)
	case k.Bits() <= 224:
		return cvc.ECDSASHA224, nil
	case k.Bits() <= 320:
		return cvc.ECDSASHA256, nil
	case k.Bits() <= 384:
		return cvc.ECDSASHA384, nil
	}
	return cvc.ECDSASHA512, nil
}

// CVCA asks for the self-signed certificate of a country verifying CA.
type CVCA struct {
	Holder    cvc.Reference // e.g. VNCVCA00001
	Key       crypto.PublicKey
	Algorithm cvc.Algorithm    // zero: DefaultCVAlgorithm of Key
	Terminal  cvc.Terminal     // what its terminals are for; zero: inspection systems
	From      time.Time        // the day of issue
	Months    int              // of validity, 6 to 36; 0 means 36
	Never     []cert.PublicKey // keys that it must not have: those of the state's CSCA (Doc 9303-12 §4.1)
}

// PrepareCVCA lays out a CVCA's self-signed certificate, with all rights of its terminals.
// Errors wrap ErrReference, ErrValidity, ErrKey, ErrRequest or cvc's errors.
func PrepareCVCA(r CVCA) (*Draft, error) {
	d, err := r.prepare(nil)
	if err != nil {
		return nil, fmt.Errorf("prepare CVCA: %w", err)
	}
	return d, nil
}

// PrepareCVLink lays out the certificate by which a CVCA's key vouches for the next one: a
// chip that trusts the former takes the latter for it. r is as for the next key's own
// certificate; its holder must be i's with another sequence number.
func (i *CVIssuer) PrepareCVLink(r CVCA) (*Draft, error) {
	d, err := r.prepare(i)
	if err != nil {
		return nil, fmt.Errorf("prepare CVCA link: %w", err)
	}
	return d, nil
}

func (r CVCA) prepare(by *CVIssuer) (*Draft, error) {
	if r.Terminal == 0 {
		r.Terminal = cvc.InspectionSystem
	}
	var err error
	if r.Algorithm == 0 {
		if r.Algorithm, err = DefaultCVAlgorithm(r.Key); err != nil {
			return nil, err
		}
	}
	key, err := cvc.NewPublicKey(r.Algorithm, r.Key)
	if err != nil {
		return nil, err
	}
	for _, k := range r.Never {
		if key.Is(rawKey(k)) {
			return nil, fmt.Errorf("%w: a CSCA's key", ErrKey)
		}
	}
	from := cvc.On(r.From)
	t := cvc.Template{
		Authority: r.Holder, Holder: r.Holder, Key: key, CHAT: cvc.NewCHAT(r.Terminal, cvc.CVCA).AllRights(),
		Effective: from, Expiry: cvc.On(cvBounds[cvc.CVCA].most(from.Time())),
	}
	if r.Months != 0 {
		t.Expiry = cvc.On(from.Time().AddDate(0, r.Months, 0))
	}
	if by == nil {
		twin, err := cvTwin(key)
		if err != nil {
			return nil, err
		}
		return prepareCV(t, key, twin)
	}
	c := by.Certificate
	switch {
	case c.CHAT.Role != cvc.CVCA || Holder(c.Holder) != Holder(r.Holder) || c.Holder == r.Holder:
		return nil, fmt.Errorf("%w: %s cannot hand on to %s", ErrReference, c.Holder, r.Holder)
	case by.Key.Is(r.Key):
		return nil, fmt.Errorf("%w: the next key is the present one", ErrKey)
	case c.CHAT.Terminal != r.Terminal:
		return nil, fmt.Errorf("%w: another kind of terminal", ErrRights)
	case from.Before(c.Effective) || c.Expiry.Before(from):
		return nil, fmt.Errorf("%w: %s is not valid on %s", ErrValidity, c.Holder, from)
	}
	t.Authority = c.Holder
	return prepareCV(t, by.Key, by.twin)
}

// rawKey is the key as a crypto.Signer's Public gives it.
func rawKey(k cert.PublicKey) crypto.PublicKey {
	if k.RSA != nil {
		return k.RSA
	}
	return k.EC
}

// cvTwin makes a throwaway key of the same kind.
func cvTwin(k cvc.PublicKey) (crypto.Signer, error) {
	switch {
	case k.EC != nil:
		return k.EC.Curve().Generate()
	case k.RSA != nil:
		return rsa.GenerateKey(rand.Reader, k.RSA.N.BitLen())
	}
	return nil, fmt.Errorf("%w: no key", ErrRequest)
}

// A CVIssuer is a CVCA's or document verifier's certificate under which others are signed,
// with its throwaway key.
type CVIssuer struct {
	Certificate *cvc.Certificate
	Key         cvc.PublicKey // of the certificate, with its curve
	twin        crypto.Signer
}

// NewCVIssuer takes an issuing certificate; above is that of its own issuer, which a document
// verifier's curve is taken from, and which must have signed it. A CVCA's is its own.
func NewCVIssuer(c, above *cvc.Certificate) (*CVIssuer, error) {
	if above == nil {
		above = c
	}
	parent, err := above.Key.Inherit(above.Key)
	if err != nil {
		return nil, fmt.Errorf("CV issuer: %w", err)
	}
	if err := c.Verify(parent); err != nil {
		return nil, fmt.Errorf("CV issuer: %w", err)
	}
	key, err := c.Key.Inherit(parent)
	if err != nil {
		return nil, fmt.Errorf("CV issuer: %w", err)
	}
	twin, err := cvTwin(key)
	if err != nil {
		return nil, fmt.Errorf("CV issuer: %w", err)
	}
	return &CVIssuer{c, key, twin}, nil
}

// prepareCV rehearses a certificate under the issuer's key.
func prepareCV(t cvc.Template, by cvc.PublicKey, twin crypto.Signer) (*Draft, error) {
	if err := lintCV(t); err != nil {
		return nil, err
	}
	body, err := t.Body()
	if err != nil {
		return nil, err
	}
	issuer, err := cert.NewPublicKey(rawCVKey(by))
	if err != nil {
		return nil, err
	}
	d := &Draft{
		TBS: body, plain: by.Algorithm, issuer: issuer,
		assemble: func(sig []byte) ([]byte, error) {
			c, err := cvc.Assemble(body, sig)
			if err != nil {
				return nil, err
			}
			return c.Raw, nil
		},
		check: func(signed []byte, key cert.PublicKey) ([]Finding, error) {
			return nil, checkCV(signed, t, by.Algorithm, key)
		},
	}
	return d, d.rehearse(twin)
}

func rawCVKey(k cvc.PublicKey) crypto.PublicKey {
	if k.RSA != nil {
		return k.RSA
	}
	return k.EC
}

// checkCV reads a certificate as a chip would and compares it with what was asked for.
func checkCV(signed []byte, t cvc.Template, a cvc.Algorithm, by cert.PublicKey) error {
	c, err := cvc.Parse(signed)
	if err != nil {
		return err
	}
	key, err := cvc.NewPublicKey(a, rawKey(by))
	if err != nil {
		return err
	}
	if err := c.Verify(key); err != nil {
		return err
	}
	if c.Authority != t.Authority || c.Holder != t.Holder || c.Effective != t.Effective || c.Expiry != t.Expiry ||
		!bytes.Equal(c.CHAT.Bytes(), t.CHAT.Bytes()) || !c.Key.Is(rawCVKey(t.Key)) || c.Key.Algorithm != t.Key.Algorithm ||
		c.Key.Parameters != (t.CHAT.Role == cvc.CVCA && t.Key.EC != nil) {
		return fmt.Errorf("%w: the certificate differs from the request", ErrRequest)
	}
	return nil
}

// lintCV holds the rules that need no signature: references, algorithm and the bounds of
// validity.
func lintCV(t cvc.Template) error {
	if !goodReference(t.Authority) || !goodReference(t.Holder) {
		return fmt.Errorf("%w: %q under %q", ErrReference, t.Holder, t.Authority)
	}
	if t.Key.Algorithm.Hash() == crypto.SHA1 {
		return fmt.Errorf("%w: %v", ErrRequest, t.Key.Algorithm)
	}
	b := cvBounds[t.CHAT.Role]
	from, to := t.Effective.Time(), t.Expiry.Time()
	if to.Before(b.least(from)) || to.After(b.most(from)) {
		return fmt.Errorf("%w of a %v: %s to %s", ErrValidity, t.CHAT.Role, t.Effective, t.Expiry)
	}
	return nil
}
