//go:build cgo && !nopkcs11

package pkcs11

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance/keystore"
)

// What PKCS #11 3.0 added for Ed25519 and the binding does not name.
const (
	keyEdwards         = 0x00000040 // CKK_EC_EDWARDS
	mechEdwardsKeyPair = 0x00001055 // CKM_EC_EDWARDS_KEY_PAIR_GEN
	mechEdDSA          = 0x00001057 // CKM_EDDSA
)

// maxFound bounds how many objects of a name are looked at.
const maxFound = 16

// search lists the objects of a class that have the label and the identifier, each of
// which may be left out.
func (s session) search(class uint, label string, id []byte, most int) ([]pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true)}
	if label != "" {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_LABEL, label))
	}
	if len(id) > 0 {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	}
	if err := s.FindObjectsInit(s.handle, template); err != nil {
		return nil, err
	}
	var found []pkcs11.ObjectHandle
	var err error
	for len(found) < most {
		var some []pkcs11.ObjectHandle
		if some, _, err = s.FindObjects(s.handle, most-len(found)); err != nil || len(some) == 0 {
			break
		}
		found = append(found, some...)
	}
	if err := errors.Join(err, s.FindObjectsFinal(s.handle)); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, s.sees()
	}
	return found, nil
}

// sees makes sure that nothing was found because there is nothing: a token that went away,
// and one where the login has ended, may hide their objects instead of saying so.
func (s session) sees() error {
	token, err := s.GetTokenInfo(s.slot)
	if err != nil || token.Flags&pkcs11.CKF_LOGIN_REQUIRED == 0 {
		return err
	}
	info, err := s.GetSessionInfo(s.handle)
	if err == nil && (info.State == pkcs11.CKS_RO_PUBLIC_SESSION || info.State == pkcs11.CKS_RW_PUBLIC_SESSION) {
		err = pkcs11.Error(pkcs11.CKR_USER_NOT_LOGGED_IN)
	}
	return err
}

// one finds the only object of a class: keystore.ErrMissing, ErrAmbiguous.
func (s session) one(class uint, label string, id []byte) (pkcs11.ObjectHandle, error) {
	found, err := s.search(class, label, id, maxFound)
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, keystore.ErrMissing
	case len(found) > 1:
		return 0, ErrAmbiguous
	}
	return found[0], nil
}

// value reads one attribute; nil if the token has none or does not give it.
func (s session) value(o pkcs11.ObjectHandle, kind uint) ([]byte, error) {
	a, err := s.GetAttributeValue(s.handle, o, []*pkcs11.Attribute{pkcs11.NewAttribute(kind, nil)})
	if isAny(err, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID, pkcs11.CKR_ATTRIBUTE_SENSITIVE) {
		return nil, nil
	}
	if err != nil || len(a) != 1 {
		return nil, err
	}
	return a[0].Value, nil
}

// flag reads a boolean attribute; one that the token does not tell is what missing says.
func (s session) flag(o pkcs11.ObjectHandle, kind uint, missing bool) (bool, error) {
	v, err := s.value(o, kind)
	if err != nil || len(v) != 1 {
		return missing, err
	}
	return v[0] != 0, nil
}

// keyType reads CKA_KEY_TYPE.
func (s session) keyType(o pkcs11.ObjectHandle) (uint, error) {
	v, err := s.value(o, pkcs11.CKA_KEY_TYPE)
	switch {
	case err != nil:
		return 0, err
	case len(v) == 8:
		return uint(binary.NativeEndian.Uint64(v)), nil
	case len(v) == 4:
		return uint(binary.NativeEndian.Uint32(v)), nil
	}
	return 0, fmt.Errorf("%w: kind of key", keystore.ErrFormat)
}

// exposed says whether the token would give the key out. What it does not tell counts
// against it.
func (s session) exposed(o pkcs11.ObjectHandle) (bool, error) {
	sensitive, err := s.flag(o, pkcs11.CKA_SENSITIVE, false)
	if err != nil {
		return true, err
	}
	extractable, err := s.flag(o, pkcs11.CKA_EXTRACTABLE, true)
	return !sensitive || extractable, err
}

// public finds the public half of a private key: a public key or a certificate with the
// same identifier. That they belong together shows when the first signature is verified.
func (s session) public(private pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	id, err := s.value(private, pkcs11.CKA_ID)
	if err != nil {
		return nil, err
	}
	label := ""
	if len(id) == 0 {
		v, err := s.value(private, pkcs11.CKA_LABEL)
		if err != nil {
			return nil, err
		}
		label = string(v)
	}
	if kind, err := s.keyType(private); err != nil {
		return nil, err
	} else if kind == pkcs11.CKK_RSA { // both halves hold modulus and exponent
		return s.rsa(private)
	}
	found, err := s.search(pkcs11.CKO_PUBLIC_KEY, label, id, 1)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return s.point(found[0])
	}
	if found, err = s.search(pkcs11.CKO_CERTIFICATE, label, id, 1); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: neither its public key nor its certificate is in the token", keystore.ErrMissing)
	}
	return s.certified(found[0])
}

func (s session) rsa(o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	n, err := s.value(o, pkcs11.CKA_MODULUS)
	if err != nil {
		return nil, err
	}
	e, err := s.value(o, pkcs11.CKA_PUBLIC_EXPONENT)
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, fmt.Errorf("%w: RSA exponent", keystore.ErrFormat)
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	der, err := cert.MarshalPublicKey(key, false)
	if err == nil {
		_, err = cert.ParsePublicKey(der) // with its bounds
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrFormat, err)
	}
	return key, nil
}

// point reads a key of an elliptic curve.
func (s session) point(o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	kind, err := s.keyType(o)
	if err != nil {
		return nil, err
	}
	params, err := s.value(o, pkcs11.CKA_EC_PARAMS)
	if err != nil {
		return nil, err
	}
	encoded, err := s.value(o, pkcs11.CKA_EC_POINT)
	if err != nil {
		return nil, err
	}
	return parsePoint(kind, params, encoded)
}

// parsePoint reads CKA_EC_PARAMS and CKA_EC_POINT. The point is an OCTET STRING by the
// standard; some modules give its content.
func parsePoint(kind uint, params, encoded []byte) (crypto.PublicKey, error) {
	octets := encoded
	in := cryptobyte.String(encoded)
	var content cryptobyte.String
	if in.ReadASN1(&content, tags.OCTET_STRING) && in.Empty() {
		octets = content
	}
	if kind == keyEdwards {
		if !slices.ContainsFunc(edwardsParams(), func(p []byte) bool { return string(p) == string(params) }) || len(octets) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%w: no Ed25519 key", keystore.ErrFormat)
		}
		return ed25519.PublicKey(slices.Clone(octets)), nil
	}
	p := cryptobyte.String(params)
	var oid asn1.ObjectIdentifier
	if kind != pkcs11.CKK_EC || !cert.ReadOID(&p, &oid) || !p.Empty() {
		return nil, fmt.Errorf("%w: the curve is not named", keystore.ErrFormat)
	}
	curve, err := dh.ByOID(oid)
	if err != nil {
		return nil, fmt.Errorf("%w: curve %v", keystore.ErrFormat, oid)
	}
	point, err := curve.ParsePoint(octets)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrFormat, err)
	}
	return point, nil
}

// edwardsParams are the ways to name Ed25519: its identifier (RFC 8410), and its name as
// PKCS #11 3.0 and SoftHSM 2.6 have it.
func edwardsParams() [][]byte {
	name := "edwards25519"
	return [][]byte{{0x06, 0x03, 0x2B, 0x65, 0x70}, append([]byte{0x13, byte(len(name))}, name...)}
}

func (s session) certified(o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	der, err := s.value(o, pkcs11.CKA_VALUE)
	if err != nil {
		return nil, err
	}
	c, err := cert.Parse(der)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: certificate in the token: %w", keystore.ErrFormat, err)
	case c.PublicKey.EC != nil:
		return c.PublicKey.EC, nil
	case c.PublicKey.RSA != nil:
		return c.PublicKey.RSA, nil
	}
	return nil, fmt.Errorf("%w: certificate in the token", keystore.ErrFormat)
}

// algorithmOf names a key as keystore.Generate does.
func algorithmOf(pub crypto.PublicKey) string {
	if _, ok := pub.(ed25519.PublicKey); ok {
		return keystore.Ed25519
	}
	k, err := cert.NewPublicKey(pub)
	switch {
	case err != nil:
		return "unknown"
	case k.EC != nil:
		return k.EC.Curve().Name()
	}
	return fmt.Sprintf("RSA-%d", k.Bits())
}

// sameAlgorithm compares names of algorithms.
func sameAlgorithm(a, b string) bool { return strings.EqualFold(a, b) }
