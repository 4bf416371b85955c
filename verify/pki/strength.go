package pki

import (
	"crypto"
	"fmt"

	"github.com/tamthe/tamthe/card/cert"
)

// The least key lengths in bits that still count (ICAO 9303-12 §4.4).
const (
	minRSA = 2048
	minEC  = 224
)

// KeyStrength reports whether a signature by the key, with the hash, still counts:
// nothing to say (""), AlgorithmWeak for SHA-1, KeyShort, KeyFactorable.
func KeyStrength(k cert.PublicKey, h crypto.Hash) Kind {
	switch {
	case k.RSA != nil && k.Bits() < minRSA, k.EC != nil && k.Bits() < minEC:
		return KeyShort
	case k.RSA != nil && factorable(k.RSA.N):
		return KeyFactorable
	case h == crypto.SHA1:
		return AlgorithmWeak
	}
	return ""
}

// strength judges the keys above the signer and the hashes that they signed. The
// signer's own key is judged with the signature that it made.
func (j *judgement) strength() {
	for i, e := range j.route[:len(j.route)-1] {
		alg, err := e.cert.Algorithm.Signature()
		if err != nil {
			j.add(Strength, Failed, AlgorithmBroken, algorithm(e.cert))
			continue
		}
		key := j.route[i+1].cert.PublicKey
		if k := KeyStrength(key, alg.Hash); k != "" {
			j.add(Strength, Failed, k, fmt.Sprintf("%v: %v by %v", e.cert.Subject, alg, key))
		}
	}
	if k := j.signer(); k.KeyErr == nil {
		if kind := KeyStrength(k.PublicKey, 0); kind != "" {
			j.add(Strength, Failed, kind, fmt.Sprintf("signer's key %v", k.PublicKey))
		}
	}
	j.add(Strength, Passed, "", "")
}

// algorithm names a certificate's signature algorithm for people.
func algorithm(c *cert.Certificate) string {
	if alg, err := c.Algorithm.Signature(); err == nil {
		return alg.String()
	}
	return c.Algorithm.OID.String()
}
