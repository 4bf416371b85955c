package cert

import (
	"encoding/asn1"
	"math/big"
	"time"
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
	Entries        []Revocation
	Extensions     []Extension

	AuthorityKeyID []byte
	Number         *big.Int // nil without cRLNumber
	IssuerAltName  []GeneralName
	// UnknownCritical lists critical extensions of the list or of an entry that the
	// package cannot read; delta and partitioned lists are among them. Such a list
	// must not be used as a complete one.
	UnknownCritical []asn1.ObjectIdentifier
	Defects         []Defect
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

// String is the name that RFC 5280 gives, e.g. "keyCompromise".
func (r Reason) String() string { panic("todo") }

// ParseCRL reads one DER list; bytes behind it are refused. Errors wrap ErrMalformed.
func ParseCRL(der []byte) (*CRL, error) { panic("todo") }

// Lookup returns the entry of a serial number.
func (l *CRL) Lookup(serial *big.Int) (Revocation, bool) { panic("todo") }

// CheckSignature says whether issuer made the list's signature; see Certificate.CheckSignature.
func (l *CRL) CheckSignature(issuer PublicKey) error { panic("todo") }
