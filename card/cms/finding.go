package cms

// A Finding is a departure from Doc 9303-10 §4.6.2 or RFC 5652 that leaves the
// signature's meaning clear. Its text is a stable code.
type Finding string

// The findings of Parse.
const (
	FindingVersion          Finding = "version"           // SignedData version does not follow from its content (RFC 5652 §5.1)
	FindingSignerVersion    Finding = "signer-version"    // SignerInfo version does not fit its identifier
	FindingSigners          Finding = "signers"           // not exactly one SignerInfo
	FindingDigestUnlisted   Finding = "digest-unlisted"   // the signer's digest is not in digestAlgorithms
	FindingNoCertificate    Finding = "no-certificate"    // no certificate packed in
	FindingCRLs             Finding = "crls"              // revocation lists packed in
	FindingUnsigned         Finding = "unsigned"          // unsigned attributes
	FindingAttributeTwice   Finding = "attribute-twice"   // a signed attribute more than once
	FindingAttributesOrder  Finding = "attributes-order"  // signed attributes not in DER order
	FindingAttributesAbsent Finding = "attributes-absent" // no signed attributes
	FindingContentType      Finding = "content-type"      // content-type attribute differs from eContentType
	FindingDetached         Finding = "detached"          // no eContent
)
