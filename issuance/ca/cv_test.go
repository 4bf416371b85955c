package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/testdata"
)

// verifiers is a CVCA with a document verifier.
type verifiers struct {
	cvcaKey, dvKey crypto.Signer
	cvca, dv       *CVIssuer
}

func cvOf(t testing.TB, der []byte) *cvc.Certificate {
	t.Helper()
	c, err := cvc.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func cvIssuer(t testing.TB, c, above *cvc.Certificate) *CVIssuer {
	t.Helper()
	i, err := NewCVIssuer(c, above)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func request(t testing.TB, to, holder cvc.Reference, key crypto.Signer) *cvc.Request {
	t.Helper()
	a, err := DefaultCVAlgorithm(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	q, err := cvc.NewRequest(to, holder, a, key)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func newVerifiers(t testing.TB, newKey func() crypto.Signer, from time.Time) verifiers {
	t.Helper()
	v := verifiers{cvcaKey: newKey(), dvKey: newKey()}
	v.cvca = cvIssuer(t, cvOf(t, issue(t, v.cvcaKey)(PrepareCVCA(CVCA{Holder: "VNCVCA00001", Key: v.cvcaKey.Public(), From: from}))), nil)
	dv := cvOf(t, issue(t, v.cvcaKey)(v.cvca.PrepareSubscriber(Subscriber{
		Request: request(t, "VNCVCA00001", "VNDV00001", v.dvKey), Holder: "VNDV", Role: cvc.DVDomestic, Rights: []int{cvc.ReadDG3, cvc.ReadDG4}, From: from,
	})))
	v.dv = cvIssuer(t, dv, v.cvca.Certificate)
	return v
}

func (v verifiers) terminal(t testing.TB, key crypto.Signer, from time.Time) *cvc.Certificate {
	t.Helper()
	return cvOf(t, issue(t, v.dvKey)(v.dv.PrepareSubscriber(Subscriber{
		Request: request(t, "VNDV00001", "VNIS00001", key), Holder: "VNIS", Role: cvc.TerminalRole, Rights: []int{cvc.ReadDG3}, From: from,
	})))
}

// TestCVChain: a chip that was given the CVCA's trust point believes the terminal, and a
// chip that trusts the former key comes to the next one over the link.
func TestCVChain(t *testing.T) {
	for name, newKey := range map[string]func() crypto.Signer{
		"brainpoolP256r1": func() crypto.Signer { return newKey(t, dh.BrainpoolP256r1()) },
		"P-384":           func() crypto.Signer { return newKey(t, dh.P384()) },
		"RSA":             func() crypto.Signer { return newRSA(t) },
	} {
		v, key := newVerifiers(t, newKey, start), newKey()
		terminal := v.terminal(t, key, start)
		show := func(c *cvc.Chain, list ...*cvc.Certificate) {
			for _, x := range list {
				if err := errors.Join(c.Choose(x.Authority), c.Import(x)); err != nil {
					t.Errorf("%s: %s: %v", name, x.Holder, err)
				}
			}
		}
		chip := cvc.NewChain([]cvc.TrustPoint{v.cvca.Certificate.TrustPoint()}, v.cvca.Certificate.Effective)
		show(chip, v.dv.Certificate, terminal)
		if _, chat, err := chip.Terminal("VNIS00001"); err != nil || !chat.Has(cvc.ReadDG3) || chat.Has(cvc.ReadDG4) {
			t.Errorf("%s: %v, %v", name, chat, err)
		}
		nextKey, at := newKey(), start.AddDate(1, 0, 0)
		next := CVCA{Holder: "VNCVCA00002", Key: nextKey.Public(), From: at}
		own := cvIssuer(t, cvOf(t, issue(t, nextKey)(PrepareCVCA(next))), nil)
		link := cvOf(t, issue(t, v.cvcaKey)(v.cvca.PrepareCVLink(next)))
		show(chip, link)
		if own.Certificate.Authority != own.Certificate.Holder || link.Authority != "VNCVCA00001" || link.Holder != "VNCVCA00002" || !link.Key.Is(nextKey.Public()) {
			t.Errorf("%s: link %s under %s", name, link.Holder, link.Authority)
		}
		second := cvOf(t, issue(t, nextKey)(own.PrepareSubscriber(Subscriber{
			Request: request(t, "", "VNDV00002", newKey()), Holder: "VNDV", Role: cvc.DVDomestic, From: at,
		})))
		show(chip, second)
	}
}

func newRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestCVBounds are those of TR-03139: the day at the bound is taken, the one beyond is not.
func TestCVBounds(t *testing.T) {
	from := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	key := func() crypto.Signer { return newKey(t, dh.P256()) }
	v := newVerifiers(t, key, from)
	for _, c := range []struct {
		role cvc.Role
		days int
		good bool
	}{
		{cvc.DVDomestic, 13, false}, {cvc.DVDomestic, 14, true}, {cvc.DVDomestic, 91, true}, {cvc.DVDomestic, 92, false}, // 1 December
		{cvc.TerminalRole, 1, true}, {cvc.TerminalRole, 30, true}, {cvc.TerminalRole, 31, false}, {cvc.TerminalRole, -1, false},
	} {
		by, holder := v.cvca, "VNDX"
		if c.role == cvc.TerminalRole {
			by, holder = v.dv, "VNIX"
		}
		d, err := by.PrepareSubscriber(Subscriber{Request: request(t, "", cvc.Reference(holder+"00001"), key()), Holder: holder, Role: c.role, From: from, Days: c.days})
		if (err == nil) != c.good || !c.good && !errors.Is(err, ErrValidity) || (d != nil) != c.good {
			t.Errorf("%v of %d days: %v", c.role, c.days, err)
		}
	}
	for months, good := range map[int]bool{5: false, 6: true, 36: true, 37: false} {
		if _, err := PrepareCVCA(CVCA{Holder: "VNCVCA00001", Key: key().Public(), From: from, Months: months}); (err == nil) != good || !good && !errors.Is(err, ErrValidity) {
			t.Errorf("CVCA of %d months: %v", months, err)
		}
	}
}

// TestCVRequestsRefused: signatures, references, rights and roles that do not fit.
func TestCVRequestsRefused(t *testing.T) {
	key := func() crypto.Signer { return newKey(t, dh.BrainpoolP256r1()) }
	v := newVerifiers(t, key, start)
	algorithm := v.dv.Key.Algorithm
	next := key()
	fresh := request(t, "VNCVCA00001", "VNDV00002", next)
	signed, err := fresh.Countersign("VNDV00001", algorithm, v.dvKey)
	if err != nil {
		t.Fatal(err)
	}
	other, err := fresh.Countersign("VNDV00001", algorithm, key())
	if err != nil {
		t.Fatal(err)
	}
	forged, err := cvc.ParseRequest(fresh.Raw)
	if err != nil {
		t.Fatal(err)
	}
	forged.Signature = append([]byte(nil), forged.Signature...)
	forged.Signature[9] ^= 1
	renewal := Subscriber{Request: signed, Holder: "VNDV", Role: cvc.DVDomestic, Rights: []int{cvc.ReadDG3}, From: start.AddDate(0, 1, 0), Outer: &v.dv.Key, OuterName: "VNDV00001"}
	if d, err := v.cvca.PrepareSubscriber(renewal); err != nil || d == nil {
		t.Fatal(err)
	}
	same, err := request(t, "VNCVCA00001", "VNDV00002", v.dvKey).Countersign("VNDV00001", algorithm, v.dvKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		by     *CVIssuer
		change func(*Subscriber)
		want   error
	}{
		"no request":                      {v.cvca, func(r *Subscriber) { r.Request = nil }, ErrRequest},
		"inner signature":                 {v.cvca, func(r *Subscriber) { r.Request, r.Outer = forged, nil }, cvc.ErrSignature},
		"no outer signature":              {v.cvca, func(r *Subscriber) { r.Request = fresh }, ErrOuter},
		"outer signature of a stranger":   {v.cvca, func(r *Subscriber) { r.Request = other }, ErrOuter},
		"outer signature by another name": {v.cvca, func(r *Subscriber) { r.OuterName = "VNDV00000" }, ErrOuter},
		"the key of before":               {v.cvca, func(r *Subscriber) { r.Request = same }, ErrKey},
		"another holder":                  {v.cvca, func(r *Subscriber) { r.Holder = "VNDX" }, ErrReference},
		"to another authority":            {v.cvca, func(r *Subscriber) { r.Request, r.Outer = request(t, "VNCVCA00009", "VNDV00002", next), nil }, ErrReference},
		"no reference":                    {v.cvca, func(r *Subscriber) { r.Request, r.Outer, r.Holder = request(t, "", "VNDV-0002", next), nil, "VNDV" }, ErrReference},
		"a foreign one of this state":     {v.cvca, func(r *Subscriber) { r.Role = cvc.DVForeign }, ErrReference},
		"a terminal under a CVCA":         {v.cvca, func(r *Subscriber) { r.Role = cvc.TerminalRole }, ErrRights},
		"a verifier under a verifier":     {v.dv, func(r *Subscriber) { r.Request, r.Outer = request(t, "", "VNDV00002", next), nil }, ErrRights},
		"a CVCA":                          {v.cvca, func(r *Subscriber) { r.Role = cvc.CVCA }, ErrRights},
		"the issuer's key":                {v.cvca, func(r *Subscriber) { r.Request, r.Outer = request(t, "", "VNDV00002", v.cvcaKey), nil }, ErrKey},
		"another curve":                   {v.cvca, func(r *Subscriber) { r.Request, r.Outer = request(t, "", "VNDV00002", newKey(t, dh.P256())), nil }, ErrKey},
		"before the issuer":               {v.cvca, func(r *Subscriber) { r.From = start.AddDate(0, 0, -2) }, ErrValidity},
		"after the issuer":                {v.cvca, func(r *Subscriber) { r.From = start.AddDate(4, 0, 0) }, ErrValidity},
		"too near to the issuer's end":    {v.cvca, func(r *Subscriber) { r.From = start.AddDate(3, 0, -7) }, ErrValidity},
		"rights that the verifier lacks too": {v.dv, func(r *Subscriber) {
			r.Request, r.Holder, r.Role, r.Rights, r.Outer = request(t, "", "VNIS00001", next), "VNIS", cvc.TerminalRole, []int{cvc.ReadEID}, nil
		}, ErrRights},
	} {
		r := renewal
		c.change(&r)
		if d, err := c.by.PrepareSubscriber(r); d != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCVCARefused: a CVCA has a key of its own, and hands on to itself only.
func TestCVCARefused(t *testing.T) {
	a := newAuthority(t, dh.P256())
	if _, err := PrepareCVCA(CVCA{Holder: "VNCVCA00001", Key: a.rootKey.Public(), From: start, Never: []cert.PublicKey{a.root.Certificate.PublicKey}}); !errors.Is(err, ErrKey) {
		t.Errorf("the CSCA's key: %v", err)
	}
	if _, err := PrepareCVCA(CVCA{Holder: "VNCVCA-0001", Key: newKey(t, dh.P256()).Public(), From: start}); !errors.Is(err, ErrReference) {
		t.Errorf("reference: %v", err)
	}
	if _, err := PrepareCVCA(CVCA{Holder: "VNCVCA00001", Key: newKey(t, dh.P256()).Public(), Algorithm: cvc.ECDSASHA1, From: start}); !errors.Is(err, ErrRequest) {
		t.Errorf("SHA-1: %v", err)
	}
	v := newVerifiers(t, func() crypto.Signer { return newKey(t, dh.P256()) }, start)
	for name, r := range map[string]CVCA{
		"another holder":  {Holder: "VNCVCX00002", Key: newKey(t, dh.P256()).Public(), From: start},
		"the same number": {Holder: "VNCVCA00001", Key: newKey(t, dh.P256()).Public(), From: start},
		"its own key":     {Holder: "VNCVCA00002", Key: v.cvcaKey.Public(), From: start},
		"too late":        {Holder: "VNCVCA00002", Key: newKey(t, dh.P256()).Public(), From: start.AddDate(4, 0, 0)},
		"other terminals": {Holder: "VNCVCA00002", Key: newKey(t, dh.P256()).Public(), From: start, Terminal: cvc.AuthenticationTerminal},
	} {
		d, err := v.cvca.PrepareCVLink(r)
		if d != nil || !errors.Is(err, ErrReference) && !errors.Is(err, ErrKey) && !errors.Is(err, ErrValidity) && !errors.Is(err, ErrRights) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewCVIssuer(v.dv.Certificate, nil); err == nil {
		t.Error("a document verifier is its own issuer")
	}
}

// TestOpenPACE has OpenPACE verify the whole chain, and print the rights of each.
func TestOpenPACE(t *testing.T) {
	tool, err := exec.LookPath("cvc-print")
	if err != nil {
		testdata.Missing(t, "openpace", "cvc-print is not installed (Debian package openpace)")
	}
	v := newVerifiers(t, func() crypto.Signer { return newKey(t, dh.BrainpoolP256r1()) }, time.Now().AddDate(0, 0, -1))
	terminal := v.terminal(t, newKey(t, dh.BrainpoolP256r1()), time.Now().AddDate(0, 0, -1))
	dir := t.TempDir()
	for _, c := range []*cvc.Certificate{v.cvca.Certificate, v.dv.Certificate, terminal} {
		if err := os.WriteFile(filepath.Join(dir, string(c.Holder)), c.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string][]string{
		"VNCVCA00001": {"CAR: VNCVCA00001", "CVCA"},
		"VNDV00001":   {"CAR: VNCVCA00001", "Read fingerprint", "Read iris"},
		"VNIS00001":   {"CAR: VNDV00001", "Inspection system", "Read fingerprint"},
	} {
		out, err := exec.Command(tool, "--cvc="+filepath.Join(dir, name), "--cvc-dir="+dir).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "certificate verified") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s: no %q in\n%s", name, w, out)
			}
		}
	}
}
