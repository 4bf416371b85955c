package pki

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
)

// judgement gathers the findings about one way to an anchor.
type judgement struct {
	store *Store
	query Query
	route route // signer first, anchor last; at least one
	list  []Finding
	extra []*entry  // certificates beside the store's that say which of the route are links
	spoke *cert.CRL // the revocation list that speaks for the signer
}

// Judge says what the signer and its chain are worth. Of several ways to an anchor
// the one with the least against it counts, but a signer that is revoked on one of them
// is revoked. The result is kept for those who ask the same: it must not be changed.
func (c *Chain) Judge(q Query) Result {
	all := q
	q.Number = "" // of one document; nothing that is kept depends on it
	r, ok := c.memo.get(q)
	if !ok {
		r = c.judge(q)
		c.memo.put(q, r)
	}
	r.Deviations = c.store.adverse.known(c.signer, all, r.Finding(Specimen).Kind == TestKeys)
	return r
}

func (c *Chain) judge(q Query) Result {
	if len(c.paths) == 0 {
		return c.withoutPath(q)
	}
	var best Result
	for i, r := range c.paths {
		if result := c.along(r, q); i == 0 || result.against() < best.against() {
			best = result
		}
	}
	for _, r := range c.paths {
		j := judgement{store: c.store, query: q, route: r}
		f, revoked := j.refused()
		if !revoked {
			f, revoked = j.revoked(0)
		}
		if revoked {
			best.Findings[slices.Index(Aspects, Revocation)] = f
			break
		}
	}
	return best
}

// withoutPath judges a signer that no certificate of the store vouches for.
func (c *Chain) withoutPath(q Query) Result {
	j := judgement{store: c.store, query: q, route: route{{cert: c.signer}}}
	j.structure()
	j.profile(c)
	j.usage()
	j.strength()
	j.country()
	j.specimen()
	if f, refused := j.refused(); refused {
		j.list = append(j.list, f)
	}
	switch c.gap {
	case forged:
		j.add(Signature, Failed, ChainForged, "names a key that is held here and did not sign it, or only itself")
	case broken:
		j.add(Signature, Failed, AlgorithmBroken, algorithm(c.signer))
	case unknown:
		j.add(Signature, Undetermined, CSCAUnknown, fmt.Sprintf("issuer %v, key %x", c.signer.Issuer, c.signer.AuthorityKeyID))
	}
	return j.result(nil)
}

// along judges one way.
func (c *Chain) along(r route, q Query) Result {
	j := judgement{store: c.store, query: q, route: r}
	j.structure()
	j.profile(c)
	j.usage()
	j.documentType()
	j.strength()
	if r.stranger() {
		j.add(Signature, Undetermined, CSCAUnknown, "the issuer's certificate lies only in the document itself")
	} else {
		j.add(Signature, Passed, "", fmt.Sprintf("anchor %v", r.anchor().asAnchor()))
	}
	j.authority()
	j.country()
	j.validity()
	j.keyPeriod()
	j.specimen()
	j.revocation()
	return j.result(r.anchor().asAnchor())
}

func (j *judgement) add(a Aspect, l Level, k Kind, detail string) {
	j.list = append(j.list, Finding{a, l, k, detail})
}

// result orders the findings, the worst of each aspect, and fills in the rest.
func (j *judgement) result(a *Anchor) Result {
	r := Result{Anchor: a, List: j.spoke}
	r.Issuer, _ = j.issuer()
	for _, aspect := range Aspects {
		f := Finding{Aspect: aspect}
		found := false
		for _, g := range j.list {
			if g.Aspect == aspect && (!found || g.Level.worse(f.Level)) {
				f, found = g, true
			}
		}
		r.Findings = append(r.Findings, f)
	}
	if a != nil {
		for _, e := range j.route {
			r.Path = append(r.Path, e.cert)
		}
	}
	return r
}

// worse orders the levels by what they say against a chain.
func (l Level) worse(than Level) bool {
	rank := [...]int{NotRun: 1, Absent: 1, Undetermined: 2, Failed: 3, Passed: 0}
	return rank[l] > rank[than]
}

// against counts what speaks against a chain.
func (r Result) against() int {
	n := 0
	for _, f := range r.Findings {
		switch f.Level {
		case Failed:
			n += 1000
		case Undetermined:
			n++
		case NotRun, Absent, Passed:
		}
	}
	return n
}

func (j *judgement) signer() *cert.Certificate { return j.route[0].cert }

// structure judges the form of all certificates but the anchor's, which the
// operator vouches for; conditions that we don't know count there too.
func (j *judgement) structure() {
	ok := true
	for i, e := range j.route {
		c := e.cert
		if len(c.UnknownCritical) > 0 {
			ok = false
			j.add(Structure, Failed, CertCritical, fmt.Sprintf("%v has %v", c.Subject, c.UnknownCritical))
		}
		if i > 0 && i == len(j.route)-1 {
			continue
		}
		for _, d := range c.Defects {
			if d.Kind == cert.DefectAlgorithmMismatch {
				ok = false
				j.add(Structure, Failed, CertAlgorithm, fmt.Sprintf("inside %v, outside %v", c.InnerAlgorithm.OID, c.Algorithm.OID))
			}
		}
	}
	if !ok {
		return
	}
	if d := j.signer().Defects; len(d) > 0 {
		kinds := make([]string, 0, len(d))
		for _, d := range d {
			kinds = append(kinds, string(d.Kind))
		}
		j.add(Structure, Passed, CertDefect, strings.Join(kinds, ", "))
		return
	}
	j.add(Structure, Passed, "", "")
}

// usage says whether the signer's key is one for signing documents: no CA, no signer
// of lists, and no anchor itself.
func (j *judgement) usage() {
	c := j.signer()
	why := ""
	switch {
	case c.IsCA():
		why = "the signer is a certification authority"
	case c.KeyUsage&cert.DigitalSignature == 0:
		why = "the signer has no digitalSignature"
	case c.KeyUsage&cert.KeyCertSign != 0:
		why = "the signer may sign certificates"
	case has(c, cert.OIDExtKeyUsage): // readable or not
		why = fmt.Sprintf("the signer is for %v", c.ExtKeyUsage)
	case j.route[0].anchor != nil && j.route[0].anchor():
		why = "the signer is a trust anchor itself"
	}
	if why != "" {
		j.add(Usage, Failed, SignerUsage, why)
		return
	}
	j.add(Usage, Passed, "", "")
}

// documentType compares the document's code with what the issuer allows the signer
// and what the operator allows the anchor.
func (j *judgement) documentType() {
	code, list := j.query.DocumentType, j.signer().DocumentTypes
	allowed := list == nil || code == ""
	for _, d := range list {
		allowed = allowed || covers(d, code)
	}
	i, _ := j.issuer()
	switch {
	case !allowed:
		j.add(DocumentType, Failed, SignerType, fmt.Sprintf("document %q, signer for %q", code, list))
	case !i.admits(j.route.anchor().asAnchor()), code != "" && !j.route.anchor().asAnchor().admits(code):
		j.add(DocumentType, Failed, AnchorType, fmt.Sprintf("document %q, anchor %v", code, j.route.anchor().asAnchor()))
	case code != "":
		j.add(DocumentType, Passed, "", "")
	}
}

// issuer is what the operator says, by the state that issued the signer.
func (j *judgement) issuer() (Issuer, bool) {
	return j.store.Issuer(j.route.anchor().cert.Subject.Country(), j.query.DocumentType)
}

// authority says whether those above the signer may certify.
func (j *judgement) authority() {
	below := 0 // certification authorities between this one and the signer that count
	for _, e := range j.route[1:] {
		c := e.cert
		switch {
		case !c.IsCA():
			j.add(Authority, Failed, CSCAUsage, fmt.Sprintf("%v is no certification authority", c.Subject))
		case c.KeyUsage&cert.KeyCertSign == 0:
			j.add(Authority, Failed, CSCAUsage, fmt.Sprintf("%v has no keyCertSign", c.Subject))
		case c.BasicConstraints.PathLen >= 0 && below > c.BasicConstraints.PathLen:
			j.add(Authority, Failed, PathLength, fmt.Sprintf("%v allows %d below", c.Subject, c.BasicConstraints.PathLen))
		}
		if !j.link(e) {
			below++
		}
	}
	j.add(Authority, Passed, "", "")
}

// link says whether a certificate hands a CSCA's trust on to the next key of the
// same CSCA; such don't count for path lengths. They bear the same name, or the
// name-change extension, or stand for a key that certifies itself as well.
func (j *judgement) link(e *entry) bool {
	c := e.cert
	if c.Issuer.Equal(c.Subject) || c.NameChange {
		return true
	}
	for _, o := range j.store.withKeyID(keyID(c)) {
		if o.cert.PublicKey.Equal(c.PublicKey) && o.anchor() {
			return true
		}
	}
	return slices.ContainsFunc(j.extra, func(o *entry) bool {
		return o.cert.KeyErr == nil && o.cert.PublicKey.Equal(c.PublicKey) && o.cert.SelfSigned()
	})
}

// country says whether document, signer and CSCA name one state.
func (j *judgement) country() {
	signer := j.signer().Subject.Country()
	for _, e := range j.route[1:] {
		if ca := e.cert.Subject.Country(); !sameCountry(signer, ca) {
			j.add(Country, Failed, CountryMismatch, fmt.Sprintf("signer %q, CSCA %q", signer, ca))
		}
	}
	if state := j.query.Country; state != "" && !sameCountry(signer, CountryOf(state)) {
		j.add(Country, Failed, CountryMismatch, fmt.Sprintf("document %q, signer %q", state, signer))
	}
	j.add(Country, Passed, "", "")
}

// specimen keeps test keys apart.
func (j *judgement) specimen() {
	test := false
	for _, e := range j.route {
		test = test || e.specimen
	}
	switch {
	case !test:
		j.add(Specimen, Passed, "", "")
	case j.query.Specimen:
		j.add(Specimen, Passed, TestKeys, "")
	default:
		j.add(Specimen, Undetermined, TestKeys, "")
	}
}
