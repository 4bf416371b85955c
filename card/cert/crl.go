package cert

import (
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// CRL is a revocation list as it was read.
type CRL struct {
	Raw            []byte
	RawTBS         []byte
	Version        int // 1 or 2
	Algorithm      AlgorithmIdentifier
	InnerAlgorithm AlgorithmIdentifier
	Signature      []byte
	Issuer         Name
	ThisUpdate     time.Time
	NextUpdate     time.Time // zero if the list does not say
	Extensions     []Extension

	AuthorityKeyID []byte
	Number         *big.Int // nil without cRLNumber
	IssuerAltName  []GeneralName
	// UnknownCritical lists critical extensions of the list or of an entry that the
	// package cannot read; delta and partitioned lists are among them. Such a list
	// must not be used as a complete one.
	UnknownCritical []asn1.ObjectIdentifier
	Defects         []Defect

	revoked revoked
}

// A Revocation is one entry of a list.
type Revocation struct {
	Serial *big.Int
	Time   time.Time
	Reason Reason
}

// A Reason is the CRLReason of RFC 5280 §5.3.1; 0 (unspecified) is also what an entry
// without a reason has.
type Reason int

// The reasons of RFC 5280.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

var reasonNames = map[Reason]string{
	Unspecified: "unspecified", KeyCompromise: "keyCompromise", CACompromise: "cACompromise",
	AffiliationChanged: "affiliationChanged", Superseded: "superseded", CessationOfOperation: "cessationOfOperation",
	CertificateHold: "certificateHold", RemoveFromCRL: "removeFromCRL", PrivilegeWithdrawn: "privilegeWithdrawn",
	AACompromise: "aACompromise",
}

// String is the name that RFC 5280 gives, e.g. "keyCompromise".
func (r Reason) String() string {
	if name, ok := reasonNames[r]; ok {
		return name
	}
	return fmt.Sprintf("reason %d", int(r))
}

// ParseCRL reads one DER list; bytes behind it are refused. Errors wrap ErrMalformed.
func ParseCRL(der []byte) (*CRL, error) {
	if len(der) > MaxCRL {
		return nil, malformed("revocation list of %d bytes", len(der))
	}
	l := &CRL{Raw: der}
	var f findings
	tbs, err := f.readSigned(der, &l.RawTBS, &l.Algorithm, &l.Signature)
	if err != nil {
		return nil, fmt.Errorf("revocation list: %w", err)
	}
	if err := f.readListTBS(tbs, l); err != nil {
		return nil, err
	}
	f.noteMismatch(l.InnerAlgorithm, l.Algorithm)
	unread := f.apply(l.Extensions, func(e Extension) (bool, bool) { return f.readListExtension(e, l) })
	l.UnknownCritical = append(l.UnknownCritical, unread...)
	l.Defects = f
	return l, nil
}

func (f *findings) readListTBS(s cryptobyte.String, l *CRL) error {
	l.Version = 1
	ok := true
	if s.PeekASN1Tag(tags.INTEGER) {
		l.Version, ok = readSmall(&s, 1<<16)
		l.Version++
	}
	if !ok || !ReadAlgorithmIdentifier(&s, &l.InnerAlgorithm) {
		return malformed("revocation list head")
	}
	if l.Version != 2 {
		f.note(DefectVersion, "version")
	}
	if l.Issuer, ok = f.readName(&s, "issuer"); !ok {
		return malformed("issuer")
	}
	if l.ThisUpdate, ok = f.readTime(&s, "thisUpdate"); !ok {
		return malformed("thisUpdate")
	}
	if s.PeekASN1Tag(tags.UTCTime) || s.PeekASN1Tag(tags.GeneralizedTime) {
		if l.NextUpdate, ok = f.readTime(&s, "nextUpdate"); !ok {
			return malformed("nextUpdate")
		}
	}
	if s.PeekASN1Tag(tags.SEQUENCE) {
		if err := f.readEntries(&s, l); err != nil {
			return err
		}
	}
	var field cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&field, &present, contextTagCons(0)) || !s.Empty() {
		return malformed("revocation list tail")
	}
	if present {
		if l.Extensions, ok = f.readExtensions(field); !ok {
			return malformed("revocation list extensions")
		}
	}
	return nil
}

// readEntry reads one entry, and returns what is critical in it and not known.
func (f *findings) readEntry(list *cryptobyte.String, r *Revocation) (unread []asn1.ObjectIdentifier, err error) {
	var entry cryptobyte.String
	var ok bool
	if !list.ReadASN1(&entry, tags.SEQUENCE) {
		return nil, malformed("revoked certificate")
	}
	if r.Serial, _, ok = readInteger(&entry); !ok {
		return nil, malformed("revoked certificate's serial number")
	}
	if r.Time, ok = f.readTime(&entry, "revocationDate"); !ok {
		return nil, malformed("revocation date")
	}
	if !entry.Empty() {
		extensions, ok := f.readExtensions(entry)
		if !ok {
			return nil, malformed("entry extensions")
		}
		unread = f.apply(extensions, func(e Extension) (bool, bool) { return readEntryExtension(e, r) })
	}
	return unread, nil
}

func readEntryExtension(e Extension, r *Revocation) (known, ok bool) {
	if !e.OID.Equal(OIDReasonCode) {
		return false, false
	}
	s := cryptobyte.String(e.Value)
	var n int
	if !s.ReadASN1Enum(&n) || !s.Empty() || n < 0 || n > 10 {
		return true, false
	}
	r.Reason = Reason(n)
	return true, true
}

func (f *findings) readListExtension(e Extension, l *CRL) (known, ok bool) {
	s := cryptobyte.String(e.Value)
	switch {
	case e.OID.Equal(OIDAuthorityKeyID):
		var c Certificate
		ok = readAuthorityKeyID(s, &c)
		l.AuthorityKeyID = c.AuthorityKeyID
	case e.OID.Equal(OIDCRLNumber):
		l.Number, _, ok = readInteger(&s)
		ok = ok && s.Empty()
	case e.OID.Equal(OIDIssuerAltName):
		l.IssuerAltName, ok = f.readAltNames(s)
	case e.OID.Equal(OIDDeltaCRL), e.OID.Equal(OIDIssuingDistribution): // no complete list, marked critical or not
		if !e.Critical {
			l.UnknownCritical = append(l.UnknownCritical, e.OID)
		}
		return false, false
	default:
		return false, false
	}
	return true, ok
}

// CheckSignature reports whether issuer made the list's signature; see Certificate.CheckSignature.
func (l *CRL) CheckSignature(issuer PublicKey) error {
	return checkSigned(l.Algorithm, l.RawTBS, l.Signature, issuer)
}
