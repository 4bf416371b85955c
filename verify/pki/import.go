package pki

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// ErrUnpinned says that a certificate of an authority was offered whose fingerprint the
// operator did not give: whoever makes one can put any name on it.
var ErrUnpinned = errors.New("a certificate of an authority that nobody pinned")

// Offer is a file that is offered to a trust folder.
type Offer struct {
	Name   string
	Octets []byte
}

// ImportOptions say how to import. The zero value pins nobody and takes lists for
// passports only.
type ImportOptions struct {
	At        time.Time  // now; it must be set
	Documents []string   // document codes that new anchors vouch for, as in Issuer; empty is as before, else P for lists and all for pins
	Countries []string   // of lists of anchors, only these; empty is as before, else all
	Pins      [][32]byte // fingerprints of authorities to pin, each of a certificate in the offers
	Operator  string
	Each      bool // take what can be taken, from wherever it comes, and new editions only of lists of anchors; else one offer that is refused has all refused
}

// Receipt says what became of an offer.
type Receipt struct {
	Name         string
	Lists        []Import // signed lists that were taken
	Pinned       []Import // anchors that the operator pinned
	Certificates int      // certificates that are material, new ones only
	CRLs         int      // revocation lists, new ones only
	Known        int      // parts that were there already
	Passed       []error  // parts of a directory that are of no use here
	Err          error    // why the offer was refused
}

// Import takes what is offered into the folder: master lists, deviation and defect lists
// that verify under an anchor that the operator pinned; revocation lists that verify;
// certificates of signers as material; blocked.toml; and certificates of authorities
// whose fingerprints are among the pins. The files may be DER or PEM, packed, or LDIF of a directory.
//
// Nothing is taken that is older than what the folder has or the device has seen. The
// folder changes as a whole, or, with an error, not at all, but for one: that the change,
// which is made then, cannot be kept in Seen. Without Each the error is the first refusal.
func (f TrustFolder) Import(offers []Offer, o ImportOptions) ([]Receipt, error) {
	unlock, err := f.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, err := f.begin()
	if err != nil {
		return nil, err
	}
	defer c.clean()
	im := importing{change: c, o: o, receipts: make([]Receipt, len(offers)), crls: map[string]*cert.CRL{}, seen: map[[32]byte]bool{}, found: map[[32]byte]bool{}}
	for n, offer := range offers {
		im.at = &im.receipts[n]
		im.at.Name = offer.Name
		if im.at.Err = im.sort(offer); im.at.Err != nil && !o.Each {
			return nil, fmt.Errorf("%s: %w", offer.Name, im.at.Err)
		}
	}
	for _, pin := range o.Pins {
		if !im.found[pin] {
			return nil, fmt.Errorf("%w: SHA-256 %x is of no certificate in these files", ErrList, pin)
		}
	}
	if err := im.lists(); err != nil {
		return nil, err
	}
	if err := im.material(); err != nil {
		return nil, err
	}
	if err := im.revocations(); err != nil {
		return nil, err
	}
	if !im.changed {
		return im.receipts, c.unchanged()
	}
	return im.receipts, c.commit()
}

// importing is an import under way.
type importing struct {
	*change
	o        ImportOptions
	receipts []Receipt
	at       *Receipt // of the offer that is looked at
	changed  bool

	signed []offered // lists, to be taken in the order of their times
	certs  [][]byte
	seen   map[[32]byte]bool
	found  map[[32]byte]bool // of the pins, those whose certificates were offered
	rcrls  []offered
	crls   map[string]*cert.CRL
}

// offered is a part of an offer. Parts of a directory are passed over where a file of its
// own would be refused.
type offered struct {
	receipt *Receipt
	octets  []byte
	list    *SignedList
	part    bool
}

// refuse records why a part is not taken. The error ends the import, unless each offer is
// taken for itself.
func (im *importing) refuse(p offered, err error) error {
	if p.part {
		p.receipt.Passed = append(p.receipt.Passed, err)
		return nil
	}
	if p.receipt.Err = err; !im.o.Each {
		return fmt.Errorf("%s: %w", p.receipt.Name, err)
	}
	return nil
}

// lists verifies the signed lists and takes those that are newer.
func (im *importing) lists() error {
	var good []offered
	for _, p := range im.signed {
		l, err := im.store.OpenList(p.octets, im.o.At)
		if err != nil {
			if err := im.refuse(p, err); err != nil {
				return err
			}
			continue
		}
		p.list = l
		good = append(good, p)
	}
	slices.SortStableFunc(good, func(a, b offered) int { return cmp.Compare(a.list.Signed.Unix(), b.list.Signed.Unix()) })
	for _, p := range good {
		if err := im.list(p); err != nil {
			return err
		}
	}
	return nil
}

func (im *importing) list(p offered) error {
	m := p.list.Mark()
	if err := im.newer(m); err != nil {
		return im.refuse(p, err)
	}
	i := im.importOf(p.list)
	same := func(o Import) bool { return o.Kind == i.Kind && o.List == i.List && o.Country == i.Country }
	if im.o.Each && i.Kind == ImportAnchors && !slices.ContainsFunc(im.index.Imports, same) {
		return im.refuse(p, fmt.Errorf("%w: the first list of anchors by %s is imported by its name", ErrList, i.Country))
	}
	im.notes = append(im.notes, m)
	if slices.ContainsFunc(im.index.Imports, func(o Import) bool {
		return same(o) && o.SHA256 == m.Digest && slices.Equal(o.Documents, i.Documents) && slices.Equal(o.Countries, i.Countries)
	}) {
		p.receipt.Known++
		return nil
	}
	i, err := im.put(i, p.octets, p.list.Specimen, same)
	if err != nil {
		return err
	}
	p.receipt.Lists = append(p.receipt.Lists, i)
	im.changed = true
	return nil
}

// newer compares an edition with what the device has seen and what the folder has: a
// device that has forgotten must not lead the folder back.
func (im *importing) newer(m Mark) error {
	if err := im.Seen.Check(m); err != nil {
		return err
	}
	for _, i := range im.index.Imports {
		have := Mark{Kind: i.List, Issuer: i.Country, Sequence: i.Sequence, Signed: i.Signed, Digest: i.SHA256}
		if have.series() == m.series() && !m.follows(have) {
			return &RollbackError{Seen: have, Given: m}
		}
	}
	return nil
}

// importOf is the line of the index for a list.
func (im *importing) importOf(l *SignedList) Import {
	i := Import{
		Kind: ImportKind(l.Kind), List: l.Mark().Kind, Country: l.Country, Signer: l.Signer.Fingerprint(), CSCA: l.Anchor.Fingerprint,
		Signed: l.Signed, Imported: im.o.At.UTC().Truncate(time.Second), Operator: im.o.Operator,
	}
	ending := "der"
	if l.Kind == KindMasterList {
		ending, i.Kind, i.Documents, i.Countries = "ml", ImportAnchors, []string{"P"}, nil
		for _, o := range im.index.Imports { // what was decided for the edition before stays
			if o.List == i.List && o.Country == l.Country {
				i.Documents, i.Countries = o.Documents, o.Countries
			}
		}
		if len(im.o.Documents) > 0 {
			i.Documents = im.o.Documents
		}
		if len(im.o.Countries) > 0 {
			i.Countries = im.o.Countries
		}
	}
	i.File = fmt.Sprintf("%s-%s-%s.%s", l.Kind, l.Country, l.Signed.Format("20060102T150405Z"), ending)
	return i
}

// pin takes an anchor that the operator gave the fingerprint of.
func (im *importing) pin(c *cert.Certificate) error {
	print := c.Fingerprint()
	i := Import{
		File: fmt.Sprintf("pin-%s-%x.p7b", country(c), print[:8]), Kind: ImportAnchors, Documents: im.o.Documents,
		Country: country(c), CSCA: print, Imported: im.o.At.UTC().Truncate(time.Second), Operator: im.o.Operator,
	}
	b, err := pack([][]byte{c.Raw}, nil)
	if err != nil {
		return err
	}
	if i, err = im.put(i, b, specimenName(c.Subject), func(Import) bool { return false }); err != nil {
		return err
	}
	im.changed = true
	im.at.Pinned = append(im.at.Pinned, i)
	if im.store, err = im.next(); err != nil { // whom lists may now name
		return err
	}
	return nil
}

// country is the state of a certificate as a file name may hold it.
func country(c *cert.Certificate) string {
	s := canonical(c.Subject.Country())
	if len(s) != 2 || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "XX"
	}
	return s
}

// The lines of an index for what nobody signed as a whole.
const (
	listSigners = "signers" // certificates
	listRevoked = "revoked" // revocation lists, each signed for itself
	listBlocked = "blocked" // the operator's own
)

// packed returns what the folder has of a kind of material.
func (im *importing) packed(list string) (certs, crls [][]byte, err error) {
	for _, i := range im.index.Imports {
		if i.List != list {
			continue
		}
		b, err := ReadFile(im.fsys, i.File, maxPack)
		if err != nil {
			return nil, nil, err
		}
		if certs, crls, err = unpack(b); err != nil {
			return nil, nil, err
		}
	}
	return certs, crls, nil
}

// pack puts material in the place of what the folder had of it.
func (im *importing) pack(list string, certs, crls [][]byte) error {
	b, err := pack(certs, crls)
	if err != nil {
		return err
	}
	im.changed = true
	_, err = im.put(Import{
		File: fmt.Sprintf("%s-%06d.p7b", list, im.index.Generation), Kind: ImportMaterial, List: list,
		Imported: im.o.At.UTC().Truncate(time.Second), Operator: im.o.Operator,
	}, b, false, func(o Import) bool { return o.List == list })
	return err
}

// material adds the new certificates to those that the folder has.
func (im *importing) material() error {
	if len(im.certs) == 0 {
		return nil
	}
	certs, _, err := im.packed(listSigners)
	if err != nil {
		return err
	}
	return im.pack(listSigners, append(certs, im.certs...), nil)
}

// revocations takes the revocation lists that verify, the newest of each issuer and key.
func (im *importing) revocations() error {
	if len(im.rcrls) == 0 {
		return nil
	}
	_, raw, err := im.packed(listRevoked)
	if err != nil {
		return err
	}
	for _, der := range raw {
		if l, err := cert.ParseCRL(der); err == nil {
			im.crls[crlKey(l)] = l
		}
	}
	s, err := im.next()
	if err != nil {
		return err
	}
	taken := 0
	for _, p := range im.rcrls {
		fresh, err := im.revocation(s, p.octets)
		switch {
		case err != nil:
			if err := im.refuse(p, err); err != nil {
				return err
			}
		case fresh:
			p.receipt.CRLs++
			taken++
		default:
			p.receipt.Known++
		}
	}
	if taken == 0 {
		return nil
	}
	raw = raw[:0:0]
	for _, l := range im.crls {
		raw = append(raw, l.Raw)
	}
	slices.SortFunc(raw, bytes.Compare)
	return im.pack(listRevoked, nil, raw)
}

// revocation takes one list. It is not fresh if the folder has it.
func (im *importing) revocation(s *Store, der []byte) (fresh bool, err error) {
	l, err := cert.ParseCRL(der)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrList, err)
	}
	m := crlMark(l)
	switch {
	case len(l.UnknownCritical) > 0:
		return false, fmt.Errorf("%w: no complete revocation list", ErrList)
	case l.ThisUpdate.After(im.o.At.Add(clockSkew)):
		return false, fmt.Errorf("%w: signed %s, after the time of this clock", ErrList, l.ThisUpdate.UTC().Format(time.RFC3339))
	case s.signerOf(l, nil) == nil:
		return false, fmt.Errorf("%w: no trusted CSCA signed the revocation list of %v", ErrList, l.Issuer)
	}
	if err := im.Seen.Check(m); err != nil {
		return false, err
	}
	if have, ok := im.crls[crlKey(l)]; ok {
		if !m.follows(crlMark(have)) {
			return false, &RollbackError{Seen: crlMark(have), Given: m}
		}
		fresh = m.Digest != crlMark(have).Digest
	} else {
		fresh = true
	}
	im.crls[crlKey(l)] = l
	im.notes = append(im.notes, m)
	return fresh, nil
}
