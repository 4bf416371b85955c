//go:build linux && cgo

package desktest

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// utopia is a State with passports, a root and a revocation list, and no list of cards:
// as most States are.
type utopia struct {
	root, signer       *ca.Issuer
	rootKey, signerKey *dh.PrivateKey
	list               []byte
	files              map[lds.File][]byte
	chipKey            *dh.PrivateKey
}

// inForce is when the passport of Doc 9303-4 is judged: it expires on 15 April 2012.
var inForce = time.Date(2011, 3, 1, 12, 0, 0, 0, time.UTC)

// utopianZone is the specimen of Doc 9303-4 appendix B.
const utopianZone = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"

func newUtopia(t *testing.T) *utopia {
	t.Helper()
	u := &utopia{
		rootKey: must(dh.BrainpoolP384r1().Generate())(t), signerKey: must(dh.BrainpoolP256r1().Generate())(t),
		chipKey: must(dh.BrainpoolP384r1().Generate())(t),
	}
	begun := inForce.AddDate(-1, 0, 0)
	sign := func(d *ca.Draft, err error) []byte {
		check(t, err)
		return must(d.Issue(u.rootKey))(t)
	}
	issuer := func(der []byte) *ca.Issuer { return must(ca.NewIssuer(must(cert.Parse(der))(t)))(t) }
	u.root = issuer(sign(ca.PrepareCSCA(ca.CSCA{
		Serial: ca.NewSerial(), Key: u.rootKey.Public(), Country: "UT", State: "UTO", Organization: "Utopia", CommonName: "CSCA Utopia",
		Contact: "csca@utopia.example", CRL: []string{"http://utopia.example/csca.crl"}, From: begun, CardYears: 10,
	})))
	u.signer = issuer(sign(u.root.PrepareSigner(ca.Signer{
		Serial: ca.NewSerial(), Key: u.signerKey.Public(), CommonName: "Passports 1", From: begun, CardYears: 10, DocumentTypes: []string{"P"},
	})))
	u.list = sign(u.root.PrepareCRL(ca.CRL{Number: big.NewInt(7), At: inForce.AddDate(0, 0, -3)}))
	u.passport(t, begun)
	return u
}

// passport makes files such as gates meet: PACE with AES-256, Chip Authentication and no
// Active Authentication, additional details, and fingerprints that a gate may not read.
func (u *utopia) passport(t *testing.T, at time.Time) {
	t.Helper()
	bsi := func(arcs ...int) asn1.ObjectIdentifier {
		return append(asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 2, 2}, arcs...)
	}
	pace := []lds.PACEInfo{{OID: bsi(4, 2, 4), Version: 2, ParameterID: 16}}
	key := must(cert.NewPublicKey(u.chipKey.Public()))(t)
	u.files = map[lds.File][]byte{
		lds.DG1:  lds.EncodeDG1(must(mrz.Parse(utopianZone))(t)),
		lds.DG2:  must(lds.EncodeDG2(lds.Face{Image: portrait(9000), Coding: lds.JPEG, Width: 240, Height: 320}))(t),
		lds.DG3:  tlv.Encode(lds.DG3.Tag(), []byte("fingers")),
		lds.DG11: tlv.Encode(lds.DG11.Tag(), []byte{0x5C, 2, 0x5F, 0x0E, 0x5F, 0x0E, 1, 'A'}),
		lds.DG14: must(lds.EncodeDG14(lds.SecurityInfos{
			PACE: pace, Chip: []lds.ChipAuthInfo{{OID: bsi(3, 2, 4), Version: 1}},
			ChipKeys: []lds.ChipAuthPublicKey{{OID: bsi(1, 2), Key: key}},
		}))(t),
		lds.CardAccess: must(lds.EncodeSecurityInfos(lds.SecurityInfos{PACE: pace}))(t),
	}
	request := ca.SOD{Hash: crypto.SHA384, Version: 0, DocumentType: "P", At: at, SigningTime: true}
	com := lds.Common{Version: "0107", Unicode: "040000"}
	for n := 1; n <= 16; n++ {
		if b, ok := u.files[lds.Group(n)]; ok {
			h := crypto.SHA384.New()
			h.Write(b)
			request.Groups = append(request.Groups, lds.GroupHash{Number: n, Hash: h.Sum(nil)})
			com.Groups = append(com.Groups, lds.Group(n))
		}
	}
	u.files[lds.COM] = lds.EncodeCOM(com)
	u.files[lds.SODFile] = must(must(u.signer.PrepareSOD(request))(t).Issue(u.signerKey))(t)
}

// folder holds the passport's files.
func (u *utopia) folder() fstest.MapFS {
	folder := fstest.MapFS{}
	for f, b := range u.files {
		folder[f.FileName()] = &fstest.MapFile{Data: b}
	}
	return folder
}

// trust is a trust folder with the State in a folder of it.
func (u *utopia) trust(t *testing.T, folder, issuers string, list []byte) *pki.Store {
	t.Helper()
	files := fstest.MapFS{
		folder + "/csca.cer": {Data: u.root.Certificate.Raw},
		folder + "/csca.crl": {Data: list},
		pki.IssuersFile:      {Data: []byte(issuers)},
	}
	return must(pki.LoadStore(files, pki.LoadOptions{}))(t)
}

// TestForeignPassport inspects a document of a State that has certificates and a
// revocation list and publishes nothing about single documents.
func TestForeignPassport(t *testing.T) {
	t.Parallel()
	daemon(t)
	u := newUtopia(t)
	w := newReader(t).hold(must(virtual.FromFolder(u.folder(), virtual.FolderOptions{CA: u.chipKey}))(t)).inserted()
	const known = "[[issuer]]\ncountry = \"UT\"\ncrl = \"required\"\nstatus = \"none\"\nchip = \"required\"\n"
	unsaid := strings.Replace(known, "none", "required", 1)
	revoked := must(must(u.root.PrepareCRL(ca.CRL{
		Number: big.NewInt(8), At: inForce.AddDate(0, 0, -1),
		Entries: []cert.Revocation{{Serial: u.signer.Certificate.Serial, Time: inForce.AddDate(0, 0, -2)}},
	}))(t).Issue(u.rootKey))(t)
	for _, c := range []struct {
		name     string
		trust    *pki.Store
		specimen bool
		verdict  verify.Verdict
		reasons  []verify.Reason
	}{
		{"genuine", u.trust(t, "ut", known, u.list), false, verify.Accept, nil},
		{"nobody says that there is no status", u.trust(t, "ut", unsaid, u.list), false, verify.Refer, []verify.Reason{verify.ReasonStatusNotAsked}},
		{"signer revoked", u.trust(t, "ut", known, revoked), false, verify.Refuse, []verify.Reason{verify.ReasonSignerRevoked}},
		{"test keys", u.trust(t, "specimen", known, u.list), false, verify.Refer, []verify.Reason{verify.ReasonSpecimen}},
		{"test keys, and they are welcome", u.trust(t, "specimen", known, u.list), true, verify.Accept, nil},
	} {
		report := u.inspect(t, w, verify.Options{Trust: c.trust, Specimen: c.specimen})
		if wantVerdict(t, report, c.verdict, c.reasons...); t.Failed() {
			t.Fatal(c.name)
		}
		published := slices.ContainsFunc(report.Warnings(), func(w verify.Check) bool { return w.Reason == verify.ReasonStatusNotPublished })
		if c.verdict == verify.Accept && !published {
			t.Errorf("%s: it isn't said that the status is not published: %v", c.name, report.Warnings())
		}
	}
}

func (u *utopia) inspect(t *testing.T, w *pcsc.Card, o verify.Options) *verify.Report {
	t.Helper()
	zone := must(mrz.Parse(utopianZone))(t)
	o.At, o.Passwords = inForce, []auth.Password{auth.MRZ(zone.KeyInfo())}
	check(t, w.Reset(t.Context()))
	report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o))(t)
	if report.Session.Access != "PACE-MRZ" || report.Check(verify.CheckCA1).Outcome != verify.Passed {
		t.Errorf("%+v, %v", report.Session, report.Check(verify.CheckCA1))
	}
	return report
}
