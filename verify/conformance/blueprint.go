package conformance

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"image"
	"image/color"
	"image/jpeg"
	"math/big"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// judged is the time at which cards are judged, and issued their day of issue.
var (
	judged = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	issued = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
)

// blueprint is a card before it is made, with its issuer, its chip and the station that it
// is shown to. A case changes one thing in it.
type blueprint struct {
	kind string // the name of the sound card that this is a change of

	// The issuer.
	csca, ds     crypto.Signer
	root, signer cert.Template
	rootDER      func(*node) // changes the CSCA's certificate before it is signed
	signerDER    func(*node) // … and the signer's
	signerEnd    func(*node) // … and the signer's, whole, after that
	algorithm    cert.Algorithm
	hash         crypto.Hash // of the groups
	byKeyID      bool
	object       func(*node)          // changes the LDSSecurityObject before its digest is taken
	attributes   func(*node)          // … and the signed attributes before they are signed
	signature    func([]byte) []byte  // … and the signature
	message      func(*node)          // … and the ContentInfo
	packed       [][]byte             // certificates that come along
	reference    *lds.StatusReference // of the list that has the card

	// The card.
	person  vn.Person
	face    lds.Face // of DG2; without an image the grey disc
	expiry  vn.Expiry
	infos   lds.SecurityInfos // DG14
	offered lds.SecurityInfos // EF.CardAccess
	files   verify.Files      // in place of what is made; an empty file is left out
	unread  []lds.File        // made and signed, and then taken away
	after   func(verify.Files)
	aa, ca  *dh.PrivateKey
	mapped  bool // EF.CardSecurity with the key ca, for PACE-CAM

	// The chip, and what sits between it and the station.
	chip    virtual.FolderOptions
	command func(apdu.Command) apdu.Status
	wire    func(*stage) apdu.Wire

	// The station.
	options verify.Options
	trust   func(*issuer) ([]pki.Material, []*cert.CRL, []pki.Issuer)
	revoked []int64
	stale   bool // the CRL is past its time
	archive bool // the files are judged without the chip

	// play, where set, is a case of its own kind.
	play func(*stage) (Got, error)
}

var (
	ecdsaSHA256 = cert.Algorithm{Scheme: cert.ECDSA, Hash: crypto.SHA256}

	oidPACE     = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 4}
	oidCA       = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 3}
	oidKey      = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 1}
	oidTerminal = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2, 2}
	oidPlain    = asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1}
)

func arc(base asn1.ObjectIdentifier, more ...int) asn1.ObjectIdentifier {
	return append(append(asn1.ObjectIdentifier{}, base...), more...)
}

// gmAES128 is PACE-ECDH-GM-AES-128 on P-256.
var gmAES128 = lds.PACEInfo{OID: arc(oidPACE, 2, 2), Version: 2, ParameterID: 12}

// standardCurve is that of the keys of the standard card.
var standardCurve = dh.P256()

// holder is nobody: province 003 is that of no one.
var holder = vn.Person{
	Number: "003190000017", Surname: "Nguyễn", Given: "Thị Thử Nghiệm", Sex: "F", Birth: vn.Date{Year: 1990, Month: 2, Day: 15},
	Nationality: "Việt Nam", Origin: "Tỉnh Thử", Residence: "1 Phố Mẫu, Tỉnh Thử", Ethnicity: "Kinh", Religion: "Không",
	Features: "Không", Father: "Nguyễn Văn Cha", Mother: "Trần Thị Mẹ",
}

func nameOf(country, common string) cert.Name {
	n, _ := cert.NewName(cert.Attribute{Type: cert.OIDCountry, Value: country}, cert.Attribute{Type: cert.OIDCommonName, Value: common})
	return n
}

func keyID(k crypto.Signer) []byte {
	pub, err := cert.NewPublicKey(k.Public())
	if err != nil {
		return nil
	}
	return pub.KeyID()
}

// standard is a sound card of a test issuer: PACE by CAN on P-256, Active and Chip
// Authentication, ECDSA with SHA-256 throughout.
func standard() *blueprint {
	b := &blueprint{
		kind: "standard", algorithm: ecdsaSHA256, hash: crypto.SHA256, person: holder, expiry: vn.Expiry{Date: vn.Date{Year: 2030, Month: 2, Day: 15}},
		aa: ecKey(dh.P256(), "AA"), ca: ecKey(dh.P256(), "CA"), files: verify.Files{},
	}
	b.infos = lds.SecurityInfos{
		PACE:     []lds.PACEInfo{gmAES128},
		Chip:     []lds.ChipAuthInfo{{OID: arc(oidCA, 2, 2), Version: 1}},
		ChipKeys: []lds.ChipAuthPublicKey{{OID: arc(oidKey, 2), Key: public(b.ca.Public())}},
		Active:   []lds.ActiveAuthInfo{{Version: 1, Algorithm: arc(oidPlain, 3)}},
	}
	b.offered.PACE = []lds.PACEInfo{gmAES128}
	b.chip = virtual.FolderOptions{CAN: b.person.Number.CAN(), Rules: &gp.Rules{}}
	b.options = verify.Options{At: judged, Specimen: true, Passwords: []auth.Password{auth.CAN(b.person.Number.CAN())}}
	b.options.Policy, _ = verify.PolicyByName("checkpoint")
	b.keys(ecKey(dh.P256(), "CSCA"), ecKey(dh.P256(), "signer"), ecdsaSHA256)
	return b
}

func public(k crypto.PublicKey) cert.PublicKey {
	pub, _ := cert.NewPublicKey(k)
	return pub
}

// keys gives the issuer its keys and the algorithm of its CSCA.
func (b *blueprint) keys(csca, ds crypto.Signer, a cert.Algorithm) {
	name := nameOf("VN", "CSCA SPECIMEN")
	place, _ := cert.NewName(cert.Attribute{Type: cert.OIDLocality, Value: "VNM", Tag: 19})
	contact, list := []cert.GeneralName{cert.MailName("csca@specimen.invalid"), cert.DirectoryName(place)}, []string{"https://csca.specimen.invalid/crl"}
	b.csca, b.ds = csca, ds
	b.root = cert.Template{
		Serial: big.NewInt(1), Algorithm: a, Issuer: name, Subject: name, PublicKey: csca.Public(),
		NotBefore: issued.AddDate(-1, 0, 0), NotAfter: issued.AddDate(20, 0, 0),
		AuthorityKeyID: keyID(csca), SubjectKeyID: keyID(csca),
		KeyUsage: cert.KeyCertSign | cert.CRLSign, BasicConstraints: &cert.BasicConstraints{CA: true},
		PrivateKeyUsage: &cert.Period{NotBefore: issued.AddDate(-1, 0, 0), NotAfter: issued.AddDate(4, 0, 0)},
		SubjectAltName:  contact, IssuerAltName: contact, CRLDistributionPoints: list,
	}
	b.signer = cert.Template{
		Serial: big.NewInt(2), Algorithm: a, Issuer: name, Subject: nameOf("VN", "DS SPECIMEN"), PublicKey: ds.Public(),
		NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(10, 0, 0),
		AuthorityKeyID: keyID(csca), SubjectKeyID: keyID(ds), KeyUsage: cert.DigitalSignature,
		PrivateKeyUsage: &cert.Period{NotBefore: issued.AddDate(0, -1, 0), NotAfter: issued.AddDate(0, 2, 0)}, DocumentTypes: []string{"ID"},
		SubjectAltName: contact, IssuerAltName: contact, CRLDistributionPoints: list,
	}
}

// forger gives the card an issuer with the trusted one's names and keys of its own.
func (b *blueprint) forger() {
	b.keys(ecKey(dh.P256(), "forged CSCA"), ecKey(dh.P256(), "forged signer"), ecdsaSHA256)
}

// zone is the card's machine readable zone.
func (b *blueprint) zone() string {
	z, err := vn.WriteMRZ(b.person, b.expiry)
	if err != nil {
		return ""
	}
	return z.KeyInfo()
}

// portrait is a grey disc.
func portrait() []byte {
	img := image.NewGray(image.Rect(0, 0, 48, 64))
	for y := range 64 {
		for x := range 48 {
			if (x-24)*(x-24)+(y-32)*(y-32) < 400 {
				img.SetGray(x, y, color.Gray{Y: 220})
			}
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil) // into memory
	return b.Bytes()
}
