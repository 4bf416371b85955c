package verify

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"slices"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
)

var (
	camAES128 = []int{0, 4, 0, 127, 0, 7, 2, 2, 4, 6, 2}
	pkECDH    = []int{0, 4, 0, 127, 0, 7, 2, 2, 1, 2}
)

// mapping turns the card into one whose only PACE is Chip Authentication Mapping with the
// key, signed by the office in EF.CardSecurity. It has neither AA nor CA.
func (o *office) mapping(s *specimen, key *dh.PrivateKey) {
	o.t.Helper()
	pub, err := cert.NewPublicKey(key.Public())
	o.must(err)
	infos := lds.SecurityInfos{PACE: []lds.PACEInfo{{OID: camAES128, Version: 2, ParameterID: 12}}}
	s.files[lds.CardAccess], err = lds.EncodeSecurityInfos(infos)
	o.must(err)
	s.files[lds.DG14], err = lds.EncodeDG14(infos)
	o.must(err)
	infos.ChipKeys = []lds.ChipAuthPublicKey{{OID: pkECDH, Key: pub, KeyID: big.NewInt(12), Standardised: true}}
	content, err := lds.EncodeSecurityInfos(infos)
	o.must(err)
	s.files[lds.CardSecurity], err = cms.Sign(cms.Message{
		ContentType: lds.OIDSecurityObject, Content: content, Certificate: o.certificate(o.dsTemplate), Algorithm: ecdsaSHA256,
	}, o.ds)
	o.must(err)
	delete(s.files, lds.DG15)
	o.sign(s)
}

// TestInspectMapping takes PACE's own proof of the chip where EF.CardSecurity is the
// issuer's, and nowhere else.
func TestInspectMapping(t *testing.T) {
	o, thief := newOffice(t, "CSCA"), newOffice(t, "CSCA of nobody")
	key, other := testKey(t), testKey(t)
	for name, c := range map[string]struct {
		change  func(s *specimen)
		has     *dh.PrivateKey
		verdict Verdict
		reason  Reason
		outcome Outcome
	}{
		"genuine": {func(*specimen) {}, key, Accept, "", Passed},
		"a copy with a key of its own in EF.CardSecurity": {func(s *specimen) {
			sod, dg14 := s.files[lds.SODFile], s.files[lds.DG14]
			thief.mapping(s, other)
			s.files[lds.SODFile], s.files[lds.DG14] = sod, dg14
		}, other, Refer, ReasonChipKeyUncovered, Undetermined},
		"the state's, but of another signer": {func(s *specimen) {
			sod := s.files[lds.SODFile]
			another := *o
			another.ds = testKey(t)
			another.dsTemplate.Serial, another.dsTemplate.PublicKey = big.NewInt(3), another.ds.Public()
			another.dsTemplate.SubjectKeyID = testKeyID(t, another.ds)
			another.mapping(s, other)
			s.files[lds.SODFile] = sod
		}, other, Refer, ReasonChipKeyUncovered, Undetermined},
		"EF.CardSecurity changed": {func(s *specimen) {
			raw := s.files[lds.CardSecurity]
			i := bytes.Index(raw, key.Point().X())
			p := other.Point().Bytes()[1:]
			copy(raw[i:], p)
		}, other, Refuse, ReasonCardSecurity, Failed},
		"no EF.CardSecurity": {func(s *specimen) { delete(s.files, lds.CardSecurity) }, nil, Refuse, ReasonChipRefused, Failed},
	} {
		s := o.usual()
		o.mapping(s, key)
		c.change(s)
		chip := s.chip(t, func(f *virtual.FolderOptions) {
			f.AA, f.CA = nil, nil
			if c.has != nil {
				f.Keys = []dh.Secret{c.has}
			}
		})
		if c.has == nil {
			continue // a chip without the file can't play the variant; TestJudgeMapping has it
		}
		r := inspect(t, chip, o.options("checkpoint"))
		wantVerdict(t, r, c.verdict, c.reason)
		if got := r.Check(CheckCAM); got.Outcome != c.outcome {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestInspectMappingOfAnotherCard: one key that was taken out of any card of the state, with
// that card's EF.CardSecurity, makes no copy of a document that lists keys of its own chip.
func TestInspectMappingOfAnotherCard(t *testing.T) {
	o := newOffice(t, "CSCA")
	own, extracted := testKey(t), testKey(t)
	donor, victim := o.usual(), o.usual()
	o.mapping(donor, extracted)
	dg15 := victim.files[lds.DG15]
	infos, err := lds.ParseDG14(victim.files[lds.DG14])
	o.must(err)
	o.mapping(victim, own)
	infos.PACE = []lds.PACEInfo{{OID: camAES128, Version: 2, ParameterID: 12}}
	victim.files[lds.DG14], err = lds.EncodeDG14(*infos)
	o.must(err)
	victim.files[lds.DG15] = dg15
	o.sign(victim)
	with := func(key *dh.PrivateKey, aa, ca *dh.PrivateKey) *Report {
		return inspect(t, victim.chip(t, func(f *virtual.FolderOptions) { f.AA, f.CA, f.Keys = aa, ca, []dh.Secret{key} }), o.options("checkpoint"))
	}
	wantVerdict(t, with(own, victim.aa, victim.ca), Accept, "") // the chip proves what its document lists
	victim.files[lds.CardSecurity] = donor.files[lds.CardSecurity]
	wantVerdict(t, with(extracted, nil, nil), Refuse, ReasonChipRefused)
}

// TestInspectAccessAgainstCardSecurity: what EF.CardAccess offers is held against what is
// signed in EF.CardSecurity, where DG14 names nothing.
func TestInspectAccessAgainstCardSecurity(t *testing.T) {
	o := newOffice(t, "CSCA")
	key := testKey(t)
	s := o.usual()
	o.mapping(s, key)
	var err error
	s.files[lds.DG14], err = lds.EncodeDG14(lds.SecurityInfos{})
	o.must(err)
	o.sign(s)
	chip := func() *virtual.Chip {
		return s.chip(t, func(f *virtual.FolderOptions) { f.AA, f.CA, f.Keys = nil, nil, []dh.Secret{key} })
	}
	if r := inspect(t, chip(), o.options("checkpoint")); r.Check(CheckCardAccess).Outcome != Passed {
		t.Errorf("%+v", r.Check(CheckCardAccess))
	}
	more := lds.SecurityInfos{PACE: []lds.PACEInfo{
		{OID: camAES128, Version: 2, ParameterID: 12}, {OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 4, 6, 4}, Version: 2, ParameterID: 12},
	}}
	s.files[lds.CardAccess], err = lds.EncodeSecurityInfos(more)
	o.must(err)
	r := inspect(t, chip(), o.options("checkpoint"))
	if r.Check(CheckCardAccess).Reason != ReasonAccessMismatch || r.Verdict == Accept {
		t.Errorf("%v, %+v", r.Verdict, r.Check(CheckCardAccess))
	}
}

// TestJudgeMapping judges proofs that went wrong.
func TestJudgeMapping(t *testing.T) {
	for name, c := range map[string]struct {
		files Files
		err   error
		want  Reason
	}{
		"no EF.CardSecurity":        {Files{}, auth.ErrProtocol, ReasonChipRefused},
		"malformed EF.CardSecurity": {Files{lds.CardSecurity: []byte{1}}, nil, ReasonChipKeyMalformed},
		"wrong proof":               {Files{lds.CardSecurity: []byte{1}}, auth.ErrSignature, ReasonChipKeyMismatch},
	} {
		a := assessment{ev: &evidence{files: c.files, chip: &chipEvidence{mapping: &proof[auth.ChipProof]{err: c.err}}}, checks: map[string]Check{}}
		a.o = a.o.withDefaults("checkpoint")
		a.judgeMapping()
		if got := a.checks[CheckCAM]; got.Outcome != Failed || got.Reason != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestInspectRSA has a chip prove an RSA key, one whose signature is longer than a short
// answer too.
func TestInspectRSA(t *testing.T) {
	o := newOffice(t, "CSCA")
	for _, bits := range []int{1024, 2048, 3072} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := cert.NewPublicKey(&key.PublicKey)
		o.must(err)
		s := o.usual()
		s.files[lds.DG15], err = lds.EncodeDG15(pub)
		o.must(err)
		o.sign(s)
		chip := s.chip(t, func(f *virtual.FolderOptions) { f.AA, f.ActiveRSA, f.ActiveHash = nil, key, crypto.SHA256 })
		r := inspect(t, chip, o.options("checkpoint"))
		wantVerdict(t, r, Accept, "")
		if r.Check(CheckAA).Outcome != Passed {
			t.Errorf("RSA %d: %+v", bits, r.Check(CheckAA))
		}
		another, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		chip = s.chip(t, func(f *virtual.FolderOptions) { f.AA, f.ActiveRSA, f.ActiveHash = nil, another, crypto.SHA256 })
		wantVerdict(t, inspect(t, chip, o.options("checkpoint")), Refuse, ReasonChipKeyMismatch)
	}
}

// protected is a card with fingerprints that Terminal Authentication opens, and the
// terminal's key with these rights.
func (o *office) protected(rights ...int) (*specimen, [][]byte, *auth.TerminalKey) {
	o.t.Helper()
	s := o.usual()
	infos, err := lds.ParseDG14(s.files[lds.DG14])
	o.must(err)
	infos.Terminal = []lds.TerminalAuthInfo{{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 2}, Version: 1}}
	s.files[lds.DG14], err = lds.EncodeDG14(*infos)
	o.must(err)
	s.files[lds.DG3] = tlv.Encode(lds.DG3.Tag(), tlv.Encode(0x7F61, tlv.Encode(0x02, []byte{0})))
	o.sign(s)
	var keys []*dh.PrivateKey
	var list []*cvc.Certificate
	names := []cvc.Reference{"XOCVCA00001", "XODV00001", "XOIS00001"}
	for i, role := range []cvc.Role{cvc.CVCA, cvc.DVDomestic, cvc.TerminalRole} {
		keys = append(keys, testKey(o.t))
		pub, err := cvc.NewPublicKey(cvc.ECDSASHA256, keys[i].Public())
		o.must(err)
		chat := cvc.NewCHAT(cvc.InspectionSystem, role, rights...)
		c, err := cvc.Sign(cvc.Template{
			Authority: names[max(i-1, 0)], Holder: names[i], Key: pub, CHAT: chat, Effective: cvc.On(issued), Expiry: cvc.On(judged),
		}, cvc.ECDSASHA256, keys[max(i-1, 0)])
		o.must(err)
		list = append(list, c)
	}
	return s, [][]byte{list[0].Raw}, &auth.TerminalKey{Certificate: list[2], Signer: keys[2], Others: list[:2]}
}

// TestInspectTerminal reads the fingerprints with the rights for them, and leaves the
// verdict as it is without.
func TestInspectTerminal(t *testing.T) {
	o := newOffice(t, "CSCA")
	for name, c := range map[string]struct {
		rights  []int
		use     bool
		outcome Outcome
		read    bool
	}{
		"rights":         {[]int{cvc.ReadDG3}, true, Passed, true},
		"no right":       {[]int{cvc.ReadDG4}, true, Passed, false},
		"not asked":      {[]int{cvc.ReadDG3}, false, NotRun, false},
		"other trust":    {[]int{cvc.ReadDG3}, true, NotRun, false},
		"unknown anchor": {[]int{cvc.ReadDG3}, true, NotRun, false},
		"by identifier":  {[]int{cvc.ReadDG3}, true, Passed, true},
	} {
		s, points, key := o.protected(c.rights...)
		if name == "other trust" {
			_, points, _ = o.protected(c.rights...)
		}
		if name == "unknown anchor" {
			key.Others = nil
		}
		chip := s.chip(t, func(f *virtual.FolderOptions) {
			if f.TrustPoints = points; name == "by identifier" {
				f.Quirks.SFI = apdu.ConditionsNotSatisfied // EF.CVCA is selected, as every file
			}
		})
		options := o.options("checkpoint")
		if c.use {
			options.Terminal = key
		}
		r := inspect(t, chip, options)
		wantVerdict(t, r, Accept, "")
		if got := r.Check(CheckTA); got.Outcome != c.outcome {
			t.Errorf("%s: %+v", name, got)
		}
		if _, read := r.Files[lds.DG3]; read != c.read || c.read && r.Check(groupCheck(3)).Outcome != Passed {
			t.Errorf("%s: DG3 read %v, %+v", name, read, r.Check(groupCheck(3)))
		}
	}
}

// TestInterim tells signature and chip before a personal group is read.
func TestInterim(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	for name, aa := range map[string]*dh.PrivateKey{"genuine": s.aa, "clone": testKey(t)} {
		options := o.options("checkpoint")
		var early *Report
		var apdus int
		link := apdu.Over(s.chip(t, func(f *virtual.FolderOptions) { f.AA = aa }), apdu.Limits{})
		options.Passwords = []auth.Password{auth.CAN(holder.Number.CAN())}
		options.Interim = func(r *Report) { early, apdus = r, link.Traffic().APDUs }
		r, err := Inspect(t.Context(), link, options)
		if err != nil || early == nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, read := early.Files[lds.DG1]; read || len(early.Files) < 3 || apdus >= r.Session.APDUs {
			t.Errorf("%s: after %d of %d commands and %d files", name, apdus, r.Session.APDUs, len(early.Files))
		}
		for _, id := range []string{CheckSODSignature, CheckChain, CheckAA} {
			if want := name == "genuine" || id != CheckAA; (early.Check(id).Outcome == Passed) != want {
				t.Errorf("%s: %+v", name, early.Check(id))
			}
		}
		if early.Verdict == Accept {
			t.Errorf("%s: accepted before its data are read", name)
		}
		if slices.Contains(early.Document.Read, 2) {
			t.Error("the early report has grown")
		}
	}
}

// TestReopenedIsSaid: a card that ends its session at extended length is read with short
// APDUs, and the report tells.
func TestReopenedIsSaid(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	chip := s.chip(t, func(f *virtual.FolderOptions) {
		f.Limits = wholeAPDU
		f.Quirks = virtual.Quirks{Block: 1000, Above: apdu.WrongLength, ClearErrors: true}
	})
	options := o.options("checkpoint")
	options.Reader = wholeAPDU
	r := inspect(t, chip, options)
	wantVerdict(t, r, Accept, "")
	if !r.Session.Reopened || r.Session.Response != 258 || r.Session.PACE != "PACE-ECDH-GM-AES-CBC-CMAC-128 on P-256" {
		t.Errorf("%+v", r.Session)
	}
}
