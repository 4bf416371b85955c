package ca

import (
	"bytes"
	"crypto"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/verify/pki"
)

// next makes the certificate of the key that follows an authority's, and its link.
func (a authority) next(t testing.TB, key crypto.Signer, name string, at time.Time) (root *Issuer, link *cert.Certificate) {
	t.Helper()
	root = issuer(t, issue(t, key)(a.root.PrepareSuccessor(Successor{Serial: NewSerial(), Key: key.Public(), CommonName: name, From: at, CardYears: 25})))
	der := issue(t, a.rootKey)(a.root.PrepareLink(Link{Serial: NewSerial(), Next: root.Certificate, At: at}))
	link, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return root, link
}

func TestRollover(t *testing.T) {
	for _, c := range []struct {
		from, to *dh.Curve
		name     string
	}{{dh.P256(), dh.P384(), ""}, {dh.BrainpoolP256r1(), dh.P521(), "CSCA 2"}} {
		a := newAuthority(t, c.from)
		key, at := newKey(t, c.to), start.AddDate(4, 0, 0)
		root, link := a.next(t, key, c.name, at)
		old, next := a.root.Certificate, root.Certificate
		if link.CheckSignature(old.PublicKey) != nil || !link.PublicKey.Equal(next.PublicKey) || !link.IsCA() || link.BasicConstraints.PathLen != 0 ||
			!bytes.Equal(link.AuthorityKeyID, old.SubjectKeyID) || !bytes.Equal(link.SubjectKeyID, next.SubjectKeyID) ||
			!bytes.Equal(link.Issuer.Raw, old.Subject.Raw) || !bytes.Equal(link.Subject.Raw, next.Subject.Raw) {
			t.Errorf("link %+v", link)
		}
		if renamed := c.name != ""; link.NameChange != renamed || next.NameChange || next.Subject.Equal(old.Subject) == renamed {
			t.Errorf("%q: %v after %v, name change %v", c.name, next.Subject, old.Subject, link.NameChange)
		}
		if !link.NotBefore.Equal(at) || link.NotAfter.After(old.NotAfter) || link.NotAfter.After(next.NotAfter) {
			t.Errorf("link from %v to %v", link.NotBefore, link.NotAfter)
		}
		// Who trusts the old key alone comes to a signer of the new one over the link, and the
		// other way about old signers are judged by the old key.
		ds := issue(t, key)(root.PrepareSigner(Signer{Serial: NewSerial(), Key: a.signerKey.Public(), CommonName: "DS 2", From: at, CardYears: 25, DocumentTypes: []string{"I"}}))
		signer, err := cert.Parse(ds)
		if err != nil {
			t.Fatal(err)
		}
		list := issue(t, key)(root.PrepareCRL(CRL{Number: big.NewInt(9), At: at, Former: []cert.Name{old.Subject}, Entries: []cert.Revocation{{Serial: a.signer.Certificate.Serial, Time: at}}}))
		crl, err := cert.ParseCRL(list)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(crl.IssuerAltName); c.name == "" && got != 0 || c.name != "" && (got != 1 || !crl.IssuerAltName[0].Directory.Equal(old.Subject)) {
			t.Errorf("%q: %d former names", c.name, got)
		}
		store := pki.NewStore([]pki.Material{{Cert: old, Source: "old"}, {Cert: link, Source: "link"}}, []*cert.CRL{crl}, []pki.Issuer{{Country: "VN", CRL: pki.Required}})
		q := pki.Query{At: at.AddDate(0, 0, 3), Country: "VNM", DocumentType: "I", Issued: at, Lists: []*cert.CRL{crl}}
		judged := store.Chain(signer).Judge(q)
		if f := judged.Finding(pki.Signature); f.Level != pki.Passed {
			t.Errorf("new signer under the old anchor: %+v", judged)
		}
		revoked := store.Chain(a.signer.Certificate).Judge(q)
		if f := revoked.Finding(pki.Revocation); f.Level != pki.Failed || f.Kind != pki.CertificateRevoked {
			t.Errorf("%q: an old signer that the new key's list names: %+v", c.name, f)
		}
	}
}

func TestPrepareLinkRefuses(t *testing.T) {
	a := newAuthority(t, dh.P256())
	key := newKey(t, dh.P256())
	root, _ := a.next(t, key, "", start.AddDate(4, 0, 0))
	stranger := newAuthority(t, dh.P256())
	for name, c := range map[string]struct {
		r    Link
		want error
	}{
		"no serial":                {Link{Next: root.Certificate, At: start.AddDate(4, 0, 0)}, ErrRequest},
		"no next":                  {Link{Serial: NewSerial(), At: start.AddDate(4, 0, 0)}, ErrRequest},
		"a signer":                 {Link{Serial: NewSerial(), Next: a.signer.Certificate, At: start}, ErrRequest},
		"itself":                   {Link{Serial: NewSerial(), Next: a.root.Certificate, At: start}, ErrKey},
		"before the next is valid": {Link{Serial: NewSerial(), Next: root.Certificate, At: start.AddDate(3, 0, 0)}, ErrPeriod},
		"when the key is over":     {Link{Serial: NewSerial(), Next: root.Certificate, At: start.AddDate(5, 0, 1)}, ErrPeriod},
	} {
		if d, err := a.root.PrepareLink(c.r); d != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.root.PrepareSuccessor(Successor{Serial: NewSerial(), Key: a.rootKey.Public(), From: start, CardYears: 25}); !errors.Is(err, ErrKey) {
		t.Errorf("its own key again: %v", err)
	}
	if _, err := a.signer.PrepareLink(Link{Serial: NewSerial(), Next: stranger.root.Certificate, At: start}); !errors.Is(err, ErrRequest) {
		t.Errorf("a signer links: %v", err)
	}
}

// TestCenturyOfTimes: what ends in 2049 is a UTCTime, what ends in 2050 a GeneralizedTime
// (RFC 5280 §4.1.2.5), to the second, in certificates and lists.
func TestCenturyOfTimes(t *testing.T) {
	key := newKey(t, dh.P256())
	last := time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, c := range []struct {
		end time.Time
		der string
	}{{last, "\x17\x0d491231235959Z"}, {last.Add(time.Second), "\x18\x0f20500101000000Z"}} {
		r := rootRequest(key)
		r.UseYears, r.SignerMonths, r.CardYears = 5, 12, 17
		r.From = c.end.AddDate(-5-1-17, 0, -7)
		root := issuer(t, issue(t, key)(PrepareCSCA(r)))
		if !root.Certificate.NotAfter.Equal(c.end) || !bytes.Contains(root.Certificate.RawTBS, []byte(c.der)) || root.Certificate.Defects != nil {
			t.Errorf("until %v: %v", root.Certificate.NotAfter, root.Certificate.Defects)
		}
		r.UseYears, r.From = 30, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		_, err := PrepareCSCA(r) // a key of 30 years is a warning of lint, no error
		if err != nil {
			t.Error(err)
		}
		long := issuer(t, issue(t, key)(PrepareCSCA(r)))
		list := issue(t, key)(long.PrepareCRL(CRL{Number: big.NewInt(1), At: c.end, Days: 30}))
		l, err := cert.ParseCRL(list)
		if err != nil || l.Defects != nil || !l.ThisUpdate.Equal(c.end) || !bytes.Contains(l.RawTBS, []byte(c.der)) {
			t.Errorf("list of %v: %v", c.end, err)
		}
	}
}

// TestCenturyOfLists: so is the time at which a list was signed.
func TestCenturyOfLists(t *testing.T) {
	rootKey, key := newKey(t, dh.P256()), newKey(t, dh.P256())
	last := time.Date(2049, 12, 31, 23, 59, 59, 0, time.UTC)
	r := rootRequest(rootKey)
	r.From = last.AddDate(-1, 0, 0)
	root := issuer(t, issue(t, rootKey)(PrepareCSCA(r)))
	signer := issuer(t, issue(t, rootKey)(root.PrepareListSigner(ListSigner{Serial: NewSerial(), Key: key.Public(), CommonName: "List Signer", From: r.From, UseMonths: 24})))
	for at, der := range map[time.Time]string{last: "\x17\x0d491231235959Z", last.Add(time.Second): "\x18\x0f20500101000000Z"} {
		raw := issue(t, key)(signer.PrepareMasterList(MasterList{CSCA: root.Certificate, At: at}))
		s, err := cms.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Signers[0].SigningTime(); !ok || !got.Equal(at) || !bytes.Contains(raw, []byte(der)) {
			t.Errorf("signed at %v: %v", at, got)
		}
	}
}
