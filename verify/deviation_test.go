package verify

import (
	"crypto/sha256"
	"encoding/asn1"
	"testing"
	"testing/fstest"

	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// deviates makes a store that trusts the office, with a list of one deviation of all
// documents of its state, as `tamthe trust import` leaves it.
func (o *office) deviates(deviationType asn1.ObjectIdentifier) *pki.Store {
	o.t.Helper()
	type description struct{ Type asn1.ObjectIdentifier }
	type deviation struct {
		Documents    struct{}
		Descriptions []description `asn1:"set"`
	}
	content, err := asn1.Marshal(struct {
		Version    int
		Deviations []deviation `asn1:"set"`
	}{Deviations: []deviation{{Descriptions: []description{{deviationType}}}}})
	o.must(err)
	raw, err := cms.Sign(cms.Message{
		ContentType: asn1.ObjectIdentifier{2, 23, 136, 1, 1, 7}, Content: content, Certificate: o.certificate(o.dsTemplate),
		SigningTime: judged, Algorithm: ecdsaSHA256,
	}, o.ds)
	o.must(err)
	index := pki.Index{Generation: 1, Imports: []pki.Import{{File: "list.der", SHA256: sha256.Sum256(raw), Kind: pki.ImportDeviations, List: pki.KindDeviations, Country: "VN"}}}
	s, err := pki.LoadStore(fstest.MapFS{
		"csca.cer": {Data: o.cscaCert.Raw}, "csca.crl": {Data: o.crl.Raw}, "list.der": {Data: raw}, pki.IndexFile: {Data: index.Format()},
		pki.IssuersFile: {Data: []byte("[[issuer]]\ncountry = \"VN\"\nstatus = \"none\"\n")},
	}, pki.LoadOptions{})
	o.must(err)
	return s
}

func icaoDeviation(below ...int) asn1.ObjectIdentifier {
	return append(asn1.ObjectIdentifier{2, 23, 136, 1, 1, 7}, below...)
}

// A fault that the issuer has published in a signed list turns a refusal that a policy
// could overlook into a second look; it is shown, and never makes a changed document good.
func TestDeviations(t *testing.T) {
	o := newOffice(t, "CSCA")
	twoTypes := func() *specimen { // the signer is for passports
		s := o.usual()
		o.dsTemplate.DocumentTypes = []string{"P"}
		o.sign(s)
		o.dsTemplate.DocumentTypes = []string{"ID"}
		return s
	}
	changed := func() *specimen {
		s := o.usual()
		s.files[lds.DG2] = append([]byte{}, s.files[lds.DG2]...)
		s.files[lds.DG2][len(s.files[lds.DG2])-1] ^= 1
		return s
	}
	for _, c := range []struct {
		name    string
		card    func() *specimen
		fault   asn1.ObjectIdentifier
		verdict Verdict
		reason  Reason
	}{
		{"signer of another type, nothing published", twoTypes, icaoDeviation(5), Refuse, ReasonSignerType},
		{"signer of another type, published", twoTypes, icaoDeviation(1, 2), Refer, ReasonDeviation},
		{"signer of another type, another fault published", twoTypes, icaoDeviation(3, 2), Refuse, ReasonSignerType},
		{"group changed, its hash published as wrong", changed, icaoDeviation(2, 2), Refuse, ReasonGroupHash},
		{"sound, its AA keys published as known", o.usual, icaoDeviation(1, 4), Refer, ReasonDeviation},
		{"sound, a fault that it does not show", o.usual, icaoDeviation(3, 2), Accept, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.card()
			opts := o.options("checkpoint")
			opts.Trust = o.deviates(c.fault)
			r := inspect(t, s.chip(t, nil), opts)
			wantVerdict(t, r, c.verdict, c.reason)
			if d := r.Check(CheckDeviation); d.Outcome != Passed || d.Reason != ReasonDeviation || d.Detail == "" {
				t.Errorf("%+v", d)
			}
			opts.Trust = o.options("checkpoint").Trust
			if d := inspect(t, s.chip(t, nil), opts).Check(CheckDeviation); d.Reason != "" {
				t.Errorf("without a list: %+v", d)
			}
		})
	}
}
