package pki

import (
	"fmt"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// day is how far a signed day of issue, which has no time and no zone, may lie
// beyond a certificate's limits.
const day = 24 * time.Hour

// validity judges the certificates at the time of the query. A document that never
// expires, and says so signed, is judged at its day of issue instead.
func (j *judgement) validity() {
	failed := j.expired(j.query.At)
	switch {
	case failed == nil:
		j.add(Validity, Passed, "", "")
		j.add(Outlived, Absent, "", "")
	case j.query.NoExpiry && past(failed.Kind) && j.validWhenIssued():
		j.add(Validity, Passed, "", "on the day of issue")
		j.add(Outlived, Failed, DocumentOutlived, failed.Detail)
	default:
		j.list = append(j.list, *failed)
	}
}

// past says whether a finding of validity is one of age.
func past(k Kind) bool { return k == SignerExpired || k == CSCAExpired }

// expired returns what is wrong with the validity at that time, or nil. A
// certificate that is not valid yet comes first: age excuses, youth does not.
func (j *judgement) expired(at time.Time) *Finding {
	var old *Finding
	at = at.Truncate(time.Second) // certificates know no fractions (RFC 5280 §4.1.2.5)
	for i, e := range j.route {
		early, late := CSCANotYet, CSCAExpired
		if i == 0 {
			early, late = SignerNotYet, SignerExpired
		}
		c := e.cert
		switch {
		case at.Before(c.NotBefore):
			return &Finding{Validity, Failed, early, fmt.Sprintf("%v begins %s", c.Subject, c.NotBefore.UTC().Format(time.RFC3339))}
		case at.After(c.NotAfter) && old == nil:
			old = &Finding{Validity, Failed, late, fmt.Sprintf("%v ended %s", c.Subject, c.NotAfter.UTC().Format(time.RFC3339))}
		}
	}
	return old
}

// validWhenIssued says whether the signer was valid on the signed day of issue, and
// all above it when it was made.
func (j *judgement) validWhenIssued() bool {
	if j.query.Issued.IsZero() {
		return false
	}
	signer := j.signer()
	if !onDay(cert.Period{NotBefore: signer.NotBefore, NotAfter: signer.NotAfter}, j.query.Issued) {
		return false
	}
	for _, e := range j.route[1:] {
		if !onDay(cert.Period{NotBefore: e.cert.NotBefore, NotAfter: e.cert.NotAfter}, signer.NotBefore) {
			return false
		}
	}
	return true
}

// keyPeriod says whether the signer's key was in use on the signed day of issue.
func (j *judgement) keyPeriod() {
	p, issued := j.signer().PrivateKeyUsage, j.query.Issued
	switch {
	case p == nil:
		j.add(KeyPeriod, Absent, "", "the signer's certificate does not limit the use of its key")
	case issued.IsZero():
		j.add(KeyPeriod, NotRun, "", "the document has no signed day of issue")
	case !onDay(*p, issued):
		j.add(KeyPeriod, Failed, OutsideKeyPeriod, fmt.Sprintf("issued %s, key in use from %s to %s", issued.Format(time.DateOnly), date(p.NotBefore), date(p.NotAfter)))
	default:
		j.add(KeyPeriod, Passed, "", "")
	}
}

func date(t time.Time) string {
	if t.IsZero() {
		return "ever"
	}
	return t.UTC().Format(time.DateOnly)
}

// onDay says whether some moment of the day, in any time zone, lies in the period.
func onDay(p cert.Period, d time.Time) bool {
	return (p.NotBefore.IsZero() || !d.Add(2*day).Before(p.NotBefore)) &&
		(p.NotAfter.IsZero() || !d.Add(-day).After(p.NotAfter))
}
