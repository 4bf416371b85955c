package pki

import (
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

var oidDefectList = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 3, 1, 5}

// defects gives the fault of each defect type below id-DefectList.
var defects = map[string]Fault{
	"1.1": FaultSignerRevoked, "1.2": FaultSignerNew, "1.3": FaultCAKey, "1.4": FaultAAKey,
	"2.1": FaultGroup, "2.2": FaultSOD, "3.1": FaultGroup, "3.2": FaultLDS, "4.1": FaultCardSecurity, "4.2": FaultCardSecurity, "4.3": FaultChip,
}

var errDefects = errors.New("no list of defects")

// parseDefectList reads a DefectList (BSI TR-03129-2 §7): every defect is one of a
// document signer.
func parseDefectList(der []byte) ([]Deviation, error) {
	s := cryptobyte.String(der)
	var list, set cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&list, tags.SEQUENCE) || !s.Empty() || !list.ReadASN1Integer(&version) || version != 0 ||
		!cert.ReadOID(&list, &oid) || !list.ReadASN1(&set, tags.SET) || !list.Empty() {
		return nil, errDefects
	}
	hash, _ := cert.HashByOID(oid) // one that is unknown matches no certificate
	var out []Deviation
	for !set.Empty() {
		var body, digest, known cryptobyte.String
		var present bool
		if !set.ReadASN1(&body, tags.SEQUENCE) {
			return nil, errDefects
		}
		var d Deviation
		if !d.signer.readSID(&body) || !body.ReadOptionalASN1(&digest, &present, tags.OCTET_STRING) ||
			!body.ReadASN1(&known, tags.SET) || !body.Empty() {
			return nil, errDefects
		}
		if present {
			d.signer.digest, d.signer.hash = digest, hash
		}
		var ok bool
		if out, ok = readDefects(out, d, known); !ok {
			return nil, errDefects
		}
	}
	return out, nil
}

// readSID reads a SignerIdentifier of CMS.
func (r *signerRef) readSID(s *cryptobyte.String) bool {
	v, present, ok := optional(s, primitive(0))
	if !ok || present {
		r.keyID = v
		return ok && len(v) > 0
	}
	return s.ReadASN1(&v, tags.SEQUENCE) && r.readIssuer(&v) && v.Empty()
}

func readDefects(list []Deviation, of Deviation, s cryptobyte.String) ([]Deviation, bool) {
	for n := 0; !s.Empty(); n++ {
		var body cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !s.ReadASN1(&body, tags.SEQUENCE) || !cert.ReadOID(&body, &oid) || n == maxDescription || len(list) == maxDeviations {
			return nil, false
		}
		var parameters cryptobyte.String
		var tag tags.Tag
		if !body.Empty() && (!body.ReadAnyASN1Element(&parameters, &tag) || !body.Empty()) {
			return nil, false
		}
		d := of
		d.Fault = faultOf(oid, oidDefectList, defects)
		list = append(list, d)
	}
	return list, true
}
