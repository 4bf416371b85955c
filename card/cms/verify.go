package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// SignerCertificates returns the certificates packed in that s names, in order.
func (d *SignedData) SignerCertificates(s *SignerInfo) []*cert.Certificate {
	var out []*cert.Certificate
	for _, c := range d.Certificates {
		if c.Parsed != nil && s.Matches(c.Parsed) {
			out = append(out, c.Parsed)
		}
	}
	return out
}

// Matches reports whether s names c by issuer and serial number, or by key identifier.
func (s *SignerInfo) Matches(c *cert.Certificate) bool {
	switch {
	case s.KeyID != nil && c.SubjectKeyID != nil:
		return bytes.Equal(s.KeyID, c.SubjectKeyID)
	case s.KeyID != nil:
		return bytes.Equal(s.KeyID, c.PublicKey.KeyID())
	}
	return s.Serial.Cmp(c.Serial) == 0 && s.Issuer.Equal(c.Issuer)
}

// Verify checks s over the content of d with key: the signed attributes must be there
// (without them only id-data is accepted), hold exactly one content-type equal to
// eContentType and exactly one message-digest equal to the digest of the content, and
// bear the signature. Algorithms come from s alone. Errors wrap ErrStructure,
// ErrMessageDigest, cert.ErrSignature, cert.ErrAlgorithm or cert.ErrKey.
func (d *SignedData) Verify(s *SignerInfo, key cert.PublicKey) error {
	return d.VerifyBy(s, func(alg cert.Algorithm, message, sig []byte) error { return cert.Verify(key, alg, message, sig) })
}

// VerifyBy is Verify where verify checks the signature as cert.Verify does, by a key that the
// caller knows well: see cert.Verifier.
func (d *SignedData) VerifyBy(s *SignerInfo, verify func(alg cert.Algorithm, message, sig []byte) error) error {
	if d.Content == nil {
		return structure("no content")
	}
	hash, err := s.DigestAlgorithm.Hash()
	if err != nil {
		return err
	}
	alg, err := s.Algorithm()
	if err != nil {
		return err
	}
	if s.signedAttributes == nil {
		if !d.ContentType.Equal(OIDData) { // RFC 5652 §5.3
			return structure("no signed attributes")
		}
		return verify(alg, d.Content, s.Signature)
	}
	digest, err := s.boundDigest(d.ContentType)
	if err != nil {
		return err
	}
	if err := s.verifyAttributes(verify, alg); err != nil {
		return err
	}
	if !bytes.Equal(digest, sum(hash, d.Content)) {
		return fmt.Errorf("%w (%v)", ErrMessageDigest, hash)
	}
	return nil
}

func sum(hash crypto.Hash, b []byte) []byte {
	h := hash.New()
	h.Write(b)
	return h.Sum(nil)
}

// boundDigest returns the message-digest attribute after the rules of RFC 5652 §11.1
// and §11.2.
func (s *SignerInfo) boundDigest(contentType asn1.ObjectIdentifier) ([]byte, error) {
	value, ok := s.Attribute(OIDContentType)
	if !ok {
		return nil, structure("not exactly one content-type attribute")
	}
	if got, ok := readOID(value); !ok || !got.Equal(contentType) {
		return nil, structure("content-type attribute differs from eContentType")
	}
	if value, ok = s.Attribute(OIDMessageDigest); !ok {
		return nil, structure("not exactly one message-digest attribute")
	}
	v := cryptobyte.String(value)
	var digest cryptobyte.String
	if !v.ReadASN1(&digest, tags.OCTET_STRING) || !v.Empty() {
		return nil, structure("message-digest attribute")
	}
	return digest, nil
}

// verifyAttributes takes the attributes as they were sent, and in DER order if that
// is another: signers in the field hash the one or the other.
func (s *SignerInfo) verifyAttributes(verify func(cert.Algorithm, []byte, []byte) error, alg cert.Algorithm) error {
	err := verify(alg, s.signedAttributes, s.Signature)
	if err == nil {
		return nil
	}
	if sorted := sortSet(s.signedAttributes); !bytes.Equal(sorted, s.signedAttributes) &&
		verify(alg, sorted, s.Signature) == nil {
		return nil
	}
	return err
}

// sortSet returns the DER SET OF with its elements in order.
func sortSet(set []byte) []byte {
	s := cryptobyte.String(set)
	var content cryptobyte.String
	s.ReadASN1(&content, tags.SET)
	var elements [][]byte
	for !content.Empty() {
		var e cryptobyte.String
		var tag tags.Tag
		if !content.ReadAnyASN1Element(&e, &tag) {
			return set
		}
		elements = append(elements, e)
	}
	slices.SortFunc(elements, bytes.Compare)
	content = slices.Concat(elements...)
	return append(header(byte(tags.SET), len(content)), content...)
}

// Algorithm is the signature algorithm, a missing hash supplied from the digest
// algorithm (New Zealand, USA and Australia name bare rsaEncryption). Errors wrap
// cert.ErrAlgorithm.
func (s *SignerInfo) Algorithm() (cert.Algorithm, error) {
	alg, err := s.SignatureAlgorithm.Signature()
	if err != nil || alg.Hash != 0 {
		return alg, err
	}
	hash, err := s.DigestAlgorithm.Hash()
	return alg.WithHash(hash), err
}

// Attribute returns the one value of a signed attribute; ok is false if the attribute
// is absent, repeated or has not exactly one value.
func (s *SignerInfo) Attribute(oid asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, a := range s.Attributes {
		if !a.Type.Equal(oid) {
			continue
		}
		if ok || len(a.Values) != 1 {
			return nil, false
		}
		value, ok = a.Values[0], true
	}
	return value, ok
}

// SigningTime is what the signer claims, for display only.
func (s *SignerInfo) SigningTime() (time.Time, bool) {
	value, ok := s.Attribute(OIDSigningTime)
	if !ok {
		return time.Time{}, false
	}
	v := cryptobyte.String(value)
	var t time.Time
	if !cert.ReadTime(&v, &t) || !v.Empty() {
		return time.Time{}, false
	}
	return t, true
}

func readOID(der []byte) (asn1.ObjectIdentifier, bool) {
	s := cryptobyte.String(der)
	var oid asn1.ObjectIdentifier
	ok := cert.ReadOID(&s, &oid) && s.Empty()
	return oid, ok
}
