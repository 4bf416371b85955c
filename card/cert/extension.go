package cert

import (
	"encoding/asn1"
	"time"
)

// An Extension is one entry of the extension list, Value without its OCTET STRING.
type Extension struct {
	OID      asn1.ObjectIdentifier
	Critical bool
	Value    []byte
}

// KeyUsage is the bit set of RFC 5280 §4.2.1.3: bit n of the standard is 1<<n.
type KeyUsage uint16

// The usages that passport certificates use.
const (
	DigitalSignature KeyUsage = 1 << 0
	KeyCertSign      KeyUsage = 1 << 5
	CRLSign          KeyUsage = 1 << 6
)

// A Period is a time with optional bounds; a zero bound is open.
type Period struct{ NotBefore, NotAfter time.Time }

// Covers reports whether t is within the period, bounds included.
func (p Period) Covers(t time.Time) bool {
	return (p.NotBefore.IsZero() || !t.Before(p.NotBefore)) && (p.NotAfter.IsZero() || !t.After(p.NotAfter))
}

// BasicConstraints is RFC 5280 §4.2.1.9; PathLen is -1 without a limit.
type BasicConstraints struct {
	CA      bool
	PathLen int
}

// The extensions and purposes that the package knows.
var (
	OIDAuthorityKeyID        = asn1.ObjectIdentifier{2, 5, 29, 35}
	OIDSubjectKeyID          = asn1.ObjectIdentifier{2, 5, 29, 14}
	OIDKeyUsage              = asn1.ObjectIdentifier{2, 5, 29, 15}
	OIDPrivateKeyUsagePeriod = asn1.ObjectIdentifier{2, 5, 29, 16}
	OIDSubjectAltName        = asn1.ObjectIdentifier{2, 5, 29, 17}
	OIDIssuerAltName         = asn1.ObjectIdentifier{2, 5, 29, 18}
	OIDBasicConstraints      = asn1.ObjectIdentifier{2, 5, 29, 19}
	OIDCRLNumber             = asn1.ObjectIdentifier{2, 5, 29, 20}
	OIDReasonCode            = asn1.ObjectIdentifier{2, 5, 29, 21}
	OIDDeltaCRL              = asn1.ObjectIdentifier{2, 5, 29, 27}
	OIDIssuingDistribution   = asn1.ObjectIdentifier{2, 5, 29, 28}
	OIDCRLDistribution       = asn1.ObjectIdentifier{2, 5, 29, 31}
	OIDExtKeyUsage           = asn1.ObjectIdentifier{2, 5, 29, 37}
	OIDNameChange            = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 1}
	OIDDocumentTypeList      = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}
	OIDMasterListSigner      = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 3} // purpose
)
