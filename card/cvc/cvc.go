// Package cvc holds card verifiable certificates of Extended Access Control: certificates
// and requests as BSI TR-03110-3 Annex C and D profiles them (ISO/IEC 7816-8), the rights
// that they give, and the rules by which a chip believes a chain of them.
package cvc

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
)

var (
	// ErrMalformed reports octets that are no certificate, request or part of one.
	ErrMalformed = errors.New("malformed CV certificate")
	// ErrSignature reports a signature that is not one of the key over the body.
	ErrSignature = errors.New("the signature of a CV certificate is wrong")
	// ErrAlgorithm reports a signature algorithm that TR-03110-3 does not name.
	ErrAlgorithm = errors.New("unknown algorithm of a CV certificate")
	// ErrKey reports a key that is out of range, without its domain parameters, or with
	// some that are those of no known curve.
	ErrKey = errors.New("unusable key of a CV certificate")
	// ErrChain reports a certificate that its issuer, its role or its dates keep from
	// being believed.
	ErrChain = errors.New("the CV certificate does not fit its issuer")
	// ErrExpired is ErrChain for a certificate that ended before the chip's date.
	ErrExpired = fmt.Errorf("expired: %w", ErrChain)
)

// The data objects of TR-03110-3 §D.2.
const (
	tagCertificate   tlv.Tag = 0x7F21
	tagBody          tlv.Tag = 0x7F4E
	tagProfile       tlv.Tag = 0x5F29
	tagCAR           tlv.Tag = 0x42
	tagKey           tlv.Tag = 0x7F49
	tagCHR           tlv.Tag = 0x5F20
	tagCHAT          tlv.Tag = 0x7F4C
	tagEffective     tlv.Tag = 0x5F25
	tagExpiry        tlv.Tag = 0x5F24
	tagExtensions    tlv.Tag = 0x65
	tagSignature     tlv.Tag = 0x5F37
	tagAuthenticated tlv.Tag = 0x67
	tagOID           tlv.Tag = 0x06
	tagDiscretionary tlv.Tag = 0x53
)

// maxSize bounds a certificate or a request in octets: one with RSA keys of 4,096 bits in
// full has some 1,200.
const maxSize = 8192

// Reference names a key: country code, holder mnemonic and sequence number, 8 to 16
// characters of ISO/IEC 8859-1 (TR-03110-3 §A.6.1).
type Reference string

// valid reports the length; characters are taken as they are.
func (r Reference) valid() bool { return len(r) >= 1 && len(r) <= 16 }

// Certificate is a CV certificate.
type Certificate struct {
	Raw, Body []byte // the whole of it, and what is signed

	Authority Reference // of the key that signed it
	Key       PublicKey
	Holder    Reference // of Key
	CHAT      CHAT
	Effective Date // first day
	Expiry    Date // last day

	Extensions []byte // the value of 65, nil if there are none
	Signature  []byte
}

// Parse reads one certificate, with nothing behind it. The domain parameters of a curve
// must be all those of a known one. Errors wrap ErrMalformed, ErrAlgorithm or ErrKey.
func Parse(raw []byte) (*Certificate, error) {
	if len(raw) > maxSize {
		return nil, fmt.Errorf("%d octets: %w", len(raw), ErrMalformed)
	}
	s := tlv.String(raw)
	var inner tlv.String
	if !s.ReadTag(tagCertificate, &inner) || !s.Empty() {
		return nil, fmt.Errorf("no certificate object alone: %w", ErrMalformed)
	}
	c := &Certificate{Raw: bytes.Clone(raw)}
	if err := c.parse(inner); err != nil {
		return nil, err
	}
	return c, nil
}

// parse reads body and signature.
func (c *Certificate) parse(inner tlv.String) error {
	before := inner
	var body, signature tlv.String
	if !inner.ReadTag(tagBody, &body) {
		return fmt.Errorf("no body: %w", ErrMalformed)
	}
	c.Body = bytes.Clone(before[:len(before)-len(inner)])
	if !inner.ReadTag(tagSignature, &signature) || len(signature) == 0 || !inner.Empty() {
		return fmt.Errorf("no signature behind the body alone: %w", ErrMalformed)
	}
	c.Signature = bytes.Clone(signature)
	return c.parseBody(body)
}

func (c *Certificate) parseBody(s tlv.String) error {
	var profile, car, key, chr, chat, effective, expiry, extensions tlv.String
	for _, o := range []struct {
		tag  tlv.Tag
		into *tlv.String
	}{{tagProfile, &profile}, {tagCAR, &car}, {tagKey, &key}, {tagCHR, &chr}, {tagCHAT, &chat}, {tagEffective, &effective}, {tagExpiry, &expiry}} {
		if !s.ReadTag(o.tag, o.into) {
			return fmt.Errorf("object %v is missing: %w", o.tag, ErrMalformed)
		}
	}
	if s.ReadTag(tagExtensions, &extensions) {
		c.Extensions = bytes.Clone(extensions)
	}
	c.Authority, c.Holder = Reference(car), Reference(chr)
	if !s.Empty() || len(profile) != 1 || profile[0] != 0 || !c.Authority.valid() || !c.Holder.valid() {
		return fmt.Errorf("body: %w", ErrMalformed)
	}
	var err error
	if c.Key, err = parseKey(key); err != nil {
		return err
	}
	if c.CHAT, err = parseCHAT(chat); err != nil {
		return err
	}
	if c.Effective, err = ParseDate(effective); err != nil {
		return err
	}
	if c.Expiry, err = ParseDate(expiry); err != nil {
		return err
	}
	if c.Expiry.Before(c.Effective) {
		return fmt.Errorf("it ends before it begins: %w", ErrMalformed)
	}
	return nil
}

// Verify checks the certificate's signature with the key of its issuer, domain parameters
// included. Errors are ErrSignature and ErrKey.
func (c *Certificate) Verify(issuer PublicKey) error {
	return issuer.verify(c.Body, c.Signature)
}

// Contents returns body and signature without the tag around them, as PSO: VERIFY
// CERTIFICATE takes them.
func (c *Certificate) Contents() []byte {
	return append(bytes.Clone(c.Body), tlv.Encode(tagSignature, c.Signature)...)
}

// ParseContents reads what Contents gives; see Parse.
func ParseContents(b []byte) (*Certificate, error) {
	if len(b) > maxSize {
		return nil, fmt.Errorf("%d octets: %w", len(b), ErrMalformed)
	}
	return Parse(tlv.Encode(tagCertificate, b))
}
