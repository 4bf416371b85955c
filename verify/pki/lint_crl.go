package pki

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// LintCRL says which rules of Doc 9303-12 §7.1.4 a revocation list breaks; issuer is the
// CSCA whose key signed it, nil if it is not at hand. Like Lint it verifies nothing.
func LintCRL(r *cert.CRL, issuer *cert.Certificate) []Breach {
	l := linter{spec: table9}
	l.must(r.Version == 2, "version", "")
	l.name(r.Issuer, "issuer")
	l.defects(r.Defects)
	l.must(!r.NextUpdate.IsZero(), "next-update.missing", "")
	for _, d := range r.Defects {
		l.must(d.Kind != cert.DefectEmptyList, "revoked-certificates.empty", "")
	}
	alg, err := r.Algorithm.Signature()
	l.must(err == nil && cert.HashOID(alg.Hash) != nil, "signature-algorithm", r.Algorithm.OID.String())
	l.must(err != nil || alg.Hash != crypto.SHA1, "signature-hash", alg.String())
	if issuer != nil {
		l.must(r.Issuer.Equal(issuer.Subject), "issuer-name", "not the issuer's subject")
		l.must(mayListRevoked(issuer), "issuer-key-usage", "the issuer's key is not for revocation lists")
	}
	l.listExtensions(r, issuer)
	l.spec = "9303-12 §4.1.5"
	if !r.NextUpdate.IsZero() {
		l.must(r.ThisUpdate.Before(r.NextUpdate), "crl-period", "ends before it begins")
		l.must(!r.NextUpdate.After(r.ThisUpdate.AddDate(0, 0, 90)), "crl-period", "over 90 days")
	}
	l.entries(r)
	return l.list
}

// listExtensions is table 10 for the list.
func (l *linter) listExtensions(r *cert.CRL, issuer *cert.Certificate) {
	l.spec = table10
	l.must(len(r.AuthorityKeyID) > 0, "authority-key-identifier.missing", "")
	if issuer != nil && len(r.AuthorityKeyID) > 0 {
		l.must(bytes.Equal(r.AuthorityKeyID, issuer.SubjectKeyID), "authority-key-identifier.value", fmt.Sprintf("%x", r.AuthorityKeyID))
	}
	l.must(r.Number != nil, "crl-number.missing", "")
	if r.Number != nil {
		l.must(r.Number.Sign() >= 0 && r.Number.BitLen() <= 159, "crl-number.value", r.Number.String())
	}
	for _, e := range r.Extensions {
		switch {
		case e.OID.Equal(cert.OIDDeltaCRL), e.OID.Equal(cert.OIDIssuingDistribution), e.OID.Equal(asn1.ObjectIdentifier{2, 5, 29, 46}):
			l.add(Error, "list-extension.forbidden", e.OID.String())
		case e.Critical:
			l.add(Error, "list-extension.criticality", e.OID.String())
		}
	}
}

// forbiddenInEntries are reasonCode, holdInstructionCode, invalidityDate, certificateIssuer.
var forbiddenInEntries = []asn1.ObjectIdentifier{cert.OIDReasonCode, {2, 5, 29, 23}, {2, 5, 29, 24}, {2, 5, 29, 29}}

// entries is table 10 for the entries, and what no list should hold. Each rule is said once.
func (l *linter) entries(r *cert.CRL) {
	l.spec = table10
	raw := entryExtensions(r)
	for _, oid := range forbiddenInEntries {
		l.must(raw[oid.String()] == 0, "entry-extension.forbidden", fmt.Sprintf("%v in %d entries", oid, raw[oid.String()]))
	}
	l.spec = "RFC 5280 §5.1.2.6"
	entries := r.Entries()
	seen := make(map[string]bool, len(entries))
	var twice, future, odd int
	for _, e := range entries {
		serial := string(e.Serial.Bytes())
		if seen[serial] {
			twice++
		}
		seen[serial] = true
		if e.Time.After(r.ThisUpdate) {
			future++
		}
		if e.Serial.Sign() <= 0 {
			odd++
		}
	}
	l.should(twice == 0, "entry-twice", fmt.Sprint(twice))
	l.should(future == 0, "entry-in-future", fmt.Sprint(future))
	l.should(odd == 0, "entry-serial", fmt.Sprint(odd))
}

// criticalMark stands before the identifiers of those that are critical in entryExtensions.
const criticalMark = "!"

// entryExtensions counts the extensions of the entries, those that are critical once more
// under their mark. The list was parsed, so that what cannot be read here is not there.
func entryExtensions(r *cert.CRL) map[string]int {
	count := map[string]int{}
	tbs, list := cryptobyte.String(r.RawTBS), cryptobyte.String(nil)
	if !tbs.ReadASN1(&tbs, tags.SEQUENCE) {
		return count
	}
	tbs.SkipOptionalASN1(tags.INTEGER)
	for range 2 { // algorithm, issuer
		tbs.SkipASN1(tags.SEQUENCE)
	}
	for tbs.PeekASN1Tag(tags.UTCTime) || tbs.PeekASN1Tag(tags.GeneralizedTime) {
		var any cryptobyte.String
		var tag tags.Tag
		if !tbs.ReadAnyASN1(&any, &tag) {
			return count
		}
	}
	if !tbs.ReadASN1(&list, tags.SEQUENCE) {
		return count
	}
	for !list.Empty() {
		var entry, extensions, one cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1(&entry, tags.SEQUENCE) {
			return count
		}
		var any cryptobyte.String
		var tag tags.Tag
		if !entry.SkipASN1(tags.INTEGER) || !entry.ReadAnyASN1(&any, &tag) || !entry.ReadASN1(&extensions, tags.SEQUENCE) {
			continue
		}
		for extensions.ReadASN1(&one, tags.SEQUENCE) && cert.ReadOID(&one, &oid) {
			count[oid.String()]++
			var critical bool
			if one.PeekASN1Tag(tags.BOOLEAN) && one.ReadASN1Boolean(&critical) && critical {
				count[criticalMark+oid.String()]++
			}
		}
	}
	return count
}
