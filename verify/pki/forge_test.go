package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
)

// now is the time at which the tests judge.
var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// authority is a key with a certificate.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *cert.Certificate
}

var serials int64 = 1000

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func name(t testing.TB, country, common string) cert.Name {
	t.Helper()
	n, err := cert.NewName(
		cert.Attribute{Type: cert.OIDCountry, Value: country},
		cert.Attribute{Type: cert.OIDOrganization, Value: "Utopia"},
		cert.Attribute{Type: cert.OIDCommonName, Value: common})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func keyIDOf(t testing.TB, pub crypto.PublicKey) []byte {
	t.Helper()
	k, err := cert.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return k.KeyID()
}

// csca is the template of a CSCA's certificate for the key.
func csca(t testing.TB, common string, key *ecdsa.PrivateKey) cert.Template {
	n := name(t, "UT", common)
	return cert.Template{
		Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}, Issuer: n, Subject: n,
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(10, 0, 0), PublicKey: &key.PublicKey,
		AuthorityKeyID: keyIDOf(t, &key.PublicKey), SubjectKeyID: keyIDOf(t, &key.PublicKey),
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true, PathLen: 0},
	}
}

// signer is the template of a document signer below the authority.
func signer(t testing.TB, ca authority, key *ecdsa.PrivateKey) cert.Template {
	return cert.Template{
		Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}, Issuer: ca.cert.Subject, Subject: name(t, "UT", "DS 1"),
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0), PublicKey: &key.PublicKey,
		AuthorityKeyID: ca.cert.SubjectKeyID, SubjectKeyID: keyIDOf(t, &key.PublicKey), KeyUsage: cert.DigitalSignature,
		PrivateKeyUsage: &cert.Period{NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, -9, 0)},
		DocumentTypes:   []string{"I", "P"},
	}
}

// issue signs a template.
func issue(t testing.TB, tpl cert.Template, by *ecdsa.PrivateKey) *cert.Certificate {
	t.Helper()
	if tpl.Serial == nil {
		serials++
		tpl.Serial = big.NewInt(serials)
	}
	tbs, err := tpl.TBS()
	if err != nil {
		t.Fatal(err)
	}
	der, err := cert.Sign(tbs, tpl.Algorithm, by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newCSCA makes a self-signed authority; change may be nil.
func newCSCA(t testing.TB, common string, change func(*cert.Template)) authority {
	t.Helper()
	k := newKey(t)
	tpl := csca(t, common, k)
	if change != nil {
		change(&tpl)
	}
	return authority{k, issue(t, tpl, k)}
}

// newSigner makes a document signer; change may be nil.
func newSigner(t testing.TB, ca authority, change func(*cert.Template)) authority {
	t.Helper()
	k := newKey(t)
	tpl := signer(t, ca, k)
	if change != nil {
		change(&tpl)
	}
	return authority{k, issue(t, tpl, ca.key)}
}

// newCRL makes a list by the authority, valid from a day ago for thirty days.
func newCRL(t testing.TB, ca authority, change func(*cert.CRLTemplate), revoked ...*cert.Certificate) *cert.CRL {
	t.Helper()
	tpl := cert.CRLTemplate{
		Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}, Issuer: ca.cert.Subject,
		ThisUpdate: now.AddDate(0, 0, -1), NextUpdate: now.AddDate(0, 0, 29), Number: big.NewInt(1), AuthorityKeyID: ca.cert.SubjectKeyID,
	}
	for _, c := range revoked {
		tpl.Entries = append(tpl.Entries, cert.Revocation{Serial: c.Serial, Time: now.AddDate(0, 0, -2)})
	}
	if change != nil {
		change(&tpl)
	}
	tbs, err := tpl.TBS()
	if err != nil {
		t.Fatal(err)
	}
	der, err := cert.Sign(tbs, tpl.Algorithm, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := cert.ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// store holds certificates as an operator's folder would.
func store(certs []*cert.Certificate, crls []*cert.CRL, issuers ...Issuer) *Store {
	var list []Material
	for _, c := range certs {
		list = append(list, Material{Cert: c, Source: "test"})
	}
	return NewStore(list, crls, issuers)
}

// usual is the query of a document that was issued half a year before its key's
// period ended.
func usual() Query {
	return Query{At: now, Country: "UTO", DocumentType: "ID", Issued: now.AddDate(0, -10, 0)}
}
