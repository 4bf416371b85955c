package cms

import (
	"bytes"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// How many of each a SignedData may hold. Real ones have one or two.
const (
	maxAlgorithms   = 32
	maxCertificates = 64
	maxSigners      = 16
	maxAttributes   = 64
)

func context(n uint8) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

// Parse reads a ContentInfo with SignedData, version 1 or later. Bytes behind it are
// refused, and so is what is deeper, larger or more numerous than any real document.
// Errors wrap ErrStructure.
func Parse(raw []byte) (*SignedData, error) {
	if len(raw) > MaxSize {
		return nil, structure("%d bytes", len(raw))
	}
	d, err := parseDER(raw)
	if err != nil {
		der, berErr := normalise(raw)
		if berErr != nil {
			return nil, berErr
		}
		if bytes.Equal(der, raw) {
			return nil, err
		}
		if d, err = parseDER(der); err != nil {
			return nil, err
		}
		d.Raw, d.BER = raw, true
	}
	d.find()
	return d, nil
}

func parseDER(der []byte) (*SignedData, error) {
	d := &SignedData{Raw: der}
	s := cryptobyte.String(der)
	var info, explicit, body cryptobyte.String
	oid := OIDData
	if !s.ReadASN1(&info, tags.SEQUENCE) || !s.Empty() || !cert.ReadOID(&info, &oid) {
		return nil, structure("no ContentInfo")
	}
	if !oid.Equal(OIDSignedData) {
		return nil, structure("content type %v", oid)
	}
	if !info.ReadASN1(&explicit, context(0)) || !info.Empty() ||
		!explicit.ReadASN1(&body, tags.SEQUENCE) || !explicit.Empty() || !body.ReadASN1Integer(&d.Version) {
		return nil, structure("no SignedData")
	}
	if err := d.readAlgorithms(&body); err != nil {
		return nil, err
	}
	if err := d.readContent(&body); err != nil {
		return nil, err
	}
	if err := d.readCertificates(&body); err != nil {
		return nil, err
	}
	return d, d.readSigners(&body)
}

func (d *SignedData) readAlgorithms(s *cryptobyte.String) error {
	var set cryptobyte.String
	if !s.ReadASN1(&set, tags.SET) {
		return structure("digestAlgorithms")
	}
	for !set.Empty() {
		var a cert.AlgorithmIdentifier
		if !cert.ReadAlgorithmIdentifier(&set, &a) || len(d.DigestAlgorithms) == maxAlgorithms {
			return structure("digestAlgorithms")
		}
		d.DigestAlgorithms = append(d.DigestAlgorithms, a)
	}
	return nil
}

func (d *SignedData) readContent(s *cryptobyte.String) error {
	var encap, explicit, content cryptobyte.String
	var present bool
	if !s.ReadASN1(&encap, tags.SEQUENCE) || !cert.ReadOID(&encap, &d.ContentType) ||
		!encap.ReadOptionalASN1(&explicit, &present, context(0)) || !encap.Empty() {
		return structure("encapContentInfo")
	}
	if !present {
		return nil
	}
	if !explicit.ReadASN1(&content, tags.OCTET_STRING) || !explicit.Empty() {
		return structure("eContent")
	}
	d.Content = append([]byte{}, content...) // not nil, even if empty
	return nil
}

func (d *SignedData) readCertificates(s *cryptobyte.String) error {
	var set, crls cryptobyte.String
	if !s.ReadOptionalASN1(&set, nil, context(0)) || !s.ReadOptionalASN1(&crls, nil, context(1)) {
		return structure("certificates")
	}
	for !set.Empty() {
		var raw cryptobyte.String
		var tag tags.Tag
		if !set.ReadAnyASN1Element(&raw, &tag) || len(d.Certificates) == maxCertificates {
			return structure("certificates")
		}
		c := Certificate{Raw: raw}
		c.Parsed, c.Err = cert.Parse(raw)
		d.Certificates = append(d.Certificates, c)
	}
	for !crls.Empty() {
		var raw cryptobyte.String
		var tag tags.Tag
		if !crls.ReadAnyASN1Element(&raw, &tag) || len(d.CRLs) == maxCertificates {
			return structure("revocation lists")
		}
		d.CRLs = append(d.CRLs, raw)
	}
	return nil
}

func (d *SignedData) readSigners(s *cryptobyte.String) error {
	var set cryptobyte.String
	if !s.ReadASN1(&set, tags.SET) || !s.Empty() {
		return structure("signerInfos")
	}
	for !set.Empty() {
		var body cryptobyte.String
		if !set.ReadASN1(&body, tags.SEQUENCE) || len(d.Signers) == maxSigners {
			return structure("signerInfos")
		}
		info, err := readSigner(body)
		if err != nil {
			return err
		}
		d.Signers = append(d.Signers, info)
	}
	return nil
}

func readSigner(s cryptobyte.String) (*SignerInfo, error) {
	i := new(SignerInfo)
	if !s.ReadASN1Integer(&i.Version) || !i.readIdentifier(&s) ||
		!cert.ReadAlgorithmIdentifier(&s, &i.DigestAlgorithm) {
		return nil, structure("SignerInfo")
	}
	var ok bool
	var signed cryptobyte.String
	if s.PeekASN1Tag(context(0)) {
		if !s.ReadASN1Element(&signed, context(0)) {
			return nil, structure("signed attributes")
		}
		i.signedAttributes = slices.Clone(signed)
		i.signedAttributes[0] = byte(tags.SET)
		if i.Attributes, ok = readAttributes(signed, context(0)); !ok {
			return nil, structure("signed attributes")
		}
	}
	var signature cryptobyte.String
	if !cert.ReadAlgorithmIdentifier(&s, &i.SignatureAlgorithm) || !s.ReadASN1(&signature, tags.OCTET_STRING) {
		return nil, structure("SignerInfo signature")
	}
	i.Signature = signature
	if s.PeekASN1Tag(context(1)) {
		s.ReadASN1Element(&signed, context(1))
		if i.Unsigned, ok = readAttributes(signed, context(1)); !ok {
			return nil, structure("unsigned attributes")
		}
	}
	if !s.Empty() {
		return nil, structure("bytes behind a SignerInfo")
	}
	return i, nil
}

// readIdentifier reads either form of SignerIdentifier.
func (s *SignerInfo) readIdentifier(der *cryptobyte.String) bool {
	keyID := tags.Tag(0).ContextSpecific()
	var body, issuer cryptobyte.String
	if der.PeekASN1Tag(keyID) {
		der.ReadASN1(&body, keyID)
		s.KeyID = body
		return len(s.KeyID) > 0
	}
	if !der.ReadASN1(&body, tags.SEQUENCE) || !body.ReadASN1Element(&issuer, tags.SEQUENCE) ||
		!cert.ReadInteger(&body, &s.Serial) || !body.Empty() {
		return false
	}
	var err error
	s.Issuer, err = cert.ParseName(issuer)
	return err == nil
}

func readAttributes(s cryptobyte.String, tag tags.Tag) (list []Attribute, ok bool) {
	var set cryptobyte.String
	if !s.ReadASN1(&set, tag) {
		return nil, false
	}
	for !set.Empty() {
		var body, values cryptobyte.String
		var a Attribute
		if !set.ReadASN1(&body, tags.SEQUENCE) || !cert.ReadOID(&body, &a.Type) ||
			!body.ReadASN1(&values, tags.SET) || !body.Empty() || len(list) == maxAttributes {
			return nil, false
		}
		for !values.Empty() {
			var value cryptobyte.String
			var any tags.Tag
			if !values.ReadAnyASN1Element(&value, &any) || len(a.Values) == maxAttributes {
				return nil, false
			}
			a.Values = append(a.Values, value)
		}
		list = append(list, a)
	}
	return list, true
}
