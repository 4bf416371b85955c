package desk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// KeyInfo is what the ledger says of one of the authority's keys.
type KeyInfo struct {
	Name      string
	Usage     string // csca, ds, transport …
	Algorithm string // "" where the ledger does not say
	Phase     issuance.Phase
	Public    string // SHA-256 of the SubjectPublicKeyInfo; "" of a symmetric key
	KCV       string // check value of a symmetric key
	Cap, Used uint64 // of a document signer: SODs that it may sign, and has been used for
	// The time in which the certificate lets the key sign; zero without a certificate.
	From, To time.Time
}

// Keys lists the authority's keys, oldest first.
func (o *Office) Keys(ctx context.Context) ([]KeyInfo, error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return nil, err
	}
	var keys []KeyInfo
	for _, s := range list {
		k, err := o.Key(ctx, s.Stream.ID)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Key says what the ledger says of one key: ErrUnknown.
func (o *Office) Key(ctx context.Context, name string) (KeyInfo, error) {
	stream := issuance.Key(name)
	s, err := issuance.Load(ctx, o.Store, stream)
	if err != nil {
		return KeyInfo{}, err
	}
	sub := s.Subject(stream)
	if err := known(sub); err != nil {
		return KeyInfo{}, err
	}
	k := KeyInfo{
		Name: name, Usage: sub.Fields["usage"], Algorithm: sub.Fields["algorithm"], Phase: sub.Phase, Public: sub.Fields["public"],
		KCV: strings.ToUpper(sub.Fields["kcv"]),
	}
	if k.Usage == "ds" {
		k.Cap = sub.Cap()
		if k.Used, err = issuance.Uses(ctx, o.Store, name, k.Cap); err != nil {
			return KeyInfo{}, err
		}
	}
	c, err := o.certificate(ctx, name)
	if err == nil {
		p := ca.UsagePeriod(c)
		k.From, k.To = p.NotBefore, p.NotAfter
	} else if !errors.Is(err, fs.ErrNotExist) {
		return KeyInfo{}, err
	}
	return k, nil
}

// CheckKey opens a signing key where it is kept and compares it with the one that the
// ledger names: keystore.ErrMissing, or issuance.ErrChanged.
func (o *Office) CheckKey(ctx context.Context, name string) error {
	k, err := o.Key(ctx, name)
	if err != nil {
		return err
	}
	key, err := o.Authority.key(ctx, name)
	if err != nil {
		return err
	}
	defer forget(key)
	public, err := publicDigest(key)
	if err == nil && public != k.Public {
		err = fmt.Errorf("key %s is not the one that was made: %w", name, issuance.ErrChanged)
	}
	return err
}

// DestroyKey ends a key for good: the ledger says so first, with two custodians'
// signatures, then its holder destroys it. Where the second step was cut short, the same
// call does it. A key that nobody holds any more is destroyed.
func (o *Office) DestroyKey(ctx context.Context, name, reason string) error {
	stream := issuance.Key(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	sub := s.state.Subject(stream)
	if err := known(sub); err != nil {
		return err
	}
	if sub.Phase != issuance.Destroyed {
		err := s.add(stream, issuance.Destroy, func(e *issuance.Entry) error {
			e.Fields = map[string]string{"reason": reason}
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.commit(ctx); err != nil {
			return err
		}
	}
	if o.Authority.Keys == nil {
		return nil
	}
	if err := o.Authority.Keys.Destroy(ctx, name); err != nil && !errors.Is(err, keystore.ErrMissing) {
		return err
	}
	return nil
}

// ImportKey says in the ledger that a symmetric key was made of components that so many
// people brought, with its check value; two custodians sign. Storing the key is the
// caller's matter.
func (o *Office) ImportKey(ctx context.Context, name, usage string, kcv keystore.KCV, components int) error {
	if err := keystore.CheckName(name); err != nil {
		return err
	}
	return o.do(ctx, issuance.Key(name), issuance.Import, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"usage": usage, "kcv": strings.ToLower(kcv.String()), "components": strconv.Itoa(components)}
		return nil
	})
}
