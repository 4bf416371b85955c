package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify/pki"
)

// wantVerdict checks verdict and first reason.
func wantVerdict(t testing.TB, r *Report, v Verdict, reason Reason) {
	t.Helper()
	first := Reason("")
	if list := r.Reasons(); len(list) > 0 {
		first = list[0]
	}
	if r.Verdict != v || first != reason {
		t.Errorf("%v because of %v, want %v because of %q", r.Verdict, r.Reasons(), v, reason)
		for _, c := range r.Checks {
			t.Logf("%-22s %-12v %-22s %s", c.ID, c.Outcome, c.Reason, c.Detail)
		}
	}
}

func TestInspectAcceptsAGenuineCard(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	r := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	wantVerdict(t, r, Accept, "")
	i, err := r.Identity()
	if err != nil || i.Number != string(holder.Number) || i.Name != holder.FullName() || i.Birth != "1990-02-15" || i.Expiry != "2030-02-15" || i.Sex != "F" {
		t.Errorf("%+v, %v", i, err)
	}
	if face, ok, err := r.Portrait(); err != nil || !ok || len(face.Image) == 0 {
		t.Error("no portrait", err)
	}
	if r.Session == nil || r.Session.Access != "PACE-CAN" || r.Session.APDUs == 0 || r.Session.BytesIn == 0 {
		t.Errorf("%+v", r.Session)
	}
	if r.Check(CheckAA).Outcome != Passed || r.Check(CheckCA1).Outcome != NotRun {
		t.Error("AA first, and only one proof")
	}
	if want := []int{1, 2, 13, 14, 15}; !slices.Equal(r.Document.Read, want) || r.Document.State != "VNM" || r.Document.Profile != "vn-cccd-2021" {
		t.Errorf("%+v", r.Document)
	}
	if _, read := r.Files[lds.COM]; read {
		t.Error("a checkpoint does not read EF.COM")
	}
	if len(r.Warnings()) != 1 || r.Warnings()[0].Reason != ReasonStatusNotPublished {
		t.Errorf("%v", r.Warnings())
	}
}

func TestInspectUsesChipAuthenticationWithoutDG15(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	delete(s.files, lds.DG15)
	o.sign(s)
	r := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	wantVerdict(t, r, Accept, "")
	if r.Check(CheckAA).Outcome != Absent || r.Check(CheckCA1).Outcome != Passed {
		t.Error(r.Check(CheckAA), r.Check(CheckCA1))
	}
}

// Each of these cards has one fault, and each fault one reason.
func TestInspectLyingCards(t *testing.T) {
	o := newOffice(t, "CSCA")
	thief := newOffice(t, "CSCA")
	mrzOnly := func(f *virtual.FolderOptions) { f.Rules = &gp.Rules{BAC: true} }
	information := func(s *specimen) auth.Password {
		zone, err := lds.ParseDG1(s.files[lds.DG1])
		o.must(err)
		return auth.MRZ(zone.KeyInfo())
	}
	tests := []struct {
		name    string
		card    func() *specimen
		chip    func(*virtual.FolderOptions)
		options func(*Options, *specimen)
		verdict Verdict
		reason  Reason
	}{
		{"genuine, BAC only", func() *specimen {
			s := o.usual()
			delete(s.files, lds.CardAccess)
			infos, _ := lds.ParseDG14(s.files[lds.DG14])
			infos.PACE = nil
			s.files[lds.DG14], _ = lds.EncodeDG14(*infos)
			o.sign(s)
			return s
		}, mrzOnly, func(p *Options, s *specimen) { p.Passwords = []auth.Password{information(s)} }, Accept, ""},
		{"EF.CardAccess taken away", func() *specimen {
			s := o.usual()
			delete(s.files, lds.CardAccess)
			return s
		}, mrzOnly, func(p *Options, s *specimen) { p.Passwords = []auth.Password{information(s)} }, Refuse, ReasonDowngrade},
		{"EF.CardAccess offers less than DG14", func() *specimen {
			s := o.usual()
			infos, _ := lds.ParseDG14(s.files[lds.DG14])
			infos.PACE = append(infos.PACE, lds.PACEInfo{OID: []int{0, 4, 0, 127, 0, 7, 2, 2, 4, 2, 4}, Version: 2, ParameterID: 13})
			s.files[lds.DG14], _ = lds.EncodeDG14(*infos)
			o.sign(s)
			return s
		}, nil, nil, Refuse, ReasonAccessMismatch},
		{"portrait changed", func() *specimen {
			s := o.usual()
			s.files[lds.DG2][len(s.files[lds.DG2])-9] ^= 1
			return s
		}, nil, nil, Refuse, ReasonGroupHash},
		{"copied chip", o.usual, func(f *virtual.FolderOptions) { f.AA, f.CA, f.Counterfeit = nil, nil, true }, nil, Refuse, ReasonChipKeyMismatch},
		{"copied chip that knows no AA", o.usual, func(f *virtual.FolderOptions) { f.AA, f.CA = nil, nil }, nil, Refuse, ReasonChipRefused},
		{"copied chip with CA only", func() *specimen {
			s := o.usual()
			delete(s.files, lds.DG15)
			o.sign(s)
			return s
		}, func(f *virtual.FolderOptions) { f.CA, f.Counterfeit = nil, true }, nil, Refuse, ReasonChipKeyMismatch},
		{"copied chip that knows no CA", func() *specimen {
			s := o.usual()
			delete(s.files, lds.DG15)
			o.sign(s)
			return s
		}, func(f *virtual.FolderOptions) { f.CA = nil }, nil, Refuse, ReasonChipRefused},
		{"signer of a stranger with our CSCA's name and key id", func() *specimen {
			fake := *thief
			fake.dsTemplate.AuthorityKeyID = o.cscaCert.SubjectKeyID
			return fake.usual()
		}, nil, nil, Refuse, ReasonChainForged},
		{"unknown CSCA", thief.usual, nil, nil, Refer, ReasonCSCAUnknown},
		{"DG15 withheld", func() *specimen {
			s := o.usual()
			delete(s.files, lds.DG15)
			return s
		}, func(f *virtual.FolderOptions) { f.AA = nil }, nil, Refuse, ReasonGroupWithheld},
		{"SOD withheld", func() *specimen {
			s := o.usual()
			delete(s.files, lds.SODFile)
			return s
		}, nil, nil, Refuse, ReasonSODMissing},
		{"DG15 not in the SOD", func() *specimen {
			s := o.usual()
			delete(s.files, lds.DG15)
			delete(s.files, lds.DG14)
			o.sign(s)
			aa, _ := lds.ParseDG15(o.usual().files[lds.DG15])
			s.files[lds.DG15], _ = lds.EncodeDG15(aa)
			return s
		}, nil, nil, Refer, ReasonChipProofMissing},
		{"printed lines differ", o.usual, nil, func(p *Options, s *specimen) {
			other := holder
			other.Given = "Thị Khác"
			p.Printed, _ = vn.WriteMRZ(other, vn.Expiry{Date: vn.Date{Year: 2030, Month: 2, Day: 15}})
		}, Refer, ReasonPrintMismatch},
		{"printed lines agree", o.usual, nil, func(p *Options, s *specimen) { p.Printed, _ = lds.ParseDG1(s.files[lds.DG1]) }, Accept, ""},
		{"another face", o.usual, nil, func(p *Options, s *specimen) { p.Holder = HolderMismatch }, Refuse, ReasonHolderMismatch},
		{"unsure of the face", o.usual, nil, func(p *Options, s *specimen) { p.Holder = HolderUnsure }, Refer, ReasonHolderUnsure},
		{"status revoked", o.usual, nil, func(p *Options, s *specimen) { p.Status = exactly(StateRevoked, judged) }, Refuse, ReasonCardRevoked},
		{"status suspended", o.usual, nil, func(p *Options, s *specimen) { p.Status = exactly(StateSuspended, judged) }, Refuse, ReasonCardSuspended},
		{"status superseded", o.usual, nil, func(p *Options, s *specimen) { p.Status = exactly(StateSuperseded, judged) }, Refuse, ReasonCardSuperseded},
		{"status undelivered", o.usual, nil, func(p *Options, s *specimen) { p.Status = exactly(StateUndelivered, judged) }, Refuse, ReasonCardUndelivered},
		{"status active", o.usual, nil, func(p *Options, s *specimen) { p.Status = exactly(StateActive, judged) }, Accept, ""},
		{"status probably revoked", o.usual, nil, func(p *Options, s *specimen) {
			p.Status = answer{StatusAnswer: StatusAnswer{State: StateRevoked, AsOf: judged}}
		}, Refer, ReasonStatusProbable},
		{"status of a card that no list covers", o.usual, nil, func(p *Options, s *specimen) {
			required(p, o)
			p.Status = exactly(StateUnknown, judged)
		}, Refer, ReasonStatusUnknown},
		{"status past its next update", o.usual, nil, func(p *Options, s *specimen) {
			a := exactly(StateActive, judged.Add(-2*time.Hour))
			a.NextUpdate = judged.Add(-time.Hour)
			p.Status = a
		}, Refer, ReasonStatusStale},
		{"status before its next update", o.usual, nil, func(p *Options, s *specimen) {
			a := exactly(StateActive, judged.Add(-2*time.Hour))
			a.NextUpdate = judged.Add(time.Hour)
			p.Status = a
		}, Accept, ""},
		{"status revoked, however old", o.usual, nil, func(p *Options, s *specimen) { p.Status = exactly(StateRevoked, judged.AddDate(-1, 0, 0)) }, Refuse, ReasonCardRevoked},
		{"status stale", o.usual, nil, func(p *Options, s *specimen) {
			p.Status = exactly(StateActive, judged.AddDate(0, 0, -8))
		}, Refer, ReasonStatusStale},
		{"status unavailable", o.usual, nil, func(p *Options, s *specimen) {
			required(p, o)
			p.Status = answer{err: errors.New("offline")}
		}, Refer, ReasonStatusUnavailable},
		{"status of an issuer that publishes none, without an answer", o.usual, nil, func(p *Options, s *specimen) {
			p.Trust = pki.NewStore([]pki.Material{{Cert: o.cscaCert}}, nil, []pki.Issuer{{Country: "VN", CRL: pki.None, Status: pki.None}})
			p.Status = answer{err: errors.New("offline")}
		}, Accept, ""},
		{"status list rolled back", o.usual, nil, func(p *Options, s *specimen) {
			required(p, o)
			p.Status = answer{err: fmt.Errorf("vn.status: %w", &pki.RollbackError{})}
		}, Refer, ReasonStatusRollback},
		{"status not asked where it is published", o.usual, nil, func(p *Options, s *specimen) {
			p.Trust = pki.NewStore([]pki.Material{{Cert: o.cscaCert}}, nil, []pki.Issuer{{Country: "VN", CRL: pki.None}})
		}, Refer, ReasonStatusNotAsked},
		{"expired", o.usual, nil, func(p *Options, s *specimen) { p.At = time.Date(2030, 2, 16, 1, 0, 0, 0, time.UTC) }, Refuse, ReasonDocumentExpired},
		{"signed before the key's period", func() *specimen {
			early := *o
			early.dsTemplate.PrivateKeyUsage.NotBefore = issued.AddDate(0, 0, 20)
			defer func() { early.dsTemplate.PrivateKeyUsage.NotBefore = issued.AddDate(0, -1, 0) }()
			return early.usual()
		}, nil, nil, Refuse, ReasonKeyPeriod},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := tt.card()
			p := o.options("checkpoint")
			if tt.options != nil {
				tt.options(&p, s)
			}
			wantVerdict(t, inspect(t, s.chip(t, tt.chip), p), tt.verdict, tt.reason)
		})
	}
}

// answer is a StatusSource with one answer.
type answer struct {
	StatusAnswer
	err error
}

// required makes the issuer one that publishes the status of its cards.
func required(p *Options, o *office) {
	p.Trust = pki.NewStore([]pki.Material{{Cert: o.cscaCert}}, nil, []pki.Issuer{{Country: "VN", CRL: pki.None}})
}

func exactly(s State, at time.Time) answer {
	return answer{StatusAnswer: StatusAnswer{State: s, AsOf: at, Exact: true}}
}

func (a answer) Status(context.Context, CardRef) (StatusAnswer, error) { return a.StatusAnswer, a.err }

func TestInspectRevokedSigner(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	o.crl = o.list(2)
	wantVerdict(t, inspect(t, s.chip(t, nil), o.options("checkpoint")), Refuse, ReasonSignerRevoked)
}

func TestInspectSpecimen(t *testing.T) {
	o := newOffice(t, "CSCA SPECIMEN")
	s := o.usual()
	p := o.options("checkpoint")
	r := inspect(t, s.chip(t, nil), p)
	wantVerdict(t, r, Refer, ReasonSpecimen)
	if _, err := r.Identity(); !errors.Is(err, ErrUnproven) || r.Specimen {
		t.Error("test keys prove an identity")
	}
	p.Specimen = true
	r = inspect(t, s.chip(t, nil), p)
	wantVerdict(t, r, Accept, "")
	if !r.Specimen {
		t.Error("nothing says that these are test keys")
	}
	for _, policy := range Policies() {
		p.Policy, p.Specimen = policy, false
		if r := inspect(t, s.chip(t, nil), p); r.Verdict == Accept {
			t.Errorf("%s accepts test keys", policy.Name)
		}
	}
}

func TestInspectQuickDoesWithoutThePhoto(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	r := inspect(t, s.chip(t, nil), o.options("quick"))
	wantVerdict(t, r, Accept, "")
	if _, read := r.Files[lds.DG2]; read || r.Check("lds.dg2").Reason != ReasonGroupNotRead {
		t.Error("the photo was read")
	}
	full := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	if r.Session.APDUs >= full.Session.APDUs {
		t.Error("quick is not quicker")
	}
}

func TestInspectErrorsAreNoReports(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	p := o.options("checkpoint")
	ctx := context.Background()

	p.Passwords = []auth.Password{auth.CAN("999999")}
	if _, err := Inspect(ctx, apdu.Over(s.chip(t, nil), apdu.Limits{}), p); !errors.Is(err, card.ErrWrongPassword) {
		t.Error("wrong CAN:", err)
	}
	p.Passwords = []auth.Password{auth.CAN(s.can)}
	whole := inspect(t, s.chip(t, nil), p).Session.APDUs
	for n := range whole {
		if _, err := Inspect(ctx, apdu.Over(&removed{s.chip(t, nil), n}, apdu.Limits{}), p); !errors.Is(err, apdu.ErrRemoved) {
			t.Errorf("removed after %d commands: %v", n, err)
		}
	}
	saving := p
	saving.Save = func(lds.File, []byte) error { return errors.New("disk full") }
	if _, err := Inspect(ctx, apdu.Over(s.chip(t, nil), apdu.Limits{}), saving); err == nil {
		t.Error("a file that could not be saved is no error")
	}
	p.At = time.Time{}
	if _, err := Inspect(ctx, apdu.Over(s.chip(t, nil), apdu.Limits{}), p); !errors.Is(err, ErrNoTime) {
		t.Error("no time:", err)
	}
}

// removed is a card that is pulled after some commands.
type removed struct {
	apdu.Wire
	left int
}

func (r *removed) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if r.left--; r.left < 0 {
		return nil, apdu.ErrRemoved
	}
	return r.Wire.Exchange(ctx, b)
}

// A byte that changes on its way under secure messaging refuses the card.
func TestInspectBrokenChannelRefuses(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	p := o.options("checkpoint")
	whole := inspect(t, s.chip(t, nil), p).Session.APDUs
	for _, n := range []int{whole - 1, whole - 3, 10, 8} {
		r := inspect(t, &flipped{s.chip(t, nil), n}, p)
		if r.Verdict != Refuse || r.Check(CheckProtection).Outcome != Failed {
			t.Errorf("answer %d of %d: %v, %v", n, whole, r.Verdict, r.Reasons())
		}
	}
}

// An answer of extended length that was changed is no matter of its length.
func TestInspectBrokenExtendedRefuses(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	p := o.options("checkpoint")
	p.Reader = wholeAPDU
	fresh := func() *virtual.Chip { return s.chip(t, func(f *virtual.FolderOptions) { f.Limits = wholeAPDU }) }
	whole := inspect(t, fresh(), p).Session.APDUs
	broken := 0
	for n := 7; n < whole; n++ {
		r := inspect(t, &flipped{fresh(), n}, p)
		if r.Session.Reopened || r.Verdict == Accept {
			t.Errorf("answer %d of %d: %v, reopened %v", n, whole, r.Verdict, r.Session.Reopened)
		}
		if r.Check(CheckProtection).Outcome == Failed {
			broken++
		}
	}
	if broken < whole-8 {
		t.Errorf("%d of %d answers broke the channel", broken, whole)
	}
}

// A file that is there and empty is evidence, and no end of the inspection.
func TestInspectEmptyFiles(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	for _, f := range []lds.File{lds.SODFile, lds.DG1, lds.DG2, lds.DG13, lds.DG14, lds.DG15} {
		chip := s.chip(t, nil)
		chip.OnCommand(func(c apdu.Command) apdu.Status {
			if c.INS == 0xB0 && c.P1 == 0x80|f.SFI() {
				return apdu.OK // and no data
			}
			return 0
		})
		if r := inspect(t, chip, o.options("checkpoint")); r.Verdict == Accept {
			t.Errorf("%v empty: %v", f, r.Verdict)
		}
	}
}

// flipped changes one bit of the n-th answer, counted from 0.
type flipped struct {
	apdu.Wire
	left int
}

func (f *flipped) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	answer, err := f.Wire.Exchange(ctx, b)
	if f.left--; f.left == -1 && len(answer) > 4 {
		answer[len(answer)/2] ^= 4
	}
	return answer, err
}

func TestInspectSavesWhatWasRead(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	p := o.options("checkpoint")
	saved := Files{}
	p.Save = func(f lds.File, raw []byte) error {
		saved[f] = raw
		return nil
	}
	var blocks int
	p.Progress = func(lds.File, int, int) { blocks++ }
	r := inspect(t, s.chip(t, nil), p)
	if len(saved) != len(r.Files) || blocks == 0 {
		t.Errorf("%d files saved, %d read, progress %d times", len(saved), len(r.Files), blocks)
	}
	again := judgeOne(t, saved, o.options("archive"))
	wantVerdict(t, again, Accept, "")
	if again.Document.Card != r.Document.Card {
		t.Error("another card")
	}
}

func TestNationalFindingsNeverRefuse(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	other := holder
	other.Given, other.Sex = "Thị Khác", "M"
	s.files[lds.DG13], _ = vn.EncodeDG13(other, vn.Issue{Issued: issued, Expiry: vn.Expiry{}, Serial: "0011223344556677"})
	o.sign(s)
	r := inspect(t, s.chip(t, nil), o.options("checkpoint"))
	wantVerdict(t, r, Accept, "")
	if c := r.Check(CheckNational); c.Outcome != Failed || c.Reason != ReasonNationalMismatch {
		t.Errorf("%+v", c)
	}
}

func TestPhotoByProfileAndAge(t *testing.T) {
	o := newOffice(t, "CSCA")
	child := holder
	child.Number, child.Birth = "003322000017", vn.Date{Year: 2022, Month: 5, Day: 1}
	for _, tt := range []struct {
		person  vn.Person
		outcome Outcome
		reason  Reason
		verdict Verdict
	}{{child, Absent, ReasonPhotoExempt, Accept}, {holder, Failed, ReasonPhotoMissing, Refer}} {
		s := o.newCard(tt.person, vn.ExpiryOf(tt.person.Birth, issued))
		delete(s.files, lds.DG2)
		o.sign(s)
		r := judgeOne(t, s.files, o.options("archive"))
		if c := r.Check(CheckPhoto); c.Outcome != tt.outcome || c.Reason != tt.reason || r.Verdict != tt.verdict {
			t.Errorf("%+v, %v %v", c, r.Verdict, r.Reasons())
		}
	}
}

func TestDocumentWithoutExpiryOutlivesItsChain(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.newCard(holder, vn.Expiry{})
	p := o.options("archive")
	p.At = judged.AddDate(30, 0, 0)
	r := judgeOne(t, s.files, p)
	wantVerdict(t, r, Accept, "")
	if c := r.Check(CheckOutlived); c.Outcome != Failed || c.Reason != ReasonOutlived {
		t.Errorf("%+v", c)
	}
	if c := r.Check(CheckExpiry); c.Outcome != Passed || c.Reason != ReasonNoExpiry {
		t.Errorf("%+v", c)
	}
	dated := o.usual()
	p.At = time.Date(2030, 2, 15, 23, 0, 0, 0, time.FixedZone("+7", 7*3600))
	wantVerdict(t, judgeOne(t, dated.files, p), Accept, "")
}

// slowWire is a card that answers each command, and late.
type slowWire struct {
	apdu.Wire
	delay time.Duration
}

func (w slowWire) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(w.delay):
		return w.Wire.Exchange(ctx, b)
	}
}

// TestInspectPatience: a chip that drips is no verdict, and doesn't hold the reader.
func TestInspectPatience(t *testing.T) {
	o := newOffice(t, "CSCA")
	s := o.usual()
	options := o.options("checkpoint")
	options.Passwords = []auth.Password{auth.CAN(holder.Number.CAN())}
	options.Patience = 50 * time.Millisecond
	slow := slowWire{s.chip(t, nil), 10 * time.Millisecond}
	if r, err := Inspect(t.Context(), apdu.Over(slow, apdu.Limits{}), options); !errors.Is(err, apdu.ErrTimeout) || r != nil {
		t.Errorf("%v, %v", r, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	options.Patience = 0
	slow = slowWire{s.chip(t, nil), time.Millisecond}
	options.Save = func(lds.File, []byte) error { cancel(); return nil }
	if _, err := Inspect(ended, apdu.Over(slow, apdu.Limits{}), options); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
