package verify

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// pathAspects are those that RFC 5280 §6 judges as well. The others are of travel
// documents: usage of a document signer, country, key lengths, key period, test keys.
var pathAspects = []pki.Aspect{pki.Structure, pki.Signature, pki.Authority, pki.Validity, pki.Revocation}

// pathCase is a certificate with its path, as PKITS and x509-limbo have them.
type pathCase struct {
	rawPath
	id     string
	valid  bool
	store  *pki.Store
	extra  []*cert.Certificate // self-signed and not trusted: like what a document packs
	leaf   *cert.Certificate
	at     time.Time
	broken error // what could not be read; a case of that kind is refused
}

// rawPath is the same for another implementation.
type rawPath struct {
	anchors, between, lists [][]byte
	der                     []byte
}

// judge says whether the path holds, and if not why.
func (c pathCase) judge() (holds bool, why string) {
	if c.broken != nil {
		return false, "malformed"
	}
	r := c.store.Chain(c.leaf, c.extra...).Judge(pki.Query{At: c.at})
	var list []string
	for _, a := range pathAspects {
		if f := r.Finding(a); f.Level == pki.Failed || f.Level == pki.Undetermined {
			list = append(list, string(f.Kind))
		}
	}
	return len(list) == 0, strings.Join(list, ", ")
}

// pathOutcomes runs the cases and tells what came out. Exempt says why a case is not
// applicable to paths after Doc 9303-12; a case of expected refusal may be exempt only if
// its whole judgement, with the aspects of travel documents, does not pass either.
func pathOutcomes(t *testing.T, cases []pathCase, exempt map[string]string) string {
	var table strings.Builder
	passed, na := 0, 0
	for _, c := range cases {
		holds, why := c.judge()
		reason, isExempt := exempt[c.id]
		switch {
		case holds == c.valid && isExempt:
			t.Errorf("%s comes out right and need not be exempt", c.id)
		case holds == c.valid:
			passed++
		case isExempt && holds:
			na++
			if wholly := c.documentSigner(); wholly == "" {
				t.Errorf("%s: accepted as a document signer too", c.id)
			} else {
				reason += "; as a document signer it is refused: " + wholly
			}
			fmt.Fprintf(&table, "| %s | refuse | path holds | %s |\n", c.id, reason)
		case isExempt:
			na++
			fmt.Fprintf(&table, "| %s | accept | %s | %s |\n", c.id, why, reason)
		case holds:
			t.Errorf("%s: a wrong accept", c.id)
		default:
			t.Errorf("%s: a wrong refusal: %s", c.id, why)
		}
	}
	head := fmt.Sprintf("%d cases, %d as expected, %d not applicable, 0 wrong accepts, 0 wrong refusals.\n", len(cases), passed, na)
	if na == 0 {
		return head
	}
	return head + "\n| not applicable | expected | here | because |\n|---|---|---|---|\n" + table.String()
}

// documentSigner judges the leaf wholly, as if it were to sign documents, and says what
// speaks against it.
func (c pathCase) documentSigner() string {
	r := c.store.Chain(c.leaf, c.extra...).Judge(pki.Query{At: c.at})
	for _, f := range r.Findings {
		if f.Level == pki.Failed || f.Level == pki.Undetermined {
			return string(f.Kind)
		}
	}
	return ""
}

// TestPKITSTrial runs NIST's test suite for paths.
func TestPKITSTrial(t *testing.T) {
	long(t)
	trial(t, "NIST PKITS", pathOutcomes(t, pkitsCases(t), notPKITS))
}

func pkitsCases(t *testing.T) []pathCase {
	t.Helper()
	var file struct {
		Cases []struct {
			ID           string   `json:"id"`
			EndEntity    string   `json:"end_entity"`
			Certificates []string `json:"certificates"`
			CRLs         []string `json:"crls"`
			TrustAnchor  string   `json:"trust_anchor"`
			Expected     string   `json:"expected"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(testdata.Vectors(t, "pkits/pkits.json"), &file); err != nil {
		t.Fatal(err)
	}
	var cases []pathCase
	for _, f := range file.Cases {
		c := pathCase{id: strings.TrimPrefix(f.ID, "pkits-"), valid: f.Expected == "valid", at: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
		var m []pki.Material
		c.der = testdata.Vectors(t, "pkits/certs/"+f.EndEntity)
		c.anchors = [][]byte{testdata.Vectors(t, "pkits/certs/"+f.TrustAnchor)}
		for _, name := range f.Certificates {
			c.between = append(c.between, testdata.Vectors(t, "pkits/certs/"+name))
		}
		for _, name := range f.CRLs {
			c.lists = append(c.lists, testdata.Vectors(t, "pkits/crls/"+name))
		}
		for _, name := range slices.Concat([]string{f.TrustAnchor}, f.Certificates) {
			x, err := cert.Parse(testdata.Vectors(t, "pkits/certs/"+name))
			if err != nil {
				c.broken = err
				continue
			}
			m = append(m, pki.Material{Cert: x, Source: name})
		}
		var crls []*cert.CRL
		for _, name := range f.CRLs {
			x, err := cert.ParseCRL(testdata.Vectors(t, "pkits/crls/"+name))
			if err != nil {
				c.broken = err
				continue
			}
			crls = append(crls, x)
		}
		var err error
		if c.leaf, err = cert.Parse(testdata.Vectors(t, "pkits/certs/"+f.EndEntity)); err != nil {
			c.broken = err
		}
		c.store = pki.NewStore(m, crls, []pki.Issuer{{Country: "US"}}) // lists are required
		cases = append(cases, c)
	}
	return cases
}

// notPKITS is empty: what NIST tests of policies and name constraints is not among the vectors.
var notPKITS = map[string]string{}

// TestLimboTrial runs the cases of x509-limbo that are not of TLS.
func TestLimboTrial(t *testing.T) {
	long(t)
	trial(t, "x509-limbo", pathOutcomes(t, limboCases(t), notLimbo))
}

func limboCases(t *testing.T) []pathCase {
	t.Helper()
	var file struct {
		Cases []struct {
			ID            string   `json:"id"`
			Trusted       []string `json:"trusted_certs"`
			Intermediates []string `json:"untrusted_intermediates"`
			Peer          string   `json:"peer_certificate"`
			At            string   `json:"validation_time"`
			Expected      string   `json:"expected_result"`
			CRLs          []string `json:"crls"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(testdata.Vectors(t, "limbo/limbo.json"), &file); err != nil {
		t.Fatal(err)
	}
	var cases []pathCase
	for _, f := range file.Cases {
		c := pathCase{id: f.ID, valid: f.Expected == "SUCCESS", at: time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)}
		if f.At != "" {
			var err error
			if c.at, err = time.Parse(time.RFC3339, f.At); err != nil {
				t.Fatal(err)
			}
		}
		var m []pki.Material
		c.der = fromPEM(t, f.Peer)
		for i, p := range slices.Concat(f.Trusted, f.Intermediates, f.CRLs) {
			to := &c.anchors
			if i >= len(f.Trusted) {
				to = &c.between
			}
			if i >= len(f.Trusted)+len(f.Intermediates) {
				to = &c.lists
			}
			*to = append(*to, fromPEM(t, p))
		}
		for i, p := range slices.Concat(f.Trusted, f.Intermediates) {
			switch x, err := cert.Parse(fromPEM(t, p)); {
			case err != nil:
				c.broken = err
			case i >= len(f.Trusted) && x.SelfSigned():
				c.extra = append(c.extra, x)
			default:
				m = append(m, pki.Material{Cert: x, Source: "limbo"})
			}
		}
		var crls []*cert.CRL
		for _, p := range f.CRLs {
			if x, err := cert.ParseCRL(fromPEM(t, p)); err != nil {
				c.broken = err
			} else {
				crls = append(crls, x)
			}
		}
		var err error
		if c.leaf, err = cert.Parse(fromPEM(t, f.Peer)); err != nil {
			c.broken = err
		}
		c.store = pki.NewStore(m, crls, []pki.Issuer{{Country: "", CRL: pki.Optional}})
		cases = append(cases, c)
	}
	return cases
}

// notLimbo says why a case asks for another answer than a verifier of documents gives.
var notLimbo = map[string]string{
	"crl::crlnumber-critical":                      "Doc 9303-12 table 10 makes it a rule for issuers, and lint says it; a critical extension that is understood refuses nothing (RFC 5280 §5.2)",
	"crl::issuer-no-keyusage-extension":            "Doc 9303-12 table 6 demands keyUsage of every CSCA",
	"cve::cve-2024-0567":                           "the root is signed by itself under another name; a root bears its own (Doc 9303-12 §7.1.1.5)",
	"pathlen::max-chain-depth-0-exhausted":         "a depth given by the caller is no input here: a chain has at most 8 certificates, links included",
	"pathlen::max-chain-depth-1-exhausted":         "as above",
	"rfc5280::aki::leaf-missing-aki":               "a rule for issuers, and lint says it; real signers are found by their name then",
	"rfc5280::eku::ee-wrong-eku":                   "a purpose of TLS",
	"rfc5280::eku::ee-eku-empty":                   "a purpose of TLS",
	"rfc5280::serial::too-long":                    "a rule for issuers, and lint says it; serial numbers are compared whole",
	"rfc5280::ski::root-missing-ski":               "a rule for issuers, and lint says it; the identifier is computed then",
	"rfc5280::root-non-critical-basic-constraints": "a rule for issuers, and lint says it: two CSCAs of the lists break it",
	"rfc5280::root-and-intermediate-swapped":       "an anchor is self-signed; an intermediate that is trusted by itself is none",
}

func fromPEM(t *testing.T, s string) []byte {
	t.Helper()
	b, _ := pem.Decode([]byte(s))
	if b == nil {
		t.Fatal("no PEM")
	}
	return b.Bytes
}
