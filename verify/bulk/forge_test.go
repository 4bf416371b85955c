package bulk

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// judged is the time at which the tests judge, and issued the day of issue.
var (
	judged = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	issued = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
)

// suite is a kind of signer with what OpenSSL calls it in `openssl speed`.
type suite struct {
	name    string
	openssl string
	alg     cert.Algorithm
	named   bool
	key     func() (crypto.Signer, error)
}

func rsaOf(bits int) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
}

func ecOf(c *dh.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return c.Generate() }
}

var (
	ecdsa256, ecdsa384 = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}, cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA384}
	ecdsa512           = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA512}
)

// suites are those of the benchmark.
var suites = []suite{
	{"RSA-2048", "rsa2048", cert.Algorithm{Scheme: cert.RSAPKCS1, Hash: crypto.SHA256}, true, rsaOf(2048)},
	{"RSA-3072-PSS", "rsa3072", cert.Algorithm{Scheme: cert.RSAPSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32}, true, rsaOf(3072)},
	{"RSA-4096", "rsa4096", cert.Algorithm{Scheme: cert.RSAPKCS1, Hash: crypto.SHA256}, true, rsaOf(4096)},
	{"P-256", "ecdsap256", ecdsa256, true, ecOf(dh.P256())},
	{"P-384", "ecdsap384", ecdsa384, true, ecOf(dh.P384())},
	{"bp256-named", "ecdsabrp256r1", ecdsa256, true, ecOf(dh.BrainpoolP256r1())},
	{"bp256-explicit", "ecdsabrp256r1", ecdsa256, false, ecOf(dh.BrainpoolP256r1())},
	{"bp512", "ecdsabrp512r1", ecdsa512, false, ecOf(dh.BrainpoolP512r1())},
}

// office is an issuer.
type office struct {
	t          testing.TB
	alg        cert.Algorithm
	csca, ds   crypto.Signer
	cscaCert   *cert.Certificate
	dsTemplate cert.Template
	status     bool // SODs carry a status reference and a signing time
}

func newOffice(t testing.TB, s suite) *office {
	t.Helper()
	csca, err := dh.P256().Generate()
	must(t, err)
	ds, err := s.key()
	must(t, err)
	o := &office{t: t, alg: s.alg, csca: csca, ds: ds}
	name := nameOf(t, "Test CSCA "+s.name)
	o.cscaCert = o.certificate(cert.Template{
		Serial: big.NewInt(1), Algorithm: ecdsa256, Issuer: name, Subject: name, PublicKey: csca.Public(), Named: true,
		NotBefore: issued.AddDate(-1, 0, 0), NotAfter: issued.AddDate(20, 0, 0),
		AuthorityKeyID: keyID(t, csca), SubjectKeyID: keyID(t, csca),
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
	})
	o.dsTemplate = cert.Template{
		Serial: big.NewInt(2), Algorithm: ecdsa256, Issuer: name, Subject: nameOf(t, "Test DS "+s.name), PublicKey: ds.Public(), Named: s.named,
		NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(10, 0, 0),
		AuthorityKeyID: keyID(t, csca), SubjectKeyID: keyID(t, ds), KeyUsage: cert.DigitalSignature,
		PrivateKeyUsage: &cert.Period{NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(0, 2, 0)}, DocumentTypes: []string{"ID"},
	}
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func nameOf(t testing.TB, common string) cert.Name {
	t.Helper()
	n, err := cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "VN"}, cert.Attribute{Type: cert.OIDCommonName, Value: common})
	must(t, err)
	return n
}

func keyID(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	pub, err := cert.NewPublicKey(k.Public())
	must(t, err)
	return pub.KeyID()
}

func (o *office) certificate(tpl cert.Template) *cert.Certificate {
	o.t.Helper()
	tbs, err := tpl.TBS()
	must(o.t, err)
	der, err := cert.Sign(tbs, tpl.Algorithm, o.csca)
	must(o.t, err)
	c, err := cert.Parse(der)
	must(o.t, err)
	return c
}

// list signs a revocation list.
func (o *office) list(revoked ...int64) *cert.CRL {
	o.t.Helper()
	tpl := cert.CRLTemplate{
		Algorithm: ecdsa256, Issuer: o.cscaCert.Subject, ThisUpdate: judged.AddDate(0, 0, -1), NextUpdate: judged.AddDate(0, 1, 0),
		Number: big.NewInt(1), AuthorityKeyID: o.cscaCert.SubjectKeyID,
	}
	for _, n := range revoked {
		tpl.Entries = append(tpl.Entries, cert.Revocation{Serial: big.NewInt(n), Time: judged.AddDate(0, 0, -2)})
	}
	tbs, err := tpl.TBS()
	must(o.t, err)
	der, err := cert.Sign(tbs, tpl.Algorithm, o.csca)
	must(o.t, err)
	l, err := cert.ParseCRL(der)
	must(o.t, err)
	return l
}

func (o *office) store(crls ...*cert.CRL) *pki.Store {
	return pki.NewStore([]pki.Material{{Cert: o.cscaCert, Source: "csca.cer"}}, crls, []pki.Issuer{{Country: "VN", Status: pki.None}})
}

// options judges as an archive does.
func (o *office) options() verify.Options {
	return verify.Options{Trust: o.store(o.list()), At: judged}
}

// cards makes so many cards of one signer, with a picture of so many octets.
func (o *office) cards(n, picture int) []verify.Files {
	o.t.Helper()
	ds := o.certificate(o.dsTemplate)
	list := make([]verify.Files, 0, n)
	for i := range n {
		list = append(list, o.card(ds, i, picture))
	}
	return list
}

func (o *office) card(ds *cert.Certificate, i, picture int) verify.Files {
	o.t.Helper()
	person := vn.Person{
		Number: vn.Number(fmt.Sprintf("003190%06d", i)), Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
		Nationality: "Việt Nam", Origin: "Tỉnh Thử", Residence: fmt.Sprintf("%d Phố Mẫu, Tỉnh Thử", i), Ethnicity: "Kinh", Religion: "Không",
		Features: "Không", Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ",
	}
	expiry := vn.Expiry{Date: vn.Date{Year: 2030, Month: 2, Day: 15}}
	zone, err := vn.WriteMRZ(person, expiry)
	must(o.t, err)
	files := verify.Files{lds.DG1: lds.EncodeDG1(zone)}
	image := make([]byte, picture)
	rand.Read(image)
	copy(image, "\xff\xd8\xff\xe0\x00\x10JFIF\x00")
	files[lds.DG2], err = lds.EncodeDG2(lds.Face{Image: image, Width: 480, Height: 640})
	must(o.t, err)
	files[lds.DG13], err = vn.EncodeDG13(person, vn.Issue{Issued: issued.AddDate(0, 0, i%3), Expiry: expiry, Serial: "0011223344556677"})
	must(o.t, err)
	chip, err := dh.P256().Generate()
	must(o.t, err)
	pub, err := cert.NewPublicKey(chip.Public())
	must(o.t, err)
	files[lds.DG14], err = lds.EncodeDG14(lds.SecurityInfos{
		Chip:     []lds.ChipAuthInfo{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2}, Version: 1}},
		ChipKeys: []lds.ChipAuthPublicKey{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}, Key: pub}},
		Active:   []lds.ActiveAuthInfo{{Version: 1, Algorithm: []int{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}}},
	})
	must(o.t, err)
	files[lds.DG15], err = lds.EncodeDG15(pub)
	must(o.t, err)
	o.sign(files, ds, i)
	return files
}

// sign writes EF.SOD and EF.COM for the groups that are there.
func (o *office) sign(files verify.Files, ds *cert.Certificate, i int) {
	o.t.Helper()
	object := lds.SecurityObject{Hash: o.alg.Hash}
	com := lds.Common{Version: "0107", Unicode: "040000"}
	for n := 1; n <= 16; n++ {
		if raw, ok := files[lds.Group(n)]; ok {
			object.Hashes = append(object.Hashes, lds.GroupHash{Number: n, Hash: cert.AppendDigest(nil, o.alg.Hash, raw)})
			com.Groups = append(com.Groups, lds.Group(n))
		}
	}
	content, err := lds.EncodeSecurityObject(object)
	must(o.t, err)
	m := cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: content, Certificate: ds, Algorithm: o.alg}
	if o.status {
		attribute, err := lds.StatusReference{List: "https://status.example/vn", Index: uint32(i)}.Attribute()
		must(o.t, err)
		m.SigningTime, m.Attributes = issued, []cms.Attribute{attribute}
	}
	signed, err := cms.Sign(m, o.ds)
	must(o.t, err)
	files[lds.SODFile], files[lds.COM] = lds.WrapSOD(signed), lds.EncodeCOM(com)
}
