package evidence

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"image"
	"image/jpeg"
	"math/big"
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
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

var (
	judged      = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	ecdsaSHA256 = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newKey(t testing.TB) *dh.PrivateKey { return must[*dh.PrivateKey](t)(dh.P256().Generate()) }

func publicKey(t testing.TB, k *dh.PrivateKey) cert.PublicKey {
	return must[cert.PublicKey](t)(cert.NewPublicKey(k.Public()))
}

// issuer signs cards for Utopia.
type issuer struct {
	csca, ds       *dh.PrivateKey
	anchor, signer *cert.Certificate
	crl            *cert.CRL
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{csca: newKey(t), ds: newKey(t)}
	name := func(s string) cert.Name {
		return must[cert.Name](t)(cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "UT"}, cert.Attribute{Type: cert.OIDCommonName, Value: s}))
	}
	ski := publicKey(t, i.csca).KeyID()
	sign := func(tpl cert.Template) *cert.Certificate {
		tpl.Algorithm, tpl.Issuer, tpl.AuthorityKeyID = ecdsaSHA256, name("CSCA"), ski
		tpl.NotBefore, tpl.NotAfter = judged.AddDate(-1, 0, 0), judged.AddDate(9, 0, 0)
		der := must[[]byte](t)(cert.Sign(must[[]byte](t)(tpl.TBS()), tpl.Algorithm, i.csca))
		return must[*cert.Certificate](t)(cert.Parse(der))
	}
	i.anchor = sign(cert.Template{
		Serial: big.NewInt(1), Subject: name("CSCA"), PublicKey: i.csca.Public(), SubjectKeyID: ski,
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
	})
	i.signer = sign(cert.Template{
		Serial: big.NewInt(2), Subject: name("DS"), PublicKey: i.ds.Public(), SubjectKeyID: publicKey(t, i.ds).KeyID(),
		KeyUsage: cert.DigitalSignature, DocumentTypes: []string{"I"},
	})
	i.crl = i.list(t, 1)
	return i
}

// list signs a revocation list.
func (i *issuer) list(t testing.TB, number int64, revoked ...int64) *cert.CRL {
	tpl := cert.CRLTemplate{
		Algorithm: ecdsaSHA256, Issuer: i.anchor.Subject, AuthorityKeyID: i.anchor.SubjectKeyID, Number: big.NewInt(number),
		ThisUpdate: judged.AddDate(0, 0, int(number)-30), NextUpdate: judged.AddDate(0, 1, 0),
	}
	for _, n := range revoked {
		tpl.Entries = append(tpl.Entries, cert.Revocation{Serial: big.NewInt(n), Time: judged.AddDate(0, 0, -2)})
	}
	der := must[[]byte](t)(cert.Sign(must[[]byte](t)(tpl.TBS()), tpl.Algorithm, i.csca))
	return must[*cert.CRL](t)(cert.ParseCRL(der))
}

func (i *issuer) store(lists ...*cert.CRL) *pki.Store {
	return pki.NewStore([]pki.Material{{Cert: i.anchor}}, lists, []pki.Issuer{{Country: "UT", Status: pki.None}})
}

// specimen is a card with its chip's keys.
type specimen struct {
	files  verify.Files
	aa, ca *dh.PrivateKey
}

const testCAN = "123456"

// newCard makes a card; its chip proves itself by a signature or, without, by an agreement.
func (i *issuer) newCard(t testing.TB, signs bool) *specimen {
	s := &specimen{files: verify.Files{}, ca: newKey(t)}
	zone, err := mrz.Parse("I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F3204153UTO<<<<<<<<<<<2\nERIKSSON<<ANNA<MARIA<<<<<<<<<<")
	if err != nil {
		t.Fatal(err)
	}
	s.files[lds.DG1] = lds.EncodeDG1(zone)
	var face bytes.Buffer
	if err := jpeg.Encode(&face, image.NewGray(image.Rect(0, 0, 48, 64)), nil); err != nil {
		t.Fatal(err)
	}
	s.files[lds.DG2] = must[[]byte](t)(lds.EncodeDG2(lds.Face{Image: face.Bytes(), Width: 48, Height: 64}))
	access := lds.SecurityInfos{PACE: []lds.PACEInfo{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 2}, Version: 2, ParameterID: 12}}}
	s.files[lds.CardAccess] = must[[]byte](t)(lds.EncodeSecurityInfos(access))
	infos := access
	infos.Chip = []lds.ChipAuthInfo{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 3, 2, 2}, Version: 1}}
	infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}, Key: publicKey(t, s.ca)}}
	if signs {
		s.aa = newKey(t)
		infos.Active = []lds.ActiveAuthInfo{{Version: 1, Algorithm: []int{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, 3}}}
		s.files[lds.DG15] = must[[]byte](t)(lds.EncodeDG15(publicKey(t, s.aa)))
	}
	s.files[lds.DG14] = must[[]byte](t)(lds.EncodeDG14(infos))
	object := lds.SecurityObject{Hash: crypto.SHA256}
	for n := 1; n <= 16; n++ {
		if raw, ok := s.files[lds.Group(n)]; ok {
			sum := sha256.Sum256(raw)
			object.Hashes = append(object.Hashes, lds.GroupHash{Number: n, Hash: sum[:]})
		}
	}
	content := must[[]byte](t)(lds.EncodeSecurityObject(object))
	s.files[lds.SODFile] = lds.WrapSOD(must[[]byte](t)(cms.Sign(cms.Message{
		ContentType: cms.OIDLDSSecurityObject, Content: content, Certificate: i.signer, Algorithm: ecdsaSHA256,
	}, i.ds)))
	return s
}

// inspect has a checkpoint read the card and record it.
func (i *issuer) inspect(t testing.TB, s *specimen, d *Device, caseID string, change func(*virtual.FolderOptions, *verify.Options)) *Bundle {
	t.Helper()
	c := must[Context](t)(NewContext(caseID, "test", d, judged))
	o := verify.Options{Trust: i.store(i.crl), At: judged, Passwords: []auth.Password{auth.CAN(testCAN)}, Challenge: c.Challenge()}
	f := virtual.FolderOptions{AA: s.aa, CA: s.ca, CAN: testCAN, Rules: &gp.Rules{}}
	if change != nil {
		change(&f, &o)
	}
	fsys := fstest.MapFS{}
	for file, raw := range s.files {
		fsys[file.FileName()] = &fstest.MapFile{Data: raw}
	}
	chip := must[*virtual.Chip](t)(virtual.FromFolder(fsys, f))
	defer chip.Close()
	r := must[*verify.Report](t)(verify.Inspect(context.Background(), apdu.Over(chip, apdu.Limits{}), o))
	return New(r, c, "tamthe test")
}

func newDevice(t testing.TB) *Device { return must[*Device](t)(NewDevice(newKey(t))) }

func newEd25519(t testing.TB) *Device {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return must[*Device](t)(NewDevice(private))
}

func sealed(t testing.TB, b *Bundle, d *Device) []byte {
	t.Helper()
	return must[[]byte](t)(b.Sealed(d))
}

func parsed(t testing.TB, line []byte) *Bundle {
	t.Helper()
	return must[*Bundle](t)(Parse(line))
}

func judge(t testing.TB, b *Bundle, o Options) *Judgement {
	t.Helper()
	return must[*Judgement](t)(b.Judge(context.Background(), o))
}
