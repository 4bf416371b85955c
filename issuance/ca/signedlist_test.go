package ca

import (
	"crypto"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/verify/pki"
)

// listSigner makes a signer of lists under an authority.
func (a authority) listSigner(t testing.TB, deviations bool) (*Issuer, crypto.Signer) {
	t.Helper()
	key := newKey(t, dh.P256())
	der := issue(t, a.rootKey)(a.root.PrepareListSigner(ListSigner{Serial: NewSerial(), Key: key.Public(), Deviations: deviations, CommonName: "List Signer", From: start}))
	return issuer(t, der), key
}

func TestMasterList(t *testing.T) {
	a := newAuthority(t, dh.BrainpoolP384r1())
	signer, key := a.listSigner(t, false)
	_, link := a.next(t, newKey(t, dh.P256()), "", start.AddDate(0, 1, 0))
	r := MasterList{Certificates: [][]byte{link.Raw, a.root.Certificate.Raw}, CSCA: a.root.Certificate, At: start.AddDate(0, 2, 0)}
	raw := issue(t, key)(signer.PrepareMasterList(r))
	s, err := cms.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	info := s.Signers[0]
	at, _ := info.SigningTime()
	if s.Version != 3 || info.KeyID == nil || !at.Equal(r.At) || len(s.Certificates) != 2 || pki.LintList(s) != nil || pki.LintUploadList(s) != nil {
		t.Errorf("%+v, lint %v %v", info, pki.LintList(s), pki.LintUploadList(s))
	}
	store := pki.NewStore([]pki.Material{{Cert: a.root.Certificate, Source: "pinned"}}, nil, nil)
	list, err := store.OpenList(raw, r.At)
	if err != nil || list.Kind != pki.KindMasterList || len(list.Certificates) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestMasterListRefuses(t *testing.T) {
	a, other := newAuthority(t, dh.P256()), newAuthority(t, dh.P256())
	signer, _ := a.listSigner(t, false)
	deviations, _ := a.listSigner(t, true)
	good := MasterList{CSCA: a.root.Certificate, At: start}
	for name, c := range map[string]struct {
		by     *Issuer
		change func(*MasterList)
		want   error
	}{
		"by the CSCA":               {a.root, func(*MasterList) {}, ErrRequest},
		"by a document signer":      {a.signer, func(*MasterList) {}, ErrRequest},
		"under another CSCA":        {signer, func(r *MasterList) { r.CSCA = other.root.Certificate }, ErrRequest},
		"without a CSCA":            {signer, func(r *MasterList) { r.CSCA = nil }, ErrRequest},
		"a signer in the list":      {signer, func(r *MasterList) { r.Certificates = [][]byte{a.signer.Certificate.Raw} }, ErrRequest},
		"no certificate":            {signer, func(r *MasterList) { r.Certificates = [][]byte{{1}} }, cert.ErrMalformed},
		"before its key's time":     {signer, func(r *MasterList) { r.At = start.AddDate(0, 0, -1) }, ErrPeriod},
		"after its key's time":      {signer, func(r *MasterList) { r.At = start.AddDate(1, 0, 1) }, ErrPeriod},
		"by the signer of the else": {deviations, func(*MasterList) {}, nil},
	} {
		r := good
		c.change(&r)
		d, err := c.by.PrepareMasterList(r)
		var lint *LintError
		if d != nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &lint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeviationList recalls the cards of a signer, of some days and of some numbers, and a
// checkpoint tells which documents are meant.
func TestDeviationList(t *testing.T) {
	a := newAuthority(t, dh.P256())
	signer, key := a.listSigner(t, true)
	r := DeviationList{CSCA: a.root.Certificate, At: start, Deviations: []Deviation{
		{Signer: a.signer.Certificate, First: start.AddDate(0, 0, -9), Last: start, DocumentType: "I", Fault: pki.FaultGroup, Group: 2, Text: "photo of batch 7"},
		{Numbers: []string{"190000017", "190000025"}, Fault: pki.FaultMRZDigit},
		{Signer: a.signer.Certificate, First: start, Last: start, Fault: pki.FaultChip},
	}}
	raw := issue(t, key)(signer.PrepareDeviationList(r))
	store := pki.NewStore([]pki.Material{{Cert: a.root.Certificate, Source: "pinned"}}, nil, nil)
	list, err := store.OpenList(raw, r.At)
	if err != nil || list.Kind != pki.KindDeviations || len(list.Deviations) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	texts := map[string]bool{}
	for _, d := range list.Deviations {
		texts[d.String()] = true
	}
	for _, want := range []string{"group-malformed of group 2: photo of batch 7", "mrz-check-digit", "chip"} {
		if !texts[want] {
			t.Errorf("no %q in %v", want, texts)
		}
	}
	for name, d := range map[string]Deviation{
		"of everything":         {Fault: pki.FaultChip},
		"no fault":              {Numbers: []string{"1"}},
		"a fault of no group":   {Numbers: []string{"1"}, Fault: pki.FaultGroup},
		"a group of no fault":   {Numbers: []string{"1"}, Fault: pki.FaultChip, Group: 2},
		"one day":               {First: start, Fault: pki.FaultChip},
		"days turned round":     {First: start, Last: start.AddDate(0, 0, -1), Fault: pki.FaultChip},
		"not printable":         {Numbers: []string{"1"}, Fault: pki.FaultChip, Text: "thẻ"},
		"fault of another list": {Numbers: []string{"1"}, Fault: pki.FaultSignerRevoked},
	} {
		if draft, err := signer.PrepareDeviationList(DeviationList{CSCA: a.root.Certificate, At: start, Deviations: []Deviation{d}}); draft != nil || !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
