package cert

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"
)

// Template says what a certificate is to contain. Only what is set is written;
// nothing is added, so that the caller's profile decides.
type Template struct {
	Serial    *big.Int // positive, ≤ 20 octets
	Algorithm Algorithm
	Issuer    Name
	Subject   Name
	NotBefore time.Time // to the second; UTCTime up to 2049, GeneralizedTime from 2050
	NotAfter  time.Time
	PublicKey crypto.PublicKey // *dh.Point, *ecdsa.PublicKey or *rsa.PublicKey
	Named     bool             // name the curve instead of writing its parameters out

	AuthorityKeyID        []byte
	SubjectKeyID          []byte
	KeyUsage              KeyUsage // critical
	PrivateKeyUsage       *Period
	SubjectAltName        []GeneralName
	IssuerAltName         []GeneralName
	BasicConstraints      *BasicConstraints       // critical
	ExtKeyUsage           []asn1.ObjectIdentifier // critical
	CRLDistributionPoints []string
	DocumentTypes         []string
	NameChange            bool
	Extra                 []Extension // written last, as they are
}

// TBS encodes what is to be signed. Errors wrap ErrMalformed, ErrKey or ErrAlgorithm.
func (t Template) TBS() ([]byte, error) { panic("todo") }

// CRLTemplate says what a version 2 list is to contain.
type CRLTemplate struct {
	Algorithm      Algorithm
	Issuer         Name
	ThisUpdate     time.Time
	NextUpdate     time.Time
	Number         *big.Int
	AuthorityKeyID []byte
	IssuerAltName  []GeneralName
	Entries        []Revocation // written in the given order; none is written as absent
	Reasons        bool         // write reasonCode; Doc 9303-12 §7.1.4 discourages it
}

// TBS encodes what is to be signed; see Template.TBS.
func (t CRLTemplate) TBS() ([]byte, error) { panic("todo") }

// Sign signs the TBS of a certificate or list and returns the whole of it.
func Sign(tbs []byte, alg Algorithm, key crypto.Signer) ([]byte, error) { panic("todo") }

// MailName, URIName, DNSName and DirectoryName make alternative names.
func MailName(address string) GeneralName { panic("todo") }

// URIName is a uniformResourceIdentifier.
func URIName(uri string) GeneralName { panic("todo") }

// DNSName is a dNSName.
func DNSName(name string) GeneralName { panic("todo") }

// DirectoryName is a directoryName.
func DirectoryName(n Name) GeneralName { panic("todo") }
