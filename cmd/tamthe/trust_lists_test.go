package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
)

// listMaker makes a CSCA and lists that it vouches for.
type listMaker struct {
	ts     *testscript.TestScript
	serial int64
}

// trustFiles writes csca.cer with its fingerprint in $FINGERPRINT; new.ml and old.ml, master
// lists under it; rogue.ml, which only its own content vouches for; ds.cer and crl.crl:
//
//	lists
func trustFiles(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: lists")
	}
	m := &listMaker{ts: ts}
	key, stranger, next := m.key(), m.key(), m.key()
	csca, rogue, other := m.csca("CSCA SPECIMEN", key), m.csca("Rogue SPECIMEN", stranger), m.csca("Other SPECIMEN", next)
	signing, ds := m.key(), m.key()
	signer := m.signer(csca, key, signing, []asn1.ObjectIdentifier{cert.OIDMasterListSigner})
	now := time.Now()
	for name, b := range map[string][]byte{
		"csca.cer": csca.Raw,
		"ds.cer":   m.signer(csca, key, ds, nil).Raw,
		"new.ml":   m.list(signer, signing, now.Add(-time.Hour), csca, other),
		"old.ml":   m.list(signer, signing, now.AddDate(0, -7, 0), csca),
		"rogue.ml": m.list(m.signer(rogue, stranger, signing, signer.ExtKeyUsage), signing, now.Add(-time.Minute), rogue),
		"crl.crl":  m.crl(csca, key, now.Add(-time.Hour)),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), b, 0o600))
	}
	print := csca.Fingerprint()
	ts.Setenv("FINGERPRINT", hex.EncodeToString(print[:]))
}

func (m *listMaker) key() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.ts.Check(err)
	return k
}

func (m *listMaker) id(k *ecdsa.PrivateKey) []byte {
	pub, err := cert.NewPublicKey(&k.PublicKey)
	m.ts.Check(err)
	return pub.KeyID()
}

func (m *listMaker) name(common string) cert.Name {
	n, err := cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "UT"}, cert.Attribute{Type: cert.OIDCommonName, Value: common})
	m.ts.Check(err)
	return n
}

var listAlgorithm = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}

func (m *listMaker) issue(t cert.Template, by *ecdsa.PrivateKey) *cert.Certificate {
	m.serial++
	t.Serial, t.Algorithm = big.NewInt(m.serial), listAlgorithm
	t.NotBefore, t.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().AddDate(9, 0, 0)
	tbs, err := t.TBS()
	m.ts.Check(err)
	der, err := cert.Sign(tbs, t.Algorithm, by)
	m.ts.Check(err)
	c, err := cert.Parse(der)
	m.ts.Check(err)
	return c
}

func (m *listMaker) csca(common string, k *ecdsa.PrivateKey) *cert.Certificate {
	n := m.name(common)
	return m.issue(cert.Template{
		Issuer: n, Subject: n, PublicKey: &k.PublicKey, AuthorityKeyID: m.id(k), SubjectKeyID: m.id(k),
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
	}, k)
}

func (m *listMaker) signer(by *cert.Certificate, key, own *ecdsa.PrivateKey, usage []asn1.ObjectIdentifier) *cert.Certificate {
	return m.issue(cert.Template{
		Issuer: by.Subject, Subject: m.name(fmt.Sprint("Signer SPECIMEN ", m.serial)), PublicKey: &own.PublicKey,
		AuthorityKeyID: by.SubjectKeyID, SubjectKeyID: m.id(own), KeyUsage: cert.DigitalSignature, ExtKeyUsage: usage,
	}, key)
}

// list signs a CscaMasterList (ICAO 9303-12 §9).
func (m *listMaker) list(signer *cert.Certificate, key *ecdsa.PrivateKey, at time.Time, certs ...*cert.Certificate) []byte {
	content := struct {
		Version int
		Certs   []asn1.RawValue `asn1:"set"`
	}{}
	for _, c := range certs {
		content.Certs = append(content.Certs, asn1.RawValue{FullBytes: c.Raw})
	}
	der, err := asn1.Marshal(content)
	m.ts.Check(err)
	raw, err := cms.Sign(cms.Message{
		ContentType: cms.OIDMasterList, Content: der, Certificate: signer, ByKeyID: true, SigningTime: at, Algorithm: listAlgorithm,
	}, key)
	m.ts.Check(err)
	return raw
}

func (m *listMaker) crl(by *cert.Certificate, key *ecdsa.PrivateKey, at time.Time) []byte {
	t := cert.CRLTemplate{
		Algorithm: listAlgorithm, Issuer: by.Subject, ThisUpdate: at, NextUpdate: at.AddDate(0, 1, 0), Number: big.NewInt(1), AuthorityKeyID: by.SubjectKeyID,
	}
	tbs, err := t.TBS()
	m.ts.Check(err)
	der, err := cert.Sign(tbs, listAlgorithm, key)
	m.ts.Check(err)
	return der
}
