package virtual

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// pairs are the chip's keys: the caller's, or counterfeit ones.
func (o FolderOptions) pairs(files map[lds.File][]byte) ([]record, error) {
	aa, ca := o.AA, o.CA
	if o.Counterfeit {
		for _, k := range []struct {
			key   **dh.PrivateKey
			curve *dh.Curve
		}{{&aa, activeCurve(files[lds.DG15])}, {&ca, agreementCurve(files[lds.DG14])}} {
			if *k.key != nil || k.curve == nil {
				continue
			}
			key, err := k.curve.Generate()
			if err != nil {
				return nil, fmt.Errorf("chip key: %w", err)
			}
			defer key.Destroy()
			*k.key = key
		}
	}
	var out []record
	for _, p := range []struct {
		ref byte
		use gp.KeyUse
		key *dh.PrivateKey
	}{{gp.KeyAA, gp.Signature, aa}, {gp.KeyCA, gp.Agreement, ca}} {
		if p.key == nil {
			continue
		}
		id, ok := p.key.Point().Curve().ID()
		if !ok {
			return nil, fmt.Errorf("chip key on %s: %w", p.key.Point().Curve().Name(), dh.ErrUnknownCurve)
		}
		out = append(out, pairRecord(p.ref, pair{use: p.use, curve: byte(id), key: p.key}))
	}
	return out, nil
}

// given are the records of the keys beside the pairs: the caller's, or counterfeit ones of
// the kinds that aren't pairs.
func (o FolderOptions) given(files map[lds.File][]byte) ([]record, error) {
	var keys []given
	if o.Counterfeit && o.ActiveRSA == nil {
		if pub, err := lds.ParseDG15(files[lds.DG15]); err == nil && pub.RSA != nil && o.AA == nil {
			key, err := rsa.GenerateKey(rand.Reader, pub.RSA.N.BitLen())
			if err != nil {
				return nil, fmt.Errorf("chip key: %w", err)
			}
			o.ActiveRSA = key
		}
	}
	if group := primeGroup(files[lds.DG14]); o.Counterfeit && group != nil && len(o.Keys) == 0 {
		key, err := dh.GenerateSecret(group.Base())
		if err != nil {
			return nil, fmt.Errorf("chip key: %w", err)
		}
		defer key.Destroy()
		o.Keys = []dh.Secret{key}
	}
	for _, k := range o.Keys {
		keys = append(keys, given{use: useAgreement, secret: k})
	}
	for _, k := range o.Restricted {
		keys = append(keys, given{use: useRestricted, secret: k.Key, name: k})
	}
	for _, k := range o.Pseudonyms {
		keys = append(keys, given{use: usePseudonym, name: auth.ChipAuthSecret{KeyID: k.KeyID}, group3: k.Key})
	}
	if o.ActiveRSA != nil {
		keys = append(keys, given{use: useActive, rsa: o.ActiveRSA, hash: cmp.Or(o.ActiveHash, crypto.SHA1)})
	}
	var out []record
	for _, k := range keys {
		r, err := keyRecord(k)
		if err != nil {
			return nil, fmt.Errorf("chip key: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}

// primeGroup is the group of the first Diffie-Hellman key of Chip Authentication, nil if
// there is none.
func primeGroup(dg14 []byte) dh.Group {
	infos, err := lds.ParseDG14(dg14)
	if err != nil {
		return nil
	}
	for _, k := range infos.ChipAuthKeys() {
		if _, ok := k.Public.(*dh.Point); !ok {
			return k.Public.Group()
		}
	}
	return nil
}

// trust are the records of the trust points and the date.
func (o FolderOptions) trust() ([]record, error) {
	var points []*cvc.Certificate
	var today cvc.Date
	if !o.Date.IsZero() {
		today = cvc.On(o.Date)
	}
	for i, raw := range o.TrustPoints {
		c, err := cvc.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("trust point %d: %w", i+1, err)
		}
		if o.Date.IsZero() && today.Before(c.Effective) {
			today = c.Effective
		}
		points = append(points, c)
	}
	switch {
	case len(points) > maxPoints:
		return nil, fmt.Errorf("%d trust points, the most is %d", len(points), maxPoints)
	case len(points) == 0:
		return nil, nil
	}
	return []record{trustRecord(points), dateRecord(today)}, nil
}

// agreementCurve is the curve of the first Chip Authentication key that can be used, nil
// if there is none.
func agreementCurve(dg14 []byte) *dh.Curve {
	infos, err := lds.ParseDG14(dg14)
	if err != nil {
		return nil
	}
	for _, k := range infos.ChipAuthKeys() {
		if p, ok := k.Public.(*dh.Point); ok {
			return p.Curve()
		}
	}
	return nil
}

// activeCurve is the curve of DG15's key, nil if there is none.
func activeCurve(dg15 []byte) *dh.Curve {
	key, err := lds.ParseDG15(dg15)
	if err != nil || key.EC == nil {
		return nil
	}
	return key.EC.Curve()
}
