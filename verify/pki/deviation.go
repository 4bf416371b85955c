package pki

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
)

// OIDDeviationList is id-icao-DeviationList, the content type of deviation lists and the
// base of their types (ICAO 9303-12 §10).
var OIDDeviationList = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 7}

// Fault is what is wrong with genuine documents, as their issuer published it. Its text
// is a stable code.
type Fault string

// The faults (ICAO 9303-3 §7.3.5, BSI TR-03129-2 §7).
const (
	FaultOther         Fault = "other"
	FaultCertOrKey     Fault = "certificate-or-key"
	FaultDSSignature   Fault = "signer-signature"
	FaultDSEncoding    Fault = "signer-encoding"
	FaultCSCAEncoding  Fault = "csca-encoding"
	FaultSignerRevoked Fault = "signer-revoked"
	FaultSignerNew     Fault = "signer-replaced"
	FaultAAKey         Fault = "aa-key-compromised"
	FaultCAKey         Fault = "ca-key-compromised"
	FaultLDS           Fault = "data"
	FaultGroup         Fault = "group-malformed"
	FaultGroupHash     Fault = "group-hash"
	FaultSOD           Fault = "sod-invalid"
	FaultCOM           Fault = "com-inconsistent"
	FaultMRZ           Fault = "mrz"
	FaultMRZData       Fault = "mrz-data"
	FaultMRZDigit      Fault = "mrz-check-digit"
	FaultChip          Fault = "chip"
	FaultCardSecurity  Fault = "cardsecurity"
)

// faults gives the fault of each deviation type below id-icao-DeviationList.
var faults = map[string]Fault{
	"1": FaultCertOrKey, "1.1": FaultDSSignature, "1.2": FaultDSEncoding, "1.3": FaultCSCAEncoding, "1.4": FaultAAKey,
	"2": FaultLDS, "2.1": FaultGroup, "2.2": FaultGroupHash, "2.3": FaultSOD, "2.4": FaultCOM,
	"3": FaultMRZ, "3.1": FaultMRZData, "3.2": FaultMRZDigit, "4": FaultChip,
}

// faultOf finds the fault of an identifier below the base.
func faultOf(oid, base asn1.ObjectIdentifier, table map[string]Fault) Fault {
	below, ok := strings.CutPrefix(oid.String(), base.String()+".")
	if f, known := table[below]; ok && known {
		return f
	}
	return FaultOther
}

// DeviationType is the identifier of a fault in deviation lists, nil for one that they do
// not name.
func DeviationType(f Fault) asn1.ObjectIdentifier {
	for below, known := range faults {
		if known != f {
			continue
		}
		oid := slices.Clone(OIDDeviationList)
		for n := range strings.SplitSeq(below, ".") {
			oid = append(oid, int(n[0]-'0')) // each a digit
		}
		return oid
	}
	return nil
}

// Deviation is an entry of a signed list: a fault that its issuer knows of in genuine
// documents. All that it says of the documents must hold for one to be among them.
type Deviation struct {
	Fault Fault
	Group int    // the data group that the fault is in; 0 if it is in none
	Text  string // the issuer's words; not escaped

	country      string // whose documents; set from the list's signer
	specimen     bool   // the list was signed under a test key
	documentType string
	signer       signerRef
	first, last  time.Time
	numbers      []string // sorted; nil does not ask
}

// String is the fault with the group and the issuer's words.
func (d Deviation) String() string {
	s := string(d.Fault)
	if d.Group != 0 {
		s = fmt.Sprintf("%s of group %d", s, d.Group)
	}
	if d.Text != "" {
		s += ": " + d.Text
	}
	return s
}

// signerRef names a document signer in one of three ways, or not at all.
type signerRef struct {
	issuer cert.Name
	serial *big.Int
	keyID  []byte
	digest []byte
	hash   crypto.Hash // of digest
}

// names says whether the certificate is the one that is meant: all that is given holds.
func (r signerRef) names(c *cert.Certificate) bool {
	switch {
	case r.serial != nil && (r.serial.Cmp(c.Serial) != 0 || !r.issuer.Equal(c.Issuer)):
		return false
	case r.keyID != nil && !bytes.Equal(r.keyID, keyID(c)):
		return false
	case r.digest != nil:
		if !r.hash.Available() {
			return false
		}
		h := r.hash.New()
		h.Write(c.Raw)
		return bytes.Equal(h.Sum(nil), r.digest)
	}
	return true
}

// concerns says whether a document of the signer is among those that are meant.
func (d Deviation) concerns(signer *cert.Certificate, q Query) bool {
	switch {
	case !sameCountry(d.country, signer.Subject.Country()), !d.signer.names(signer):
		return false
	case d.documentType != "" && !covers(d.documentType, q.DocumentType):
		return false
	case !d.first.IsZero() && (q.Issued.IsZero() || q.Issued.Before(d.first.Truncate(day)) || q.Issued.After(d.last)):
		return false
	case d.numbers != nil:
		_, ok := slices.BinarySearch(d.numbers, q.Number)
		return ok && q.Number != ""
	}
	return true
}

// The bounds of a list. Italy named 346,275 cards in one.
const (
	maxDeviations  = 20_000
	maxDescription = 64
	maxNumbers     = 1_000_000
)

var errDeviations = errors.New("no list of deviations")

// parseDeviationList reads a DeviationList (ICAO 9303-12 §10.2).
func parseDeviationList(der []byte) ([]Deviation, error) {
	s := cryptobyte.String(der)
	var list, set cryptobyte.String
	var version int
	if !s.ReadASN1(&list, tags.SEQUENCE) || !s.Empty() || !list.ReadASN1Integer(&version) || version != 0 {
		return nil, errDeviations
	}
	hash := crypto.Hash(0)
	if list.PeekASN1Tag(tags.SEQUENCE) {
		var alg cert.AlgorithmIdentifier
		if !cert.ReadAlgorithmIdentifier(&list, &alg) {
			return nil, errDeviations
		}
		hash, _ = alg.Hash() // one that is unknown matches no certificate
	}
	if !list.ReadASN1(&set, tags.SET) || !list.Empty() {
		return nil, errDeviations
	}
	var out []Deviation
	for !set.Empty() {
		var body, documents, descriptions cryptobyte.String
		if !set.ReadASN1(&body, tags.SEQUENCE) || !body.ReadASN1(&documents, tags.SEQUENCE) ||
			!body.ReadASN1(&descriptions, tags.SET) || !body.Empty() {
			return nil, errDeviations
		}
		d, ok := readDocuments(documents, hash)
		if !ok {
			return nil, errDeviations
		}
		if out, ok = readDescriptions(out, d, descriptions); !ok {
			return nil, errDeviations
		}
	}
	return out, nil
}

// readDocuments reads DeviationDocuments.
func readDocuments(s cryptobyte.String, hash crypto.Hash) (d Deviation, ok bool) {
	if v, present, ok := optional(&s, primitive(0)); !ok {
		return d, false
	} else if present {
		d.documentType = strings.TrimRight(string(v), "< ")
	}
	if d.signer, ok = readSignerRef(&s, hash); !ok {
		return d, false
	}
	if v, present, ok := optional(&s, constructed(4)); !ok {
		return d, false
	} else if present && (!cert.ReadTime(&v, &d.first) || !cert.ReadTime(&v, &d.last) || !v.Empty()) {
		return d, false
	}
	v, present, ok := optional(&s, constructed(5))
	if !ok || !s.Empty() {
		return d, false
	}
	if present {
		d.numbers = []string{}
	}
	for !v.Empty() {
		var number cryptobyte.String
		if !v.ReadASN1(&number, tags.PrintableString) || len(d.numbers) == maxNumbers {
			return d, false
		}
		d.numbers = append(d.numbers, strings.TrimRight(string(number), "< "))
	}
	slices.Sort(d.numbers)
	return d, true
}

// readSignerRef reads an optional DocumentSignerIdentifier.
func readSignerRef(s *cryptobyte.String, hash crypto.Hash) (r signerRef, ok bool) {
	switch v, present, ok := optional(s, constructed(1)); {
	case !ok:
		return r, false
	case present:
		return r, r.readIssuer(&v) && v.Empty()
	}
	v, present, ok := optional(s, primitive(2))
	if present {
		r.keyID = v
	}
	if !ok || present {
		return r, ok
	}
	if v, present, ok = optional(s, primitive(3)); present {
		r.digest, r.hash = v, hash
		if hash == 0 { // the list does not say: by its length
			r.hash = map[int]crypto.Hash{20: crypto.SHA1, 28: crypto.SHA224, 32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}[len(v)]
		}
	}
	return r, ok
}

// readIssuer reads the fields of IssuerAndSerialNumber.
func (r *signerRef) readIssuer(s *cryptobyte.String) bool {
	var name cryptobyte.String
	if !s.ReadASN1Element(&name, tags.SEQUENCE) || !cert.ReadInteger(s, &r.serial) {
		return false
	}
	var err error
	r.issuer, err = cert.ParseName(name)
	return err == nil
}

// readDescriptions appends a deviation for each DeviationDescription of the documents.
func readDescriptions(list []Deviation, of Deviation, s cryptobyte.String) ([]Deviation, bool) {
	for n := 0; !s.Empty(); n++ {
		var body, text cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !s.ReadASN1(&body, tags.SEQUENCE) || !body.ReadOptionalASN1(&text, nil, tags.PrintableString) ||
			!cert.ReadOID(&body, &oid) || n == maxDescription || len(list) == maxDeviations {
			return nil, false
		}
		parameters, present, ok := optional(&body, constructed(0))
		if !ok || !body.SkipOptionalASN1(constructed(1)) || !body.Empty() {
			return nil, false
		}
		d := of
		d.Fault, d.Text = faultOf(oid, OIDDeviationList, faults), string(text)
		if present && (d.Fault == FaultGroup || d.Fault == FaultGroupHash) && !parameters.ReadASN1Integer(&d.Group) {
			return nil, false
		}
		list = append(list, d)
	}
	return list, true
}

func primitive(n uint8) tags.Tag   { return tags.Tag(n).ContextSpecific() }
func constructed(n uint8) tags.Tag { return tags.Tag(n).ContextSpecific().Constructed() }

// optional reads an element of that tag if it is the next.
func optional(s *cryptobyte.String, tag tags.Tag) (v cryptobyte.String, present, ok bool) {
	ok = s.ReadOptionalASN1(&v, &present, tag)
	return v, present, ok
}
