package pki

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// revocation looks up every certificate below the anchor in the newest list of its
// issuer. A certificate that a list names is revoked whenever that happened.
func (j *judgement) revocation() {
	issuer, known := j.issuer()
	if known {
		j.add(Known, Passed, "", "")
	} else {
		j.add(Known, NotRun, IssuerUnset, issuer.Country)
	}
	for i := range j.route[:len(j.route)-1] {
		if f, revoked := j.revoked(i); revoked {
			j.list = append(j.list, f)
		} else if i == 0 {
			j.freshness(issuer, j.newest(j.route[1]))
			j.sequence(j.route[1])
		}
	}
	if len(j.route) == 1 {
		j.add(Revocation, NotRun, "", "")
	}
	j.add(Lists, Passed, "", "")
}

// revoked looks up the certificate at that place of the route, which is not the anchor.
func (j *judgement) revoked(i int) (Finding, bool) {
	if i+1 >= len(j.route) {
		return Finding{}, false
	}
	c := j.route[i].cert
	lists := j.lists(j.route[i+1])
	if i == 0 {
		j.spoke = latest(lists)
	}
	for _, list := range lists {
		if r, listed := list.Lookup(c.Serial); listed {
			detail := fmt.Sprintf("%v since %s, %v", c.Subject, r.Time.UTC().Format(time.DateOnly), r.Reason)
			return Finding{Revocation, Failed, CertificateRevoked, detail}, true
		}
	}
	return Finding{}, false
}

// freshness judges the list that speaks for the signer, which it does not name.
func (j *judgement) freshness(issuer Issuer, list *cert.CRL) {
	if list == nil {
		switch issuer.CRL {
		case None:
			j.add(Revocation, Absent, CRLNotPublished, "")
		case Optional:
			j.add(Revocation, Absent, CRLMissing, "")
		case Required:
			j.add(Revocation, Undetermined, CRLMissing, "")
		}
		return
	}
	late, age := j.query.At.Sub(list.NextUpdate), j.query.At.Sub(list.ThisUpdate)
	switch {
	case list.NextUpdate.IsZero():
		late = age
	case j.query.CRLAge > 0 && age > j.query.CRLAge && late <= issuer.CRLGrace:
		late = age - j.query.CRLAge
	case late <= issuer.CRLGrace:
		j.add(Revocation, Passed, "", fmt.Sprintf("list of %s", list.ThisUpdate.UTC().Format(time.DateOnly)))
		return
	}
	level := Undetermined
	if issuer.CRL == None {
		level = Absent
	}
	j.add(Revocation, level, CRLStale, fmt.Sprintf("list of %s, %d days late", list.ThisUpdate.UTC().Format(time.DateOnly), int(late/day)))
}

// newest returns the newest complete list that speaks for what the issuer issued, or nil.
func (j *judgement) newest(issuer *entry) *cert.CRL { return latest(j.lists(issuer)) }

func latest(lists []*cert.CRL) (best *cert.CRL) {
	for _, l := range lists {
		if best == nil || l.ThisUpdate.After(best.ThisUpdate) {
			best = l
		}
	}
	return best
}

// lists returns the newest complete list under each name and key that speaks for what the
// issuer issued: its own, and that of a CSCA which the issuer's key handed its trust on to.
// A list by the next key speaks for both, and clears nothing that one by the former key
// revokes: some CSCAs list for each key what it signed. One that claims to be the issuer's
// and is not is ignored, and said.
func (j *judgement) lists(issuer *entry) []*cert.CRL {
	var spoken []*cert.CRL
	for _, l := range slices.Concat(j.store.crls, j.query.Lists) {
		if !l.Issuer.Equal(issuer.cert.Subject) && !bytes.Equal(l.AuthorityKeyID, keyID(issuer.cert)) {
			if len(l.UnknownCritical) == 0 && j.store.heir(l, issuer) {
				spoken = append(spoken, l)
			}
			continue
		}
		why := ""
		switch {
		case !j.store.signedByState(l, issuer):
			why = "its signature is not the issuer's"
		case len(l.UnknownCritical) > 0:
			why = "it is not a complete list"
		}
		if why != "" {
			j.add(Lists, Passed, CRLIgnored, fmt.Sprintf("list of %s: %s", l.ThisUpdate.UTC().Format(time.DateOnly), why))
			continue
		}
		spoken = append(spoken, l)
	}
	return newestOf(spoken, crlKey)
}

// newestOf returns the newest list of each series, in the order in which they come.
func newestOf(lists []*cert.CRL, series func(*cert.CRL) string) []*cert.CRL {
	if len(lists) < 2 {
		return lists
	}
	var out []*cert.CRL
	at := map[string]int{}
	for _, l := range lists {
		i, again := at[series(l)]
		switch {
		case !again:
			at[series(l)] = len(out)
			out = append(out, l)
		case l.ThisUpdate.After(out[i].ThisUpdate):
			out[i] = l
		}
	}
	return out
}

// crlKey names the lists that take one another's place: those of one name and key.
func crlKey(l *cert.CRL) string { return fmt.Sprintf("%s %x", listIssuer(l.Issuer), l.AuthorityKeyID) }

// signedByState says whether the issuer signed the list, or the issuer's next key:
// after a rollover the new key signs for both (Doc 9303-12 §7.1.4).
func (s *Store) signedByState(l *cert.CRL, issuer *entry) bool {
	if mayListRevoked(issuer.cert) && s.signedList(l, issuer) {
		return true
	}
	return l.Issuer.Equal(issuer.cert.Subject) && s.signerOf(l, issuer) != nil
}

// signerOf returns a trusted certificate of the list's issuer whose key signed it, other
// than that one, or nil.
func (s *Store) signerOf(l *cert.CRL, other *entry) *entry {
	for _, e := range s.ofState(canonical(l.Issuer.Country())) {
		if e != other && e.cert.Subject.Equal(l.Issuer) && mayListRevoked(e.cert) &&
			s.signedList(l, e) && s.trusted(e) {
			return e
		}
	}
	return nil
}

// heir says whether a CSCA of the same state under another name signed the list, to
// whose key the issuer's key handed its trust on by link certificates: after a change of
// name the new CSCA's list covers the old one's certificates (Doc 9303-12 §7.1.4).
func (s *Store) heir(l *cert.CRL, issuer *entry) bool {
	if !sameCountry(l.Issuer.Country(), issuer.cert.Subject.Country()) {
		return false
	}
	type question struct {
		list   *cert.CRL
		issuer [32]byte
	}
	q := question{l, issuer.cert.Fingerprint()}
	if answer, ok := s.heirs.Load(q); ok {
		return answer.(bool)
	}
	e := s.signerOf(l, issuer)
	answer := e != nil && s.handedOn(issuer.cert.PublicKey, e.cert.PublicKey, canonical(l.Issuer.Country()), newWalk(s), map[*entry]bool{})
	if slices.Contains(s.crls, l) { // every judgement asks
		s.heirs.Store(q, answer)
	}
	return answer
}

// handedOn says whether a chain of link certificates leads from the key of one CSCA to
// that of another of the same state. A link is followed once, so that keys which vouch for
// one another cost no more than others.
func (s *Store) handedOn(from, to cert.PublicKey, country string, w *walk, followed map[*entry]bool) bool {
	if from.Equal(to) {
		return true
	}
	for _, link := range s.links(country, to) {
		if followed[link] {
			continue
		}
		followed[link] = true
		if above := w.issuers(link); len(above) > 0 && s.handedOn(from, above[0].cert.PublicKey, country, w, followed) {
			return true
		}
	}
	return false
}

// maxLinks is how many link certificates for one key are looked at.
const maxLinks = 4

// links returns certificates of the state by which another key vouches for this one.
func (s *Store) links(country string, key cert.PublicKey) []*entry {
	var out []*entry
	for _, e := range s.ofState(country) {
		if len(out) < maxLinks && e.cert.KeyErr == nil && e.cert.PublicKey.Equal(key) && e.cert.IsCA() && !e.cert.SelfSigned() {
			out = append(out, e)
		}
	}
	return out
}

// crlMark names an edition of a revocation list for a Memory.
func crlMark(l *cert.CRL) Mark {
	m := Mark{Kind: KindCRL, Issuer: listIssuer(l.Issuer), Signed: l.ThisUpdate, Digest: sha256.Sum256(l.Raw)}
	if l.Number != nil && l.Number.IsUint64() {
		m.Sequence = l.Number.Uint64()
	}
	return m
}

// Relied returns the newest edition of each revocation list of the store, by a key that it
// trusts, that judgements looked into so far, and the edition of the trust folder that was
// loaded, for a Memory: however they came here, an older one in the place is then noticed. A
// list that is dated after now is not among them.
func (s *Store) Relied(now time.Time) []Mark {
	newest := map[string]*cert.CRL{}
	s.signedLists.Range(func(question, answer any) bool {
		q := question.(listedBy)
		l, issuer := q.list, listIssuer(q.list.Issuer)
		if before := newest[issuer]; answer.(bool) && len(l.UnknownCritical) == 0 && !l.ThisUpdate.After(now.Add(clockSkew)) &&
			(before == nil || l.ThisUpdate.After(before.ThisUpdate)) && mayListRevoked(q.by.cert) &&
			q.by.cert.Subject.Equal(l.Issuer) && s.trusted(q.by) {
			newest[issuer] = l
		}
		return true
	})
	marks := make([]Mark, 0, len(newest)+1)
	for _, l := range newest {
		marks = append(marks, crlMark(l))
	}
	if s.edition != nil {
		marks = append(marks, *s.edition)
	}
	slices.SortFunc(marks, compareMarks)
	return marks
}

// listIssuer spells the name of who issues lists always alike.
func listIssuer(n cert.Name) string {
	s := strings.ToValidUTF8(strings.ToLower(n.String()), "\uFFFD")
	if len(s) > maxMarkIssuer-8 {
		s = fmt.Sprintf("%x", sha256.Sum256([]byte(s)))
	}
	return canonical(n.Country()) + " " + s
}

// sequence takes back what an older list says than one that this device has seen, or what
// no list says any more.
func (j *judgement) sequence(issuer *entry) {
	if j.query.Seen == nil {
		return
	}
	lists := j.lists(issuer)
	for _, l := range newestOf(lists, func(l *cert.CRL) string { return listIssuer(l.Issuer) }) {
		if err := j.query.Seen.Check(crlMark(l)); err != nil {
			j.add(Revocation, Undetermined, CRLOlder, err.Error())
		}
	}
	if seen, ok := j.query.Seen.last(KindCRL, listIssuer(issuer.cert.Subject)); ok && len(lists) == 0 {
		j.add(Revocation, Undetermined, CRLOlder, seen.edition()+" was seen before, none is here")
	}
}

// mayListRevoked says whether a certificate allows its key to sign lists.
func mayListRevoked(c *cert.Certificate) bool {
	return c.KeyErr == nil && c.IsCA() && c.KeyUsage&cert.CRLSign != 0
}
