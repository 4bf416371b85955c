package pki

import (
	"encoding/json"
	"hash"

	"github.com/tamthe/tamthe/card/cert"
)

// adverse is what speaks against signers and documents of sound chains, and what their
// issuers say of faults that they know.
type adverse struct {
	deviations []Deviation
	blocked    []blockedSigner
	lists      [][33]byte // the digests of the signed lists that the deviations are from, and whether under a test key
}

// digest adds what the store's digest is to cover.
func (a adverse) digest(h hash.Hash) {
	if len(a.lists)+len(a.blocked) == 0 {
		return
	}
	count(h, len(a.lists))
	for _, l := range a.lists {
		h.Write(l[:])
	}
	_ = json.NewEncoder(h).Encode(a.blocked) // of numbers and texts only: it cannot fail
}

// addList takes over a list of an index that holds no certificates. It was verified when
// it was imported, and is held to the digest of then.
func (s *Store) addList(kind ImportKind, raw []byte, from *Import, specimen bool) error {
	a := &s.adverse
	digest := [33]byte(append(from.SHA256[:], 0))
	if specimen {
		digest[32] = isSpecimen
	}
	a.lists = append(a.lists, digest)
	if kind == ImportBlocked {
		list, err := parseBlocked(raw)
		a.blocked = append(a.blocked, list...)
		return err
	}
	list, err := readDeviations(raw)
	for i := range list {
		list[i].country, list[i].specimen = from.Country, specimen
	}
	a.deviations = append(a.deviations, list...)
	return err
}

// known returns the faults that issuers know of in documents of the signer. A list under a
// test key speaks of test documents only.
func (a adverse) known(signer *cert.Certificate, q Query, specimen bool) []Deviation {
	var list []Deviation
	for _, d := range a.deviations {
		if (specimen || !d.specimen) && d.concerns(signer, q) {
			list = append(list, d)
		}
	}
	return list
}

// ByNumber reports whether a list that the store holds names documents of the signer by
// their numbers: then not all of its documents are judged alike.
func (s *Store) ByNumber(signer *cert.Certificate) bool {
	for _, d := range s.adverse.deviations {
		if d.numbers != nil && sameCountry(d.country, signer.Subject.Country()) && d.signer.names(signer) {
			return true
		}
	}
	return false
}

// refused looks for a word of the operator, or of the issuer outside its revocation
// lists, against the signer.
func (j *judgement) refused() (Finding, bool) {
	for _, b := range j.store.adverse.blocked {
		if b.names(j.signer()) {
			return Finding{Revocation, Failed, SignerBlocked, b.String()}, true
		}
	}
	for _, d := range j.store.adverse.known(j.signer(), j.query, j.route.specimen()) {
		if d.Fault == FaultSignerRevoked {
			return Finding{Revocation, Failed, CertificateRevoked, "in a list of defects"}, true
		}
	}
	return Finding{}, false
}
