package auth

import (
	"cmp"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
)

// maxNonce is the largest nonce in octets that any suite of PACE calls for.
const maxNonce = 32

// paceGM is id-PACE-ECDH-GM; the arc below it is the suite (Doc 9303-11 §9.2.1).
var paceGM = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4, 2}

// paceVariant is what a PACEInfo stands for.
type paceVariant struct {
	oid    []byte // contents octets
	cipher suite.Cipher
	group  dh.Group
	info   lds.PACEInfo
}

// newPACEVariant returns the variant of an info that this package can run, or
// ErrUnsupported.
func newPACEVariant(info lds.PACEInfo) (paceVariant, error) {
	c, ok := suiteOf(info.OID, paceGM)
	if !ok {
		return paceVariant{}, fmt.Errorf("variant %v: %w", info.OID, ErrUnsupported)
	}
	curve, err := dh.GroupByID(info.ParameterID)
	if err != nil {
		return paceVariant{}, fmt.Errorf("domain parameters %d: %w: %w", info.ParameterID, ErrUnsupported, err)
	}
	oid, err := contents(info.OID)
	return paceVariant{oid, c, curve, info}, err
}

// PACEVariants returns those of infos that PACE can run, the strongest first: by suite,
// then by size of the curve, then as they are listed.
func PACEVariants(infos []lds.PACEInfo) []lds.PACEInfo {
	var run []paceVariant
	for _, info := range infos {
		if v, err := newPACEVariant(info); err == nil {
			run = append(run, v)
		}
	}
	slices.SortStableFunc(run, func(a, b paceVariant) int {
		return cmp.Or(cmp.Compare(b.cipher, a.cipher), cmp.Compare(b.group.Bits(), a.group.Bits()))
	})
	sorted := make([]lds.PACEInfo, len(run))
	for i, v := range run {
		sorted[i] = v.info
	}
	return sorted
}

// suiteOf returns the suite of an object identifier one arc below parent.
func suiteOf(oid, parent asn1.ObjectIdentifier) (suite.Cipher, bool) {
	n := len(parent)
	if len(oid) != n+1 || !oid[:n].Equal(parent) {
		return 0, false
	}
	if oid[n] < int(suite.TDES) || oid[n] > int(suite.AES256) {
		return 0, false
	}
	return suite.Cipher(oid[n]), true
}

// contents returns the contents octets of an object identifier.
func contents(oid asn1.ObjectIdentifier) ([]byte, error) {
	der, err := asn1.Marshal(oid)
	if err != nil {
		return nil, err
	}
	return der[2:], nil
}

// token is the authentication token for the public key of the other end (Doc 9303-11
// §4.4.3.4).
func (v paceVariant) token(mac []byte, other dh.Element) ([]byte, error) {
	return v.cipher.MAC(mac, v.tokenInput(other))
}

// verify checks the other end's token for our public key, in constant time and whole.
func (v paceVariant) verify(mac []byte, own dh.Element, token []byte) bool {
	return v.cipher.Verify(mac, v.tokenInput(own), token)
}

func (v paceVariant) tokenInput(p dh.Element) []byte {
	return tlv.Encode(tagPublicKey, tlv.Encode(tagOID, v.oid), tlv.Encode(tagPublicPoint, p.Bytes()))
}

// newSecretOn makes an ephemeral key on a base, from a fixed scalar in examples.
func newSecretOn(base dh.Element, fixed []byte) (dh.Secret, error) {
	if fixed != nil {
		return dh.NewSecret(base, fixed)
	}
	return dh.GenerateSecret(base)
}

// mapGenerator is the generic mapping (Doc 9303-11 §4.4.3.3.1).
func mapGenerator(g dh.Group, nonce []byte, own dh.Secret, other dh.Element) (dh.Element, error) {
	h, err := own.Combine(other)
	if err != nil {
		return nil, infinity(err)
	}
	base, err := g.MapGeneric(nonce, h)
	return base, infinity(err)
}

// sessionKeys derives the keys of an agreement. The shared secret has the full length of
// the field, leading zeros kept.
func sessionKeys(own dh.Secret, other dh.Element, c suite.Cipher) (sm.Keys, error) {
	secret, err := own.Agree(other)
	if err != nil {
		return sm.Keys{}, infinity(err)
	}
	defer clear(secret)
	return sm.Derive(secret, c), nil
}

// infinity marks the point at infinity as the other end's doing.
func infinity(err error) error {
	if errors.Is(err, dh.ErrInfinity) {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return err
}
