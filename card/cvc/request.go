package cvc

import (
	"bytes"
	"crypto"
	"fmt"

	"github.com/tamthe/tamthe/apdu/tlv"
)

// Request is a request for a certificate (TR-03110-3 §C.2), signed with the key that it is
// for (inner signature) and, but for the first one, with an older key of the same holder
// or with that of an authority that vouches for it (outer signature).
type Request struct {
	Raw, Body []byte

	Authority  Reference // whom it is meant for; "" if it doesn't say
	Key        PublicKey // with domain parameters
	Holder     Reference // of Key, as the holder wants it
	Extensions []byte
	Signature  []byte // inner

	Outer          Reference // of the key of the outer signature, "" for none
	outerSigned    []byte
	outerSignature []byte
}

// ParseRequest reads a request, with or without outer signature, with nothing behind it.
func ParseRequest(raw []byte) (*Request, error) {
	if len(raw) > maxSize {
		return nil, fmt.Errorf("request of %d octets: %w", len(raw), ErrMalformed)
	}
	r := &Request{Raw: bytes.Clone(raw)}
	s := tlv.String(raw)
	var inner, outer, car, sig tlv.String
	if s.ReadTag(tagAuthenticated, &outer) {
		all := outer
		if !s.Empty() || !outer.ReadTag(tagCertificate, &inner) || !outer.ReadTag(tagCAR, &car) {
			return nil, fmt.Errorf("authenticated request: %w", ErrMalformed)
		}
		r.outerSigned, r.Outer = bytes.Clone(all[:len(all)-len(outer)]), Reference(car)
		if !outer.ReadTag(tagSignature, &sig) || !outer.Empty() || !r.Outer.valid() {
			return nil, fmt.Errorf("authenticated request: %w", ErrMalformed)
		}
		r.outerSignature = bytes.Clone(sig)
	} else if !s.ReadTag(tagCertificate, &inner) || !s.Empty() {
		return nil, fmt.Errorf("no request alone: %w", ErrMalformed)
	}
	if err := r.parse(inner); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Request) parse(inner tlv.String) error {
	bad := fmt.Errorf("request: %w", ErrMalformed)
	all := inner
	var body, sig, profile, car, key, chr, extensions tlv.String
	if !inner.ReadTag(tagBody, &body) {
		return bad
	}
	r.Body = bytes.Clone(all[:len(all)-len(inner)])
	if !inner.ReadTag(tagSignature, &sig) || !inner.Empty() || !body.ReadTag(tagProfile, &profile) || len(profile) != 1 || profile[0] != 0 {
		return bad
	}
	if body.ReadTag(tagCAR, &car) {
		r.Authority = Reference(car)
	}
	if !body.ReadTag(tagKey, &key) || !body.ReadTag(tagCHR, &chr) {
		return bad
	}
	if body.ReadTag(tagExtensions, &extensions) {
		r.Extensions = bytes.Clone(extensions)
	}
	r.Holder, r.Signature = Reference(chr), bytes.Clone(sig)
	if !body.Empty() || !r.Holder.valid() || car != nil && !r.Authority.valid() {
		return bad
	}
	var err error
	r.Key, err = parseKey(key)
	return err
}

// Verify checks the inner signature: that the requester has the key.
func (r *Request) Verify() error { return r.Key.verify(r.Body, r.Signature) }

// VerifyOuter checks the outer signature with the key that Outer names.
func (r *Request) VerifyOuter(key PublicKey) error {
	if r.Outer == "" {
		return fmt.Errorf("no outer signature: %w", ErrMalformed)
	}
	return key.verify(r.outerSigned, r.outerSignature)
}

// NewRequest makes a request for the signer's key. authority may be "".
func NewRequest(authority, holder Reference, a Algorithm, signer crypto.Signer) (*Request, error) {
	key, err := NewPublicKey(a, signer.Public())
	if err != nil {
		return nil, err
	}
	body := tlv.Encode(tagProfile, []byte{0})
	if authority != "" {
		body = tlv.Append(body, tagCAR, []byte(authority))
	}
	body = tlv.Append(body, tagKey, key.encode(true))
	body = tlv.Append(body, tagCHR, []byte(holder))
	body = tlv.Encode(tagBody, body)
	sig, err := SignMessage(a, signer, body)
	if err != nil {
		return nil, err
	}
	return ParseRequest(tlv.Encode(tagCertificate, body, tlv.Encode(tagSignature, sig)))
}

// Countersign returns the request with an outer signature by the key named by.
func (r *Request) Countersign(by Reference, a Algorithm, signer crypto.Signer) (*Request, error) {
	if r.Outer != "" {
		return nil, fmt.Errorf("the request has an outer signature: %w", ErrMalformed)
	}
	body := append(bytes.Clone(r.Raw), tlv.Encode(tagCAR, []byte(by))...)
	sig, err := SignMessage(a, signer, body)
	if err != nil {
		return nil, err
	}
	return ParseRequest(tlv.Encode(tagAuthenticated, body, tlv.Encode(tagSignature, sig)))
}
