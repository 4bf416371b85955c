package verify

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

// openssl is the other implementation, in a folder of its own.
type openssl struct {
	t    *testing.T
	path string
	dir  string
}

func findOpenSSL(t *testing.T) *openssl {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		testdata.Missing(t, "openssl", "openssl is not installed")
	}
	return &openssl{t, path, t.TempDir()}
}

// file writes a file of PEM blocks of that type, or of the octets themselves.
func (o *openssl) file(name, kind string, list ...[]byte) string {
	o.t.Helper()
	var b []byte
	for _, der := range list {
		if kind == "" {
			b = append(b, der...)
		} else {
			b = append(b, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
		}
	}
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

// run says whether it was content, and the last it said.
func (o *openssl) run(args ...string) (ok bool, said string) {
	out, err := exec.Command(o.path, args...).CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, l := range lines {
		if _, after, found := strings.Cut(l, ":error:"); found {
			said = after
		} else if strings.HasPrefix(l, "error ") {
			said = l
		}
	}
	return err == nil, said
}

// difference is a document or path that both judged.
type difference struct {
	what         string // signature or path
	id           string
	ours, theirs bool
	said         string // by those who refuse
}

// compare fails where they disagree and the table does not say why, and tells the table.
func compare(t *testing.T, list []difference, known map[string]string) string {
	var table strings.Builder
	agree, both, neither := map[string]int{}, map[string]int{}, map[string]int{}
	used := map[string]bool{}
	for _, d := range list {
		key := d.what + " " + d.id
		if d.ours == d.theirs {
			agree[d.what]++
			if d.ours {
				both[d.what]++
			} else {
				neither[d.what]++
			}
			if known[key] != "" {
				t.Errorf("%s: they agree and need no explanation", key)
			}
			continue
		}
		used[key] = true
		why := known[key]
		if why == "" {
			t.Errorf("%s: ours %v, openssl %v (%s)", key, d.ours, d.theirs, d.said)
		}
		word := map[bool]string{true: "good", false: "bad"}
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s |\n", d.what, d.id, word[d.ours], word[d.theirs], why)
	}
	for key := range known {
		if !used[key] && !slices.ContainsFunc(list, func(d difference) bool { return d.what+" "+d.id == key }) {
			t.Errorf("%s is explained and not tried", key)
		}
	}
	var head strings.Builder
	for _, what := range []string{"signature", "document", "path"} {
		n := 0
		for _, d := range list {
			if d.what == what {
				n++
			}
		}
		fmt.Fprintf(&head, "| %s | %d | %d | %d | %d |\n", what, n, both[what], neither[what], n-agree[what])
	}
	return "Signature: `openssl cms -verify -noverify` and our check sod.signature. Document: `openssl cms -verify` with anchors, lists and\nthe time of judgement, and our checks of signature, chain, authority, validity and revocation. Path: `openssl verify`.\n\n" +
		"| | judged by both | both good | both bad | differ |\n|---|---|---|---|---|\n" + head.String() +
		"\n| differ in | case | ours | openssl | because |\n|---|---|---|---|---|\n" + table.String()
}

// TestOpenSSLTrial judges with OpenSSL whatever it can judge, and explains each difference.
func TestOpenSSLTrial(t *testing.T) {
	long(t)
	o := findOpenSSL(t)
	var list []difference
	for _, c := range paCases(t) {
		list = append(list, o.document(c.ID, c.files(t)[lds.SODFile], c)...)
	}
	list = append(list, o.generated()...)
	list = append(list, o.foreign()...)
	list = append(list, o.paths("pkits", pkitsCases(t))...)
	list = append(list, o.paths("limbo", limboCases(t))...)
	trial(t, "OpenSSL", compare(t, list, opensslDiffers))
}

// inner is the SignedData of an EF.SOD.
func inner(sod []byte) []byte {
	s, content := cryptobyte.String(sod), cryptobyte.String(nil)
	if s.ReadASN1(&content, tags.Tag(0x77)) {
		return content
	}
	return sod
}

// ders are hexadecimal certificates or lists.
func ders(t *testing.T, list []string) (out [][]byte) {
	for _, s := range list {
		out = append(out, unhex(t, s))
	}
	return out
}

// document judges a case by its signature alone and with its chain.
func (o *openssl) document(id string, sod []byte, c paCase) []difference {
	opts := c.options(o.t)
	r := judgeOne(o.t, Files{lds.SODFile: sod}, opts)
	signed := r.Check(CheckSODSignature).Outcome == Passed
	data := o.file("sod", "", inner(sod))
	args := []string{"cms", "-verify", "-inform", "DER", "-in", data, "-binary", "-out", os.DevNull}
	if len(c.SignerStore) > 0 {
		args = append(args, "-certfile", o.file("signers", "CERTIFICATE", ders(o.t, c.SignerStore)...))
	}
	theirs, said := o.run(append(args, "-noverify")...)
	list := []difference{{"signature", id, signed, theirs, said + " " + string(r.Check(CheckSODSignature).Reason)}}
	if len(c.Trust) == 0 {
		return list
	}
	ours, why := signed, ""
	for _, k := range []string{CheckChain, CheckCA, CheckValidity, CheckRevocation, CheckCertStructure} {
		if x := r.Check(k); (x.Outcome == Failed || x.Outcome == Undetermined) && (k != CheckRevocation || len(c.CRLs) > 0) {
			ours, why = false, why+" "+string(x.Reason)
		}
	}
	trust := o.file("trust", "CERTIFICATE", ders(o.t, c.Trust)...)
	if len(c.CRLs) > 0 { // they are read from the same file
		b, _ := os.ReadFile(trust)
		lists, _ := os.ReadFile(o.file("crls", "X509 CRL", ders(o.t, c.CRLs)...))
		trust = o.file("trust", "", b, lists)
		args = append(args, "-crl_check")
	}
	args = append(args, "-CAfile", trust, "-no-CApath", "-purpose", "any", "-attime", fmt.Sprint(opts.At.Unix()))
	theirs, said = o.run(args...)
	return append(list, difference{"document", id, ours, theirs, said + why})
}

// generated is a card of our own making.
func (o *openssl) generated() []difference {
	office := newOffice(o.t, "CSCA")
	card := office.usual()
	c := paCase{At: judged.Format(time.DateOnly), Trust: []string{hex.EncodeToString(office.cscaCert.Raw)}, CRLs: []string{hex.EncodeToString(office.crl.Raw)}}
	return o.document("generated card, P-256", card.files[lds.SODFile], c)
}

// foreign are the SODs and card securities of other projects: their signature.
func (o *openssl) foreign() []difference {
	var list []difference
	dir := testdata.Dir(o.t)
	for _, pattern := range []string{"sod/*.bin", "lds/*/EF.SOD.bin"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			o.t.Fatal(pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				o.t.Fatal(err)
			}
			id, _ := filepath.Rel(dir, name)
			if strings.Contains(id, "cardsecurity") {
				continue
			}
			list = append(list, o.document(strings.TrimSuffix(filepath.ToSlash(id), ".bin"), b, paCase{At: "2026-07-01"})...)
		}
	}
	return list
}

// paths judges certification paths.
func (o *openssl) paths(set string, cases []pathCase) []difference {
	var list []difference
	for _, c := range cases {
		holds, why := c.judge()
		args := []string{"verify", "-purpose", "any", "-attime", fmt.Sprint(c.at.Unix()), "-no-CApath", "-CAfile", o.file("anchors", "CERTIFICATE", c.anchors...)}
		if len(c.between) > 0 {
			args = append(args, "-untrusted", o.file("between", "CERTIFICATE", c.between...))
		}
		if len(c.lists) > 0 {
			args = append(args, "-crl_check_all", "-CRLfile", o.file("lists", "X509 CRL", c.lists...))
			if set == "limbo" {
				args[len(args)-3] = "-crl_check"
			}
		}
		theirs, said := o.run(append(args, o.file("leaf", "CERTIFICATE", c.der))...)
		list = append(list, difference{"path", set + "/" + c.id, holds, theirs, said + " " + why})
	}
	return list
}

// The clauses by which they differ.
const (
	explicitKeys = "Doc 9303-12 §4.1.6 demands explicit curve parameters; OpenSSL 3 refuses them in a chain. We take those of a known curve"
	objectFirst  = "the signature is right over an object that is not: "
	shortHashes  = objectFirst + "hashes shorter than their algorithm's (Doc 9303-10 §4.6.2)"
)

// opensslDiffers explains every difference.
var opensslDiffers = map[string]string{
	"document ok-ecdsa-bp256-explicit":                  explicitKeys,
	"document generated card, P-256":                    explicitKeys,
	"signature bad-duplicate-group":                     objectFirst + "a data group comes twice (Doc 9303-10 §4.6.2)",
	"document bad-duplicate-group":                      objectFirst + "a data group comes twice (Doc 9303-10 §4.6.2)",
	"signature bad-hash-truncated":                      shortHashes,
	"document bad-hash-truncated":                       shortHashes,
	"signature bad-content-type-differs":                "the content-type attribute must be the eContentType (RFC 5652 §11.1); OpenSSL does not compare them",
	"document bad-content-type-differs":                 "as above",
	"signature bad-econtent-type":                       objectFirst + "its type is not ldsSecurityObject (Doc 9303-10 §4.6.2)",
	"document bad-econtent-type":                        objectFirst + "its type is not ldsSecurityObject (Doc 9303-10 §4.6.2)",
	"signature bad-md5":                                 "Doc 9303-12 §4.1.6 permits no MD5; OpenSSL still verifies it",
	"document bad-md5":                                  "Doc 9303-12 §4.1.6 permits no MD5; OpenSSL still verifies it",
	"document bad-csca-not-ca":                          "a CSCA has basicConstraints with cA (Doc 9303-12 §7.1.1 table 6); OpenSSL asks it of no anchor",
	"signature sod/trailing-byte":                       "an octet lies behind the object in EF.SOD (Doc 9303-10 §4.6.2); OpenSSL is given the object alone",
	"signature lds/de-td1-defaultpersogt/EF.SOD":        shortHashes,
	"signature lds/de-td1-profile02/EF.SOD":             shortHashes,
	"signature lds/de-td1-profile05/EF.SOD":             shortHashes,
	"signature lds/de-td1-profile09/EF.SOD":             shortHashes,
	"signature lds/de-td1-profileub01/EF.SOD":           shortHashes,
	"signature lds/de-td1-profileub03/EF.SOD":           shortHashes,
	"path limbo/crl::crlnumber-critical":                "a critical extension that is understood refuses nothing (RFC 5280 §5.2); lint says that it should not be critical",
	"path limbo/crl::issuer-no-keyusage-extension":      "every CSCA has keyUsage (Doc 9303-12 §7.1.1 table 6)",
	"path limbo/rfc5280::validity::notafter-fractional": "the second that notAfter names belongs to the period (RFC 5280 §4.1.2.5); OpenSSL leaves it out",
}
