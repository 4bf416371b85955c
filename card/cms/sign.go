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

// Message is what is to be signed, with what goes around it.
type Message struct {
	ContentType  asn1.ObjectIdentifier
	Content      []byte
	Certificate  *cert.Certificate // the signer's, packed in
	Certificates [][]byte          // further ones to pack in, e.g. the CSCA of a master list
	Algorithm    cert.Algorithm    // zero: cert.DefaultAlgorithm of the certificate's key
	ByKeyID      bool              // name the signer by key identifier (SignerInfo version 3)
	SigningTime  time.Time         // zero: no signing-time attribute
	Attributes   []Attribute       // further signed attributes
}

// A Draft is a SignedData that lacks only its signature.
type Draft struct {
	message    Message
	attributes []byte // SET OF
}

// Prepare lays the message out. Errors wrap ErrStructure or cert.ErrAlgorithm.
func Prepare(m Message) (*Draft, error) {
	if m.Certificate == nil || m.Certificate.KeyErr != nil || m.Content == nil {
		return nil, structure("a message needs content and its signer's certificate")
	}
	if m.Algorithm == (cert.Algorithm{}) {
		var err error
		if m.Algorithm, err = cert.DefaultAlgorithm(m.Certificate.PublicKey); err != nil {
			return nil, err
		}
	}
	if m.ByKeyID && m.Certificate.SubjectKeyID == nil {
		return nil, structure("the certificate has no key identifier")
	}
	if cert.HashOID(m.Algorithm.Hash) == nil {
		return nil, fmt.Errorf("%w: %v", cert.ErrAlgorithm, m.Algorithm)
	}
	attributes, err := m.signedAttributes()
	if err != nil {
		return nil, err
	}
	return &Draft{m, attributes}, nil
}

// ToBeSigned is the DER SET OF signed attributes that the signature covers.
func (d *Draft) ToBeSigned() []byte { return slices.Clone(d.attributes) }

// Sign signs and returns the finished ContentInfo, strict DER. The key must be that of
// the certificate, else the error wraps cert.ErrKey.
func (d *Draft) Sign(key crypto.Signer) ([]byte, error) {
	pub, err := cert.NewPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	if !pub.Equal(d.message.Certificate.PublicKey) {
		return nil, fmt.Errorf("%w: not the key of the certificate", cert.ErrKey)
	}
	signature, err := cert.SignMessage(key, d.message.Algorithm, d.attributes)
	if err != nil {
		return nil, err
	}
	return d.Assemble(signature)
}

// Assemble joins the draft with a signature over ToBeSigned that was made elsewhere.
// Nothing is checked.
func (d *Draft) Assemble(signature []byte) ([]byte, error) {
	return d.message.assemble(d.attributes, signature)
}

// Sign prepares and signs in one step.
func Sign(m Message, key crypto.Signer) ([]byte, error) {
	d, err := Prepare(m)
	if err != nil {
		return nil, err
	}
	return d.Sign(key)
}

func (m Message) signedAttributes() ([]byte, error) {
	list := []Attribute{
		{OIDContentType, [][]byte{build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(m.ContentType) })}},
		{OIDMessageDigest, [][]byte{build(func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(sum(m.Algorithm.Hash, m.Content))
		})}},
	}
	if !m.SigningTime.IsZero() {
		list = append(list, Attribute{OIDSigningTime, [][]byte{build(func(b *cryptobyte.Builder) {
			if t := m.SigningTime.UTC(); t.Year() < 2050 {
				b.AddASN1UTCTime(t)
			} else {
				b.AddASN1GeneralizedTime(t)
			}
		})}})
	}
	seen := make(map[string]bool)
	var elements [][]byte
	for _, a := range append(list, m.Attributes...) {
		if seen[a.Type.String()] || len(a.Values) == 0 {
			return nil, structure("attribute %v twice or without value", a.Type)
		}
		seen[a.Type.String()] = true
		elements = append(elements, build(func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(a.Type)
				b.AddBytes(setOf(tags.SET, a.Values))
			})
		}))
	}
	for _, e := range elements {
		if len(e) == 0 {
			return nil, structure("attribute cannot be encoded")
		}
	}
	return setOf(tags.SET, elements), nil
}

// build returns what f adds, nil if it cannot be encoded.
func build(f func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	der, err := b.Bytes()
	if err != nil {
		return nil
	}
	return der
}

// setOf encodes a SET OF in DER order under the given tag.
func setOf(tag tags.Tag, elements [][]byte) []byte {
	elements = slices.Clone(elements)
	slices.SortFunc(elements, bytes.Compare)
	content := slices.Concat(elements...)
	return append(header(byte(tag), len(content)), content...)
}

// assemble writes the ContentInfo of Doc 9303-10 table 37: digestAlgorithm without
// parameters, the signer's certificate packed in.
func (m Message) assemble(attributes, signature []byte) ([]byte, error) {
	signatureAlgorithm, err := m.Algorithm.Identifier()
	if err != nil {
		return nil, err
	}
	digestAlgorithm := build(func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(cert.HashOID(m.Algorithm.Hash)) })
	})
	version, signerVersion := int64(3), int64(1)
	if m.ByKeyID {
		signerVersion = 3
	} else if m.ContentType.Equal(OIDData) {
		version = 1
	}
	implicit := slices.Clone(attributes)
	implicit[0] = byte(context(0))
	der := build(func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(OIDSignedData)
			b.AddASN1(context(0), func(b *cryptobyte.Builder) {
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1Int64(version)
					b.AddASN1(tags.SET, func(b *cryptobyte.Builder) { b.AddBytes(digestAlgorithm) })
					m.addContent(b)
					b.AddBytes(setOf(context(0), append([][]byte{m.Certificate.Raw}, m.Certificates...)))
					b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
						b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1Int64(signerVersion)
							m.addIdentifier(b)
							b.AddBytes(digestAlgorithm)
							b.AddBytes(implicit)
							b.AddBytes(signatureAlgorithm)
							b.AddASN1OctetString(signature)
						})
					})
				})
			})
		})
	})
	if der == nil {
		return nil, structure("message cannot be encoded")
	}
	return der, nil
}

func (m Message) addContent(b *cryptobyte.Builder) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(m.ContentType)
		b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(m.Content) })
	})
}

func (m Message) addIdentifier(b *cryptobyte.Builder) {
	if m.ByKeyID {
		b.AddASN1(tags.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(m.Certificate.SubjectKeyID) })
		return
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(m.Certificate.Issuer.Raw)
		b.AddASN1BigInt(m.Certificate.Serial)
	})
}
