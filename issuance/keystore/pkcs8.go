package keystore

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

const pemPrivateKey = "PRIVATE KEY"

var oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// curves are those on which keys are made.
func curves() []*dh.Curve {
	return []*dh.Curve{
		dh.P224(), dh.P256(), dh.P384(), dh.P521(), dh.BrainpoolP224r1(),
		dh.BrainpoolP256r1(), dh.BrainpoolP320r1(), dh.BrainpoolP384r1(), dh.BrainpoolP512r1(),
	}
}

func newKey(algorithm string) (crypto.Signer, error) {
	for _, bits := range []int{2048, 3072, 4096} {
		if strings.EqualFold(algorithm, fmt.Sprintf("RSA-%d", bits)) {
			return rsa.GenerateKey(rand.Reader, bits)
		}
	}
	for _, c := range curves() {
		if strings.EqualFold(algorithm, c.Name()) {
			return c.Generate()
		}
	}
	if strings.EqualFold(algorithm, Ed25519) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("%w: %q", ErrAlgorithm, algorithm)
}

// marshal encodes PKCS #8. The standard library knows no Brainpool curve.
func marshal(key crypto.Signer) ([]byte, error) {
	ec, ok := key.(*dh.PrivateKey)
	if !ok {
		return x509.MarshalPKCS8PrivateKey(key)
	}
	point := ec.Point()
	scalar := ec.Bytes()
	defer clear(scalar)
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { // RFC 5958
		b.AddASN1Int64(0)
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidECPublicKey)
			b.AddASN1ObjectIdentifier(point.Curve().OID())
		})
		b.AddASN1(tags.OCTET_STRING, func(b *cryptobyte.Builder) {
			b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { // RFC 5915
				b.AddASN1Int64(1)
				b.AddASN1OctetString(scalar)
				b.AddASN1(tags.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddASN1BitString(point.Bytes())
				})
			})
		})
	})
	return b.Bytes()
}

// openFile reads a signing key.
func openFile(path string) (crypto.Signer, error) {
	raw, err := read(path)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	return parseFile(raw)
}

func blank(b []byte) bool { return len(bytes.TrimSpace(b)) == 0 }

// parsePKCS8 reads an EC key on a named curve, an RSA key or an Ed25519 key.
func parsePKCS8(der []byte) (crypto.Signer, error) {
	s := cryptobyte.String(der)
	var info, algorithm, private cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&info, tags.SEQUENCE) || !s.Empty() || !info.ReadASN1Integer(&version) ||
		!info.ReadASN1(&algorithm, tags.SEQUENCE) || !cert.ReadOID(&algorithm, &oid) ||
		!info.ReadASN1(&private, tags.OCTET_STRING) {
		return nil, fmt.Errorf("%w: no PKCS #8", ErrFormat)
	}
	if oid.Equal(oidECPublicKey) {
		return parseEC(algorithm, private)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("%w: a key of type %T is not used here", ErrFormat, key)
}

func parseEC(parameters, private cryptobyte.String) (crypto.Signer, error) {
	var oid asn1.ObjectIdentifier
	if !cert.ReadOID(&parameters, &oid) || !parameters.Empty() {
		return nil, fmt.Errorf("%w: the curve is not named", ErrFormat)
	}
	curve, err := dh.ByOID(oid)
	if err != nil {
		return nil, fmt.Errorf("%w: curve %v", ErrFormat, oid)
	}
	var content, scalar, named, public cryptobyte.String
	var version int
	var hasPublic bool
	bits := tags.Tag(1).ContextSpecific().Constructed()
	if !private.ReadASN1(&content, tags.SEQUENCE) || !private.Empty() || !content.ReadASN1Integer(&version) ||
		version != 1 || !content.ReadASN1(&scalar, tags.OCTET_STRING) ||
		!content.ReadOptionalASN1(&named, nil, tags.Tag(0).ContextSpecific().Constructed()) ||
		!content.ReadOptionalASN1(&public, &hasPublic, bits) || !content.Empty() {
		return nil, fmt.Errorf("%w: EC private key", ErrFormat)
	}
	key, err := curve.NewPrivateKey(scalar)
	if err != nil {
		return nil, fmt.Errorf("%w: EC private key: %w", ErrFormat, err)
	}
	if !hasPublic {
		return key, nil
	}
	var point []byte
	if !public.ReadASN1BitStringAsBytes(&point) || string(point) != string(key.Point().Bytes()) {
		key.Destroy()
		return nil, fmt.Errorf("%w: private and public key differ", ErrFormat)
	}
	return key, nil
}
