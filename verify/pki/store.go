package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// Store is what an operator trusts: anchors, further certificates and revocation
// lists, and what is known of the issuers. It doesn't change after it was made and
// may be used by several goroutines.
//
// The certificates stay as they were encoded. One is decoded when it is first asked
// for; the many that can vouch for nothing, the document signers, are forgotten again
// once nobody uses them.
type Store struct {
	records  []record
	sources  []source
	byPrint  index // by fingerprint
	byKeyID  index
	byNumber index // by serial number and the issuer's country
	byName   index // those that can vouch for nothing, by subject as encoded

	byCountry map[string][]int32 // those that may vouch for others

	crls    []*cert.CRL
	issuers []Issuer
	skipped []Skipped
	index   []byte // the octets of the trust folder's index, nil if it has none
	edition *Mark  // of the trust folder, nil if it was not loaded as one

	digested func() [32]byte
	chains   chainCache

	signedLists sync.Map // see signedList
	heirs       sync.Map // see heir

	mu      sync.Mutex // guards what records were decoded to
	adverse adverse
}

// Anchor is a self-signed certificate that the operator put into the store.
type Anchor struct {
	Cert        *cert.Certificate
	Specimen    bool   // it vouches for test documents only
	Source      string // the file that it came from
	Fingerprint [32]byte
	Import      *Import // what brought it, nil if the operator just put it there; not to be changed
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

// entry is a certificate of the store, decoded. Whether it is an anchor is found out
// when first asked: a check of its own signature for each of several hundred
// certificates would slow down every start.
type entry struct {
	cert     *cert.Certificate
	source   string
	specimen bool
	listed   *Import // what brought it, or nil
	kept     bool    // as long as the store
	anchor   func() bool
}

// NewStore makes a store. Equal certificates count once; a key that is marked
// specimen anywhere is specimen everywhere.
func NewStore(certs []Material, crls []*cert.CRL, issuers []Issuer) *Store {
	b := newBuilder(len(certs))
	for _, m := range certs {
		b.add(item{der: m.Cert.Raw, cert: m.Cert, source: b.source(m.Source), specimen: m.Specimen})
	}
	return b.store(crls, issuers)
}

func newEntry(c *cert.Certificate, from *source, specimen, candidate bool) *entry {
	return &entry{
		cert: c, source: from.name, listed: from.listed, specimen: specimen,
		anchor: sync.OnceValue(func() bool {
			return candidate && c.KeyErr == nil && c.Issuer.Equal(c.Subject) && c.SelfSigned()
		}),
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
	return &Anchor{Cert: e.cert, Specimen: e.specimen, Source: e.source, Fingerprint: e.cert.Fingerprint(), Import: e.listed}
}

// entry decodes a record, or returns what it was decoded to: there is one entry of a
// record at a time. It is nil for a certificate that does not parse, which the outline
// has seen to.
func (s *Store) entry(i int32) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.records[i]
	if r.made != nil {
		return r.made
	}
	if e := r.seen.Value(); e != nil {
		return e
	}
	c, err := cert.Parse(r.der)
	if err != nil {
		return nil
	}
	e := newEntry(c, &s.sources[r.source], r.flags&isSpecimen != 0, r.flags&isMaterial == 0)
	if r.flags&mayVouch != 0 {
		r.made, e.kept = e, true
	} else {
		r.seen = weak.Make(e)
	}
	return e
}

// entries decodes those records that match what was looked for, in their order.
func (s *Store) entries(list []int32) []*entry {
	var out []*entry
	for _, i := range list {
		if e := s.entry(i); e != nil {
			out = append(out, e)
		}
	}
	return out
}

// find returns the store's own entry of a certificate, or nil.
func (s *Store) find(c *cert.Certificate) *entry {
	if i := s.lookup(c.Fingerprint()); i >= 0 {
		return s.entry(i)
	}
	return nil
}

// lookup returns the record of that fingerprint, or -1.
func (s *Store) lookup(print [32]byte) int32 {
	for i := s.byPrint.first(printHash(print)); i >= 0; i = s.byPrint.next[i] {
		if s.records[i].print == print {
			return i
		}
	}
	return -1
}

// withKeyID returns the entries whose subject key identifier it is.
func (s *Store) withKeyID(id []byte) []*entry { return s.entries(s.lookupKeyID(id)) }

func (s *Store) lookupKeyID(id []byte) []int32 {
	var list []int32
	for i := s.byKeyID.first(octetsHash(id)); i >= 0; i = s.byKeyID.next[i] {
		if bytes.Equal(s.records[i].keyID(), id) {
			list = append(list, i)
		}
	}
	return list
}

// ofState returns the entries of a state that may vouch for others.
func (s *Store) ofState(country string) []*entry { return s.entries(s.byCountry[country]) }

// ofSubject returns the entries that can vouch for nothing and bear that name as encoded.
func (s *Store) ofSubject(name []byte) []*entry {
	var list []int32
	for i := s.byName.first(octetsHash(name)); i >= 0; i = s.byName.next[i] {
		if r := &s.records[i]; bytes.Equal(r.subject.of(r.der), name) {
			list = append(list, i)
		}
	}
	return s.entries(list)
}

// Anchors returns the anchors, in the order of their files. One that neither may vouch
// for others nor names itself letter by letter as its issuer is no use and not listed.
func (s *Store) Anchors() []Anchor {
	var list []Anchor
	for i := range s.records {
		if s.records[i].flags&mayVouch == 0 {
			continue
		}
		if e := s.entry(int32(i)); e != nil && e.anchor() {
			list = append(list, *e.asAnchor())
		}
	}
	return list
}

// Certificates returns all certificates of the store, anchors or not. Of a store of
// document signers that is much.
func (s *Store) Certificates() []*cert.Certificate {
	list := make([]*cert.Certificate, 0, len(s.records))
	for i := range s.records {
		if e := s.entry(int32(i)); e != nil {
			list = append(list, e.cert)
		}
	}
	return list
}

// Signers returns the certificates of the store that the signer of a document may have
// meant: documents may come without theirs.
func (s *Store) Signers(signer *cms.SignerInfo) []*cert.Certificate {
	var found []int32
	if signer.KeyID != nil {
		found = s.lookupKeyID(signer.KeyID)
	} else {
		found = s.lookupNumber(signer.Serial, signer.Issuer)
	}
	var list []*cert.Certificate
	for _, e := range s.entries(found) {
		if signer.Matches(e.cert) {
			list = append(list, e.cert)
		}
	}
	return list
}

// CRLs returns the revocation lists of the store. None of them is verified yet.
func (s *Store) CRLs() []*cert.CRL { return slices.Clone(s.crls) }

// Skipped returns the files that LoadStore did not take, with the reason.
func (s *Store) Skipped() []Skipped { return slices.Clone(s.skipped) }

// String is the fingerprint in hexadecimal digits, as issuers.toml pins it.
func (a Anchor) String() string { return hex.EncodeToString(a.Fingerprint[:]) }

// fingerprint is the SHA-256 of a certificate.
func fingerprint(der []byte) [32]byte { return sha256.Sum256(der) }
