package desk

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// RequestDV makes the next key of a document verifier of ours and its request to our CVCA,
// countersigned with the key before. It returns the request's reference; the file is
// REFERENCE.cvreq. A key that was made and has no certificate yet is asked for again.
func (o *Office) RequestDV(ctx context.Context, holder, algorithm string) (cvc.Reference, error) {
	point, err := o.TrustPoint(ctx)
	if err != nil {
		return "", err
	}
	last, reference, err := o.lastVerifier(ctx, holder)
	if err != nil {
		return "", err
	}
	name, next := last, reference
	open, err := o.openVerifier(ctx, holder)
	if err != nil {
		return "", err
	}
	if last == "" || open != nil && open.issuer.Certificate.Holder == reference {
		if name, next, err = o.newVerifier(ctx, holder); err != nil {
			return "", err
		}
	}
	stream := issuance.Key(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return "", err
	}
	sub := s.state.Subject(stream)
	key, err := o.keyFor(ctx, certification{name: name, algorithm: algorithm}, sub)
	if err != nil {
		return "", err
	}
	defer forget(key)
	if sub.Phase == issuance.Absent {
		if err := s.addKey(certification{name: name, usage: "dv", fields: map[string]string{"chr": string(next)}}, key); err != nil {
			return "", err
		}
		if err := s.commit(ctx); err != nil {
			return "", err
		}
	}
	var by cvc.Reference
	var old crypto.Signer
	if open != nil {
		by, old = open.issuer.Certificate.Holder, open.key
		defer forget(open.key)
	}
	q, err := request(point.Holder, next, key, by, old)
	if err != nil {
		return "", err
	}
	return next, o.Authority.publish(cvRequestFile(next), q.Raw)
}

// verifier is a document verifier's certificate and key.
type verifier struct {
	name   string
	issuer *ca.CVIssuer
	key    crypto.Signer
}

// verifierKeys lists the keys of document verifiers of ours, by name and reference.
func (o *Office) verifierKeys(ctx context.Context) (names []string, references []cvc.Reference, err error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range list {
		if !strings.HasPrefix(k.Stream.ID, verifierPrefix) {
			continue
		}
		entries, err := o.Store.Stream(ctx, k.Stream)
		if err != nil {
			return nil, nil, err
		}
		names, references = append(names, k.Stream.ID), append(references, cvc.Reference(entries[0].Fields["chr"]))
	}
	return names, references, nil
}

// lastVerifier is the newest key of a holder.
func (o *Office) lastVerifier(ctx context.Context, holder string) (name string, r cvc.Reference, err error) {
	names, references, err := o.verifierKeys(ctx)
	for i := range names {
		if ca.Holder(references[i]) == holder {
			name, r = names[i], references[i]
		}
	}
	return name, r, err
}

// newVerifier names a further key of a holder.
func (o *Office) newVerifier(ctx context.Context, holder string) (string, cvc.Reference, error) {
	names, references, err := o.verifierKeys(ctx)
	if err != nil {
		return "", "", err
	}
	n := 1
	for _, r := range references {
		if ca.Holder(r) == holder {
			n++
		}
	}
	r, err := ca.NewReference(holder, fmt.Sprintf("%05d", n))
	return fmt.Sprintf("%s%03d", verifierPrefix, len(names)+1), r, err
}

// openVerifier opens the newest key of a holder that has a certificate which is valid today;
// of any holder if none is named. Nil is none.
func (o *Office) openVerifier(ctx context.Context, holder string) (*verifier, error) {
	names, references, err := o.verifierKeys(ctx)
	if err != nil {
		return nil, err
	}
	today := cvc.On(o.Now())
	for i, r := range slices.Backward(references) {
		if holder != "" && ca.Holder(r) != holder {
			continue
		}
		issuer, err := o.cvIssuer(ctx, r)
		if isAbsent(err) || err == nil && issuer.Certificate.Expiry.Before(today) {
			continue
		}
		if err != nil {
			return nil, err
		}
		key, err := o.Authority.key(ctx, names[i])
		if err != nil {
			return nil, err
		}
		return &verifier{names[i], issuer, key}, nil
	}
	return nil, nil
}

// CVOrder asks for the certificate of a document verifier or terminal.
type CVOrder struct {
	Request *cvc.Request
	Role    cvc.Role // DVDomestic, DVForeign or TerminalRole
	Rights  []int    // such as cvc.ReadDG3
	Days    int      // 0: the most that the role may have

	// Register says that the holder stands here in person with this first request: it needs no
	// outer signature. Of a foreign document verifier the first request is countersigned by its
	// own CVCA, whose certificate is Voucher.
	Register bool
	Voucher  *cvc.Certificate
}

// IssueCV issues the certificate that a request asks for: a document verifier's by our newest
// CVCA, a terminal's by our newest document verifier. A holder is registered by the first
// request and renewed by requests that the key before has countersigned; one that is not
// registered is ErrUnregistered, one that is suspended *issuance.TransitionError. The names of
// the files that lead from chips to it, its own first, are returned.
func (o *Office) IssueCV(ctx context.Context, r CVOrder) ([]string, error) {
	if r.Request == nil {
		return nil, fmt.Errorf("no request: %w", ca.ErrRequest)
	}
	by, err := o.cvAuthority(ctx, r.Role)
	if err != nil {
		return nil, err
	}
	defer forget(by.key)
	holder := ca.Holder(r.Request.Holder)
	stream := issuance.Key("cv-" + holder)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	sub := s.state.Subject(stream)
	ask := ca.Subscriber{Request: r.Request, Holder: holder, Role: r.Role, Rights: r.Rights, From: o.Now(), Days: r.Days}
	if err := o.outer(ctx, r, sub, &ask); err != nil {
		return nil, err
	}
	draft, err := by.issuer.PrepareSubscriber(ask)
	if err != nil {
		return nil, err
	}
	if sub.Phase == issuance.Absent {
		if err := s.register(stream, r); err != nil {
			return nil, err
		}
	}
	reference := r.Request.Holder
	claims := newClaim(sub, cvClaim(reference))
	if _, err := o.cvCertificate(ctx, reference); len(claims) == 0 && !isAbsent(err) {
		return nil, errors.Join(err, &issuance.DuplicateError{Claim: cvClaim(reference), Holder: stream})
	}
	err = s.issueObject(ctx, issuing{
		stream: stream, object: objectCV, file: cvFile(reference), issuer: by.name, fields: map[string]string{"chr": string(reference)},
		claims: claims, draft: draft, key: by.key,
	})
	if err != nil {
		return nil, err
	}
	return o.cvChain(ctx, reference)
}

// cvAuthority opens the key that signs for a role.
func (o *Office) cvAuthority(ctx context.Context, role cvc.Role) (*verifier, error) {
	if role == cvc.TerminalRole {
		v, err := o.openVerifier(ctx, "")
		if err == nil && v == nil {
			err = ErrNoCVCA
		}
		return v, err
	}
	name, err := o.newestCVCA(ctx)
	if err != nil {
		return nil, err
	}
	issuer, err := o.cvca(ctx, name)
	if err != nil {
		return nil, err
	}
	key, err := o.Authority.key(ctx, name)
	return &verifier{name, issuer, key}, err
}

// outer says which outer signature the request must bear.
func (o *Office) outer(ctx context.Context, r CVOrder, sub issuance.Subject, ask *ca.Subscriber) error {
	if sub.Phase != issuance.Absent {
		last, err := o.lastCV(ctx, sub.Stream)
		if err != nil || last == "" { // registered, and its first certificate was cut short
			return err
		}
		key, err := o.cvKey(ctx, last)
		ask.Outer, ask.OuterName = &key, last
		return err
	}
	if !r.Register {
		return fmt.Errorf("%s: %w", ask.Holder, ErrUnregistered)
	}
	if r.Role != cvc.DVForeign {
		return nil
	}
	if r.Voucher == nil || r.Voucher.CHAT.Role != cvc.CVCA || ca.Holder(r.Voucher.Holder)[:2] != ask.Holder[:2] {
		return fmt.Errorf("%w: its own CVCA's certificate is needed", ca.ErrOuter)
	}
	if err := r.Voucher.Verify(r.Voucher.Key); err != nil {
		return fmt.Errorf("%w: %w", ca.ErrOuter, err)
	}
	ask.Outer, ask.OuterName = &r.Voucher.Key, r.Voucher.Holder
	return nil
}

// lastCV is the reference of the last certificate of a holder's stream.
func (o *Office) lastCV(ctx context.Context, stream issuance.StreamID) (cvc.Reference, error) {
	entries, err := o.Store.Stream(ctx, stream)
	last := ""
	for _, e := range entries {
		if e.Act == issuance.Issue && e.Fields["object"] == objectCV {
			last = e.Fields["chr"]
		}
	}
	return cvc.Reference(last), err
}

// register begins the stream of a holder: public is what it was registered with.
func (s *session) register(stream issuance.StreamID, r CVOrder) error {
	usage := map[cvc.Role]string{cvc.DVDomestic: "dv-domestic", cvc.DVForeign: "dv-foreign", cvc.TerminalRole: "terminal"}[r.Role]
	return s.add(stream, issuance.Generate, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"usage": usage, "public": digest(r.Request.Body)}
		return nil
	})
}

// cvChain lists the files from a certificate up to what chips trust, links included.
func (o *Office) cvChain(ctx context.Context, r cvc.Reference) ([]string, error) {
	var files []string
	for {
		c, err := o.cvCertificate(ctx, r)
		if err != nil {
			return nil, err
		}
		if c.CHAT.Role == cvc.CVCA {
			break
		}
		files, r = append(files, cvFile(r)), c.Authority
	}
	entries, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return nil, err
	}
	for _, k := range entries {
		if !strings.HasPrefix(k.Stream.ID, cvcaPrefix) {
			continue
		}
		list, err := o.Store.Stream(ctx, k.Stream)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if e.Act == issuance.Issue && e.Fields["object"] == objectCVLink {
				files = append(files, cvLinkFile(cvc.Reference(e.Fields["chr"])))
			}
		}
	}
	return files, nil
}

// SuspendCV refuses a holder renewals from now on: there is no other way to end the rights of
// a terminal, whose certificates last days (BSI TR-03139). One that is not registered is
// ErrUnregistered. ResumeCV takes it back.
func (o *Office) SuspendCV(ctx context.Context, holder, reason string) error {
	return o.turnCV(ctx, holder, issuance.Suspend, reason)
}

// ResumeCV allows a holder renewals again.
func (o *Office) ResumeCV(ctx context.Context, holder, reason string) error {
	return o.turnCV(ctx, holder, issuance.Resume, reason)
}

func (o *Office) turnCV(ctx context.Context, holder string, act issuance.Act, reason string) error {
	stream := issuance.Key("cv-" + holder)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if s.state.Subject(stream).Phase == issuance.Absent {
		return fmt.Errorf("%s: %w", holder, ErrUnregistered)
	}
	err = s.add(stream, act, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": reason}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}
