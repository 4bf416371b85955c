package desk

import (
	"context"
	"crypto"
	"fmt"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

// AnnounceCSCA makes the key that will follow the CSCA's newest and records it. From then on
// ca.Notice runs, in which other states are told; due is its end. Where one is announced
// already it says so again.
func (o *Office) AnnounceCSCA(ctx context.Context, algorithm string) (name string, due time.Time, err error) {
	all, err := o.generations(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	if len(all) == 0 {
		return "", time.Time{}, ErrNoCSCA
	}
	r := certification{name: o.nextGeneration(ctx, all), usage: "csca", algorithm: algorithm}
	stream := issuance.Key(r.name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return "", time.Time{}, err
	}
	if sub := s.state.Subject(stream); sub.Phase != issuance.Absent {
		due, err = o.noticeEnds(ctx, r.name)
		return r.name, due, err
	}
	if err := s.may(stream, issuance.Generate, map[string]string{"usage": "csca"}); err != nil {
		return "", time.Time{}, err
	}
	key, err := o.keyFor(ctx, r, s.state.Subject(stream))
	if err != nil {
		return "", time.Time{}, err
	}
	defer forget(key)
	if err := s.addKey(r, key); err != nil {
		return "", time.Time{}, err
	}
	if err := s.commit(ctx); err != nil {
		return "", time.Time{}, err
	}
	due, err = o.noticeEnds(ctx, r.name)
	return r.name, due, err
}

// noticeEnds is when the notice of a key that was announced is over.
func (o *Office) noticeEnds(ctx context.Context, name string) (time.Time, error) {
	entries, err := o.Store.Stream(ctx, issuance.Key(name))
	if err != nil {
		return time.Time{}, err
	}
	if len(entries) == 0 {
		return time.Time{}, fmt.Errorf("key %s: %w", name, ErrUnknown)
	}
	return entries[0].Time.Add(ca.Notice), nil
}

// NextCSCA certifies the key that was announced, and returns its name. Before the notice is
// over it is ErrNotice, unless there is a reason in one word, which is recorded: the present
// key was lost, say. The next key signs nothing before LinkCSCA and ca.Embargo after it.
func (o *Office) NextCSCA(ctx context.Context, r ca.Successor, urgent string) (string, error) {
	all, err := o.generations(ctx)
	if err != nil {
		return "", err
	}
	if len(all) == 0 {
		return "", ErrNoCSCA
	}
	name := o.nextGeneration(ctx, all)
	due, err := o.noticeEnds(ctx, name)
	if err != nil {
		return "", err
	}
	if urgent == "" && o.Now().Before(due) {
		return "", fmt.Errorf("%w: it ends %s", ErrNotice, due.In(o.Now().Location()).Format(time.RFC3339))
	}
	before, err := ca.NewIssuer(all[len(all)-1].cert)
	if err != nil {
		return "", err
	}
	fields := map[string]string{}
	if urgent != "" {
		fields["policy"] = "urgent-" + urgent
	}
	return name, o.certify(ctx, certification{
		name: name, usage: "csca", issuer: name, fields: fields,
		prepare: func(pub crypto.PublicKey, serial *big.Int) (*ca.Draft, error) {
			r.Key, r.Serial = pub, serial
			return before.PrepareSuccessor(r)
		},
	})
}

// LinkCSCA has the key before the CSCA's newest vouch for that, and returns the name of the
// file of the link certificate. Where there is none to link, or it is linked, the error is
// ErrNoLink; a key before it that was revoked vouches for nobody any more.
func (o *Office) LinkCSCA(ctx context.Context) (string, error) {
	all, err := o.generations(ctx)
	if err != nil {
		return "", err
	}
	if len(all) < 2 || !all[len(all)-1].linked.IsZero() {
		return "", ErrNoLink
	}
	old, next := all[len(all)-2], all[len(all)-1]
	if old.revoked {
		return "", fmt.Errorf("%w: %s was revoked", ErrNoLink, old.name)
	}
	signer, err := o.signer(ctx, old.name)
	if err != nil {
		return "", err
	}
	defer signer.forget()
	stream := issuance.Key(old.name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return "", err
	}
	serial := ca.NewSerial()
	draft, err := signer.issuer.PrepareLink(ca.Link{Serial: serial, Next: next.cert, At: o.Now()})
	if err != nil {
		return "", err
	}
	file := next.name + "-link.cer"
	return file, s.issueObject(ctx, issuing{
		stream: stream, object: objectLink, file: file, issuer: old.name, fields: map[string]string{"chr": next.name},
		claims: []issuance.Claim{{Kind: issuance.ClaimCertSerial, Value: serialClaim(old.name, serial)}}, draft: draft, key: signer.key,
	})
}
