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

// oidPACE is id-PACE; the two arcs below it are protocol and suite (Doc 9303-11 §9.2.1).
var oidPACE = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4}

// mapping is how PACE maps the nonce to a generator.
type mapping uint8

const (
	generic    mapping = iota + 1
	integrated         // Doc 9303-11 §4.4.3.3.2
	chipAuth           // generic, with Chip Authentication on top (§4.4.3.5)
)

// paceVariant is what a PACEInfo stands for.
type paceVariant struct {
	oid     []byte // contents octets
	mapping mapping
	cipher  suite.Cipher
	group   dh.Group
	info    lds.PACEInfo
}

// paceProtocols are the arcs below id-PACE.
var paceProtocols = map[int]struct {
	mapping mapping
	curves  bool
}{
	1: {generic, false}, 2: {generic, true}, 3: {integrated, false}, 4: {integrated, true}, 6: {chipAuth, true},
}

// newPACEVariant returns the variant of an info that this package can run, or
// ErrUnsupported.
func newPACEVariant(info lds.PACEInfo) (paceVariant, error) {
	refuse := fmt.Errorf("variant %v: %w", info.OID, ErrUnsupported)
	n := len(oidPACE)
	if len(info.OID) != n+2 || !info.OID[:n].Equal(oidPACE) {
		return paceVariant{}, refuse
	}
	p, known := paceProtocols[info.OID[n]]
	c, ok := suiteOf(info.OID, info.OID[:n+1])
	if !known || !ok || p.mapping == chipAuth && c == suite.TDES {
		return paceVariant{}, refuse
	}
	group, err := dh.GroupByID(info.ParameterID)
	if err != nil {
		return paceVariant{}, fmt.Errorf("domain parameters %d: %w: %w", info.ParameterID, ErrUnsupported, err)
	}
	if _, curve := group.(*dh.Curve); curve != p.curves || p.mapping == integrated && group == dh.Group(dh.P224()) {
		return paceVariant{}, fmt.Errorf("%v over %s: %w", info.OID, group.Name(), ErrUnsupported)
	}
	oid, err := contents(info.OID)
	return paceVariant{oid, p.mapping, c, group, info}, err
}

// VariantName names a variant of PACE with its domain parameters:
// "PACE-ECDH-GM-AES-CBC-CMAC-128 on brainpoolP256r1"; "" for one that does not exist.
func VariantName(info lds.PACEInfo) string {
	v, err := newPACEVariant(info)
	if err != nil {
		return ""
	}
	agreement := "DH"
	if _, curve := v.group.(*dh.Curve); curve {
		agreement = "ECDH"
	}
	return fmt.Sprintf("PACE-%s-%s-%v on %s", agreement, [...]string{generic: "GM", integrated: "IM", chipAuth: "CAM"}[v.mapping], v.cipher, v.group.Name())
}

// nonceSize is the length in octets of the chip's nonce: whole blocks that hold a key.
func (v paceVariant) nonceSize() int {
	block := v.cipher.BlockSize()
	return (v.cipher.KeySize() + block - 1) / block * block
}

// answerSize is the length of an answer with a key in its template, which of a field of
// 2,048 bits is more than short encoding holds.
func (v paceVariant) answerSize() int {
	return len(tlv.Encode(tagDynamic, tlv.Encode(tagMapChip, v.group.Base().Bytes())))
}

// PACEVariants returns those of infos that PACE can run, the best first. The strongest
// suite wins, 3DES being the weakest, then the group that is worth more bits, of which a
// curve's count for about twelve of a prime field's; among equals the one that costs the
// chip less: generic mapping before integrated, whose encoding few chips speed up, and
// both before Chip Authentication Mapping, which saves two commands and costs the reading
// of EF.CardSecurity; then as they are listed.
func PACEVariants(infos []lds.PACEInfo) []lds.PACEInfo {
	var run []paceVariant
	for _, info := range infos {
		if v, err := newPACEVariant(info); err == nil {
			run = append(run, v)
		}
	}
	slices.SortStableFunc(run, func(a, b paceVariant) int {
		return cmp.Or(cmp.Compare(b.cipher, a.cipher), cmp.Compare(b.strength(), a.strength()), cmp.Compare(a.mapping, b.mapping))
	})
	sorted := make([]lds.PACEInfo, len(run))
	for i, v := range run {
		sorted[i] = v.info
	}
	return sorted
}

// strength is the length in bits of a symmetric key that is as hard to find (NIST SP
// 800-57 part 1 table 2, between whose rows fields of 1,024 and 2,048 bits fall).
func (v paceVariant) strength() int {
	if _, curve := v.group.(*dh.Curve); curve {
		return v.group.Bits() / 2
	}
	if v.group.Bits() < 2048 {
		return 80
	}
	return 112
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
	return v.cipher.MAC(mac, tokenInput(v.oid, other))
}

// verify checks the other end's token for our public key, in constant time and whole.
func (v paceVariant) verify(mac []byte, own dh.Element, token []byte) bool {
	return v.cipher.Verify(mac, tokenInput(v.oid, own), token)
}

// tokenInput is a public key with its protocol (TR-03110-3 §D.3): a point under 86, an
// integer under 84.
func tokenInput(oid []byte, e dh.Element) []byte {
	tag := tagPublicValue
	if _, point := e.(*dh.Point); point {
		tag = tagPublicPoint
	}
	return tlv.Encode(tagPublicKey, tlv.Encode(tagOID, oid), tlv.Encode(tag, e.Bytes()))
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

// The constants of the pseudo-random number mapping for nonces of 128 and of 256 bits
// (Doc 9303-11 §4.4.3.3.2).
var (
	random128 = [2][]byte{
		{0xA6, 0x68, 0x89, 0x2A, 0x7C, 0x41, 0xE3, 0xCA, 0x73, 0x9F, 0x40, 0xB0, 0x57, 0xD8, 0x59, 0x04},
		{0xA4, 0xE1, 0x36, 0xAC, 0x72, 0x5F, 0x73, 0x8B, 0x01, 0xC1, 0xF6, 0x02, 0x17, 0xC1, 0x88, 0xAD},
	}
	random256 = [2][]byte{
		{
			0xD4, 0x63, 0xD6, 0x52, 0x34, 0x12, 0x4E, 0xF7, 0x89, 0x70, 0x54, 0x98, 0x6D, 0xCA, 0x0A, 0x17,
			0x4E, 0x28, 0xDF, 0x75, 0x8C, 0xBA, 0xA0, 0x3F, 0x24, 0x06, 0x16, 0x41, 0x4D, 0x5A, 0x16, 0x76,
		},
		{
			0x54, 0xBD, 0x72, 0x55, 0xF0, 0xAA, 0xF8, 0x31, 0xBE, 0xC3, 0x42, 0x3F, 0xCF, 0x39, 0xD6, 0x9B,
			0x6C, 0xBF, 0x06, 0x66, 0x77, 0xD0, 0xFA, 0xAE, 0x5A, 0xAD, 0xD9, 0x9D, 0xF8, 0xE5, 0x35, 0x17,
		},
	}
)

// mapIntegrated is the integrated mapping (Doc 9303-11 §4.4.3.3.2) of the chip's nonce s
// and the terminal's t, which has the length of a key.
func (v paceVariant) mapIntegrated(s, t []byte) (dh.Element, error) {
	c := random128
	if len(s) > 16 {
		c = random256
	}
	key, err := v.cipher.Encrypt(t, nil, s)
	if err != nil {
		return nil, err
	}
	var random []byte
	defer func() { clear(key); clear(random) }()
	for 8*len(random) < v.group.Bits()+64 {
		k := key[:v.cipher.KeySize()]
		x, err := v.cipher.Encrypt(k, nil, c[1])
		if err != nil {
			return nil, err
		}
		random = append(random, x...)
		clear(x)
		next, err := v.cipher.Encrypt(k, nil, c[0])
		if err != nil {
			return nil, err
		}
		clear(key)
		key = next
	}
	base, err := v.group.MapIntegrated(random)
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

// infinity marks the neutral element as the other end's doing.
func infinity(err error) error {
	if errors.Is(err, dh.ErrInfinity) {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return err
}
