package cvc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Template is what a certificate shall say.
type Template struct {
	Authority  Reference // of the key that signs
	Holder     Reference // of Key
	Key        PublicKey
	CHAT       CHAT
	Effective  Date
	Expiry     Date
	Extensions []byte // the value of 65, nil for none
}

// Sign makes a certificate. The signer, which may sit in an HSM, signs by the algorithm;
// domain parameters are written for a CVCA alone. Errors wrap ErrMalformed, ErrAlgorithm
// or what the signer says.
func Sign(t Template, a Algorithm, signer crypto.Signer) (*Certificate, error) {
	body, err := t.Body()
	if err != nil {
		return nil, err
	}
	sig, err := SignMessage(a, signer, body)
	if err != nil {
		return nil, err
	}
	return Assemble(body, sig)
}

// Body encodes what is to be signed, domain parameters for a CVCA alone. Errors wrap
// ErrMalformed.
func (t Template) Body() ([]byte, error) {
	if !t.Authority.valid() || !t.Holder.valid() || !t.Effective.inRange() || !t.Expiry.inRange() || t.Expiry.Before(t.Effective) ||
		!t.Key.Algorithm.known() || t.Key.RSA == nil && t.Key.EC == nil || sizes[t.CHAT.Terminal] == 0 {
		return nil, fmt.Errorf("template: %w", ErrMalformed)
	}
	body := tlv.Encode(tagProfile, []byte{0})
	body = tlv.Append(body, tagCAR, []byte(t.Authority))
	body = tlv.Append(body, tagKey, t.Key.encode(t.CHAT.Role == CVCA))
	body = tlv.Append(body, tagCHR, []byte(t.Holder))
	body = append(body, t.CHAT.Bytes()...)
	body = tlv.Append(body, tagEffective, t.Effective.Bytes())
	body = tlv.Append(body, tagExpiry, t.Expiry.Bytes())
	if t.Extensions != nil {
		body = tlv.Append(body, tagExtensions, t.Extensions)
	}
	return tlv.Encode(tagBody, body), nil
}

// Assemble joins a body with a signature made elsewhere and reads the whole. The signature
// is not checked; errors are Parse's.
func Assemble(body, signature []byte) (*Certificate, error) {
	return Parse(tlv.Encode(tagCertificate, body, tlv.Encode(tagSignature, signature)))
}

// SignMessage signs a message by the algorithm, an ECDSA signature in the form r‖s
// whatever the signer gives. A signer of another kind of key is ErrKey.
func SignMessage(a Algorithm, signer crypto.Signer, message []byte) ([]byte, error) {
	pub, err := NewPublicKey(a, signer.Public())
	if err != nil {
		return nil, err
	}
	h := a.Hash().New()
	h.Write(message)
	digest := h.Sum(nil)
	var opts crypto.SignerOpts = a.Hash()
	if algorithms[a].pss {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: a.Hash()}
	}
	sig, err := signer.Sign(rand.Reader, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("sign by %v: %w", a, err)
	}
	if pub.EC == nil {
		return sig, nil
	}
	return plain(sig, pub.EC.Curve().OrderSize())
}

// plain turns SEQUENCE { r, s } into r‖s.
func plain(der []byte, size int) ([]byte, error) {
	s := cryptobyte.String(der)
	var seq cryptobyte.String
	out := make([]byte, 2*size)
	if !s.ReadASN1(&seq, tags.SEQUENCE) || !s.Empty() {
		return nil, fmt.Errorf("the signer's signature: %w", ErrMalformed)
	}
	for i := range 2 {
		var n []byte
		if !seq.ReadASN1Bytes(&n, tags.INTEGER) {
			return nil, fmt.Errorf("the signer's signature: %w", ErrMalformed)
		}
		for len(n) > 0 && n[0] == 0 {
			n = n[1:]
		}
		if len(n) > size {
			return nil, fmt.Errorf("the signer's signature: %w", ErrMalformed)
		}
		copy(out[(i+1)*size-len(n):], n)
	}
	if !seq.Empty() {
		return nil, fmt.Errorf("the signer's signature: %w", ErrMalformed)
	}
	return out, nil
}
