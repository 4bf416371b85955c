package pki

import (
	"encoding/asn1"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// uploadSpec names the catalogue: the checks that the operator of the ICAO PKD makes of what
// states upload, by the numbers of their list. It is laxer than Doc 9303-12 in what newer
// editions ask, and refuses at the door what it does ask.
const uploadSpec = "ICAO PKD upload checks "

// The extensions that the list names and no other rule needs.
var (
	oidPolicies         = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidPolicyMappings   = asn1.ObjectIdentifier{2, 5, 29, 33}
	oidDirectory        = asn1.ObjectIdentifier{2, 5, 29, 9}
	oidNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidPolicyConstraint = asn1.ObjectIdentifier{2, 5, 29, 36}
	oidInhibitAny       = asn1.ObjectIdentifier{2, 5, 29, 54}
	oidFreshest         = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidNetscape         = asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1}
	oidInternet         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1}
	oidInstruction      = asn1.ObjectIdentifier{2, 5, 29, 23}
	oidInvalidity       = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidEntryIssuer      = asn1.ObjectIdentifier{2, 5, 29, 29}
)

// LintUpload says which of the ICAO PKD's own checks a certificate would not pass. Every
// breach is an error: what has one is not taken.
func LintUpload(c *cert.Certificate) []Breach {
	var l linter
	p := ProfileOf(c)
	authority := p == ProfileCSCA || p == ProfileLink
	l.upload("1.1", "upload-version", c.Version == 3)
	l.upload("1.2", "upload-serial-number", c.Serial.Sign() > 0 && c.Serial.BitLen() <= 159 && !defective(c.Defects, cert.DefectSerialPadded))
	l.upload("1.3", "upload-algorithms", !defective(c.Defects, cert.DefectAlgorithmMismatch))
	l.upload("1.4", "upload-country", c.Issuer.Country() != "" && c.Subject.Country() != "")
	l.upload("1.4", "upload-country-differs", authority || c.Issuer.Country() == c.Subject.Country())
	l.upload("1.5", "upload-time", !defective(c.Defects, cert.DefectTime))
	l.upload("1.10", "upload-unique-id", !defective(c.Defects, cert.DefectUniqueID))
	selfIssued := c.Issuer.Equal(c.Subject)
	l.upload("1.11.1", "upload-authority-key-identifier", len(c.AuthorityKeyID) > 0 || selfIssued && !has(c, cert.OIDAuthorityKeyID))
	l.upload("1.11.2", "upload-subject-key-identifier", !authority || len(c.SubjectKeyID) > 0)
	usage := cert.DigitalSignature
	if authority {
		usage = cert.KeyCertSign | cert.CRLSign
	}
	l.upload("1.11.3", "upload-key-usage", c.KeyUsage == usage && critical(c, cert.OIDKeyUsage))
	l.uploadExtensions(c, p, authority)
	return l.list
}

// uploadExtensions is §1.11.4 and what follows.
func (l *linter) uploadExtensions(c *cert.Certificate, p Profile, authority bool) {
	for _, e := range []struct {
		number, rule string
		oid          asn1.ObjectIdentifier
	}{
		{"1.11.1", "upload-authority-key-identifier.critical", cert.OIDAuthorityKeyID},
		{"1.11.2", "upload-subject-key-identifier.critical", cert.OIDSubjectKeyID},
		{"1.11.4", "upload-private-key-usage-period.critical", cert.OIDPrivateKeyUsagePeriod},
		{"1.11.5", "upload-certificate-policies.critical", oidPolicies},
		{"1.11.6", "upload-policy-mappings.critical", oidPolicyMappings},
		{"1.11.7", "upload-subject-alternative-name.critical", cert.OIDSubjectAltName},
		{"1.11.8", "upload-issuer-alternative-name.critical", cert.OIDIssuerAltName},
		{"1.11.9", "upload-subject-directory-attributes.critical", oidDirectory},
		{"1.11.14", "upload-crl-distribution-points.critical", cert.OIDCRLDistribution},
	} {
		l.upload(e.number, e.rule, !critical(c, e.oid))
	}
	b := c.BasicConstraints
	if authority {
		l.upload("1.11.10", "upload-basic-constraints", b != nil && b.CA && b.PathLen == 0 && critical(c, cert.OIDBasicConstraints))
		for _, e := range []struct {
			number, rule string
			oid          asn1.ObjectIdentifier
		}{
			{"1.11.6", "upload-policy-mappings", oidPolicyMappings},
			{"1.11.9", "upload-subject-directory-attributes", oidDirectory},
			{"1.11.11", "upload-name-constraints", oidNameConstraints},
			{"1.11.12", "upload-policy-constraints", oidPolicyConstraint},
			{"1.11.15", "upload-inhibit-any-policy", oidInhibitAny},
			{"1.11.16", "upload-freshest-crl", oidFreshest},
		} {
			l.upload(e.number, e.rule, !has(c, e.oid))
		}
		l.upload("1.11", "upload-internet-extension", !below(c, oidInternet))
	} else {
		l.upload("1.11.10", "upload-basic-constraints", b == nil || !b.CA)
	}
	lists := p == ProfileMasterList && slices.ContainsFunc(c.ExtKeyUsage, cert.OIDMasterListSigner.Equal) && critical(c, cert.OIDExtKeyUsage)
	l.upload("1.11.13", "upload-extended-key-usage", lists || !has(c, cert.OIDExtKeyUsage))
	l.upload("1.11.17", "upload-netscape", !below(c, oidNetscape))
	l.upload("1.11", "upload-private-extension.critical", len(c.UnknownCritical) == 0)
}

// LintUploadCRL is LintUpload for a revocation list.
func LintUploadCRL(r *cert.CRL) []Breach {
	var l linter
	l.upload("2: 1.1", "upload-version", r.Version == 2)
	l.upload("2: 1.2", "upload-algorithms", !defective(r.Defects, cert.DefectAlgorithmMismatch))
	l.upload("2: 1.3", "upload-country", r.Issuer.Country() != "" && r.Issuer.Value(cert.OIDCountry) == strings.ToUpper(r.Issuer.Value(cert.OIDCountry)))
	l.upload("2: 1.4", "upload-time", !defective(r.Defects, cert.DefectTime))
	l.upload("2: 1.5", "upload-next-update", !r.NextUpdate.IsZero())
	l.upload("2: 1.6", "upload-empty-list", !defective(r.Defects, cert.DefectEmptyList))
	l.upload("2: 1.7.1", "upload-authority-key-identifier", len(r.AuthorityKeyID) > 0)
	l.upload("2: 1.7.3", "upload-crl-number", r.Number != nil && r.Number.Sign() >= 0 && r.Number.BitLen() <= 159)
	for _, e := range r.Extensions {
		switch {
		case e.OID.Equal(cert.OIDDeltaCRL), e.OID.Equal(cert.OIDIssuingDistribution), e.OID.Equal(oidFreshest):
			l.upload("2: 1.7.4", "upload-partial-list", false)
		case e.OID.Equal(cert.OIDIssuerAltName):
			l.upload("2: 1.7.2", "upload-issuer-alternative-name.critical", !e.Critical)
		}
	}
	in := entryExtensions(r)
	l.upload("2: 1.8.4", "upload-entry-issuer", in[oidEntryIssuer.String()] == 0)
	for _, oid := range []asn1.ObjectIdentifier{cert.OIDReasonCode, oidInstruction, oidInvalidity} {
		l.upload("2: 1.8", "upload-entry-extension.critical", in[criticalMark+oid.String()] == 0)
	}
	return l.list
}

// LintUploadList is LintUpload for a master list.
func LintUploadList(s *cms.SignedData) []Breach {
	var l linter
	l.upload("3: 1.1", "upload-version", s.Version == 3)
	l.upload("3: 1.2", "upload-digest-algorithms", len(s.DigestAlgorithms) > 0)
	l.upload("3: 1.3.1", "upload-content-type", s.ContentType.Equal(cms.OIDMasterList))
	l.upload("3: 1.5", "upload-crls", len(s.CRLs) == 0)
	l.upload("3: 1.6", "upload-signer", len(s.Signers) > 0)
	entries, _ := parseMasterList(s.Content)
	for _, info := range s.Signers {
		certs := s.SignerCertificates(info)
		l.upload("3: 1.4", "upload-signer-certificate", len(certs) > 0)
		issued, purpose := false, false
		for _, c := range certs {
			purpose = purpose || slices.ContainsFunc(c.ExtKeyUsage, cert.OIDMasterListSigner.Equal) && critical(c, cert.OIDExtKeyUsage)
			for _, der := range entries {
				root, err := cert.Parse(der)
				issued = issued || err == nil && root.KeyErr == nil && c.CheckSignature(root.PublicKey) == nil
			}
		}
		l.upload("3: 1.3.2", "upload-signer-csca", issued)
		l.upload("3: 1.4", "upload-signer-purpose", purpose)
		l.upload("3: 1.7.1", "upload-signer-version", info.Version == 1 && info.KeyID == nil || info.Version == 3 && info.KeyID != nil)
		listed := slices.ContainsFunc(s.DigestAlgorithms, func(a cert.AlgorithmIdentifier) bool { return a.OID.Equal(info.DigestAlgorithm.OID) })
		l.upload("3: 1.7.3", "upload-digest-listed", listed)
		_, timed := info.SigningTime()
		l.upload("3: 1.7.4", "upload-signing-time", timed)
	}
	return l.list
}

// upload adds an error once.
func (l *linter) upload(number, rule string, ok bool) {
	l.spec = uploadSpec + number
	if !ok && !slices.ContainsFunc(l.list, func(b Breach) bool { return b.Rule == rule }) {
		l.add(Error, rule, "")
	}
}

func defective(list []cert.Defect, kind cert.DefectKind) bool {
	return slices.ContainsFunc(list, func(d cert.Defect) bool { return d.Kind == kind })
}

func critical(c *cert.Certificate, oid asn1.ObjectIdentifier) bool {
	e, there := c.Extension(oid)
	return there && e.Critical
}

// below says whether an extension's identifier lies under the base.
func below(c *cert.Certificate, base asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(c.Extensions, func(e cert.Extension) bool {
		return len(e.OID) > len(base) && e.OID[:len(base)].Equal(base)
	})
}
