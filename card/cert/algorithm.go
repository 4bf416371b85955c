package cert

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"

	// The digests of Doc 9303-12 §4.1.6, for crypto.Hash to find.
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// AlgorithmIdentifier is the ASN.1 structure as it was read; Parameters is the DER of
// the parameters, nil if absent.
type AlgorithmIdentifier struct {
	Raw        []byte
	OID        asn1.ObjectIdentifier
	Parameters []byte
}

// A Scheme is a kind of signature.
type Scheme uint8

// The schemes of Doc 9303-12 §4.1.6. ECDSAPlain is the fixed-length r‖s form of
// BSI TR-03111, which some states put into their SODs.
const (
	RSAPKCS1 Scheme = iota + 1
	RSAPSS
	ECDSA
	ECDSAPlain
)

// String is "RSA", "RSA-PSS", "ECDSA" or "plain ECDSA".
func (s Scheme) String() string {
	switch s {
	case RSAPKCS1:
		return "RSA"
	case RSAPSS:
		return "RSA-PSS"
	case ECDSA:
		return "ECDSA"
	case ECDSAPlain:
		return "plain ECDSA"
	}
	return fmt.Sprintf("scheme %d", uint8(s))
}

// Algorithm is a signature algorithm with all that its parameters say. It is
// comparable. A zero Hash means that the identifier names none (bare rsaEncryption or
// id-ecPublicKey in a SignerInfo) and that the caller must supply it with WithHash.
type Algorithm struct {
	Scheme     Scheme
	Hash       crypto.Hash
	MGFHash    crypto.Hash // RSAPSS only
	SaltLength int         // RSAPSS only, octets
}

// WithHash returns a with its missing hash set; one that is there stays.
func (a Algorithm) WithHash(h crypto.Hash) Algorithm {
	if a.Hash == 0 {
		a.Hash = h
	}
	return a
}

// String is "ECDSA with SHA-256", "RSA-PSS with SHA-512".
func (a Algorithm) String() string {
	if a.Hash == 0 {
		return a.Scheme.String()
	}
	return a.Scheme.String() + " with " + a.Hash.String()
}

var (
	oidRSA      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidMGF1     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidECKey    = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	derNull     = []byte{5, 0}
	maxPSSSalt  = int64(512)
	digestNames = []struct {
		oid  asn1.ObjectIdentifier
		hash crypto.Hash
	}{
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA384},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, crypto.SHA512},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}, crypto.SHA224},
		{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, crypto.SHA1},
	}
	// The first identifier of an algorithm is the one that we write.
	signatureNames = []struct {
		oid asn1.ObjectIdentifier
		alg Algorithm
	}{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA256}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA384}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA512}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 14}, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA224}},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA1}},
		{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 29}, Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA1}},
		{oidRSA, Algorithm{Scheme: RSAPKCS1}},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}, Algorithm{Scheme: ECDSA, Hash: crypto.SHA224}},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, Algorithm{Scheme: ECDSA, Hash: crypto.SHA384}},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, Algorithm{Scheme: ECDSA, Hash: crypto.SHA512}},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}, Algorithm{Scheme: ECDSA, Hash: crypto.SHA1}},
		{oidECKey, Algorithm{Scheme: ECDSA}},
		{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 1}, Algorithm{Scheme: ECDSAPlain, Hash: crypto.SHA1}},
		{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 2}, Algorithm{Scheme: ECDSAPlain, Hash: crypto.SHA224}},
		{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}, Algorithm{Scheme: ECDSAPlain, Hash: crypto.SHA256}},
		{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 4}, Algorithm{Scheme: ECDSAPlain, Hash: crypto.SHA384}},
		{asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 5}, Algorithm{Scheme: ECDSAPlain, Hash: crypto.SHA512}},
	}
)

// Signature interprets the identifier as a signature algorithm. MD5, MD2 and unknown
// identifiers are ErrAlgorithm.
func (a AlgorithmIdentifier) Signature() (Algorithm, error) {
	if a.OID.Equal(oidPSS) {
		if a.Parameters == nil {
			return Algorithm{}, fmt.Errorf("%w: RSA-PSS without parameters", ErrAlgorithm)
		}
		return parsePSS(a.Parameters)
	}
	for _, known := range signatureNames {
		if known.oid.Equal(a.OID) {
			return known.alg, nil
		}
	}
	return Algorithm{}, fmt.Errorf("%w: signature algorithm %v", ErrAlgorithm, a.OID)
}

// Hash interprets the identifier as a digest algorithm. MD5 and unknown identifiers
// are ErrAlgorithm.
func (a AlgorithmIdentifier) Hash() (crypto.Hash, error) { return HashByOID(a.OID) }

// HashByOID maps a digest OID; MD5 and unknown ones are ErrAlgorithm.
func HashByOID(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	for _, known := range digestNames {
		if known.oid.Equal(oid) {
			return known.hash, nil
		}
	}
	return 0, fmt.Errorf("%w: digest algorithm %v", ErrAlgorithm, oid)
}

// HashOID is the identifier of SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512, nil for others.
func HashOID(h crypto.Hash) asn1.ObjectIdentifier {
	for _, known := range digestNames {
		if known.hash == h {
			return known.oid
		}
	}
	return nil
}

// Identifier encodes the algorithm as DER: no parameters for ECDSA, NULL for RSA
// PKCS #1, full parameters for PSS. Errors wrap ErrAlgorithm.
func (a Algorithm) Identifier() ([]byte, error) {
	var b cryptobyte.Builder
	if a.Scheme == RSAPSS {
		addPSS(&b, a)
		return finish(&b)
	}
	for _, known := range signatureNames {
		if known.alg != a || a.Hash == 0 {
			continue
		}
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, known.oid)
			if a.Scheme == RSAPKCS1 {
				b.AddBytes(derNull)
			}
		})
		return finish(&b)
	}
	return nil, fmt.Errorf("%w: %v cannot be written", ErrAlgorithm, a)
}

func finish(b *cryptobyte.Builder) ([]byte, error) {
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAlgorithm, err)
	}
	return der, nil
}

// ParseAlgorithmIdentifier reads one DER AlgorithmIdentifier.
func ParseAlgorithmIdentifier(der []byte) (AlgorithmIdentifier, error) {
	s := cryptobyte.String(der)
	var a AlgorithmIdentifier
	if !ReadAlgorithmIdentifier(&s, &a) || !s.Empty() {
		return AlgorithmIdentifier{}, malformed("algorithm identifier")
	}
	return a, nil
}

// ReadAlgorithmIdentifier reads an AlgorithmIdentifier in the manner of cryptobyte.
func ReadAlgorithmIdentifier(s *cryptobyte.String, a *AlgorithmIdentifier) bool {
	var raw, content, parameters cryptobyte.String
	if !s.ReadASN1Element(&raw, tags.SEQUENCE) {
		return false
	}
	*a = AlgorithmIdentifier{Raw: raw}
	if !raw.ReadASN1(&content, tags.SEQUENCE) || !ReadOID(&content, &a.OID) {
		return false
	}
	if content.Empty() {
		return true
	}
	var tag tags.Tag
	if !content.ReadAnyASN1Element(&parameters, &tag) || !content.Empty() {
		return false
	}
	a.Parameters = parameters
	return true
}

// noteParameters lists what is wrong with the parameters of a signature algorithm and
// does not change its meaning.
func (f *findings) noteParameters(a AlgorithmIdentifier, where string) {
	alg, err := a.Signature()
	switch {
	case err != nil:
	case alg.Scheme == RSAPKCS1 && !bytes.Equal(a.Parameters, derNull):
		f.note(DefectMissingNull, where)
	case (alg.Scheme == ECDSA || alg.Scheme == ECDSAPlain) && a.Parameters != nil:
		f.note(DefectParameters, where)
	}
}

// noteMismatch compares the inner with the outer algorithm by meaning.
func (f *findings) noteMismatch(inner, outer AlgorithmIdentifier) {
	f.noteParameters(outer, "signature algorithm")
	if bytes.Equal(inner.Raw, outer.Raw) {
		return
	}
	f.noteParameters(inner, "inner signature algorithm")
	in, err1 := inner.Signature()
	out, err2 := outer.Signature()
	if err1 != nil || err2 != nil || in != out {
		f.note(DefectAlgorithmMismatch, "signature algorithm")
	}
}
