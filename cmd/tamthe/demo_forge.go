package main

import (
	"crypto/sha256"
	"os"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// forger is somebody who has read a genuine card, and owns blank chips and keys, but not
// the State's keys nor the chip's.
type forger struct {
	files verify.Files // as read
	can   string
	dir   string // where the forger's files go
	path  string // of the chip's memory; "" keeps it in the process
}

// chip puts files onto a chip. Without keys of the forger's own it makes up new ones.
func (f forger) chip(files verify.Files, aa, ca *dh.PrivateKey) (*virtual.Chip, error) {
	dir, err := os.MkdirTemp(f.dir, "forged-")
	if err != nil {
		return nil, err
	}
	for file, b := range files {
		if err := saveTo(dir)(file, b); err != nil {
			return nil, err
		}
	}
	return virtual.FromFolder(os.DirFS(dir), virtual.FolderOptions{Path: f.path, CAN: f.can, AA: aa, CA: ca, Counterfeit: true})
}

// clone copies all that can be read: everything but the chip's keys.
func (f forger) clone() (*virtual.Chip, error) { return f.chip(f.files, nil, nil) }

// resigned makes a card whose chip has keys of its own, listed in its DG14 and DG15, and
// signs it with a document signer whose certificate is like the genuine one but issued by
// a root of the forger's. With borrowed, that root claims the genuine CSCA's name and key
// identifier; else it has a name that nobody knows.
func (f forger) resigned(borrowed bool) (*virtual.Chip, error) {
	sod, err := lds.ParseSOD(f.files[lds.SODFile])
	if err != nil {
		return nil, err
	}
	genuine, err := cert.Parse(sod.Signed.Certificates[0].Raw)
	if err != nil {
		return nil, err
	}
	files := verify.Files{}
	for file, b := range f.files {
		files[file] = b
	}
	aa, ca, err := f.ownKeys(files)
	if err != nil {
		return nil, err
	}
	key, certificate, err := forgedSigner(genuine, borrowed)
	if err != nil {
		return nil, err
	}
	for i, h := range sod.Object.Hashes {
		sum := sha256.Sum256(files[lds.Group(h.Number)])
		sod.Object.Hashes[i].Hash = sum[:]
	}
	object, err := lds.EncodeSecurityObject(sod.Object)
	if err != nil {
		return nil, err
	}
	signed, err := cms.Sign(cms.Message{
		ContentType: cms.OIDLDSSecurityObject, Content: object, Certificate: certificate,
	}, key)
	if err != nil {
		return nil, err
	}
	files[lds.SODFile] = lds.WrapSOD(signed)
	return f.chip(files, aa, ca)
}

// ownKeys puts new chip keys into DG14 and DG15, on the genuine card's curves.
func (f forger) ownKeys(files verify.Files) (aa, ca *dh.PrivateKey, err error) {
	infos, err := lds.ParseDG14(files[lds.DG14])
	if err != nil {
		return nil, nil, err
	}
	genuine, err := lds.ParseDG15(files[lds.DG15])
	if err != nil {
		return nil, nil, err
	}
	if aa, err = genuine.EC.Curve().Generate(); err != nil {
		return nil, nil, err
	}
	if ca, err = infos.ChipKeys[0].Key.EC.Curve().Generate(); err != nil {
		return nil, nil, err
	}
	infos.ChipKeys[0].Key = cert.PublicKey{EC: ca.Point()}
	if files[lds.DG14], err = lds.EncodeDG14(*infos); err != nil {
		return nil, nil, err
	}
	files[lds.DG15], err = lds.EncodeDG15(cert.PublicKey{EC: aa.Point()})
	return aa, ca, err
}

// forgedSigner makes a document signer like the genuine one under a root of the forger's.
func forgedSigner(genuine *cert.Certificate, borrowed bool) (*dh.PrivateKey, *cert.Certificate, error) {
	root, err := dh.P384().Generate()
	if err != nil {
		return nil, nil, err
	}
	key, err := dh.P256().Generate()
	if err != nil {
		return nil, nil, err
	}
	algorithm, err := cert.DefaultAlgorithm(root.Public())
	if err != nil {
		return nil, nil, err
	}
	t := cert.Template{
		Serial: genuine.Serial, Algorithm: algorithm, Issuer: genuine.Issuer, Subject: genuine.Subject,
		NotBefore: genuine.NotBefore, NotAfter: genuine.NotAfter, PublicKey: key.Public(),
		AuthorityKeyID: genuine.AuthorityKeyID, KeyUsage: genuine.KeyUsage, PrivateKeyUsage: genuine.PrivateKeyUsage,
		SubjectAltName: genuine.SubjectAltName, IssuerAltName: genuine.IssuerAltName,
		CRLDistributionPoints: genuine.CRLDistributionPoints, DocumentTypes: genuine.DocumentTypes,
	}
	if !borrowed {
		t.Issuer, err = cert.NewName(
			cert.Attribute{Type: cert.OIDCountry, Value: genuine.Issuer.Country()},
			cert.Attribute{Type: cert.OIDOrganization, Value: "SPECIMEN unknown"},
			cert.Attribute{Type: cert.OIDCommonName, Value: "SPECIMEN CSCA of nobody"},
		)
		if err != nil {
			return nil, nil, err
		}
		public, err := cert.NewPublicKey(root.Public())
		if err != nil {
			return nil, nil, err
		}
		t.AuthorityKeyID = public.KeyID()
	}
	tbs, err := t.TBS()
	if err != nil {
		return nil, nil, err
	}
	der, err := cert.Sign(tbs, algorithm, root)
	if err != nil {
		return nil, nil, err
	}
	c, err := cert.Parse(der)
	return key, c, err
}
