package conformance

import (
	"archive/zip"
	"bytes"
	"crypto"
	"fmt"
	"io/fs"
	"math/big"
	"slices"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// issuer is what a blueprint's issuer has made.
type issuer struct {
	root, signer *cert.Certificate
	crl          *cert.CRL
}

// certificate signs a template with the CSCA's key. A certificate that was changed so that
// it can't be read is nil beside its octets.
func (b *blueprint) certificate(t cert.Template, tbsChange, endChange func(*node)) ([]byte, *cert.Certificate, error) {
	tbs, err := t.TBS()
	if err != nil {
		return nil, nil, err
	}
	der, err := cert.Sign(edited(tbs, tbsChange), t.Algorithm, b.csca)
	if err != nil {
		return nil, nil, err
	}
	der = edited(der, endChange)
	c, err := cert.Parse(der)
	if err != nil {
		c = nil
	}
	return der, c, nil
}

// revocations signs the CSCA's list.
func (b *blueprint) revocations() (*cert.CRL, error) {
	t := cert.CRLTemplate{
		Algorithm: b.root.Algorithm, Issuer: b.root.Subject, ThisUpdate: judged.AddDate(0, 0, -1), NextUpdate: judged.AddDate(0, 1, 0),
		Number: big.NewInt(1), AuthorityKeyID: b.root.SubjectKeyID,
	}
	if b.stale {
		t.ThisUpdate, t.NextUpdate = judged.AddDate(0, -6, 0), judged.AddDate(0, -3, 0)
	}
	for _, n := range b.revoked {
		t.Entries = append(t.Entries, cert.Revocation{Serial: big.NewInt(n), Time: judged.AddDate(0, 0, -2)})
	}
	tbs, err := t.TBS()
	if err != nil {
		return nil, err
	}
	der, err := cert.Sign(tbs, t.Algorithm, b.csca)
	if err != nil {
		return nil, err
	}
	return cert.ParseCRL(der)
}

// issue makes the issuer's certificates and list.
func (b *blueprint) issue() (*issuer, error) {
	i := &issuer{}
	var err error
	if _, i.root, err = b.certificate(b.root, b.rootDER, nil); err != nil || i.root == nil {
		return nil, fmt.Errorf("make the CSCA's certificate: %w", err)
	}
	if _, i.signer, err = b.certificate(b.signer, nil, nil); err != nil || i.signer == nil {
		return nil, fmt.Errorf("make the signer's certificate: %w", err)
	}
	if i.crl, err = b.revocations(); err != nil {
		return nil, fmt.Errorf("make the revocation list: %w", err)
	}
	return i, nil
}

// store is what the station trusts: this issuer, whose status list is not published.
func (b *blueprint) store(i *issuer) *pki.Store {
	certs, crls := []pki.Material{{Cert: i.root, Source: "csca.cer", Specimen: true}}, []*cert.CRL{i.crl}
	issuers := []pki.Issuer{{Country: "VN", Status: pki.None}}
	if b.trust != nil {
		certs, crls, issuers = b.trust(i)
	}
	return pki.NewStore(certs, crls, issuers)
}

// groups makes the files that are to be signed, but for those that the case brings.
func (b *blueprint) groups() (verify.Files, error) {
	files := verify.Files{}
	zone, err := vn.WriteMRZ(b.person, b.expiry)
	if err != nil {
		return nil, err
	}
	files[lds.DG1] = lds.EncodeDG1(zone)
	face := b.face
	if len(face.Image) == 0 {
		face = lds.Face{Image: portrait(), Width: 48, Height: 64}
	}
	if files[lds.DG2], err = lds.EncodeDG2(face); err != nil {
		return nil, err
	}
	if files[lds.DG13], err = vn.EncodeDG13(b.person, vn.Issue{Issued: issued, Expiry: b.expiry, Serial: "0011223344556677"}); err != nil {
		return nil, err
	}
	if files[lds.DG14], err = lds.EncodeDG14(b.infos); err != nil {
		return nil, err
	}
	if b.aa != nil {
		if files[lds.DG15], err = lds.EncodeDG15(public(b.aa.Public())); err != nil {
			return nil, err
		}
	}
	if len(b.offered.PACE) > 0 {
		if files[lds.CardAccess], err = lds.EncodeSecurityInfos(b.offered); err != nil {
			return nil, err
		}
	}
	for f, raw := range b.files {
		if files[f] = raw; len(raw) == 0 {
			delete(files, f)
		}
	}
	return files, nil
}

// card makes all files, signed by the issuer.
func (b *blueprint) card() (verify.Files, *issuer, error) {
	i, err := b.issue()
	if err != nil {
		return nil, nil, err
	}
	files, err := b.groups()
	if err != nil {
		return nil, nil, fmt.Errorf("make the groups: %w", err)
	}
	list := lds.SecurityObject{Hash: b.hash}
	com := lds.Common{Version: "0107", Unicode: "040000"}
	for n := 1; n <= 16; n++ {
		if raw, ok := files[lds.Group(n)]; ok {
			list.Hashes = append(list.Hashes, lds.GroupHash{Number: n, Hash: digest(b.hash, raw)})
			com.Groups = append(com.Groups, lds.Group(n))
		}
	}
	content, err := lds.EncodeSecurityObject(list)
	if err != nil {
		return nil, nil, err
	}
	signed, err := b.sign(i, cms.OIDLDSSecurityObject, edited(content, b.object))
	if err != nil {
		return nil, nil, fmt.Errorf("sign the SOD: %w", err)
	}
	if _, given := b.files[lds.SODFile]; !given {
		files[lds.SODFile] = lds.WrapSOD(signed)
	}
	if _, given := b.files[lds.COM]; !given {
		files[lds.COM] = lds.EncodeCOM(com)
	}
	if b.mapped {
		if err := b.cardSecurity(i, files); err != nil {
			return nil, nil, err
		}
	}
	for _, f := range b.unread {
		delete(files, f)
	}
	if b.after != nil {
		b.after(files)
	}
	return files, i, nil
}

// cardSecurity signs EF.CardSecurity with the chip's key for the mapping.
func (b *blueprint) cardSecurity(i *issuer, files verify.Files) error {
	infos := lds.SecurityInfos{PACE: b.offered.PACE}
	infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: arc(oidKey, 2), Key: public(b.ca.Public()), KeyID: big.NewInt(int64(b.offered.PACE[0].ParameterID)), Standardised: true}}
	content, err := lds.EncodeSecurityInfos(infos)
	if err != nil {
		return err
	}
	if _, given := b.files[lds.CardSecurity]; given {
		return nil
	}
	plain := *b
	plain.object, plain.attributes, plain.signature, plain.message = nil, nil, nil, nil
	files[lds.CardSecurity], err = plain.sign(i, lds.OIDSecurityObject, content)
	return err
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// sign makes a SignedData in which the case may change anything.
func (b *blueprint) sign(i *issuer, kind []int, content []byte) ([]byte, error) {
	m := cms.Message{
		ContentType: kind, Content: content, Certificate: i.signer, Certificates: b.packed,
		Algorithm: b.algorithm, ByKeyID: b.byKeyID,
	}
	if b.reference != nil {
		a, err := b.reference.Attribute()
		if err != nil {
			return nil, err
		}
		m.Attributes = append(m.Attributes, a)
	}
	draft, err := cms.Prepare(m)
	if err != nil {
		return nil, err
	}
	attributes := edited(draft.ToBeSigned(), b.attributes)
	sig, err := b.signBytes(attributes)
	if err != nil {
		return nil, err
	}
	if b.signature != nil {
		sig = b.signature(sig)
	}
	der, err := draft.Assemble(sig)
	if err != nil {
		return nil, err
	}
	n := parseNode(der)
	if b.attributes != nil {
		changed := parseNode(attributes)
		changed.tag = 0xA0
		signerInfo(n).at(siAttributes).become(changed)
	}
	if err := b.replaceSigner(i, n); err != nil {
		return nil, err
	}
	if b.message != nil {
		b.message(n)
	}
	return n.bytes(), nil
}

// replaceSigner puts the signer's certificate that the case has changed in place of the sound
// one: no signature is over it.
func (b *blueprint) replaceSigner(i *issuer, n *node) error {
	if b.signerDER == nil && b.signerEnd == nil {
		return nil
	}
	raw, _, err := b.certificate(b.signer, b.signerDER, b.signerEnd)
	if err != nil {
		return err
	}
	certs := signedData(n).at(sdCertificates)
	for j, k := range certs.kids {
		if bytes.Equal(k.bytes(), i.signer.Raw) {
			certs.kids[j] = parseNode(raw)
		}
	}
	return nil
}

// signBytes signs with the signer's key; plain ECDSA, which is read and not written, too.
func (b *blueprint) signBytes(data []byte) ([]byte, error) {
	if key, ok := b.ds.(*dh.PrivateKey); ok && b.algorithm.Scheme == cert.ECDSAPlain {
		return key.SignPlain(digest(b.algorithm.Hash, data))
	}
	return cert.SignMessage(b.ds, b.algorithm, data)
}

// folder is the card as an EF folder.
func folder(files verify.Files) (fs.FS, error) {
	var buffer bytes.Buffer
	w := zip.NewWriter(&buffer)
	for _, f := range lds.Files() {
		raw, ok := files[f]
		if !ok {
			continue
		}
		file, err := w.CreateHeader(&zip.FileHeader{Name: f.FileName(), Method: zip.Store})
		if err != nil {
			return nil, err
		}
		if _, err := file.Write(slices.Clone(raw)); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(buffer.Bytes()), int64(buffer.Len()))
}
