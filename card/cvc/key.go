package cvc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // the hash functions that TR-03110-3 names
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/dh"
)

// The data objects of a key (TR-03110-3 §D.3).
const (
	tagModulus  tlv.Tag = 0x81
	tagExponent tlv.Tag = 0x82
	tagPrime    tlv.Tag = 0x81
	tagA        tlv.Tag = 0x82
	tagB        tlv.Tag = 0x83
	tagBase     tlv.Tag = 0x84
	tagOrder    tlv.Tag = 0x85
	tagPoint    tlv.Tag = 0x86
	tagCofactor tlv.Tag = 0x87
)

// Algorithm is a signature algorithm of Terminal Authentication.
type Algorithm uint8

// The algorithms of TR-03110-3 §A.6.3. The zero value is none.
const (
	RSAv15SHA1 Algorithm = 1 + iota
	RSAv15SHA256
	RSAPSSSHA1
	RSAPSSSHA256
	RSAv15SHA512
	RSAPSSSHA512
	ECDSASHA1
	ECDSASHA224
	ECDSASHA256
	ECDSASHA384
	ECDSASHA512
)

// algorithms holds what each one stands for; arcs are below id-TA.
var algorithms = [...]struct {
	family, arc int
	pss         bool
	hash        crypto.Hash
	name        string
}{
	RSAv15SHA1: {1, 1, false, crypto.SHA1, "RSA v1.5 SHA-1"}, RSAv15SHA256: {1, 2, false, crypto.SHA256, "RSA v1.5 SHA-256"},
	RSAPSSSHA1: {1, 3, true, crypto.SHA1, "RSA PSS SHA-1"}, RSAPSSSHA256: {1, 4, true, crypto.SHA256, "RSA PSS SHA-256"},
	RSAv15SHA512: {1, 5, false, crypto.SHA512, "RSA v1.5 SHA-512"}, RSAPSSSHA512: {1, 6, true, crypto.SHA512, "RSA PSS SHA-512"},
	ECDSASHA1: {2, 1, false, crypto.SHA1, "ECDSA SHA-1"}, ECDSASHA224: {2, 2, false, crypto.SHA224, "ECDSA SHA-224"},
	ECDSASHA256: {2, 3, false, crypto.SHA256, "ECDSA SHA-256"}, ECDSASHA384: {2, 4, false, crypto.SHA384, "ECDSA SHA-384"},
	ECDSASHA512: {2, 5, false, crypto.SHA512, "ECDSA SHA-512"},
}

// oidTA is id-TA.
var oidTA = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 2}

func (a Algorithm) known() bool { return a >= RSAv15SHA1 && int(a) < len(algorithms) }

// RSA reports whether the algorithm is one of RSA's.
func (a Algorithm) RSA() bool { return a.known() && algorithms[a].family == 1 }

// Hash is the algorithm's hash function.
func (a Algorithm) Hash() crypto.Hash {
	if !a.known() {
		return 0
	}
	return algorithms[a].hash
}

// String is the algorithm's name.
func (a Algorithm) String() string {
	if !a.known() {
		return fmt.Sprintf("algorithm(%d)", uint8(a))
	}
	return algorithms[a].name
}

// OID is the algorithm's object identifier, nil for none.
func (a Algorithm) OID() asn1.ObjectIdentifier {
	if !a.known() {
		return nil
	}
	return append(oidTA[:len(oidTA):len(oidTA)], algorithms[a].family, algorithms[a].arc)
}

// PublicKey is a key with the algorithm that it signs by. Exactly one of RSA and EC is
// set, but in a certificate that leaves the curve to its issuer (Inherit).
type PublicKey struct {
	Algorithm Algorithm
	RSA       *rsa.PublicKey
	EC        *dh.Point

	// Parameters says that the curve stood there in full, which it does in CVCA
	// certificates alone.
	Parameters bool

	point []byte // of a curve that is not known yet
}

// minRSABits is the shortest modulus that is taken; TR-03110-3 §A.6.3 begins at 1,024.
const minRSABits, maxRSABits = 1024, 4096

func parseKey(s tlv.String) (PublicKey, error) {
	var oid tlv.String
	if !s.ReadTag(tagOID, &oid) {
		return PublicKey{}, fmt.Errorf("key without an algorithm: %w", ErrMalformed)
	}
	for a := RSAv15SHA1; a.known(); a++ {
		if !bytes.Equal(oid, contents(a.OID())) {
			continue
		}
		if a.RSA() {
			return parseRSA(a, s)
		}
		return parseEC(a, s)
	}
	return PublicKey{}, fmt.Errorf("%X: %w", []byte(oid), ErrAlgorithm)
}

func parseRSA(a Algorithm, s tlv.String) (PublicKey, error) {
	var n, e tlv.String
	if !s.ReadTag(tagModulus, &n) || !s.ReadTag(tagExponent, &e) || !s.Empty() {
		return PublicKey{}, fmt.Errorf("RSA key: %w", ErrMalformed)
	}
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	switch {
	case modulus.BitLen() < minRSABits || modulus.BitLen() > maxRSABits || modulus.Bit(0) == 0:
		return PublicKey{}, fmt.Errorf("RSA modulus of %d bits: %w", modulus.BitLen(), ErrKey)
	case exponent.BitLen() < 2 || exponent.BitLen() > 31 || exponent.Bit(0) == 0:
		return PublicKey{}, fmt.Errorf("RSA exponent of %d bits: %w", exponent.BitLen(), ErrKey)
	}
	return PublicKey{Algorithm: a, RSA: &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}}, nil
}

func parseEC(a Algorithm, s tlv.String) (PublicKey, error) {
	k := PublicKey{Algorithm: a}
	var p, n, cofactor, point tlv.String
	var params [3]tlv.String // a, b, G
	if s.ReadTag(tagPrime, &p) {
		k.Parameters = true
		if !s.ReadTag(tagA, &params[0]) || !s.ReadTag(tagB, &params[1]) || !s.ReadTag(tagBase, &params[2]) || !s.ReadTag(tagOrder, &n) {
			return k, fmt.Errorf("domain parameters: %w", ErrMalformed)
		}
	}
	if !s.ReadTag(tagPoint, &point) || k.Parameters && !s.ReadTag(tagCofactor, &cofactor) || !s.Empty() {
		return k, fmt.Errorf("EC key: %w", ErrMalformed)
	}
	k.point = bytes.Clone(point)
	if !k.Parameters {
		if n := len(point); n < 1+2*24 || n > 1+2*66 || n%2 == 0 || point[0] != 4 {
			return k, fmt.Errorf("point of %d octets: %w", n, ErrKey)
		}
		return k, nil
	}
	curve, err := curveOf(p, params, n, cofactor)
	if err != nil {
		return k, err
	}
	return k.on(curve)
}

func curveOf(p []byte, params [3]tlv.String, n, cofactor []byte) (*dh.Curve, error) {
	g := params[2]
	if len(g) < 3 || len(g)%2 == 0 || g[0] != 4 {
		return nil, fmt.Errorf("base point of %d octets: %w", len(g), ErrKey)
	}
	number := func(b []byte) *big.Int { return new(big.Int).SetBytes(b) }
	half := 1 + len(g)/2
	h := number(cofactor)
	if !h.IsInt64() || h.Int64() > 1<<16 {
		return nil, fmt.Errorf("cofactor: %w", ErrKey)
	}
	curve, err := dh.ByParameters(dh.Parameters{
		P: number(p), A: number(params[0]), B: number(params[1]), Gx: number(g[1:half]), Gy: number(g[half:]), N: number(n), H: int(h.Int64()),
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return curve, nil
}

// on gives the key its curve.
func (k PublicKey) on(curve *dh.Curve) (PublicKey, error) {
	p, err := curve.ParsePoint(k.point)
	if err != nil {
		return PublicKey{}, fmt.Errorf("point on %s: %w", curve.Name(), ErrKey)
	}
	k.EC = p
	return k, nil
}

// Inherit returns the key with the curve of its issuer's where it names none itself.
// ErrKey says that there is none to inherit, or that the point is not on it.
func (k PublicKey) Inherit(issuer PublicKey) (PublicKey, error) {
	switch {
	case k.RSA != nil || k.EC != nil:
		return k, nil
	case issuer.EC == nil:
		return PublicKey{}, fmt.Errorf("no domain parameters to inherit: %w", ErrKey)
	}
	return k.on(issuer.EC.Curve())
}

// NewPublicKey wraps what a crypto.Signer's Public returns: *dh.Point, *ecdsa.PublicKey or
// *rsa.PublicKey, whose kind must be the algorithm's.
func NewPublicKey(a Algorithm, pub crypto.PublicKey) (PublicKey, error) {
	k := PublicKey{Algorithm: a}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		k.RSA = pub
	case *dh.Point:
		k.EC = pub
	case *ecdsa.PublicKey:
		b, err := pub.Bytes()
		if err != nil {
			return PublicKey{}, fmt.Errorf("%w: %w", ErrKey, err)
		}
		for _, c := range []*dh.Curve{dh.P224(), dh.P256(), dh.P384(), dh.P521()} {
			if c.Name() == pub.Params().Name {
				if k.EC, err = c.ParsePoint(b); err != nil {
					return PublicKey{}, fmt.Errorf("%w: %w", ErrKey, err)
				}
			}
		}
	}
	if !a.known() || a.RSA() != (k.RSA != nil) || k.RSA == nil && k.EC == nil {
		return PublicKey{}, fmt.Errorf("%v with a %T: %w", a, pub, ErrKey)
	}
	return k, nil
}

// Is reports whether pub, as NewPublicKey takes it, is this key. A curve that the
// certificate left to its issuer is taken to be pub's.
func (k PublicKey) Is(pub crypto.PublicKey) bool {
	other, err := NewPublicKey(k.Algorithm, pub)
	return err == nil && bytes.Equal(k.encode(false), other.encode(false))
}

// encode writes the value of 7F49; full adds the domain parameters of a curve.
func (k PublicKey) encode(full bool) []byte {
	b := tlv.Encode(tagOID, contents(k.Algorithm.OID()))
	if k.RSA != nil {
		b = tlv.Append(b, tagModulus, k.RSA.N.Bytes())
		return tlv.Append(b, tagExponent, big.NewInt(int64(k.RSA.E)).Bytes())
	}
	if k.EC == nil {
		return tlv.Append(b, tagPoint, k.point)
	}
	if !full {
		return tlv.Append(b, tagPoint, k.EC.Bytes())
	}
	curve := k.EC.Curve()
	d := curve.Parameters()
	sized := func(n *big.Int) []byte { return n.FillBytes(make([]byte, curve.Size())) }
	b = tlv.Append(b, tagPrime, sized(d.P))
	b = tlv.Append(b, tagA, sized(d.A))
	b = tlv.Append(b, tagB, sized(d.B))
	b = tlv.Append(b, tagBase, curve.Generator().Bytes())
	b = tlv.Append(b, tagOrder, d.N.FillBytes(make([]byte, curve.OrderSize())))
	b = tlv.Append(b, tagPoint, k.EC.Bytes())
	return tlv.Append(b, tagCofactor, []byte{byte(d.H)})
}

// Verify reports whether sig, an RSA signature or r‖s, is one of the key over the message.
func (k PublicKey) Verify(message, sig []byte) error { return k.verify(message, sig) }

func (k PublicKey) verify(message, sig []byte) error {
	if !k.Algorithm.known() || k.RSA == nil && k.EC == nil {
		return fmt.Errorf("no key to verify with: %w", ErrKey)
	}
	a := algorithms[k.Algorithm]
	h := a.hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	ok := false
	switch {
	case k.EC != nil:
		ok = dh.VerifyPlain(k.EC, digest, sig)
	case a.pss:
		// TR-03110-3 §A.6.3.1 has salts as long as the hash; OpenPACE makes the longest.
		ok = rsa.VerifyPSS(k.RSA, a.hash, digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil
	default:
		ok = rsa.VerifyPKCS1v15(k.RSA, a.hash, digest, sig) == nil
	}
	if !ok {
		return ErrSignature
	}
	return nil
}
