package cert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/dh"
)

// PublicKey is a subject's key: exactly one of RSA, EC and DH is set.
type PublicKey struct {
	RSA      *rsa.PublicKey
	EC       *dh.Point
	DH       *dh.Value  // a key of Chip Authentication, which signs nothing
	PSS      *Algorithm // set if the key is bound to PSS; its Hash is zero if bound without parameters
	Explicit bool       // EC domain parameters were written out, not named
	Raw      []byte     // SubjectPublicKeyInfo
}

// Bounds of RSA keys: below the smallest crypto/rsa refuses to work, and real keys end
// at 6144 bits.
const (
	minRSABits = 1024
	maxRSABits = 16384
)

func badKey(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrKey, fmt.Sprintf(format, args...))
}

// ParsePublicKey reads a SubjectPublicKeyInfo. Explicit domain parameters are taken
// only if p, a, b, G, n and h are all those of a known curve. Errors wrap ErrKey,
// ErrAlgorithm or ErrMalformed.
func ParsePublicKey(spki []byte) (PublicKey, error) {
	var f findings
	return f.parsePublicKey(spki)
}

func (f *findings) parsePublicKey(spki []byte) (PublicKey, error) {
	s := cryptobyte.String(spki)
	var content cryptobyte.String
	var id AlgorithmIdentifier
	var bits []byte
	if !s.ReadASN1(&content, tags.SEQUENCE) || !s.Empty() || !ReadAlgorithmIdentifier(&content, &id) ||
		!content.ReadASN1BitStringAsBytes(&bits) || !content.Empty() {
		return PublicKey{}, malformed("public key")
	}
	k := PublicKey{Raw: spki}
	var err error
	switch {
	case id.OID.Equal(oidRSA):
		if string(id.Parameters) != string(derNull) {
			f.note(DefectMissingNull, "public key")
		}
		k.RSA, err = parseRSA(bits)
	case id.OID.Equal(oidPSS):
		k.PSS = &Algorithm{Scheme: RSAPSS}
		if id.Parameters != nil {
			if *k.PSS, err = parsePSS(id.Parameters); err != nil {
				return PublicKey{}, err
			}
		}
		k.RSA, err = parseRSA(bits)
	case id.OID.Equal(oidECKey):
		var curve *dh.Curve
		if curve, k.Explicit, err = f.parseCurve(id.Parameters); err == nil {
			k.EC, err = parsePoint(curve, bits)
		}
	case id.OID.Equal(oidDH), id.OID.Equal(oidPKCS3):
		k.DH, err = parseDH(id, bits)
	default:
		err = badKey("algorithm %v", id.OID)
	}
	if err != nil {
		return PublicKey{}, err
	}
	return k, nil
}

// signingKey reads the key of a certificate. One of Diffie and Hellman signs nothing, and
// its parameters, which cost dear, are not looked at.
func (f *findings) signingKey(spki []byte) (PublicKey, error) {
	s := cryptobyte.String(spki)
	var content cryptobyte.String
	var id AlgorithmIdentifier
	if s.ReadASN1(&content, tags.SEQUENCE) && ReadAlgorithmIdentifier(&content, &id) && (id.OID.Equal(oidDH) || id.OID.Equal(oidPKCS3)) {
		return PublicKey{}, badKey("a Diffie-Hellman key in a certificate")
	}
	return f.parsePublicKey(spki)
}

func parsePoint(curve *dh.Curve, b []byte) (*dh.Point, error) {
	p, err := curve.ParsePoint(b)
	if err != nil {
		return nil, badKey("point on %s: %v", curve.Name(), err)
	}
	return p, nil
}

// parseRSA reads an RSAPublicKey and refuses what no honest key has: even modulus or
// exponent, an exponent below 3 or beyond 31 bits (none was found in 884 CSCAs).
func parseRSA(b []byte) (*rsa.PublicKey, error) {
	s := cryptobyte.String(b)
	var content cryptobyte.String
	if !s.ReadASN1(&content, tags.SEQUENCE) || !s.Empty() {
		return nil, malformed("RSA public key")
	}
	n, _, ok1 := readInteger(&content)
	e, _, ok2 := readInteger(&content)
	if !ok1 || !ok2 || !content.Empty() {
		return nil, malformed("RSA public key")
	}
	switch {
	case n.Sign() <= 0 || n.Bit(0) == 0:
		return nil, badKey("RSA modulus is even or negative")
	case n.BitLen() < minRSABits || n.BitLen() > maxRSABits:
		return nil, badKey("RSA modulus of %d bits", n.BitLen())
	case e.Sign() <= 0 || e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > 31:
		return nil, badKey("RSA exponent is even or out of range")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// NewPublicKey wraps what a crypto.Signer's Public returns; see MarshalPublicKey.
func NewPublicKey(pub crypto.PublicKey) (PublicKey, error) {
	switch pub := pub.(type) {
	case *dh.Point:
		return PublicKey{EC: pub}.marshalled(false)
	case *dh.Value:
		return PublicKey{DH: pub}.marshalled(false)
	case *rsa.PublicKey:
		return PublicKey{RSA: pub}.marshalled(false)
	case *ecdsa.PublicKey:
		p, err := fromStandard(pub)
		if err != nil {
			return PublicKey{}, err
		}
		return PublicKey{EC: p}.marshalled(false)
	case PublicKey:
		return pub, nil
	}
	return PublicKey{}, badKey("type %T", pub)
}

// fromStandard moves a key of crypto/ecdsa to our own curves.
func fromStandard(pub *ecdsa.PublicKey) (*dh.Point, error) {
	b, err := pub.Bytes()
	if err != nil {
		return nil, badKey("%v", err)
	}
	curve, err := curveByName(pub.Params().Name)
	if err != nil {
		return nil, err
	}
	return parsePoint(curve, b)
}

func (k PublicKey) marshalled(explicit bool) (PublicKey, error) {
	var err error
	k.Raw, err = k.marshal(explicit)
	return k, err
}

// MarshalPublicKey encodes *dh.Point, *dh.Value, *ecdsa.PublicKey, *rsa.PublicKey or PublicKey as
// SubjectPublicKeyInfo. With explicit, EC domain parameters are written out with
// cofactor and uncompressed generator (Doc 9303-12 §4.1.6.3). Errors wrap ErrKey.
func MarshalPublicKey(pub crypto.PublicKey, explicit bool) ([]byte, error) {
	k, err := NewPublicKey(pub)
	if err != nil {
		return nil, err
	}
	return k.marshal(explicit)
}

func (k PublicKey) marshal(explicit bool) ([]byte, error) {
	if k.DH != nil {
		return marshalDH(k.DH)
	}
	if k.RSA == nil && k.EC == nil {
		return nil, badKey("no key")
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			switch {
			case k.RSA != nil:
				addOID(b, oidRSA)
				b.AddBytes(derNull)
			case explicit:
				addOID(b, oidECKey)
				addParameters(b, k.EC.Curve())
			default:
				addOID(b, oidECKey)
				addOID(b, k.EC.Curve().OID())
			}
		})
		b.AddASN1(tags.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			if k.RSA == nil {
				b.AddBytes(k.EC.Bytes())
				return
			}
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1BigInt(k.RSA.N)
				b.AddASN1BigInt(big.NewInt(int64(k.RSA.E)))
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, badKey("%v", err)
	}
	return der, nil
}

// Element is the key as one that keys are agreed with, nil if it is none.
func (k PublicKey) Element() dh.Element {
	switch {
	case k.EC != nil:
		return k.EC
	case k.DH != nil:
		return k.DH
	}
	return nil
}

// Bits is the strength that policies judge: bits of the RSA modulus, of the curve's field
// or of the prime; 0 for the zero key.
func (k PublicKey) Bits() int {
	switch {
	case k.RSA != nil:
		return k.RSA.N.BitLen()
	case k.EC != nil:
		return k.EC.Curve().Bits()
	case k.DH != nil:
		return k.DH.MODP().Bits()
	}
	return 0
}

// String is "RSA 3072" or the curve's name.
func (k PublicKey) String() string {
	switch {
	case k.RSA != nil:
		return fmt.Sprintf("RSA %d", k.RSA.N.BitLen())
	case k.EC != nil:
		return k.EC.Curve().Name()
	case k.DH != nil:
		return k.DH.MODP().Name()
	}
	return "no key"
}

// Equal reports whether both are the same key, however encoded. Zero keys equal nothing.
func (k PublicKey) Equal(other PublicKey) bool {
	switch {
	case k.RSA != nil && other.RSA != nil:
		return k.RSA.Equal(other.RSA)
	case k.EC != nil && other.EC != nil:
		return k.EC.Equal(other.EC)
	case k.DH != nil && other.DH != nil:
		return k.DH.Equal(other.DH)
	}
	return false
}

// KeyID is the SHA-1 of the key's BIT STRING, the usual SubjectKeyIdentifier
// (RFC 5280 §4.2.1.2); nil for the zero key.
func (k PublicKey) KeyID() []byte {
	s := cryptobyte.String(k.Raw)
	var content cryptobyte.String
	var bits []byte
	if !s.ReadASN1(&content, tags.SEQUENCE) || !content.SkipASN1(tags.SEQUENCE) ||
		!content.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	sum := sha1.Sum(bits)
	return sum[:]
}
