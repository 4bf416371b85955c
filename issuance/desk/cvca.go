package desk

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

var (
	// ErrNoCVCA means that there is no country verifying CA, or no document verifier of ours
	// that has a certificate.
	ErrNoCVCA = errors.New("no such authority of terminals is in use")
	// ErrUnregistered means that the holder of a request was never registered.
	ErrUnregistered = errors.New("the requester is not registered")
)

// CVCA asks for the next key of the country verifying CA.
type CVCA struct {
	Holder    string // country code and mnemonic: VNCVCA
	Algorithm string // of the key, as keystore names it
	Months    int    // of validity, 6 to 36; 0 means 36
}

// MakeCVCA makes the next key of the country verifying CA with its self-signed certificate
// and, from the second on, the link certificate by which the one before vouches for it. It
// returns the key's reference; the files are REFERENCE.cvcert and REFERENCE-link.cvcert. What
// was cut short goes on with the key that was made.
func (o *Office) MakeCVCA(ctx context.Context, r CVCA) (cvc.Reference, error) {
	name, err := o.nextName(ctx, cvcaPrefix)
	if err != nil {
		return "", err
	}
	reference, err := ca.NewReference(r.Holder, "00"+name[len(cvcaPrefix):])
	if err != nil {
		return "", err
	}
	before, err := o.newestCVCA(ctx)
	if err != nil && !errors.Is(err, ErrNoCVCA) {
		return "", err
	}
	if unlinked, err := o.finishLink(ctx, before); unlinked != "" || err != nil {
		return unlinked, err
	}
	stream := issuance.Key(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return "", err
	}
	sub := s.state.Subject(stream)
	act := issuance.Prepare
	if sub.Phase == issuance.Absent {
		act = issuance.Generate
	}
	if err := s.may(stream, act, map[string]string{"usage": "cvca"}); err != nil {
		return "", err
	}
	key, err := o.keyFor(ctx, certification{name: name, algorithm: r.Algorithm}, sub)
	if err != nil {
		return "", err
	}
	defer forget(key)
	never, err := o.cscaKeys(ctx)
	if err != nil {
		return "", err
	}
	ask := ca.CVCA{Holder: reference, Key: key.Public(), From: o.Now(), Months: r.Months, Never: never}
	draft, err := ca.PrepareCVCA(ask)
	if err != nil {
		return "", err
	}
	if sub.Phase == issuance.Absent {
		if err := s.addKey(certification{name: name, usage: "cvca"}, key); err != nil {
			return "", err
		}
	}
	err = s.issueObject(ctx, issuing{
		stream: stream, object: objectCV, file: cvFile(reference), issuer: name, fields: map[string]string{"chr": string(reference)},
		claims: newClaim(sub, cvClaim(reference)), draft: draft, key: key,
	})
	if err != nil || before == "" {
		return reference, err
	}
	return reference, o.linkCVCA(ctx, before, ask)
}

// finishLink has the CVCA before the newest vouch for that, if it was cut short of it; "" says
// that there was nothing to finish.
func (o *Office) finishLink(ctx context.Context, newest string) (cvc.Reference, error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil || newest == "" {
		return "", err
	}
	before := ""
	for _, k := range list {
		if k.Stream.ID == newest {
			break
		}
		if strings.HasPrefix(k.Stream.ID, cvcaPrefix) && k.Phase != issuance.Revoked {
			before = k.Stream.ID
		}
	}
	if before == "" {
		return "", nil
	}
	c, err := o.cvca(ctx, newest)
	if err != nil {
		return "", err
	}
	entries, err := o.Store.Stream(ctx, issuance.Key(before))
	if err != nil {
		return "", err
	}
	holder := c.Certificate.Holder
	for _, e := range entries {
		if e.Act == issuance.Issue && e.Fields["object"] == objectCVLink && e.Fields["chr"] == string(holder) {
			return "", nil
		}
	}
	from, to := c.Certificate.Effective.Time(), c.Certificate.Expiry.Time()
	return holder, o.linkCVCA(ctx, before, ca.CVCA{
		Holder: holder, Key: publicOf(c.Key), Algorithm: c.Key.Algorithm, From: o.Now(), Months: (to.Year()-from.Year())*12 + int(to.Month()-from.Month()),
	})
}

// publicOf is the key as a signer's Public gives it.
func publicOf(k cvc.PublicKey) crypto.PublicKey {
	if k.RSA != nil {
		return k.RSA
	}
	return k.EC
}

// linkCVCA has the CVCA key of a stream vouch for the next.
func (o *Office) linkCVCA(ctx context.Context, before string, next ca.CVCA) error {
	issuer, err := o.cvca(ctx, before)
	if err != nil {
		return err
	}
	key, err := o.Authority.key(ctx, before)
	if err != nil {
		return err
	}
	defer forget(key)
	draft, err := issuer.PrepareCVLink(next)
	if err != nil {
		return err
	}
	stream := issuance.Key(before)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	return s.issueObject(ctx, issuing{
		stream: stream, object: objectCVLink, file: cvLinkFile(next.Holder), issuer: before, fields: map[string]string{"chr": string(next.Holder)},
		draft: draft, key: key,
	})
}

// cscaKeys are the keys that a CVCA must not have.
func (o *Office) cscaKeys(ctx context.Context) ([]cert.PublicKey, error) {
	all, err := o.generations(ctx)
	if err != nil {
		return nil, err
	}
	var keys []cert.PublicKey
	for _, g := range all {
		keys = append(keys, g.cert.PublicKey)
	}
	return keys, nil
}

// The files of CV certificates, requests and links.
func cvFile(r cvc.Reference) string     { return string(r) + ".cvcert" }
func cvLinkFile(r cvc.Reference) string { return string(r) + "-link.cvcert" }
func cvRequestFile(r cvc.Reference) string {
	return string(r) + ".cvreq"
}

// cvClaim makes a reference one that is given once, for ever.
func cvClaim(r cvc.Reference) issuance.Claim {
	return issuance.Claim{Kind: issuance.ClaimCertSerial, Value: serialText("cv", string(r))}
}

func serialText(issuer, serial string) string { return issuer + ":" + serial }

// newClaim leaves a claim out that the stream has already.
func newClaim(sub issuance.Subject, c issuance.Claim) []issuance.Claim {
	if slices.Contains(sub.Claimed, c) {
		return nil
	}
	return []issuance.Claim{c}
}

// newestCVCA names the newest CVCA key that has a certificate and was not revoked.
func (o *Office) newestCVCA(ctx context.Context) (string, error) {
	list, err := o.Store.List(ctx, issuance.KindKey, issuance.InUse, issuance.Preparing)
	if err != nil {
		return "", err
	}
	for _, k := range slices.Backward(list) {
		if !strings.HasPrefix(k.Stream.ID, cvcaPrefix) {
			continue
		}
		if _, err := o.cvca(ctx, k.Stream.ID); err == nil {
			return k.Stream.ID, nil
		} else if !isAbsent(err) {
			return "", err
		}
	}
	return "", ErrNoCVCA
}

// cvca reads a CVCA key's self-signed certificate.
func (o *Office) cvca(ctx context.Context, name string) (*ca.CVIssuer, error) {
	entries, err := o.Store.Stream(ctx, issuance.Key(name))
	if err != nil {
		return nil, err
	}
	reference := ""
	for _, e := range entries {
		if e.Act == issuance.Issue && e.Fields["object"] == objectCV {
			reference = e.Fields["chr"]
		}
	}
	if reference == "" {
		return nil, fmt.Errorf("CVCA %s: %w", name, fs.ErrNotExist)
	}
	c, err := o.cvCertificate(ctx, cvc.Reference(reference))
	if err != nil {
		return nil, err
	}
	return ca.NewCVIssuer(c, nil)
}

// cvCertificate reads the certificate of a reference, if it is the one that was issued.
func (o *Office) cvCertificate(ctx context.Context, r cvc.Reference) (*cvc.Certificate, error) {
	stream, err := o.Store.Claimed(ctx, cvClaim(r))
	if err != nil {
		return nil, err
	}
	if stream.IsZero() {
		return nil, fmt.Errorf("CV certificate %s: %w", r, fs.ErrNotExist)
	}
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	issued := ""
	for _, e := range entries {
		if e.Act == issuance.Issue && e.Fields["object"] == objectCV && e.Fields["chr"] == string(r) {
			issued = e.Fields["issued"]
		}
	}
	if issued == "" {
		return nil, fmt.Errorf("CV certificate %s: %w", r, fs.ErrNotExist)
	}
	b, err := os.ReadFile(filepath.Join(o.Authority.PKI, cvFile(r)))
	if err != nil {
		return nil, err
	}
	if digest(b) != issued {
		return nil, fmt.Errorf("%s is not the one that was issued: %w", cvFile(r), issuance.ErrChanged)
	}
	return cvc.Parse(b)
}

// TrustPoint is the newest CVCA certificate, which chips are given when they are made.
func (o *Office) TrustPoint(ctx context.Context) (*cvc.Certificate, error) {
	name, err := o.newestCVCA(ctx)
	if err != nil {
		return nil, err
	}
	i, err := o.cvca(ctx, name)
	if err != nil {
		return nil, err
	}
	return i.Certificate, nil
}

// cvKey is the key of a reference with its curve, which the certificates above it name.
func (o *Office) cvKey(ctx context.Context, r cvc.Reference) (cvc.PublicKey, error) {
	c, err := o.cvCertificate(ctx, r)
	if err != nil {
		return cvc.PublicKey{}, err
	}
	if c.CHAT.Role == cvc.CVCA {
		return c.Key, nil
	}
	above, err := o.cvKey(ctx, c.Authority)
	if err != nil {
		return cvc.PublicKey{}, err
	}
	return c.Key.Inherit(above)
}

// cvIssuer reads the certificate of a reference as one that issues.
func (o *Office) cvIssuer(ctx context.Context, r cvc.Reference) (*ca.CVIssuer, error) {
	c, err := o.cvCertificate(ctx, r)
	if err != nil {
		return nil, err
	}
	if c.CHAT.Role == cvc.CVCA {
		return ca.NewCVIssuer(c, nil)
	}
	above, err := o.cvCertificate(ctx, c.Authority)
	if err != nil {
		return nil, err
	}
	return ca.NewCVIssuer(c, above)
}

// request signs a request with a key, and countersigns it with the one before if there is one.
func request(to, holder cvc.Reference, key crypto.Signer, by cvc.Reference, old crypto.Signer) (*cvc.Request, error) {
	a, err := ca.DefaultCVAlgorithm(key.Public())
	if err != nil {
		return nil, err
	}
	q, err := cvc.NewRequest(to, holder, a, key)
	if err != nil || old == nil {
		return q, err
	}
	if a, err = ca.DefaultCVAlgorithm(old.Public()); err != nil {
		return nil, err
	}
	return q.Countersign(by, a, old)
}
