package pki

import (
	"bytes"
	"fmt"
	"slices"
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
	list := j.newest(j.route[i+1])
	if list == nil {
		return Finding{}, false
	}
	if i == 0 {
		j.spoke = list
	}
	c := j.route[i].cert
	r, listed := list.Lookup(c.Serial)
	if !listed {
		return Finding{}, false
	}
	detail := fmt.Sprintf("%v since %s, %v", c.Subject, r.Time.UTC().Format(time.DateOnly), r.Reason)
	return Finding{Revocation, Failed, CertificateRevoked, detail}, true
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

// newest returns the newest complete list that the issuer signed, or nil. One that
// claims to be the issuer's and is not is ignored, and said.
func (j *judgement) newest(issuer *entry) *cert.CRL {
	var best *cert.CRL
	for _, l := range slices.Concat(j.store.crls, j.query.Lists) {
		if !l.Issuer.Equal(issuer.cert.Subject) && !bytes.Equal(l.AuthorityKeyID, keyID(issuer.cert)) {
			continue
		}
		why := ""
		switch {
		case !j.signedByState(l, issuer):
			why = "its signature is not the issuer's"
		case len(l.UnknownCritical) > 0:
			why = "it is not a complete list"
		}
		if why != "" {
			j.add(Lists, Passed, CRLIgnored, fmt.Sprintf("list of %s: %s", l.ThisUpdate.UTC().Format(time.DateOnly), why))
			continue
		}
		if best == nil || l.ThisUpdate.After(best.ThisUpdate) {
			best = l
		}
	}
	return best
}

// signedByState says whether the issuer signed the list, or the issuer's next key:
// after a rollover the new key signs for both (Doc 9303-12 §7.1.4).
func (j *judgement) signedByState(l *cert.CRL, issuer *entry) bool {
	if mayListRevoked(issuer.cert) && j.store.signedList(l, issuer) {
		return true
	}
	if !l.Issuer.Equal(issuer.cert.Subject) {
		return false
	}
	for _, e := range j.store.ofState(canonical(issuer.cert.Subject.Country())) {
		if e != issuer && e.cert.Subject.Equal(issuer.cert.Subject) && mayListRevoked(e.cert) &&
			j.store.signedList(l, e) && j.store.trusted(e) {
			return true
		}
	}
	return false
}

// mayListRevoked says whether a certificate allows its key to sign lists.
func mayListRevoked(c *cert.Certificate) bool {
	return c.KeyErr == nil && c.IsCA() && c.KeyUsage&cert.CRLSign != 0
}
