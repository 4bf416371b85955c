// Package ca decides what may be signed: CSCA, link, document and list signer certificates,
// revocation lists, master and deviation lists and security objects after ICAO Doc 9303-12
// and 9303-10, and the CV certificates of Extended Access Control after BSI TR-03110-3.
//
// Everything is signed in two steps. Prepare lays out the exact bytes, signs them with
// a throwaway key of the same kind, reads the result back as a stranger would and lints
// it; the Draft is what the caller records before Issue signs it, once, with the real
// key. What Issue returns has been read back and verified.
//
// The package stores nothing: serial numbers, list numbers, what was issued and revoked
// are arguments, and that they are unique is the ledger's promise.
package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync/atomic"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cvc"
)

// What callers branch on; beside them there is *LintError.
var (
	ErrPeriod   = errors.New("outside the private key usage period")
	ErrGroups   = errors.New("data group hashes do not fit")
	ErrKey      = errors.New("not the key of the issuing certificate")
	ErrIssued   = errors.New("draft was issued already")
	ErrRequest  = errors.New("request cannot be issued")
	ErrDocument = errors.New("document type is not in the signer's list")
)

// Specimen is the word that marks certificates of test systems. It stands in the
// organisation of every subject, and what a specimen CSCA issues inherits it.
const Specimen = "SPECIMEN"

// NewSerial draws a certificate serial number of 20 octets, positive (Doc 9303-12 §7.1).
func NewSerial() *big.Int {
	var b [20]byte
	rand.Read(b[:])
	b[0] = b[0]&0x3f | 0x40 // full length, sign bit clear
	return new(big.Int).SetBytes(b[:])
}

// A Draft is what will be signed, linted. It is safe to hold and to forget: nothing of
// it is valid before Issue.
type Draft struct {
	TBS      []byte    // the exact octets that the signature will cover
	Findings []Finding // warnings; errors have refused the draft

	algorithm cert.Algorithm
	plain     cvc.Algorithm // of a CV certificate, in place of algorithm
	issuer    cert.PublicKey
	assemble  func(signature []byte) ([]byte, error)
	check     func(signed []byte, key cert.PublicKey) ([]Finding, error)
	issued    atomic.Bool
}

// Digest is the SHA-256 of TBS, for the ledger.
func (d *Draft) Digest() [32]byte { return sha256.Sum256(d.TBS) }

// Issue signs the draft and returns the certificate, list or EF.SOD. It works once,
// whatever comes of it; a second call is ErrIssued. A key that is not the issuer's is
// ErrKey, and a result that does not verify is refused like a lint error.
func (d *Draft) Issue(key crypto.Signer) ([]byte, error) {
	pub, err := cert.NewPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("issue: %w", err)
	}
	if !pub.Equal(d.issuer) {
		return nil, fmt.Errorf("issue: %w", ErrKey)
	}
	if d.issued.Swap(true) {
		return nil, ErrIssued
	}
	signed, _, err := d.sign(key, pub)
	if err != nil {
		return nil, fmt.Errorf("issue: %w", err)
	}
	return signed, nil
}

// rehearse signs with the throwaway key and lints the result.
func (d *Draft) rehearse(twin crypto.Signer) error {
	pub, err := cert.NewPublicKey(twin.Public())
	if err != nil {
		return err
	}
	_, d.Findings, err = d.sign(twin, pub)
	return err
}

func (d *Draft) signature(key crypto.Signer) ([]byte, error) {
	if d.plain != 0 {
		return cvc.SignMessage(d.plain, key, d.TBS)
	}
	return cert.SignMessage(key, d.algorithm, d.TBS)
}

func (d *Draft) sign(key crypto.Signer, pub cert.PublicKey) ([]byte, []Finding, error) {
	signature, err := d.signature(key)
	if err != nil {
		return nil, nil, err
	}
	signed, err := d.assemble(signature)
	if err != nil {
		return nil, nil, err
	}
	findings, err := d.check(signed, pub)
	if err != nil {
		return nil, nil, fmt.Errorf("own output does not verify: %w", err)
	}
	if slices.ContainsFunc(findings, func(f Finding) bool { return f.Error }) {
		return nil, nil, &LintError{findings}
	}
	return signed, findings, nil
}

// newTwin makes a throwaway key of the same kind.
func newTwin(pub cert.PublicKey) (crypto.Signer, error) {
	switch {
	case pub.EC != nil:
		return pub.EC.Curve().Generate()
	case pub.RSA != nil:
		return rsa.GenerateKey(rand.Reader, pub.RSA.N.BitLen())
	}
	return nil, fmt.Errorf("%w: no key", ErrRequest)
}

// An Issuer is a certificate under which things are signed, with its throwaway key.
// It is safe for concurrent use.
type Issuer struct {
	Certificate *cert.Certificate
	twin        crypto.Signer
}

// NewIssuer takes a CSCA certificate, to issue document signers and lists, or a
// document signer's, to issue security objects. For RSA it takes a second or more to
// make the throwaway key, so keep the Issuer.
func NewIssuer(c *cert.Certificate) (*Issuer, error) {
	if c.KeyErr != nil {
		return nil, fmt.Errorf("issuing certificate: %w", c.KeyErr)
	}
	twin, err := newTwin(c.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate: %w", err)
	}
	return &Issuer{c, twin}, nil
}
