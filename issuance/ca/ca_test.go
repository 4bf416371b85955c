package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
)

var start = time.Date(2026, 7, 1, 9, 30, 0, 0, time.FixedZone("ICT", 7*3600))

func newKey(t testing.TB, curve *dh.Curve) *dh.PrivateKey {
	t.Helper()
	k, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rootRequest(key crypto.Signer) CSCA {
	return CSCA{
		Serial: NewSerial(), Key: key.Public(), Country: "VN", State: "VNM", Organization: "Tam The", CommonName: "CSCA 1",
		Specimen: true, Contact: "csca@example.org", CRL: []string{"https://example.org/vn.crl"}, From: start, CardYears: 25,
	}
}

func signerRequest(key crypto.Signer) Signer {
	return Signer{Serial: NewSerial(), Key: key.Public(), CommonName: "DS 1", From: start, CardYears: 25, DocumentTypes: []string{"I"}}
}

// issue runs both steps.
func issue(t testing.TB, key crypto.Signer) func(d *Draft, err error) []byte {
	return func(d *Draft, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out, err := d.Issue(key)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func issuer(t testing.TB, der []byte) *Issuer {
	t.Helper()
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewIssuer(c)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// authority is a CSCA with a document signer.
type authority struct {
	rootKey, signerKey crypto.Signer
	root, signer       *Issuer
}

func newAuthority(t testing.TB, curve *dh.Curve) authority {
	t.Helper()
	a := authority{rootKey: newKey(t, curve), signerKey: newKey(t, curve)}
	a.root = issuer(t, issue(t, a.rootKey)(PrepareCSCA(rootRequest(a.rootKey))))
	a.signer = issuer(t, issue(t, a.rootKey)(a.root.PrepareSigner(signerRequest(a.signerKey))))
	return a
}

func TestChain(t *testing.T) {
	for _, curve := range []*dh.Curve{dh.P256(), dh.P384(), dh.BrainpoolP256r1(), dh.BrainpoolP384r1(), dh.BrainpoolP512r1()} {
		a := newAuthority(t, curve)
		root, signer := a.root.Certificate, a.signer.Certificate
		if !root.SelfSigned() || signer.CheckSignature(root.PublicKey) != nil || !root.PublicKey.Explicit || !signer.PublicKey.Explicit {
			t.Errorf("%s: chain does not verify", curve.Name())
		}
		if got := signer.Subject.String(); got != "C=VN, O=Tam The SPECIMEN, CN=DS 1" {
			t.Errorf("subject %s", got)
		}
		// issuance.md: life of a signer is its key's plus the longest card's, and the
		// CSCA covers its last signer.
		if got := signer.NotAfter; !got.Equal(start.AddDate(0, 3, 0).AddDate(25, 0, 0)) {
			t.Errorf("signer until %v", got)
		}
		if p := signer.PrivateKeyUsage; !p.NotBefore.Equal(start) || !p.NotAfter.Equal(start.AddDate(0, 3, 0)) {
			t.Errorf("signer's key from %v to %v", p.NotBefore, p.NotAfter)
		}
		last := signerRequest(a.signerKey)
		last.From = root.PrivateKeyUsage.NotAfter
		if _, err := a.root.PrepareSigner(last); err != nil {
			t.Errorf("last signer: %v", err)
		}
		if root.NotAfter.Year() != 2056 || root.Defects != nil || signer.Defects != nil {
			t.Errorf("root until %v, defects %v %v", root.NotAfter, root.Defects, signer.Defects)
		}
	}
}

func TestChainRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	root := issuer(t, issue(t, key)(PrepareCSCA(rootRequest(key))))
	signer := issue(t, key)(root.PrepareSigner(signerRequest(newKey(t, dh.P256()))))
	c, err := cert.Parse(signer)
	if err != nil || c.CheckSignature(root.Certificate.PublicKey) != nil {
		t.Error(err)
	}
	if alg, _ := c.Algorithm.Signature(); alg.Scheme != cert.RSAPSS {
		t.Errorf("algorithm %v", alg)
	}
}

func TestNewSerial(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		n := NewSerial()
		if n.Sign() <= 0 || n.BitLen() != 159 || seen[n.String()] {
			t.Fatalf("serial %x", n)
		}
		seen[n.String()] = true
	}
}

// TestDraftIssuesOnce: what was planned is signed as planned, once, by the right key.
func TestDraftIssuesOnce(t *testing.T) {
	a := newAuthority(t, dh.P256())
	d, err := a.root.PrepareSigner(signerRequest(a.signerKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Issue(a.signerKey); !errors.Is(err, ErrKey) {
		t.Errorf("wrong key: %v", err)
	}
	der, err := d.Issue(a.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := cert.Parse(der); err != nil || string(c.RawTBS) != string(d.TBS) {
		t.Errorf("issued other octets than planned: %v", err)
	}
	if out, err := d.Issue(a.rootKey); !errors.Is(err, ErrIssued) || out != nil {
		t.Errorf("second time: %v", err)
	}
}

// faulty signs other octets than it was given.
type faulty struct{ crypto.Signer }

func (f faulty) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	digest = slices.Clone(digest)
	digest[0] ^= 1
	return f.Signer.Sign(r, digest, opts)
}

func TestIssueChecksItsOutput(t *testing.T) {
	a := newAuthority(t, dh.P256())
	d, err := a.root.PrepareSigner(signerRequest(a.signerKey))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := d.Issue(faulty{a.rootKey}); !errors.Is(err, cert.ErrSignature) || out != nil {
		t.Errorf("%x, %v", out, err)
	}
}

func TestPrepareCSCARefuses(t *testing.T) {
	key := newKey(t, dh.P256())
	for name, change := range map[string]func(*CSCA){
		"common-name":             func(r *CSCA) { r.CommonName = "" },
		"country":                 func(r *CSCA) { r.Country = "vn" },
		"subject-alternative":     func(r *CSCA) { r.State = "vnm" },
		"crl-distribution-points": func(r *CSCA) { r.CRL = nil },
		"serial-number":           func(r *CSCA) { r.Serial = big.NewInt(0) },
		"signature-hash":          func(r *CSCA) { r.Algorithm = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA1} },
		"key-size":                func(r *CSCA) { r.Key = newKey(t, dh.P224()).Public() },
	} {
		r := rootRequest(key)
		change(&r)
		d, err := PrepareCSCA(r)
		var lint *LintError
		if d != nil && err == nil || !errors.As(err, &lint) && !errors.Is(err, cert.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if lint != nil && !strings.Contains(lint.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := PrepareCSCA(CSCA{}); !errors.Is(err, ErrRequest) {
		t.Errorf("empty request: %v", err)
	}
	r := rootRequest(key)
	r.Named = true
	d, err := PrepareCSCA(r)
	if err != nil || !slices.ContainsFunc(d.Findings, func(f Finding) bool { return f.Rule == "explicit-parameters" && !f.Error }) {
		t.Errorf("named curve: %v", err)
	}
}

func TestPrepareSignerRefuses(t *testing.T) {
	a := newAuthority(t, dh.P256())
	for name, c := range map[string]struct {
		want   error
		change func(*Signer)
	}{
		"before the CSCA's key":    {ErrPeriod, func(r *Signer) { r.From = start.AddDate(0, 0, -1) }},
		"after the CSCA's key":     {ErrPeriod, func(r *Signer) { r.From = start.AddDate(5, 0, 1) }},
		"no serial":                {ErrRequest, func(r *Signer) { r.Serial = nil }},
		"no document type":         {nil, func(r *Signer) { r.DocumentTypes = nil }},
		"long document type":       {nil, func(r *Signer) { r.DocumentTypes = []string{"IDX"} }},
		"lives longer than the CA": {nil, func(r *Signer) { r.CardYears = 31 }},
	} {
		r := signerRequest(a.signerKey)
		c.change(&r)
		d, err := a.root.PrepareSigner(r)
		var lint *LintError
		if d != nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &lint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.signer.PrepareSigner(signerRequest(a.signerKey)); !errors.Is(err, ErrRequest) {
		t.Errorf("a signer issues a signer: %v", err)
	}
}

func TestCRL(t *testing.T) {
	a := newAuthority(t, dh.BrainpoolP256r1())
	revoked := []cert.Revocation{{Serial: a.signer.Certificate.Serial, Time: start, Reason: cert.KeyCompromise}}
	der := issue(t, a.rootKey)(a.root.PrepareCRL(CRL{Number: big.NewInt(7), At: start, Entries: revoked, Reasons: true}))
	l, err := cert.ParseCRL(der)
	if err != nil || l.CheckSignature(a.root.Certificate.PublicKey) != nil || l.Number.Int64() != 7 {
		t.Fatal(err)
	}
	if r, ok := l.Lookup(a.signer.Certificate.Serial); !ok || r.Reason != cert.KeyCompromise {
		t.Errorf("%+v, %v", r, ok)
	}
	empty := issue(t, a.rootKey)(a.root.PrepareCRL(CRL{Number: big.NewInt(8), At: start}))
	if l, err = cert.ParseCRL(empty); err != nil || len(l.Entries()) != 0 || l.Defects != nil || !l.NextUpdate.Equal(start.AddDate(0, 0, 90)) {
		t.Errorf("%+v, %v", l, err)
	}
	var lint *LintError
	for name, r := range map[string]CRL{
		"more than 90 days": {Number: big.NewInt(9), At: start, Days: 91},
		"entry twice":       {Number: big.NewInt(9), At: start, Entries: append(revoked, revoked...)},
		"entry in future":   {Number: big.NewInt(9), At: start.AddDate(0, 0, -1), Entries: revoked},
	} {
		if d, err := a.root.PrepareCRL(r); d != nil || !errors.As(err, &lint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.signer.PrepareCRL(CRL{Number: big.NewInt(9), At: start}); !errors.Is(err, ErrRequest) {
		t.Errorf("a signer issues a list: %v", err)
	}
}
