package cert

import (
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Certificate is an X.509 certificate as it was read. Slices point into Raw and must
// not be changed. What an extension did not say is the zero value.
type Certificate struct {
	Raw          []byte // the whole certificate
	RawTBS       []byte // what is signed
	RawPublicKey []byte // SubjectPublicKeyInfo

	Version   int      // 1, 2 or 3
	Serial    *big.Int // of either sign, as encoded
	Issuer    Name
	Subject   Name
	NotBefore time.Time
	NotAfter  time.Time

	Algorithm      AlgorithmIdentifier // outside, which a verifier uses
	InnerAlgorithm AlgorithmIdentifier // within RawTBS; a difference is DefectAlgorithmMismatch
	Signature      []byte

	PublicKey PublicKey // valid only if KeyErr is nil
	KeyErr    error     // why the key cannot be used; wraps ErrKey, ErrAlgorithm or ErrMalformed

	Extensions []Extension // all of them, in order

	AuthorityKeyID        []byte
	AuthorityIssuer       []byte   // GeneralNames of the AKI, undecoded
	AuthoritySerial       *big.Int // of the AKI, nil if it has none
	SubjectKeyID          []byte
	KeyUsage              KeyUsage
	PrivateKeyUsage       *Period // nil without the extension
	SubjectAltName        []GeneralName
	IssuerAltName         []GeneralName
	BasicConstraints      *BasicConstraints // nil without the extension
	ExtKeyUsage           []asn1.ObjectIdentifier
	CRLDistributionPoints []string // the URIs of all points
	DocumentTypes         []string // DocumentTypeList of Doc 9303-12; nil without it
	NameChange            bool

	// UnknownCritical lists critical extensions that this package cannot read, broken
	// ones included: a verifier must refuse the certificate (RFC 5280 §4.2).
	UnknownCritical []asn1.ObjectIdentifier
	Defects         []Defect
}

// Parse reads one DER certificate; bytes behind it are refused. A key that cannot be
// used does not fail the certificate, see KeyErr. Errors wrap ErrMalformed.
func Parse(der []byte) (*Certificate, error) {
	if len(der) > MaxCertificate {
		return nil, malformed("certificate of %d bytes", len(der))
	}
	c := &Certificate{Raw: der}
	var f findings
	tbs, err := f.readSigned(der, &c.RawTBS, &c.Algorithm, &c.Signature)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	if err := f.readTBS(tbs, c); err != nil {
		return nil, err
	}
	f.noteMismatch(c.InnerAlgorithm, c.Algorithm)
	c.PublicKey, c.KeyErr = f.signingKey(c.RawPublicKey)
	c.UnknownCritical = f.apply(c.Extensions, func(e Extension) (bool, bool) { return f.readExtension(e, c) })
	c.Defects = f
	return c, nil
}

// readSigned reads SIGNED{TBS, algorithm, BIT STRING} and returns the content of TBS.
func (f *findings) readSigned(der []byte, tbs *[]byte, alg *AlgorithmIdentifier, sig *[]byte) (cryptobyte.String, error) {
	s := cryptobyte.String(der)
	var outer, raw, content cryptobyte.String
	var bits asn1.BitString
	if !s.ReadASN1(&outer, tags.SEQUENCE) || !s.Empty() || !outer.ReadASN1Element(&raw, tags.SEQUENCE) ||
		!ReadAlgorithmIdentifier(&outer, alg) || !outer.ReadASN1BitString(&bits) || !outer.Empty() {
		return nil, malformed("frame")
	}
	*tbs, *sig = raw, bits.Bytes
	if bits.BitLength%8 != 0 {
		f.note(DefectSignatureUnusedBits, "signature")
	}
	raw.ReadASN1(&content, tags.SEQUENCE)
	return content, nil
}

func (f *findings) readTBS(s cryptobyte.String, c *Certificate) error {
	var field cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&field, &present, contextTagCons(0)) {
		return malformed("certificate version")
	}
	c.Version = 1
	if present {
		v, ok := readSmall(&field, 1<<16)
		if !ok || !field.Empty() {
			return malformed("certificate version")
		}
		c.Version = v + 1
	}
	if c.Version != 3 {
		f.note(DefectVersion, "version")
	}
	var padded, ok bool
	if c.Serial, padded, ok = readInteger(&s); !ok {
		return malformed("serial number")
	}
	f.noteSerial(c.Serial, padded)
	if !ReadAlgorithmIdentifier(&s, &c.InnerAlgorithm) {
		return malformed("inner signature algorithm")
	}
	if c.Issuer, ok = f.readName(&s, "issuer"); !ok {
		return malformed("issuer")
	}
	if !s.ReadASN1(&field, tags.SEQUENCE) {
		return malformed("validity")
	}
	var ok1, ok2 bool
	c.NotBefore, ok1 = f.readTime(&field, "notBefore")
	c.NotAfter, ok2 = f.readTime(&field, "notAfter")
	if !ok1 || !ok2 || !field.Empty() {
		return malformed("validity")
	}
	if c.Subject, ok = f.readName(&s, "subject"); !ok {
		return malformed("subject")
	}
	if !s.ReadASN1Element(&field, tags.SEQUENCE) {
		return malformed("public key")
	}
	c.RawPublicKey = field
	return f.readTail(s, c)
}

// readTail reads what may follow the key: unique identifiers and extensions.
func (f *findings) readTail(s cryptobyte.String, c *Certificate) error {
	var field cryptobyte.String
	var present bool
	for _, tag := range []uint8{1, 2} {
		if !s.ReadOptionalASN1(&field, &present, contextTag(tag)) {
			return malformed("unique identifier")
		}
		if present {
			f.note(DefectUniqueID, "uniqueIdentifier")
		}
	}
	if !s.ReadOptionalASN1(&field, &present, contextTagCons(3)) || !s.Empty() {
		return malformed("certificate tail")
	}
	if present {
		var ok bool
		if c.Extensions, ok = f.readExtensions(field); !ok {
			return malformed("extensions")
		}
	}
	return nil
}

func (f *findings) noteSerial(n *big.Int, padded bool) {
	switch {
	case n.Sign() < 0:
		f.note(DefectSerialNegative, "serialNumber")
	case n.Sign() == 0:
		f.note(DefectSerialZero, "serialNumber")
	case n.BitLen() > 159: // 20 octets hold 159 bits and the sign
		f.note(DefectSerialLong, "serialNumber")
	}
	if padded {
		f.note(DefectSerialPadded, "serialNumber")
	}
}

// readExtension fills the field of one known extension; ok is false if it is broken.
func (f *findings) readExtension(e Extension, c *Certificate) (known, ok bool) {
	value := cryptobyte.String(e.Value)
	switch {
	case e.OID.Equal(OIDAuthorityKeyID):
		return true, readAuthorityKeyID(value, c)
	case e.OID.Equal(OIDSubjectKeyID):
		c.SubjectKeyID, ok = f.readKeyID(value)
	case e.OID.Equal(OIDKeyUsage):
		c.KeyUsage, ok = readKeyUsage(value)
	case e.OID.Equal(OIDPrivateKeyUsagePeriod):
		c.PrivateKeyUsage, ok = f.readPeriod(value)
	case e.OID.Equal(OIDSubjectAltName):
		c.SubjectAltName, ok = f.readAltNames(value)
	case e.OID.Equal(OIDIssuerAltName):
		c.IssuerAltName, ok = f.readAltNames(value)
	case e.OID.Equal(OIDBasicConstraints):
		c.BasicConstraints, ok = f.readBasicConstraints(value)
	case e.OID.Equal(OIDExtKeyUsage):
		c.ExtKeyUsage, ok = readPurposes(value)
	case e.OID.Equal(OIDCRLDistribution):
		c.CRLDistributionPoints, ok = readDistributionPoints(value)
	case e.OID.Equal(OIDDocumentTypeList):
		c.DocumentTypes, ok = f.readDocumentTypes(value)
	case e.OID.Equal(OIDNameChange):
		c.NameChange, ok = true, string(e.Value) == string(derNull)
	default:
		return false, false
	}
	return true, ok
}

// CheckSignature reports whether issuer made the signature of c. It judges neither names
// nor usages. Errors wrap ErrSignature, ErrAlgorithm or ErrKey.
func (c *Certificate) CheckSignature(issuer PublicKey) error {
	return checkSigned(c.Algorithm, c.RawTBS, c.Signature, issuer)
}

func checkSigned(id AlgorithmIdentifier, tbs, sig []byte, issuer PublicKey) error {
	alg, err := id.Signature()
	if err != nil {
		return err
	}
	return Verify(issuer, alg, tbs, sig)
}

// SelfSigned reports whether the certificate verifies with its own key.
func (c *Certificate) SelfSigned() bool {
	return c.KeyErr == nil && c.CheckSignature(c.PublicKey) == nil
}

// Fingerprint is the SHA-256 of the whole certificate.
func (c *Certificate) Fingerprint() [32]byte { return sha256.Sum256(c.Raw) }

// Extension returns the first extension of that identifier.
func (c *Certificate) Extension(oid asn1.ObjectIdentifier) (Extension, bool) {
	for _, e := range c.Extensions {
		if e.OID.Equal(oid) {
			return e, true
		}
	}
	return Extension{}, false
}

// IsCA reports basicConstraints with cA true.
func (c *Certificate) IsCA() bool { return c.BasicConstraints != nil && c.BasicConstraints.CA }
