package verify

import (
	"bytes"
	"crypto"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
)

// TestPlantedGroupProvesNothing: files that the signed list does not cover, laid into a
// genuine EF folder, are never shown as the holder's.
func TestPlantedGroupProvesNothing(t *testing.T) {
	o := newOffice(t, "CSCA")
	child := holder
	child.Number, child.Birth = "003322000017", vn.Date{Year: 2022, Month: 5, Day: 1}
	s := o.newCard(child, vn.ExpiryOf(child.Birth, issued))
	portrait := s.files[lds.DG2]
	delete(s.files, lds.DG2)
	o.sign(s)
	s.files[lds.DG2] = portrait // a forger's
	r := judgeOne(t, s.files, o.options("archive"))
	if _, ok, err := r.Portrait(); ok {
		t.Errorf("a portrait that nobody signed is shown: %v", err)
	}
	wantVerdict(t, r, Accept, "") // the data that are signed are genuine; the planted file is told
	if c := r.Check(CheckUnlisted); c.Outcome != Failed || c.Reason != ReasonGroupUnlisted {
		t.Errorf("%+v", c)
	}
	if c := r.Check(CheckPhoto); c.Outcome != Absent {
		t.Errorf("%+v", c)
	}
}

// TestPlantedNationalData: a DG13 that is not signed changes neither names nor dates.
func TestPlantedNationalData(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	delete(s.files, lds.DG13)
	o.sign(s)
	other := holder
	other.Given = "Thị Khác"
	var err error
	s.files[lds.DG13], err = vn.EncodeDG13(other, vn.Issue{Issued: judged.AddDate(1, 0, 0), Serial: "0011223344556677"})
	o.must(err)
	r := judgeOne(t, s.files, o.options("archive"))
	if r.Unproven().Name != "" || r.Check(CheckExpiry).Reason != "" {
		t.Errorf("%q, %+v", r.Unproven().Name, r.Check(CheckExpiry))
	}
	wantVerdict(t, r, Refer, ReasonGroupsUnusual)
}

// TestManyCertificatesForOneSigner: of the certificates that a document packs and that all
// could be the signer's only the first few are tried, whatever they would cost.
func TestManyCertificatesForOneSigner(t *testing.T) {
	o := newOffice(t, "CSCA")
	for _, decoys := range []int{maxTrials - 1, 63} {
		for {
			s := o.usual()
			place := o.signAmong(s, decoys)
			if decoys >= maxTrials && place < maxTrials {
				continue // chance has put the right one among the first
			}
			if place < maxTrials {
				wantVerdict(t, judgeOne(t, s.files, o.options("archive")), Accept, "")
			} else {
				wantVerdict(t, judgeOne(t, s.files, o.options("archive")), Refuse, ReasonSODSignature)
			}
			break
		}
	}
}

// signAmong signs the card and packs as many other certificates of the same issuer and
// serial number; it returns the place of the right one among them.
func (o *office) signAmong(s *specimen, decoys int) int {
	o.t.Helper()
	sod, err := lds.ParseSOD(s.files[lds.SODFile])
	o.must(err)
	m := cms.Message{ContentType: cms.OIDLDSSecurityObject, Content: sod.Signed.Content, Certificate: o.certificate(o.dsTemplate), Algorithm: ecdsaSHA256}
	for range decoys {
		tpl := o.dsTemplate
		tpl.PublicKey = testKey(o.t).Public()
		m.Certificates = append(m.Certificates, o.certificate(tpl).Raw)
	}
	signed, err := cms.Sign(m, o.ds)
	o.must(err)
	s.files[lds.SODFile] = lds.WrapSOD(signed)
	sod, err = lds.ParseSOD(s.files[lds.SODFile])
	o.must(err)
	return slices.IndexFunc(sod.Signed.SignerCertificates(sod.Signed.Signers[0]), func(c *cert.Certificate) bool {
		return bytes.Equal(c.Raw, m.Certificate.Raw)
	})
}

// otherCurve signs with another key than it shows.
type otherCurve struct {
	crypto.Signer
	shown crypto.PublicKey
}

func (o otherCurve) Public() crypto.PublicKey { return o.shown }

// TestSignatureOnAnotherCurve meets documents whose signature was made on another curve
// than the one in the signer's certificate, as a State is known for (gmrtd#130): they are
// refused by name, and no other curve is tried.
func TestSignatureOnAnotherCurve(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	other, err := dh.BrainpoolP256r1().Generate()
	o.must(err)
	sod, err := lds.ParseSOD(s.files[lds.SODFile])
	o.must(err)
	signed, err := cms.Sign(cms.Message{
		ContentType: cms.OIDLDSSecurityObject, Content: sod.Signed.Content, Certificate: o.certificate(o.dsTemplate), Algorithm: ecdsaSHA256,
	}, otherCurve{other, o.ds.Public()})
	o.must(err)
	s.files[lds.SODFile] = lds.WrapSOD(signed)
	wantVerdict(t, judgeOne(t, s.files, o.options("archive")), Refuse, ReasonSODSignature)
}
