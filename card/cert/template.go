package cert

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
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
func (t Template) TBS() ([]byte, error) {
	alg, err := t.Algorithm.Identifier()
	if err != nil {
		return nil, err
	}
	spki, err := MarshalPublicKey(t.PublicKey, !t.Named)
	if err != nil {
		return nil, err
	}
	if t.Serial == nil || t.Serial.Sign() <= 0 || t.Serial.BitLen() > 159 {
		return nil, malformed("serial number must be positive and of at most 20 octets")
	}
	if !t.NotBefore.Before(t.NotAfter) {
		return nil, malformed("validity ends before it begins")
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(contextTagCons(0), func(b *cryptobyte.Builder) { b.AddASN1Int64(2) })
		b.AddASN1BigInt(t.Serial)
		b.AddBytes(alg)
		b.AddBytes(t.Issuer.Raw)
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			addTime(b, t.NotBefore)
			addTime(b, t.NotAfter)
		})
		b.AddBytes(t.Subject.Raw)
		b.AddBytes(spki)
		b.AddASN1(contextTagCons(3), func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, t.addExtensions)
		})
	})
	return finishTBS(&b, t.Issuer, t.Subject)
}

func finishTBS(b *cryptobyte.Builder, names ...Name) ([]byte, error) {
	for _, n := range names {
		if len(n.Raw) == 0 {
			return nil, malformed("empty name")
		}
	}
	der, err := b.Bytes()
	if err != nil {
		return nil, malformed("%v", err)
	}
	return der, nil
}

// CRLTemplate says what a version 2 list is to contain.
type CRLTemplate struct {
	Algorithm      Algorithm
	Issuer         Name
	ThisUpdate     time.Time
	NextUpdate     time.Time
	Number         *big.Int
	AuthorityKeyID []byte
	IssuerAltName  []GeneralName
	Entries        []Revocation // in this order; an empty list is left out (RFC 5280 §5.1.2.6)
	Reasons        bool         // write reasonCode; Doc 9303-12 §7.1.4 forbids it, operators may want it
}

// TBS encodes what is to be signed; see Template.TBS.
func (t CRLTemplate) TBS() ([]byte, error) {
	alg, err := t.Algorithm.Identifier()
	if err != nil {
		return nil, err
	}
	if t.Number == nil || t.Number.Sign() < 0 || t.Number.BitLen() > 159 || len(t.AuthorityKeyID) == 0 {
		return nil, malformed("a list needs cRLNumber and authority key identifier")
	}
	if !t.ThisUpdate.Before(t.NextUpdate) {
		return nil, malformed("next update is not after this update")
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddBytes(alg)
		b.AddBytes(t.Issuer.Raw)
		addTime(b, t.ThisUpdate)
		addTime(b, t.NextUpdate)
		if len(t.Entries) > 0 {
			b.AddASN1(tags.SEQUENCE, t.addEntries)
		}
		b.AddASN1(contextTagCons(0), func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				addExtension(b, OIDAuthorityKeyID, false, keyIDExtension(t.AuthorityKeyID))
				if len(t.IssuerAltName) > 0 {
					addExtension(b, OIDIssuerAltName, false, namesExtension(t.IssuerAltName))
				}
				addExtension(b, OIDCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1BigInt(t.Number) })
			})
		})
	})
	return finishTBS(&b, t.Issuer)
}

func (t CRLTemplate) addEntries(b *cryptobyte.Builder) {
	for _, e := range t.Entries {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1BigInt(e.Serial)
			addTime(b, e.Time)
			if !t.Reasons || e.Reason == Unspecified {
				return
			}
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				addExtension(b, OIDReasonCode, false, func(b *cryptobyte.Builder) {
					b.AddASN1Enum(int64(e.Reason))
				})
			})
		})
	}
}

// Sign signs the TBS of a certificate or list and returns the whole of it. The
// algorithm must be the one within tbs; Parse would list a difference.
func Sign(tbs []byte, alg Algorithm, key crypto.Signer) ([]byte, error) {
	sig, err := SignMessage(key, alg, tbs)
	if err != nil {
		return nil, err
	}
	return Assemble(tbs, alg, sig)
}

// Assemble joins a TBS with a signature made elsewhere. Nothing is checked.
func Assemble(tbs []byte, alg Algorithm, sig []byte) ([]byte, error) {
	id, err := alg.Identifier()
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddBytes(id)
		b.AddASN1BitString(sig)
	})
	return finishTBS(&b)
}
