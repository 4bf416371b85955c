package cms

import "bytes"

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

// find lists what d departs in.
func (d *SignedData) find() {
	note := func(f Finding, found bool) {
		if found {
			d.Findings = append(d.Findings, f)
		}
	}
	note(FindingVersion, d.Version != d.impliedVersion())
	note(FindingSigners, len(d.Signers) != 1)
	note(FindingNoCertificate, len(d.Certificates) == 0)
	note(FindingCRLs, len(d.CRLs) > 0)
	note(FindingDetached, d.Content == nil)
	for _, s := range d.Signers {
		note(FindingSignerVersion, s.Version != s.impliedVersion())
		note(FindingDigestUnlisted, !d.lists(s))
		note(FindingUnsigned, len(s.Unsigned) > 0)
		if s.signedAttributes == nil {
			note(FindingAttributesAbsent, true)
			continue
		}
		note(FindingAttributeTwice, s.repeats())
		note(FindingAttributesOrder, !bytes.Equal(s.signedAttributes, sortSet(s.signedAttributes)))
		value, _ := s.Attribute(OIDContentType)
		oid, ok := readOID(value)
		note(FindingContentType, !ok || !oid.Equal(d.ContentType))
	}
}

// impliedVersion follows RFC 5652 §5.1 for X.509 certificates and CRLs.
func (d *SignedData) impliedVersion() int {
	if !d.ContentType.Equal(OIDData) {
		return 3
	}
	for _, s := range d.Signers {
		if s.Version == 3 {
			return 3
		}
	}
	return 1
}

func (s *SignerInfo) impliedVersion() int {
	if s.KeyID != nil {
		return 3
	}
	return 1
}

func (d *SignedData) lists(s *SignerInfo) bool {
	for _, a := range d.DigestAlgorithms {
		if a.OID.Equal(s.DigestAlgorithm.OID) {
			return true
		}
	}
	return false
}

func (s *SignerInfo) repeats() bool {
	seen := make(map[string]bool)
	for _, a := range s.Attributes {
		if seen[a.Type.String()] {
			return true
		}
		seen[a.Type.String()] = true
	}
	return false
}
