package verify

import (
	"bytes"
	"context"
	"crypto"
	"image"
	"image/color"
	"image/jpeg"
	"math/big"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify/pki"
)

// judged is the time at which the tests judge, and issued the day of issue.
var (
	judged = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	issued = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
)

// office is an issuer with keys that nobody trusts yet.
type office struct {
	t          testing.TB
	csca, ds   *dh.PrivateKey
	cscaCert   *cert.Certificate
	dsTemplate cert.Template
	crl        *cert.CRL
	attributes func(card [32]byte) []cms.Attribute // further signed ones; nil adds none
}

var ecdsaSHA256 = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}

func testKey(t testing.TB) *dh.PrivateKey {
	t.Helper()
	k, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testName(t testing.TB, common string) cert.Name {
	t.Helper()
	n, err := cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "VN"}, cert.Attribute{Type: cert.OIDCommonName, Value: common})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testKeyID(t testing.TB, k *dh.PrivateKey) []byte {
	t.Helper()
	pub, err := cert.NewPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pub.KeyID()
}

func newOffice(t testing.TB, common string) *office {
	o := &office{t: t, csca: testKey(t), ds: testKey(t)}
	name := testName(t, common)
	o.cscaCert = o.certificate(cert.Template{
		Serial: big.NewInt(1), Algorithm: ecdsaSHA256, Issuer: name, Subject: name, PublicKey: o.csca.Public(),
		NotBefore: issued.AddDate(-1, 0, 0), NotAfter: issued.AddDate(20, 0, 0),
		AuthorityKeyID: testKeyID(t, o.csca), SubjectKeyID: testKeyID(t, o.csca),
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
	})
	o.dsTemplate = cert.Template{
		Serial: big.NewInt(2), Algorithm: ecdsaSHA256, Issuer: name, Subject: testName(t, "DS 1"), PublicKey: o.ds.Public(),
		NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(10, 0, 0),
		AuthorityKeyID: testKeyID(t, o.csca), SubjectKeyID: testKeyID(t, o.ds), KeyUsage: cert.DigitalSignature,
		PrivateKeyUsage: &cert.Period{NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(0, 2, 0)}, DocumentTypes: []string{"ID"},
	}
	o.crl = o.list()
	return o
}

// certificate signs a template with the CSCA's key.
func (o *office) certificate(tpl cert.Template) *cert.Certificate {
	o.t.Helper()
	tbs, err := tpl.TBS()
	if err != nil {
		o.t.Fatal(err)
	}
	der, err := cert.Sign(tbs, tpl.Algorithm, o.csca)
	if err != nil {
		o.t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

// list signs a revocation list.
func (o *office) list(revoked ...int64) *cert.CRL {
	o.t.Helper()
	tpl := cert.CRLTemplate{
		Algorithm: ecdsaSHA256, Issuer: o.cscaCert.Subject, ThisUpdate: judged.AddDate(0, 0, -1), NextUpdate: judged.AddDate(0, 1, 0),
		Number: big.NewInt(1), AuthorityKeyID: o.cscaCert.SubjectKeyID,
	}
	for _, n := range revoked {
		tpl.Entries = append(tpl.Entries, cert.Revocation{Serial: big.NewInt(n), Time: judged.AddDate(0, 0, -2)})
	}
	tbs, err := tpl.TBS()
	if err != nil {
		o.t.Fatal(err)
	}
	der, err := cert.Sign(tbs, tpl.Algorithm, o.csca)
	if err != nil {
		o.t.Fatal(err)
	}
	l, err := cert.ParseCRL(der)
	if err != nil {
		o.t.Fatal(err)
	}
	return l
}

// store trusts the office, whose status list is not published.
func (o *office) store() *pki.Store {
	return pki.NewStore([]pki.Material{{Cert: o.cscaCert, Source: "csca.cer"}}, []*cert.CRL{o.crl},
		[]pki.Issuer{{Country: "VN", Status: pki.None}})
}

// specimen is a card of the office with its chip's keys.
type specimen struct {
	files  Files
	aa, ca *dh.PrivateKey
	can    string
}

var holder = vn.Person{
	Number: "003190000017", Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
	Nationality: "Việt Nam", Origin: "Tỉnh Thử", Residence: "1 Phố Mẫu, Tỉnh Thử", Ethnicity: "Kinh", Religion: "Không",
	Features: "Không", Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ",
}

// cardAccess offers PACE-GM with AES-128 on P-256.
var cardAccess = lds.SecurityInfos{PACE: []lds.PACEInfo{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2}, Version: 2, ParameterID: 12}}}

// newCard makes a card of the person that expires as the zone says.
func (o *office) newCard(person vn.Person, expiry vn.Expiry) *specimen {
	o.t.Helper()
	s := &specimen{files: Files{}, aa: testKey(o.t), ca: testKey(o.t), can: person.Number.CAN()}
	zone, err := vn.WriteMRZ(person, expiry)
	o.must(err)
	s.files[lds.DG1] = lds.EncodeDG1(zone)
	s.files[lds.DG2], err = lds.EncodeDG2(lds.Face{Image: testPortrait(o.t), Width: 48, Height: 64})
	o.must(err)
	s.files[lds.DG13], err = vn.EncodeDG13(person, vn.Issue{Issued: issued, Expiry: expiry, Serial: "0011223344556677"})
	o.must(err)
	ca, err := cert.NewPublicKey(s.ca.Public())
	o.must(err)
	infos := cardAccess
	infos.Chip = []lds.ChipAuthInfo{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2}, Version: 1}}
	infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}, Key: ca}}
	infos.Active = []lds.ActiveAuthInfo{{Version: 1, Algorithm: []int{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}}}
	s.files[lds.DG14], err = lds.EncodeDG14(infos)
	o.must(err)
	aa, err := cert.NewPublicKey(s.aa.Public())
	o.must(err)
	s.files[lds.DG15], err = lds.EncodeDG15(aa)
	o.must(err)
	s.files[lds.CardAccess], err = lds.EncodeSecurityInfos(cardAccess)
	o.must(err)
	o.sign(s)
	return s
}

// sign writes EF.SOD and EF.COM for the groups that are there, with the signer's
// certificate as the office's template says.
func (o *office) sign(s *specimen) {
	o.t.Helper()
	object := lds.SecurityObject{Hash: crypto.SHA256}
	var com lds.Common
	for n := 1; n <= 16; n++ {
		if raw, ok := s.files[lds.Group(n)]; ok {
			object.Hashes = append(object.Hashes, lds.GroupHash{Number: n, Hash: sha256Of(raw)})
			com.Groups = append(com.Groups, lds.Group(n))
		}
	}
	com.Version, com.Unicode = "0107", "040000"
	content, err := lds.EncodeSecurityObject(object)
	o.must(err)
	m := cms.Message{
		ContentType: cms.OIDLDSSecurityObject, Content: content, Certificate: o.certificate(o.dsTemplate), Algorithm: ecdsaSHA256,
	}
	if o.attributes != nil {
		m.Attributes = o.attributes(crypto256(content))
	}
	signed, err := cms.Sign(m, o.ds)
	o.must(err)
	s.files[lds.SODFile] = lds.WrapSOD(signed)
	s.files[lds.COM] = lds.EncodeCOM(com)
}

func crypto256(b []byte) [32]byte { return [32]byte(sha256Of(b)) }

func sha256Of(b []byte) []byte {
	h := crypto.SHA256.New()
	h.Write(b)
	return h.Sum(nil)
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// usual is a card of the usual holder.
func (o *office) usual() *specimen {
	return o.newCard(holder, vn.Expiry{Date: vn.Date{Year: 2030, Month: 2, Day: 15}})
}

// options judges with the office trusted.
func (o *office) options(policy string) Options {
	p, err := PolicyByName(policy)
	o.must(err)
	return Options{Trust: o.store(), Policy: p, At: judged}
}

// testPortrait draws a grey disc.
func testPortrait(t testing.TB) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 48, 64))
	for y := range 64 {
		for x := range 48 {
			if (x-24)*(x-24)+(y-32)*(y-32) < 400 {
				img.SetGray(x, y, color.Gray{Y: 220})
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chip makes a chip with the card's files; change says how.
func (s *specimen) chip(t testing.TB, change func(*virtual.FolderOptions)) *virtual.Chip {
	t.Helper()
	fsys := fstest.MapFS{}
	for f, raw := range s.files {
		fsys[f.FileName()] = &fstest.MapFile{Data: slices.Clone(raw)}
	}
	o := virtual.FolderOptions{AA: s.aa, CA: s.ca, CAN: s.can, Rules: &gp.Rules{}}
	if change != nil {
		change(&o)
	}
	c, err := virtual.FromFolder(fsys, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// inspect reads a wire with the CAN of the usual holder.
func inspect(t testing.TB, w apdu.Wire, o Options) *Report {
	t.Helper()
	if o.Passwords == nil {
		o.Passwords = []auth.Password{auth.CAN(holder.Number.CAN())}
	}
	r, err := Inspect(context.Background(), apdu.Over(w, apdu.Limits{}), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// judgeOne judges files.
func judgeOne(t testing.TB, f Files, o Options) *Report {
	t.Helper()
	r, err := JudgeFiles(context.Background(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
