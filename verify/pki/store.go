package pki

import (
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"github.com/tamthe/tamthe/card/cert"
)

// Store is what an operator trusts: anchors, further certificates and revocation
// lists, and what is known of the issuers. It doesn't change after it was made and
// may be used by several goroutines.
type Store struct {
	entries   []*entry
	byKeyID   map[string][]*entry
	byCountry map[string][]*entry
	crls      []*cert.CRL
	issuers   []Issuer
	skipped   []Skipped
	digested  func() [32]byte
}

// Anchor is a self-signed certificate that the operator put into the store.
type Anchor struct {
	Cert        *cert.Certificate
	Specimen    bool   // it vouches for test documents only
	Source      string // the file that it came from
	Fingerprint [32]byte
}

// Skipped is a file of a trust folder that was not taken.
type Skipped struct {
	Path string
	Why  string
}

// Material is a certificate for a store, with where it was found.
type Material struct {
	Cert     *cert.Certificate
	Source   string
	Specimen bool // lies apart, among test keys
}

// entry is a certificate of the store. Whether it is an anchor is found out when
// first asked: a check of its own signature for each of several hundred
// certificates would slow down every start.
type entry struct {
	cert     *cert.Certificate
	source   string
	specimen bool
	anchor   func() bool
}

// NewStore makes a store. Equal certificates count once; a key that is marked
// specimen anywhere is specimen everywhere.
func NewStore(certs []Material, crls []*cert.CRL, issuers []Issuer) *Store {
	s := &Store{
		byKeyID: map[string][]*entry{}, byCountry: map[string][]*entry{},
		crls: crls, issuers: issuers,
	}
	seen := map[[32]byte]*entry{}
	for _, m := range certs {
		specimen := m.Specimen || specimenName(m.Cert.Subject)
		if e := seen[m.Cert.Fingerprint()]; e != nil {
			e.specimen = e.specimen || specimen
			continue
		}
		e := newEntry(m.Cert, m.Source, specimen)
		seen[m.Cert.Fingerprint()] = e
		s.entries = append(s.entries, e)
		id := string(keyID(m.Cert))
		s.byKeyID[id] = append(s.byKeyID[id], e)
		c := canonical(m.Cert.Subject.Country())
		s.byCountry[c] = append(s.byCountry[c], e)
	}
	s.markSpecimens()
	s.digested = sync.OnceValue(s.digest)
	return s
}

// markSpecimens marks every certificate of a test key, under whatever name: whoever has
// the key of a test authority can certify it under another.
func (s *Store) markSpecimens() {
	keys := map[string]bool{}
	for _, e := range s.entries {
		if e.specimen && e.cert.KeyErr == nil {
			keys[string(e.cert.PublicKey.KeyID())] = true
		}
	}
	for _, e := range s.entries {
		e.specimen = e.specimen || e.cert.KeyErr == nil && keys[string(e.cert.PublicKey.KeyID())]
	}
}

func newEntry(c *cert.Certificate, source string, specimen bool) *entry {
	return &entry{
		cert: c, source: source, specimen: specimen,
		anchor: sync.OnceValue(func() bool { return c.KeyErr == nil && c.Issuer.Equal(c.Subject) && c.SelfSigned() }),
	}
}

// keyID is the subject key identifier, computed if the certificate has none.
func keyID(c *cert.Certificate) []byte {
	if len(c.SubjectKeyID) > 0 || c.KeyErr != nil {
		return c.SubjectKeyID
	}
	return c.PublicKey.KeyID()
}

// specimenName says whether a name marks its bearer as a test authority.
func specimenName(n cert.Name) bool {
	return slices.ContainsFunc(n.Attributes, func(a cert.Attribute) bool {
		return strings.Contains(strings.ToUpper(a.Value), "SPECIMEN")
	})
}

func (e *entry) asAnchor() *Anchor {
	return &Anchor{Cert: e.cert, Specimen: e.specimen, Source: e.source, Fingerprint: e.cert.Fingerprint()}
}

// Anchors returns the anchors, in the order of their files.
func (s *Store) Anchors() []Anchor {
	var list []Anchor
	for _, e := range s.entries {
		if e.anchor() {
			list = append(list, *e.asAnchor())
		}
	}
	return list
}

// Certificates returns all certificates of the store, anchors or not.
func (s *Store) Certificates() []*cert.Certificate {
	list := make([]*cert.Certificate, 0, len(s.entries))
	for _, e := range s.entries {
		list = append(list, e.cert)
	}
	return list
}

// CRLs returns the revocation lists of the store. None of them is verified yet.
func (s *Store) CRLs() []*cert.CRL { return slices.Clone(s.crls) }

// Skipped returns the files that LoadStore did not take, with the reason.
func (s *Store) Skipped() []Skipped { return slices.Clone(s.skipped) }

// String is the fingerprint in hexadecimal digits, as issuers.toml pins it.
func (a Anchor) String() string { return hex.EncodeToString(a.Fingerprint[:]) }
