package pki

import (
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// The kinds of signed lists, as an index and a Memory name them.
const (
	KindMasterList = "masterlist" // CSCAs of the world (ICAO 9303-12 §9)
	KindDeviations = "deviations" // faults of genuine documents (ICAO 9303-12 §10)
	KindDefects    = "defects"    // the same by the authorities of Germany (BSI TR-03129-2 §7)
	KindCRL        = "crl"        // revoked certificates
)

// ErrList says that a list is refused as a whole.
var ErrList = errors.New("list refused")

// errListUnknown is an ErrList whose signer no CSCA that the operator pinned vouches for.
var errListUnknown = fmt.Errorf("%w: no CSCA that the operator pinned vouches for its signer", ErrList)

// Clock skew that an honest issuer and an honest checkpoint may have.
const clockSkew = 10 * time.Minute

// SignedList is a list whose signature, signer, chain and times were found in order.
type SignedList struct {
	Kind     string
	Country  string // of the signer, as in certificates
	Signer   *cert.Certificate
	Anchor   *Anchor // pinned by the operator, above the signer
	Signed   time.Time
	Digest   [32]byte // SHA-256 of the list as it came
	Specimen bool     // signed under a test key

	Certificates [][]byte    // of a master list, each the DER of one
	Deviations   []Deviation // of a list of deviations or defects
}

// Mark names this edition for a Memory. A list under a test key never stands in the place
// of a real one.
func (l *SignedList) Mark() Mark {
	kind := l.Kind
	if l.Specimen {
		kind = specimenPrefix + kind
	}
	return Mark{Kind: kind, Issuer: l.Country, Signed: l.Signed, Digest: l.Digest}
}

const specimenPrefix = "specimen-"

// listKinds gives the kind and the signer's purpose of each content type.
var listKinds = []struct {
	content, purpose asn1.ObjectIdentifier
	kind             string
}{
	{cms.OIDMasterList, cert.OIDMasterListSigner, KindMasterList},
	{OIDDeviationList, OIDDeviationListSigner, KindDeviations},
	{oidDefectList, OIDDeviationListSigner, KindDefects},
}

// OpenList verifies a master list, deviation list or defect list at the time of its
// import and reads it. It is refused whole, with an ErrList, unless
//
//   - it is DER with one signer, whose signature covers the content and the time;
//   - the signer may sign such lists and nothing else, was valid when it signed, is valid
//     at that time and not revoked by a list of the store;
//   - signatures lead from the signer to an anchor that the operator pinned, over
//     certificates of the store or of the list itself. What only the list or another
//     list holds is never such an anchor.
//
// Nobody who can write lists may name states: whether it is older than one that was seen
// before is asked of a Memory.
func (s *Store) OpenList(raw []byte, at time.Time) (*SignedList, error) {
	d, err := cms.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	l := &SignedList{Digest: sha256.Sum256(raw)}
	purpose := l.readKind(d)
	if purpose == nil {
		return nil, fmt.Errorf("%w: content type %v", ErrList, d.ContentType)
	}
	if d.BER || len(d.Signers) != 1 || d.Content == nil {
		return nil, fmt.Errorf("%w: not one signature in DER", ErrList)
	}
	if l.Signed, err = signingTime(d.Signers[0]); err != nil {
		return nil, err
	}
	if l.Signed.After(at.Add(clockSkew)) {
		return nil, fmt.Errorf("%w: signed %s, after the time of this clock", ErrList, l.Signed.Format(time.RFC3339))
	}
	if err := l.readContent(d.Content); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	if err := s.vouch(l, d, purpose, at); err != nil {
		return nil, err
	}
	return l, nil
}

// readKind sets the kind and returns the purpose that the signer must have.
func (l *SignedList) readKind(d *cms.SignedData) asn1.ObjectIdentifier {
	for _, k := range listKinds {
		if d.ContentType.Equal(k.content) {
			l.Kind = k.kind
			return k.purpose
		}
	}
	return nil
}

func (l *SignedList) readContent(content []byte) (err error) {
	switch l.Kind {
	case KindMasterList:
		l.Certificates, err = parseMasterList(content)
	case KindDeviations:
		l.Deviations, err = parseDeviationList(content)
	case KindDefects:
		l.Deviations, err = parseDefectList(content)
	}
	return err
}

// readDeviations reads a list of deviations or defects without verifying it.
func readDeviations(raw []byte) ([]Deviation, error) {
	d, err := cms.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrList, err)
	}
	l := new(SignedList)
	if l.readKind(d) == nil || l.Kind == KindMasterList {
		return nil, fmt.Errorf("%w: content type %v", ErrList, d.ContentType)
	}
	err = l.readContent(d.Content)
	return l.Deviations, err
}

// pinned says whether an anchor is one that the operator pinned, and not one that came
// with a list: a state that a list names must not name others in turn.
func (s *Store) pinned(e *entry) bool { return e.anchor() && (e.listed == nil || e.listed.List == "") }

// signingTime is the signed attribute that Doc 9303-12 demands.
func signingTime(s *cms.SignerInfo) (time.Time, error) {
	t, ok := s.SigningTime()
	if !ok {
		return t, fmt.Errorf("%w: not exactly one signing time", ErrList)
	}
	return t.UTC(), nil
}

// vouch looks for the signer and its chain to a pinned anchor.
func (s *Store) vouch(l *SignedList, d *cms.SignedData, purpose asn1.ObjectIdentifier, at time.Time) error {
	info := d.Signers[0]
	candidates := append(d.SignerCertificates(info), s.Signers(info)...)
	why := error(errListUnknown)
	for _, c := range candidates[:min(len(candidates), maxSigners)] {
		if err := mayList(c, purpose); err != nil {
			why = err
			continue
		}
		if err := s.strong(d, c); err != nil {
			why = err
			continue
		}
		route, err := s.pinnedRoute(c, l.material(d, c), at, l.Signed)
		if err != nil {
			why = err
			continue
		}
		l.Signer, l.Anchor, l.Country = c, route.anchor().asAnchor(), canonical(c.Subject.Country())
		l.Specimen = route.specimen()
		return nil
	}
	return why
}

// maxSigners is how many certificates are tried for the signer of a list.
const maxSigners = 4

// mayList says whether a certificate is one for signing such lists, and for nothing else.
func mayList(c *cert.Certificate, purpose asn1.ObjectIdentifier) error {
	why := ""
	switch {
	case c.KeyErr != nil:
		why = c.KeyErr.Error()
	case c.IsCA() || c.KeyUsage&cert.KeyCertSign != 0:
		why = "its signer is a certification authority"
	case c.KeyUsage&cert.DigitalSignature == 0:
		why = "its signer has no digitalSignature"
	case len(c.ExtKeyUsage) != 1 || !c.ExtKeyUsage[0].Equal(purpose):
		why = fmt.Sprintf("its signer is for %v, not for such lists", c.ExtKeyUsage)
	case len(c.UnknownCritical) > 0:
		why = fmt.Sprintf("its signer has %v", c.UnknownCritical)
	}
	for _, d := range c.Defects {
		if d.Kind == cert.DefectAlgorithmMismatch {
			why = "its signer names two algorithms"
		}
	}
	if why != "" {
		return fmt.Errorf("%w: %s", ErrList, why)
	}
	return nil
}

// strong verifies the signature, by an algorithm that is not weak.
func (s *Store) strong(d *cms.SignedData, c *cert.Certificate) error {
	if err := d.Verify(d.Signers[0], c.PublicKey); err != nil {
		return fmt.Errorf("%w: %w", ErrList, err)
	}
	alg, err := d.Signers[0].Algorithm()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrList, err)
	}
	digest, err := d.Signers[0].DigestAlgorithm.Hash()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrList, err)
	}
	if KeyStrength(c.PublicKey, alg.Hash) != "" || KeyStrength(cert.PublicKey{}, digest) != "" {
		return fmt.Errorf("%w: signed by %v with %v, which is weak", ErrList, alg, c.PublicKey)
	}
	return nil
}

// material is what a list brings along that may lie between its signer and an anchor:
// certificates of the signer's state. None of it is an anchor.
func (l *SignedList) material(d *cms.SignedData, signer *cert.Certificate) []*entry {
	var out []*entry
	add := func(c *cert.Certificate) {
		if len(out) < maxTrial && c.IsCA() && sameCountry(c.Subject.Country(), signer.Subject.Country()) {
			out = append(out, stranger(c, fromDocument))
		}
	}
	for _, c := range d.Certificates {
		if c.Parsed != nil {
			add(c.Parsed)
		}
	}
	for _, raw := range l.Certificates {
		if c, err := cert.Parse(raw); err == nil {
			add(c)
		}
	}
	return out
}

// pinnedRoute returns a way from the signer to an anchor that the operator pinned, on
// which everything was in order when the list was signed, and the signer still is.
func (s *Store) pinnedRoute(signer *cert.Certificate, material []*entry, at, signed time.Time) (route, error) {
	w := newWalk(s, material...)
	w.from(route{stranger(signer, fromDocument)})
	why := error(errListUnknown)
	for _, r := range w.found {
		if !s.pinned(r.anchor()) {
			continue
		}
		if why = s.routeInOrder(r, material, at, signed); why == nil {
			return r, nil
		}
	}
	return nil, why
}

func (s *Store) routeInOrder(r route, material []*entry, at, signed time.Time) error {
	j := judgement{store: s, query: Query{At: signed}, route: r, extra: material}
	for _, t := range []time.Time{signed, at} {
		if f := j.expired(t); f != nil && (t.Equal(signed) || f.Kind == SignerExpired || f.Kind == SignerNotYet) {
			return fmt.Errorf("%w: %s", ErrList, f.Detail)
		}
	}
	j.authority()
	j.country()
	j.strength()
	for _, f := range j.list {
		if f.Level == Failed {
			return fmt.Errorf("%w: %s (%s)", ErrList, f.Kind, f.Detail)
		}
	}
	for i := range r {
		if f, revoked := j.revoked(i); revoked {
			return fmt.Errorf("%w: its signer, or one above it, is revoked: %s", ErrList, f.Detail)
		}
	}
	return nil
}

// specimen says whether a test key is on the way.
func (r route) specimen() bool {
	for _, e := range r {
		if e.specimen {
			return true
		}
	}
	return false
}

// maxListed is how many certificates a master list may hold. The largest has 600.
const maxListed = 10_000

// parseMasterList reads a CscaMasterList and returns its certificates, undecoded: one
// that cannot be read is of no use and does no harm.
func parseMasterList(der []byte) ([][]byte, error) {
	s := cryptobyte.String(der)
	var list, set cryptobyte.String
	var version int
	if !s.ReadASN1(&list, tags.SEQUENCE) || !s.Empty() || !list.ReadASN1Integer(&version) || version != 0 ||
		!list.ReadASN1(&set, tags.SET) || !list.Empty() {
		return nil, errors.New("no master list")
	}
	var out [][]byte
	for !set.Empty() {
		var raw cryptobyte.String
		if !set.ReadASN1Element(&raw, tags.SEQUENCE) || len(out) == maxListed {
			return nil, errors.New("no list of certificates")
		}
		out = append(out, raw)
	}
	if len(out) == 0 {
		return nil, errors.New("an empty master list")
	}
	return out, nil
}
