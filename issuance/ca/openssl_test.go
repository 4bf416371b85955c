package ca

import (
	"bytes"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// openSSL is another implementation, in a folder of files.
type openSSL struct {
	t         *testing.T
	path, dir string
}

func newOpenSSL(t *testing.T) openSSL {
	path, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	return openSSL{t, path, t.TempDir()}
}

func (o openSSL) run(args ...string) string {
	o.t.Helper()
	out, err := exec.Command(o.path, args...).CombinedOutput()
	if err != nil {
		o.t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// refuses runs what must fail.
func (o openSSL) refuses(args ...string) {
	o.t.Helper()
	if out, err := exec.Command(o.path, args...).CombinedOutput(); err == nil {
		o.t.Errorf("openssl %s: %s", strings.Join(args, " "), out)
	}
}

func (o openSSL) write(name string, b []byte) string {
	o.t.Helper()
	file := filepath.Join(o.dir, name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		o.t.Fatal(err)
	}
	return file
}

// pem writes a certificate, or with kind crl a list, as PEM.
func (o openSSL) pem(kind, name string, der []byte) string {
	o.t.Helper()
	file := o.write(name+".der", der)
	o.run(kind, "-inform", "DER", "-in", file, "-out", file+".pem")
	return file + ".pem"
}

// TestOpenSSL verifies chain and list with another implementation. -x509_strict takes
// named curves only.
func TestOpenSSL(t *testing.T) {
	o := newOpenSSL(t)
	rootKey, signerKey := newKey(t, dh.BrainpoolP256r1()), newKey(t, dh.P256())
	r := rootRequest(rootKey)
	r.Named, r.From = true, time.Now().AddDate(0, 0, -1)
	root := issuer(t, issue(t, rootKey)(PrepareCSCA(r)))
	s := signerRequest(signerKey)
	s.Named, s.From = true, r.From
	signer := issue(t, rootKey)(root.PrepareSigner(s))
	list := issue(t, rootKey)(root.PrepareCRL(CRL{Number: big.NewInt(1), At: r.From}))
	rootFile, signerFile, listFile := o.pem("x509", "root", root.Certificate.Raw), o.pem("x509", "signer", signer), o.pem("crl", "crl", list)
	o.run("verify", "-x509_strict", "-check_ss_sig", "-crl_check", "-CRLfile", listFile, "-CAfile", rootFile, signerFile)
	o.run("crl", "-in", listFile, "-CAfile", rootFile, "-noout")
}

// TestOpenSSLRollover: the link, a signer below it, the list by the newest key and a master
// list are what another implementation takes; the signer that the list names is refused.
func TestOpenSSLRollover(t *testing.T) {
	o := newOpenSSL(t)
	at := time.Now().AddDate(0, 0, -1)
	oldKey, nextKey, dsKey, listKey := newKey(t, dh.P384()), newKey(t, dh.BrainpoolP384r1()), newKey(t, dh.P256()), newKey(t, dh.P256())
	r := rootRequest(oldKey)
	r.Named, r.From = true, at
	old := issuer(t, issue(t, oldKey)(PrepareCSCA(r)))
	next := issuer(t, issue(t, nextKey)(old.PrepareSuccessor(Successor{Serial: NewSerial(), Key: nextKey.Public(), From: at, CardYears: 25, Named: true})))
	link := issue(t, oldKey)(old.PrepareLink(Link{Serial: NewSerial(), Next: next.Certificate, At: at}))
	sign := signerRequest(dsKey)
	sign.Named, sign.From = true, at
	ds := issue(t, nextKey)(next.PrepareSigner(sign))
	sign.Serial = NewSerial()
	gone := issue(t, nextKey)(next.PrepareSigner(sign))
	parsed, err := cert.Parse(gone)
	if err != nil {
		t.Fatal(err)
	}
	crl := issue(t, nextKey)(next.PrepareCRL(CRL{Number: big.NewInt(2), At: at, Entries: []cert.Revocation{{Serial: parsed.Serial, Time: at}}}))
	oldFile, nextFile, linkFile := o.pem("x509", "old", old.Certificate.Raw), o.pem("x509", "next", next.Certificate.Raw), o.pem("x509", "link", link)
	dsFile, goneFile, crlFile := o.pem("x509", "ds", ds), o.pem("x509", "gone", gone), o.pem("crl", "crl", crl)
	o.run("verify", "-x509_strict", "-check_ss_sig", "-CAfile", oldFile, linkFile)
	o.run("verify", "-x509_strict", "-CAfile", oldFile, "-untrusted", linkFile, dsFile)
	o.refuses("verify", "-CAfile", oldFile, dsFile)
	o.run("verify", "-x509_strict", "-crl_check", "-CRLfile", crlFile, "-CAfile", nextFile, dsFile)
	o.refuses("verify", "-crl_check", "-CRLfile", crlFile, "-CAfile", nextFile, goneFile)
	o.run("crl", "-in", crlFile, "-CAfile", nextFile, "-noout", "-verify")

	signer := issuer(t, issue(t, nextKey)(next.PrepareListSigner(ListSigner{Serial: NewSerial(), Key: listKey.Public(), CommonName: "List Signer", From: at, Named: true})))
	ml := issue(t, listKey)(signer.PrepareMasterList(MasterList{Certificates: [][]byte{old.Certificate.Raw, link}, CSCA: next.Certificate, At: at}))
	content := o.write("content", nil)
	o.run("cms", "-verify", "-inform", "DER", "-in", o.write("list.ml", ml), "-CAfile", nextFile, "-purpose", "any", "-binary", "-out", content)
	got, err := os.ReadFile(content)
	if err != nil || !bytes.Contains(got, link) || !bytes.Contains(got, next.Certificate.Raw) {
		t.Errorf("content of %d octets, %v", len(got), err)
	}
	recalls := issuer(t, issue(t, nextKey)(next.PrepareListSigner(ListSigner{Serial: NewSerial(), Key: dsKey.Public(), Deviations: true, CommonName: "Recalls", From: at, Named: true})))
	dl := issue(t, dsKey)(recalls.PrepareDeviationList(DeviationList{
		CSCA: next.Certificate, At: at, Deviations: []Deviation{{Numbers: []string{"190000017"}, Fault: pki.FaultChip}},
	}))
	o.run("cms", "-verify", "-inform", "DER", "-in", o.write("list.dvl", dl), "-CAfile", nextFile, "-purpose", "any", "-binary", "-out", content)
	if out := o.run("asn1parse", "-inform", "DER", "-in", content); !strings.Contains(out, "190000017") {
		t.Errorf("deviations:\n%s", out)
	}
	ml[len(ml)-1] ^= 1
	o.refuses("cms", "-verify", "-inform", "DER", "-in", o.write("list.ml", ml), "-CAfile", nextFile, "-purpose", "any", "-binary", "-out", content)
}

// TestOpenSSLExplicit: curves written out are what Doc 9303-12 asks for. OpenSSL 3 takes them
// in a root and its lists; below a root it has a rule against them, so that there its
// verification of the octets has to do.
func TestOpenSSLExplicit(t *testing.T) {
	o := newOpenSSL(t)
	key, dsKey := newKey(t, dh.BrainpoolP512r1()), newKey(t, dh.BrainpoolP256r1())
	r := rootRequest(key)
	r.From = time.Now().AddDate(0, 0, -1)
	root := issuer(t, issue(t, key)(PrepareCSCA(r)))
	s := signerRequest(dsKey)
	s.From = r.From
	ds, err := cert.Parse(issue(t, key)(root.PrepareSigner(s)))
	if err != nil {
		t.Fatal(err)
	}
	rootFile := o.pem("x509", "root", root.Certificate.Raw)
	o.run("verify", "-check_ss_sig", "-CAfile", rootFile, rootFile)
	list := issue(t, key)(root.PrepareCRL(CRL{Number: big.NewInt(1), At: r.From}))
	o.run("crl", "-in", o.pem("crl", "crl", list), "-CAfile", rootFile, "-noout", "-verify")
	public := o.write("public.pem", []byte(o.run("x509", "-in", rootFile, "-noout", "-pubkey")))
	tbs := o.write("tbs", ds.RawTBS)
	o.run("dgst", "-sha512", "-verify", public, "-signature", o.write("signature", ds.Signature), tbs)
	o.refuses("dgst", "-sha512", "-verify", public, "-signature", o.write("signature", ds.Signature), o.write("tbs", append(ds.RawTBS, 0)))
}
