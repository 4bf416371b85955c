package pki

import (
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
)

// Rule is one that lint knows: what it is of (certificate, crl, list, sod; upload,
// upload-crl and upload-list are the ICAO PKD's checks), its
// code, and the clause.
type Rule struct{ Of, Code, Spec string }

// Rules lists every rule of Lint, LintCRL, LintList, LintSOD and the upload checks, by what
// they are of. No breach has another code.
func Rules() []Rule {
	all := slices.Clone(ownRules)
	for _, e := range extensionProfile {
		of := func(part string) { all = append(all, Rule{"certificate", e.rule + "." + part, table6}) }
		if strings.Contains(e.presence, "m") {
			of("missing")
		}
		if strings.Contains(e.presence, "x") {
			of("forbidden")
		}
		if strings.Trim(e.presence, "x") != "" {
			of("criticality")
		}
	}
	for _, d := range certificateDefects {
		all = append(all, Rule{"certificate", "encoding-" + string(d), table5})
	}
	for _, d := range crlDefects {
		all = append(all, Rule{"crl", "encoding-" + string(d), table9})
	}
	for _, f := range []cms.Finding{
		cms.FindingVersion, cms.FindingSignerVersion, cms.FindingSigners, cms.FindingDigestUnlisted, cms.FindingNoCertificate, cms.FindingCRLs,
		cms.FindingUnsigned, cms.FindingAttributeTwice, cms.FindingAttributesOrder, cms.FindingAttributesAbsent, cms.FindingContentType,
	} {
		all = append(all, Rule{"sod", "signed-data-" + string(f), sodClause})
	}
	for _, f := range []lds.SODFinding{
		lds.SODVersionInfo, lds.SODNoVersionInfo, lds.SODSingleHash, lds.SODContentType, lds.SODGroupOrder, lds.SODHashDigestDiffs,
	} {
		all = append(all, Rule{"sod", "security-object-" + string(f), sodClause})
	}
	slices.SortStableFunc(all, func(a, b Rule) int { return strings.Compare(a.Of+a.Code, b.Of+b.Code) })
	return all
}

// The clauses that many rules are of.
const (
	table5    = "9303-12 §7.1.1 table 5"
	table6    = "9303-12 §7.1.1 table 6"
	table9    = "9303-12 §7.1.4 table 9"
	table10   = "9303-12 §7.1.4 table 10"
	keyRules  = "9303-12 §4.1.6"
	nameRules = "9303-12 §7.1.1.1"
	sodClause = "9303-10 §4.6.2"
	listRules = "9303-12 §9.2"
)

// The defects of encoding that a certificate, or a list, can have and that no rule of its
// own is for.
var (
	certificateDefects = []cert.DefectKind{
		cert.DefectMissingNull, cert.DefectParameters, cert.DefectAlgorithmMismatch, cert.DefectBoolean, cert.DefectDefaultEncoded, cert.DefectTime,
		cert.DefectString, cert.DefectCofactor, cert.DefectExtensionDuplicate, cert.DefectExtensionMalformed, cert.DefectKeyIDBare,
		cert.DefectUniqueID, cert.DefectSignatureUnusedBits,
	}
	crlDefects = []cert.DefectKind{
		cert.DefectMissingNull, cert.DefectParameters, cert.DefectAlgorithmMismatch, cert.DefectBoolean, cert.DefectDefaultEncoded, cert.DefectTime,
		cert.DefectString, cert.DefectExtensionDuplicate, cert.DefectExtensionMalformed, cert.DefectSignatureUnusedBits,
	}
)

// ownRules are those that no table gives.
var ownRules = []Rule{
	{"certificate", "version", table5},
	{"certificate", "serial-number", table5},
	{"certificate", "signature-algorithm", keyRules},
	{"certificate", "signature-hash", keyRules},
	{"certificate", "rsa-pss-recommended", keyRules},
	{"certificate", "country", nameRules},
	{"certificate", "common-name", nameRules},
	{"certificate", "name-serial-number", nameRules},
	{"certificate", "name-string-type", nameRules},
	{"certificate", "country-differs", nameRules},
	{"certificate", "issuer-name", nameRules},
	{"certificate", "public-key", keyRules},
	{"certificate", "key-size", keyRules},
	{"certificate", "explicit-parameters", keyRules},
	{"certificate", "validity", table5},
	{"certificate", "validity-beyond-issuer", table5},
	{"certificate", "private-key-usage-period.value", table6},
	{"certificate", "signer-key-over-3-months", "9303-12 §4.1 table 1"},
	{"certificate", "csca-key-over-5-years", "9303-12 §4.1 table 1"},
	{"certificate", "document-type-list.identifier", table6},
	{"certificate", "unknown-critical-extension", table6},
	{"certificate", "authority-key-identifier.value", table6},
	{"certificate", "key-usage.value", table6},
	{"certificate", "basic-constraints.value", table6},
	{"certificate", "basic-constraints.path-length", table6},
	{"certificate", "extended-key-usage.value", "9303-12 §7.1.1.3"},
	{"certificate", "subject-alternative-name.value", "9303-12 §7.1.1.2"},
	{"certificate", "subject-alternative-name.contact", "9303-12 §7.1.1.2"},
	{"certificate", "issuer-alternative-name.value", "9303-12 §7.1.1.2"},
	{"certificate", "issuer-alternative-name.contact", "9303-12 §7.1.1.2"},
	{"certificate", "alternative-names-differ", "9303-12 §7.1.1.2"},
	{"certificate", "crl-distribution-points.value", "9303-12 §7.1.1.4"},
	{"certificate", "name-change.missing", "9303-12 §7.1.1.5"},
	{"certificate", "document-type-list.value", "9303-12 §7.1.1.6"},

	{"crl", "version", table9},
	{"crl", "country", table9},
	{"crl", "common-name", table9},
	{"crl", "name-serial-number", table9},
	{"crl", "name-string-type", table9},
	{"crl", "next-update.missing", table9},
	{"crl", "revoked-certificates.empty", table9},
	{"crl", "signature-algorithm", table9},
	{"crl", "signature-hash", table9},
	{"crl", "issuer-name", table9},
	{"crl", "issuer-key-usage", table9},
	{"crl", "authority-key-identifier.missing", table10},
	{"crl", "authority-key-identifier.value", table10},
	{"crl", "crl-number.missing", table10},
	{"crl", "crl-number.value", table10},
	{"crl", "list-extension.forbidden", table10},
	{"crl", "list-extension.criticality", table10},
	{"crl", "crl-period", "9303-12 §4.1.5"},
	{"crl", "entry-extension.forbidden", table10},
	{"crl", "entry-twice", "RFC 5280 §5.1.2.6"},
	{"crl", "entry-in-future", "RFC 5280 §5.1.2.6"},
	{"crl", "entry-serial", "RFC 5280 §5.1.2.6"},

	{"list", "content-type", listRules},
	{"list", "encoding-ber", listRules},
	{"list", "version", listRules},
	{"list", "crls", listRules},
	{"list", "one-signer", listRules},
	{"list", "signer-version", listRules},
	{"list", "signer-by-key-identifier", listRules},
	{"list", "digest-algorithms", listRules},
	{"list", "signed-attributes.missing", listRules},
	{"list", "signing-time", listRules},
	{"list", "unsigned-attributes", listRules},
	{"list", "digest-hash", listRules},
	{"list", "signature-algorithm", listRules},
	{"list", "signer-certificate.missing", listRules},
	{"list", "signed-by-csca", listRules},
	{"list", "signer-purpose", listRules},
	{"list", "signer-csca.missing", listRules},
	{"list", "content", "9303-12 §9.1"},
	{"list", "entry", "9303-12 §9.1"},
	{"list", "entry-twice", "9303-12 §9.1"},
	{"list", "encoding-set-order", "9303-12 §9.1"},

	{"sod", "encoding-ber", sodClause},
	{"sod", "security-object-version-0", sodClause},
	{"sod", "security-object-hash", sodClause},
	{"sod", "mandatory-group", sodClause},
	{"sod", "one-signer", sodClause},
	{"sod", "signer-by-issuer-and-serial", sodClause},
	{"sod", "signer-certificate", sodClause},

	{"upload", "upload-version", uploadSpec + "1.1"},
	{"upload", "upload-serial-number", uploadSpec + "1.2"},
	{"upload", "upload-algorithms", uploadSpec + "1.3"},
	{"upload", "upload-country", uploadSpec + "1.4"},
	{"upload", "upload-country-differs", uploadSpec + "1.4"},
	{"upload", "upload-time", uploadSpec + "1.5"},
	{"upload", "upload-unique-id", uploadSpec + "1.10"},
	{"upload", "upload-authority-key-identifier", uploadSpec + "1.11.1"},
	{"upload", "upload-subject-key-identifier", uploadSpec + "1.11.2"},
	{"upload", "upload-key-usage", uploadSpec + "1.11.3"},
	{"upload", "upload-authority-key-identifier.critical", uploadSpec + "1.11.1"},
	{"upload", "upload-subject-key-identifier.critical", uploadSpec + "1.11.2"},
	{"upload", "upload-private-key-usage-period.critical", uploadSpec + "1.11.4"},
	{"upload", "upload-certificate-policies.critical", uploadSpec + "1.11.5"},
	{"upload", "upload-policy-mappings.critical", uploadSpec + "1.11.6"},
	{"upload", "upload-subject-alternative-name.critical", uploadSpec + "1.11.7"},
	{"upload", "upload-issuer-alternative-name.critical", uploadSpec + "1.11.8"},
	{"upload", "upload-subject-directory-attributes.critical", uploadSpec + "1.11.9"},
	{"upload", "upload-crl-distribution-points.critical", uploadSpec + "1.11.14"},
	{"upload", "upload-basic-constraints", uploadSpec + "1.11.10"},
	{"upload", "upload-policy-mappings", uploadSpec + "1.11.6"},
	{"upload", "upload-subject-directory-attributes", uploadSpec + "1.11.9"},
	{"upload", "upload-name-constraints", uploadSpec + "1.11.11"},
	{"upload", "upload-policy-constraints", uploadSpec + "1.11.12"},
	{"upload", "upload-inhibit-any-policy", uploadSpec + "1.11.15"},
	{"upload", "upload-freshest-crl", uploadSpec + "1.11.16"},
	{"upload", "upload-internet-extension", uploadSpec + "1.11"},
	{"upload", "upload-extended-key-usage", uploadSpec + "1.11.13"},
	{"upload", "upload-netscape", uploadSpec + "1.11.17"},
	{"upload", "upload-private-extension.critical", uploadSpec + "1.11"},
	{"upload-crl", "upload-version", uploadSpec + "2: 1.1"},
	{"upload-crl", "upload-algorithms", uploadSpec + "2: 1.2"},
	{"upload-crl", "upload-country", uploadSpec + "2: 1.3"},
	{"upload-crl", "upload-time", uploadSpec + "2: 1.4"},
	{"upload-crl", "upload-next-update", uploadSpec + "2: 1.5"},
	{"upload-crl", "upload-empty-list", uploadSpec + "2: 1.6"},
	{"upload-crl", "upload-authority-key-identifier", uploadSpec + "2: 1.7.1"},
	{"upload-crl", "upload-crl-number", uploadSpec + "2: 1.7.3"},
	{"upload-crl", "upload-partial-list", uploadSpec + "2: 1.7.4"},
	{"upload-crl", "upload-issuer-alternative-name.critical", uploadSpec + "2: 1.7.2"},
	{"upload-crl", "upload-entry-issuer", uploadSpec + "2: 1.8.4"},
	{"upload-crl", "upload-entry-extension.critical", uploadSpec + "2: 1.8"},
	{"upload-list", "upload-version", uploadSpec + "3: 1.1"},
	{"upload-list", "upload-digest-algorithms", uploadSpec + "3: 1.2"},
	{"upload-list", "upload-content-type", uploadSpec + "3: 1.3.1"},
	{"upload-list", "upload-crls", uploadSpec + "3: 1.5"},
	{"upload-list", "upload-signer", uploadSpec + "3: 1.6"},
	{"upload-list", "upload-signer-certificate", uploadSpec + "3: 1.4"},
	{"upload-list", "upload-signer-csca", uploadSpec + "3: 1.3.2"},
	{"upload-list", "upload-signer-purpose", uploadSpec + "3: 1.4"},
	{"upload-list", "upload-signer-version", uploadSpec + "3: 1.7.1"},
	{"upload-list", "upload-digest-listed", uploadSpec + "3: 1.7.3"},
	{"upload-list", "upload-signing-time", uploadSpec + "3: 1.7.4"},
}
