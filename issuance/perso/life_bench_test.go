package perso

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"image"
	"image/jpeg"
	"math/big"
	"testing"
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

// state is an issuer over one curve, and what a card of it holds besides its keys.
type state struct {
	b        testing.TB
	curve    *dh.Curve
	csca, ds *dh.PrivateKey
	signer   *cert.Certificate
	trust    *pki.Store
	dg1, dg2 []byte
	zone     *mrz.MRZ
	pace     bool
}

var lifeAt = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func newState(b testing.TB, curve *dh.Curve, pace bool) *state {
	b.Helper()
	s := &state{b: b, curve: curve, pace: pace}
	s.csca, s.ds = s.key(), s.key()
	algorithm := cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}
	name := func(common string) cert.Name {
		return lifeMust(cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: "UT"}, cert.Attribute{Type: cert.OIDCommonName, Value: common}))(b)
	}
	id := func(k *dh.PrivateKey) []byte { return lifeMust(cert.NewPublicKey(k.Public()))(b).KeyID() }
	sign := func(t cert.Template) *cert.Certificate {
		der := lifeMust(cert.Sign(lifeMust(t.TBS())(b), algorithm, s.csca))(b)
		return lifeMust(cert.Parse(der))(b)
	}
	root := sign(cert.Template{
		Serial: big.NewInt(1), Algorithm: algorithm, Issuer: name("CSCA"), Subject: name("CSCA"), PublicKey: s.csca.Public(),
		NotBefore: lifeAt.AddDate(-1, 0, 0), NotAfter: lifeAt.AddDate(20, 0, 0), AuthorityKeyID: id(s.csca), SubjectKeyID: id(s.csca),
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
	})
	s.signer = sign(cert.Template{
		Serial: big.NewInt(2), Algorithm: algorithm, Issuer: name("CSCA"), Subject: name("DS"), PublicKey: s.ds.Public(),
		NotBefore: lifeAt.AddDate(0, -1, 0), NotAfter: lifeAt.AddDate(10, 0, 0), AuthorityKeyID: id(s.csca), SubjectKeyID: id(s.ds),
		KeyUsage: cert.DigitalSignature, DocumentTypes: []string{"I"},
	})
	s.trust = pki.NewStore([]pki.Material{{Cert: root, Source: "csca.cer"}}, nil, []pki.Issuer{{Country: "UT", CRL: pki.None, Status: pki.None}})
	s.zone = lifeMust(mrz.WriteTD1(mrz.Card{
		Document: "I", Issuer: "UTO", Number: "D23145890", Birth: "740812", Sex: "F", Expiry: "320415", Nationality: "UTO",
		Primary: "ERIKSSON", Secondary: "ANNA MARIA",
	}))(b)
	s.dg1 = lds.EncodeDG1(s.zone)
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewGray(image.Rect(0, 0, 240, 320)), nil); err != nil {
		b.Fatal(err)
	}
	padded := append(picture.Bytes(), make([]byte, 20042-84-picture.Len())...)
	s.dg2 = lifeMust(lds.EncodeDG2(lds.Face{Image: padded, Width: 240, Height: 320}))(b)
	return s
}

func lifeMust[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *state) key() *dh.PrivateKey { return lifeMust(s.curve.Generate())(s.b) }

// build makes the document of a chip's keys and signs it.
func (s *state) build(_ context.Context, k PublicKeys) (*Content, error) {
	domain, _ := s.curve.ID()
	infos := lds.SecurityInfos{Active: []lds.ActiveAuthInfo{{Version: 1, Algorithm: oidPlain}}}
	files := map[lds.File][]byte{lds.DG1: s.dg1, lds.DG2: s.dg2}
	if s.pace {
		infos.PACE = []lds.PACEInfo{{OID: oidPACE, Version: 2, ParameterID: domain}}
		files[lds.CardAccess] = lifeMust(lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: infos.PACE}))(s.b)
	}
	files[lds.DG14] = lifeMust(lds.EncodeDG14(infos))(s.b)
	files[lds.DG15] = lifeMust(lds.EncodeDG15(lifeMust(cert.NewPublicKey(k.AA))(s.b)))(s.b)
	object := lds.SecurityObject{Hash: crypto.SHA256}
	com := lds.Common{Version: "0107", Unicode: "040000"}
	for _, f := range []lds.File{lds.DG1, lds.DG2, lds.DG14, lds.DG15} {
		h := sha256.Sum256(files[f])
		object.Hashes = append(object.Hashes, lds.GroupHash{Number: f.Number(), Hash: h[:]})
		com.Groups = append(com.Groups, f)
	}
	files[lds.COM] = lds.EncodeCOM(com)
	signed, err := cms.Sign(cms.Message{
		ContentType: cms.OIDLDSSecurityObject, Content: lifeMust(lds.EncodeSecurityObject(object))(s.b), Certificate: s.signer,
		Algorithm: cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256},
	}, s.ds)
	if err != nil {
		return nil, err
	}
	files[lds.SODFile] = lds.WrapSOD(signed)
	password := auth.MRZ(s.zone.KeyInfo())
	c := &Content{Files: files, BACSeed: lifeMust(password.BACSeed())(s.b), Rules: gp.Rules{BAC: !s.pace}}
	if s.pace {
		c.PACEMRZ = lifeMust(password.PACESecret())(s.b)
	}
	return c, nil
}

// life personalises a blank chip, which makes its key itself, and inspects the card as a
// checkpoint does.
func (s *state) life() error {
	chip := virtual.New(virtual.Config{Limits: wholeLife})
	defer chip.Close()
	order := Order{
		Transport: []gp.Keys{gp.TransportKeys()},
		Issuer: func(d gp.KDD) (gp.Keys, error) {
			return gp.Diversify([]byte("an issuer's 32 octet master key."), d, 0x31)
		},
		AA: s.curve, Build: s.build,
		Verify: func(ctx context.Context) error {
			chip.Reset()
			r, err := verify.Inspect(ctx, apdu.Over(chip, apdu.Limits{}), verify.Options{
				Trust: s.trust, At: lifeAt, Passwords: []auth.Password{auth.MRZ(s.zone.KeyInfo())}, Reader: wholeLife,
			})
			if err == nil && r.Verdict != verify.Accept {
				s.b.Errorf("%v: %v", r.Verdict, r.Reasons())
			}
			return err
		},
	}
	return Run(context.Background(), apdu.Over(chip, wholeLife), order, &journal{}, State{})
}

var wholeLife = apdu.Limits{Command: 65535, Response: 65535}

// raw is the public key operations of one life and nothing else: the chip's key, the SOD's
// signature, PACE at both ends if there is one (two keys, two agreements and a mapping
// each), the chip's signature, and the verification of it, of the SOD and of its signer's
// certificate.
func (s *state) raw() {
	keys, agreements, mappings := 1, 0, 0
	if s.pace {
		keys, agreements, mappings = 1+4, 4, 2
	}
	var k *dh.PrivateKey
	for range keys {
		k = s.key()
	}
	peer := s.csca.Point()
	for range agreements {
		if _, err := k.ECDH(peer); err != nil {
			s.b.Fatal(err)
		}
	}
	for range mappings {
		if _, err := dh.Map(s.curve, make([]byte, 16), peer); err != nil {
			s.b.Fatal(err)
		}
	}
	digest := make([]byte, 32)
	var sig []byte
	for range 2 {
		sig = lifeMust(k.SignPlain(digest))(s.b)
	}
	for range 3 {
		if !dh.VerifyPlain(k.Point(), digest, sig) {
			s.b.Fatal("signature")
		}
	}
}

// BenchmarkLife is one card from the blank chip to the verdict, all in the process, as a
// ratio to the raw public key operations that it needs, in the same run.
func BenchmarkLife(b *testing.B) {
	for _, c := range []struct {
		name  string
		curve *dh.Curve
		pace  bool
	}{{"P-256", dh.P256(), true}, {"brainpoolP256r1", dh.BrainpoolP256r1(), true}, {"BAC", dh.P256(), false}} {
		b.Run(c.name, func(b *testing.B) {
			s := newState(b, c.curve, c.pace)
			var whole, raw time.Duration
			for b.Loop() {
				begin := time.Now()
				if err := s.life(); err != nil {
					b.Fatal(err)
				}
				middle := time.Now()
				s.raw()
				whole, raw = whole+middle.Sub(begin), raw+time.Since(middle)
			}
			b.ReportMetric(float64(whole)/float64(raw), "x-raw")
			b.ReportMetric(float64(b.N)/whole.Seconds(), "lives/s")
		})
	}
}
