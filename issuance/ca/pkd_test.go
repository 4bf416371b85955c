package ca

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// TestExport: the collections are read by the reader that reads the PKD's own, whole, and
// entries have the form of those that the PKD gives out.
func TestExport(t *testing.T) {
	a := newAuthority(t, dh.P256())
	signer, key := a.listSigner(t, false)
	list := issue(t, key)(signer.PrepareMasterList(MasterList{CSCA: a.root.Certificate, At: start}))
	crl, err := cert.ParseCRL(issue(t, a.rootKey)(a.root.PrepareCRL(CRL{Number: big.NewInt(1), At: start})))
	if err != nil {
		t.Fatal(err)
	}
	e := Export{Version: 12, Signers: []*cert.Certificate{a.signer.Certificate}, CRLs: []*cert.CRL{crl}, MasterLists: [][]byte{list}}
	files, err := e.Files()
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	serial := strings.ToUpper(a.signer.Certificate.Serial.Text(16))
	first := string(bytes.ReplaceAll(files["icaopkd-001-complete-000012.ldif"], []byte("\n "), nil))
	for _, want := range []string{
		"\ndn: cn=CN\\=DS 1\\,O\\=Tam The SPECIMEN\\,C\\=VN+sn=" + serial + ",o=dsc,c=VN,dc=data,dc=download,dc=pkd,dc=icao,dc=int\npkdVersion: 12\nsn: " + serial + "\ncn: CN=DS 1,O=Tam The SPECIMEN,C=VN\nobjectClass: inetOrgPerson\n",
		"\nuserCertificate;binary:: MII",
		"\ndn: cn=CN\\=CSCA 1\\,O\\=Tam The SPECIMEN\\,C\\=VN,o=crl,c=VN,dc=data,", "\nobjectClass: cRLDistributionPoint\n",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("no %q in\n%s", want, first)
		}
	}
	for name, b := range files {
		for line := range bytes.Lines(b) {
			if len(line) > 77 {
				t.Errorf("%s: a line of %d", name, len(line))
			}
		}
	}
	a.imported(t, files)
	for name, c := range map[string]struct {
		e    Export
		lint bool
	}{
		"no version":    {Export{Signers: e.Signers}, false},
		"a CSCA":        {Export{Version: 1, Signers: []*cert.Certificate{a.root.Certificate}}, false},
		"no list":       {Export{Version: 1, MasterLists: [][]byte{{1}}}, false},
		"key usage":     {Export{Version: 1, Signers: []*cert.Certificate{badUsage(t, a)}}, true},
		"another lists": {Export{Version: 1, MasterLists: [][]byte{deviationList(t, a)}}, true},
	} {
		files, err := c.e.Files()
		if lint := new(LintError); files != nil || err == nil || errors.As(err, &lint) != c.lint {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// imported takes an export in as a checkpoint does that pinned the CSCA.
func (a authority) imported(t *testing.T, files map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	seen, err := pki.OpenMemory(filepath.Join(dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	offers := []pki.Offer{{Name: "csca.cer", Octets: a.root.Certificate.Raw}}
	for name, b := range files {
		offers = append(offers, pki.Offer{Name: name, Octets: b})
	}
	folder := pki.TrustFolder{Path: filepath.Join(dir, "trust"), Seen: seen, Specimen: true}
	receipts, err := folder.Import(offers, pki.ImportOptions{At: start.AddDate(0, 0, 1), Documents: []string{"I"}, Pins: [][32]byte{a.root.Certificate.Fingerprint()}})
	if err != nil {
		t.Fatal(err)
	}
	lists, crls, certs := 0, 0, 0
	for _, r := range receipts {
		lists, crls, certs = lists+len(r.Lists), crls+r.CRLs, certs+r.Certificates
	}
	if lists != 1 || crls != 1 || certs != 1 {
		t.Errorf("%+v", receipts)
	}
	store, err := folder.Load()
	if err != nil {
		t.Fatal(err)
	}
	q := pki.Query{At: start.AddDate(0, 0, 1), Country: "VNM", DocumentType: "I", Issued: start, Specimen: true}
	if r := store.Chain(a.signer.Certificate).Judge(q); r.Finding(pki.Signature).Level != pki.Passed || !strings.Contains(r.Finding(pki.Revocation).Detail, "list of") {
		t.Errorf("from the export: %+v", r)
	}
}

// badUsage is a signer that may encrypt as well.
func badUsage(t *testing.T, a authority) *cert.Certificate {
	t.Helper()
	c := a.signer.Certificate
	tbs, err := cert.Template{
		Serial: NewSerial(), Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}, Issuer: c.Issuer, Subject: c.Subject,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, PublicKey: c.PublicKey, AuthorityKeyID: c.AuthorityKeyID, KeyUsage: c.KeyUsage | 8,
	}.TBS()
	if err != nil {
		t.Fatal(err)
	}
	der, err := cert.Sign(tbs, cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}, a.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return bad
}

func deviationList(t *testing.T, a authority) []byte {
	t.Helper()
	signer, key := a.listSigner(t, true)
	return issue(t, key)(signer.PrepareDeviationList(DeviationList{CSCA: a.root.Certificate, At: start, Deviations: []Deviation{{Numbers: []string{"1"}, Fault: pki.FaultChip}}}))
}

// TestExportLikeThePKD: a master list that the PKD gave out is written as the PKD wrote it, to
// the octet.
func TestExportLikeThePKD(t *testing.T) {
	want := testdata.Vectors(t, "pki/ldif/icao-pkd-ml-bw.ldif")
	text := strings.ReplaceAll(string(want), "\n ", "")
	_, content, ok := strings.Cut(text, "pkdMasterListContent:: ")
	if !ok {
		t.Fatal("no master list")
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(content))
	if err != nil {
		t.Fatal(err)
	}
	s, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	var w ldifWriter
	name := s.SignerCertificates(s.Signers[0])[0].Issuer
	w.entry(object{"ml", name, "1", 119, "pkdMasterListContent", raw, classesML})
	if !bytes.Equal(w.Bytes(), want) {
		t.Errorf("written\n%.900s\nnot\n%.900s", w.Bytes(), want)
	}
}
