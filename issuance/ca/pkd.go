package ca

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/verify/pki"
)

// Export is what a state gives to the ICAO PKD.
type Export struct {
	Version     int // of the collection, 1 to 999999; it rises with each
	Signers     []*cert.Certificate
	CRLs        []*cert.CRL
	MasterLists [][]byte
}

// The object classes of entries.
var (
	classesDSC = []string{"inetOrgPerson", "pkdDownload", "organizationalPerson", "top", "person"}
	classesCRL = []string{"top", "pkdDownload", "cRLDistributionPoint"}
	classesML  = []string{"top", "person", "pkdMasterList", "pkdDownload"}
)

// pkdBase is where the directory keeps what conforms.
const pkdBase = "dc=data,dc=download,dc=pkd,dc=icao,dc=int"

// Files writes the export in the form of the PKD's collections: document signers and
// revocation lists in icaopkd-001-complete-VERSION.ldif, master lists in
// icaopkd-002-complete-VERSION.ldif; a collection that is empty is left out. Whatever the
// PKD would not take by its own checks refuses the whole as *LintError; a file that is
// no such thing is ErrRequest or cms's error.
func (e Export) Files() (map[string][]byte, error) {
	if e.Version < 1 || e.Version > 999999 {
		return nil, fmt.Errorf("export: %w: version %d", ErrRequest, e.Version)
	}
	var first, second ldifWriter
	for _, c := range e.Signers {
		if err := refuseUpload(pki.LintUpload(c)); err != nil {
			return nil, fmt.Errorf("export %v: %w", c.Subject, err)
		}
		if p := pki.ProfileOf(c); p == pki.ProfileCSCA || p == pki.ProfileLink {
			return nil, fmt.Errorf("export %v: %w: CSCA certificates travel in master lists", c.Subject, ErrRequest)
		}
		serial := strings.ToUpper(c.Serial.Text(16))
		first.entry(object{"dsc", c.Subject, serial, e.Version, "userCertificate;binary", c.Raw, classesDSC})
	}
	for _, l := range e.CRLs {
		if err := refuseUpload(pki.LintUploadCRL(l)); err != nil {
			return nil, fmt.Errorf("export list of %v: %w", l.Issuer, err)
		}
		first.entry(object{"crl", l.Issuer, "", e.Version, "certificateRevocationList;binary", l.Raw, classesCRL})
	}
	for _, raw := range e.MasterLists {
		name, err := listName(raw)
		if err != nil {
			return nil, fmt.Errorf("export master list: %w", err)
		}
		second.entry(object{"ml", name, "1", e.Version, "pkdMasterListContent", raw, classesML})
	}
	files := map[string][]byte{}
	for i, w := range []*ldifWriter{&first, &second} {
		if w.Len() > 0 {
			files[fmt.Sprintf("icaopkd-%03d-complete-%06d.ldif", i+1, e.Version)] = w.Bytes()
		}
	}
	return files, nil
}

// listName is the name of the CSCA above a master list's signer.
func listName(raw []byte) (cert.Name, error) {
	s, err := cms.Parse(raw)
	if err != nil {
		return cert.Name{}, err
	}
	if err := refuseUpload(pki.LintUploadList(s)); err != nil {
		return cert.Name{}, err
	}
	return s.SignerCertificates(s.Signers[0])[0].Issuer, nil // the checks say that it is there
}

func refuseUpload(list []pki.Breach) error {
	var l lint
	for _, b := range list {
		l.findings = append(l.findings, Finding{b.Rule, true, b.Spec})
	}
	if len(l.findings) == 0 {
		return nil
	}
	return &LintError{l.findings}
}

// ldifWriter writes RFC 2849.
type ldifWriter struct {
	bytes.Buffer
	made []string // names of what objects lie in
}

// An object is what an entry of the directory holds.
type object struct {
	kind      string // dsc, crl, ml
	name      cert.Name
	serial    string // in the name too, of a certificate
	version   int
	attribute string
	der       []byte
	classes   []string
}

// entry writes one object under its name in the directory, and what that lies in before the
// first of its kind: cn is the X.509 name from its end, as RFC 4514 has it.
func (w *ldifWriter) entry(o object) {
	above := "o=" + o.kind + ",c=" + o.name.Country() + "," + pkdBase
	if !slices.Contains(w.made, above) {
		w.container("c", o.name.Country(), "country", "c="+o.name.Country()+","+pkdBase)
		w.container("o", o.kind, "organization", above)
	}
	cn := rfc4514(o.name)
	dn := "cn=" + escapeRDN(cn)
	if o.kind == "dsc" {
		dn += "+sn=" + o.serial
	}
	w.attribute("dn", dn+","+above)
	w.attribute("pkdVersion", fmt.Sprint(o.version))
	if o.serial != "" {
		w.attribute("sn", o.serial)
	}
	w.attribute("cn", cn)
	for _, c := range o.classes {
		w.attribute("objectClass", c)
	}
	w.binary(o.attribute, o.der)
	w.WriteByte('\n')
}

func (w *ldifWriter) container(name, value, class, dn string) {
	if slices.Contains(w.made, dn) {
		return
	}
	w.made = append(w.made, dn)
	w.attribute("dn", dn)
	w.attribute("objectClass", "top")
	w.attribute("objectClass", class)
	w.attribute(name, value)
	w.WriteByte('\n')
}

// attribute writes a value as text if RFC 2849 lets it be text.
func (w *ldifWriter) attribute(name, value string) {
	safe := value != "" && !strings.ContainsAny(value[:1], " :<") && !strings.HasSuffix(value, " ")
	for _, c := range []byte(value) {
		safe = safe && c >= 0x20 && c < 0x7f
	}
	if !safe {
		w.binary(name, []byte(value))
		return
	}
	w.fold(name + ": " + value)
}

func (w *ldifWriter) binary(name string, value []byte) {
	w.fold(name + ":: " + base64.StdEncoding.EncodeToString(value))
}

// fold writes a line in pieces of 76 characters.
func (w *ldifWriter) fold(line string) {
	for width := 76; len(line) > width; width = 75 {
		w.WriteString(line[:width] + "\n ")
		line = line[width:]
	}
	w.WriteString(line + "\n")
}

// rfc4514 writes a name from its last part to its first.
func rfc4514(n cert.Name) string {
	short := map[string]string{
		cert.OIDCountry.String(): "C", cert.OIDOrganization.String(): "O", cert.OIDOrganizationalUnit.String(): "OU",
		cert.OIDCommonName.String(): "CN", cert.OIDLocality.String(): "L", cert.OIDState.String(): "ST", cert.OIDSerialNumber.String(): "serialNumber",
	}
	var parts []string
	for _, a := range slices.Backward(n.Attributes) {
		name, known := short[a.Type.String()]
		if !known {
			name = a.Type.String()
		}
		parts = append(parts, name+"="+escapeRDN(a.Value))
	}
	return strings.Join(parts, ",")
}

// escapeRDN escapes what has a meaning in a distinguished name (RFC 4514 §2.4).
func escapeRDN(s string) string {
	var b strings.Builder
	for i, c := range s {
		edge := i == 0 && (c == ' ' || c == '#') || i == len(s)-1 && c == ' '
		switch {
		case edge || strings.ContainsRune(`,+"\<>;=`, c):
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < 0x20 || c == 0x7f:
			fmt.Fprintf(&b, `\%02X`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
