package desk

import (
	"crypto"
	"os"
	"testing"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/verify/pki"
)

// anchors is what a checkpoint has that pinned a CSCA.
func (r *rig) anchors(t testing.TB, name string) *pki.Store {
	t.Helper()
	return pki.NewStore([]pki.Material{{Cert: r.parsed(t, name), Source: name}}, nil, nil)
}

func TestListsOfAnOffice(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	_, err := r.an.MakeMasterList(ctx)
	wantError(t, "no list signer", err, ErrNoListSigner)
	if name := must(r.an.MakeListSigner(ctx, ca.ListSigner{From: r.now}, "P-256"))(t); name != "mls-001" {
		t.Error(name)
	}
	if name := must(r.an.MakeListSigner(ctx, ca.ListSigner{From: r.now, Deviations: true}, "P-256"))(t); name != "dls-001" {
		t.Error(name)
	}
	r.follow(t, "")
	file := must(r.an.MakeMasterList(ctx))(t)
	raw := must(os.ReadFile(r.path("pki", file)))(t)
	list := must(r.anchors(t, "csca.cer").OpenList(raw, r.now))(t)
	if len(list.Certificates) != 3 { // two roots and the link between them
		t.Errorf("%d certificates", len(list.Certificates))
	}
	wantError(t, "a document signer in it", second(r.an.MakeMasterList(ctx, r.parsed(t, "ds-001.cer").Raw)), ca.ErrRequest)
	recall := Recall{Signer: "ds-001", Deviation: ca.Deviation{First: r.now.AddDate(0, -1, 0), Last: r.now, Fault: pki.FaultMRZDigit}}
	file = must(r.an.MakeDeviationList(ctx, recall))(t)
	list = must(r.anchors(t, "csca.cer").OpenList(must(os.ReadFile(r.path("pki", file)))(t), r.now))(t)
	if len(list.Deviations) != 1 || list.Deviations[0].Fault != pki.FaultMRZDigit {
		t.Errorf("%+v", list.Deviations)
	}
	recall.Signer = "ds-009"
	if _, err := r.an.MakeDeviationList(ctx, recall); err == nil {
		t.Error("a recall of nobody's cards")
	}
	files := must(r.an.Export(ctx, 1))(t)
	if len(files) != 2 || len(files["icaopkd-001-complete-000001.ldif"]) == 0 || len(files["icaopkd-002-complete-000001.ldif"]) == 0 {
		t.Errorf("%d files", len(files))
	}
	check(t, r.an.MakeCRL(ctx, 90, "mls-001"))
	_, err = r.an.MakeMasterList(ctx)
	wantError(t, "a revoked list signer", err, ErrNoListSigner)
	r.sound(t)
}

// TestTerminalsOfAnOffice: CVCA, document verifier and terminal, renewed with both
// signatures, and a chip that was given the first trust point believes them.
func TestTerminalsOfAnOffice(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	_, err := r.an.TrustPoint(ctx)
	wantError(t, "no CVCA", err, ErrNoCVCA)
	if got := must(r.an.MakeCVCA(ctx, CVCA{Holder: "VNCVCA", Algorithm: "P-256"}))(t); got != "VNCVCA00001" {
		t.Error(got)
	}
	point := must(r.an.TrustPoint(ctx))(t)
	dvRequest := func(want cvc.Reference) *cvc.Request {
		t.Helper()
		got := must(r.an.RequestDV(ctx, "VNDV", "P-256"))(t)
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
		return must(cvc.ParseRequest(must(os.ReadFile(r.path("pki", cvRequestFile(got))))(t)))(t)
	}
	both := []int{cvc.ReadDG3, cvc.ReadDG4}
	first := dvRequest("VNDV00001")
	_, err = r.an.IssueCV(ctx, CVOrder{Request: first, Role: cvc.DVDomestic, Rights: both})
	wantError(t, "nobody registered it", err, ErrUnregistered)
	must(r.an.IssueCV(ctx, CVOrder{Request: first, Role: cvc.DVDomestic, Rights: both, Register: true}))(t)

	key, next := must(dh.P256().Generate())(t), must(dh.P256().Generate())(t)
	is := must(request("VNDV00001", "VNIS00001", key, "", nil))(t)
	files := must(r.an.IssueCV(ctx, CVOrder{Request: is, Role: cvc.TerminalRole, Rights: []int{cvc.ReadDG3}, Register: true}))(t)
	if len(files) != 2 || files[0] != "VNIS00001.cvcert" || files[1] != "VNDV00001.cvcert" {
		t.Errorf("%v", files)
	}
	chip := cvc.NewChain([]cvc.TrustPoint{point.TrustPoint()}, point.Effective)
	for _, name := range []string{"VNDV00001.cvcert", "VNIS00001.cvcert"} {
		c := must(cvc.Parse(must(os.ReadFile(r.path("pki", name)))(t)))(t)
		check(t, chip.Choose(c.Authority))
		check(t, chip.Import(c))
	}
	if _, rights, err := chip.Terminal("VNIS00001"); err != nil || !rights.Has(cvc.ReadDG3) || rights.Has(cvc.ReadDG4) {
		t.Errorf("%v", err)
	}

	for what, q := range map[string]*cvc.Request{
		"no outer signature":                    must(request("VNDV00001", "VNIS00002", next, "", nil))(t),
		"an outer signature by somebody else's": must(request("VNDV00001", "VNIS00002", next, "VNIS00001", must(dh.P256().Generate())(t)))(t),
	} {
		_, err = r.an.IssueCV(ctx, CVOrder{Request: q, Role: cvc.TerminalRole})
		wantError(t, what, err, ca.ErrOuter)
	}
	renewal := must(request("VNDV00001", "VNIS00002", next, "VNIS00001", key))(t)
	must(r.an.IssueCV(ctx, CVOrder{Request: renewal, Role: cvc.TerminalRole}))(t)
	again := must(request("VNDV00001", "VNIS00001", must(dh.P256().Generate())(t), "VNIS00002", next))(t)
	wantType[*issuance.DuplicateError](t, "a reference that was used", second(r.an.IssueCV(ctx, CVOrder{Request: again, Role: cvc.TerminalRole})))

	must(r.an.IssueCV(ctx, CVOrder{Request: dvRequest("VNDV00002"), Role: cvc.DVDomestic, Rights: both}))(t)
	if got := must(r.an.MakeCVCA(ctx, CVCA{Holder: "VNCVCA", Algorithm: "P-256", Months: 36}))(t); got != "VNCVCA00002" {
		t.Error(got)
	}
	must(r.an.IssueCV(ctx, CVOrder{Request: dvRequest("VNDV00003"), Role: cvc.DVDomestic, Rights: both}))(t)
	third := must(request("VNDV00003", "VNIS00003", must(dh.P256().Generate())(t), "VNIS00002", next))(t)
	files = must(r.an.IssueCV(ctx, CVOrder{Request: third, Role: cvc.TerminalRole}))(t)
	if len(files) != 3 || files[1] != "VNDV00003.cvcert" || files[2] != "VNCVCA00002-link.cvcert" {
		t.Errorf("%v", files)
	}
	for _, name := range []string{"VNCVCA00002-link.cvcert", "VNDV00003.cvcert", "VNIS00003.cvcert"} {
		c := must(cvc.Parse(must(os.ReadFile(r.path("pki", name)))(t)))(t)
		check(t, chip.Choose(c.Authority))
		check(t, chip.Import(c))
	}
	r.sound(t)
}

// TestForeignVerifier: the first request of a verifier abroad is vouched for by its own CVCA.
func TestForeignVerifier(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	must(r.an.MakeCVCA(ctx, CVCA{Holder: "VNCVCA", Algorithm: "brainpoolP256r1"}))(t)
	abroad, key := must(dh.BrainpoolP256r1().Generate())(t), must(dh.BrainpoolP256r1().Generate())(t)
	own := cvOf(t, abroad, ca.CVCA{Holder: "UTCVCA00001", Key: abroad.Public(), From: r.now})
	other := cvOf(t, key, ca.CVCA{Holder: "UTCVCA00001", Key: key.Public(), From: r.now})
	q := must(request("VNCVCA00001", "UTDV00001", key, "UTCVCA00001", abroad))(t)
	order := CVOrder{Request: q, Role: cvc.DVForeign, Rights: []int{cvc.ReadDG3}, Register: true}
	for what, voucher := range map[string]*cvc.Certificate{"no voucher": nil, "another's": other} {
		order.Voucher = voucher
		_, err := r.an.IssueCV(ctx, order)
		wantError(t, what, err, ca.ErrOuter)
	}
	order.Voucher = own
	must(r.an.IssueCV(ctx, order))(t)
}

func cvOf(t testing.TB, key crypto.Signer, r ca.CVCA) *cvc.Certificate {
	t.Helper()
	draft := must(ca.PrepareCVCA(r))(t)
	return must(cvc.Parse(must(draft.Issue(key))(t)))(t)
}
