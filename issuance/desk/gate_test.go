package desk

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/issuance/printjob/ocrtest"
	"github.com/tamthe/tamthe/verify"
)

// finished is a card that waits for its examination, in a reader that a test may tamper
// with, and what a faultless reader makes of its body.
type finished struct {
	r    *rig
	app  string
	card string
	chip *virtual.Chip
	s    *slot
	body printjob.Reading
	e    Examination
}

func (r *rig) finished(t *testing.T, n int) *finished {
	t.Helper()
	f := &finished{r: r, chip: blank()}
	f.app = r.approved(t, enrolment(n))
	f.card = r.personalised(t, f.app, f.chip, r.plan())
	f.s = insert(f.chip)
	f.body = readingOf(t, must(r.an.Draft(t.Context(), f.app))(t).body())
	f.e = r.examination()
	f.e.Body, f.e.Sample = &f.body, 1
	return f
}

// readingOf is what a reader without fault makes of a print job of the design of 2021.
func readingOf(t *testing.T, c printjob.Card) printjob.Reading {
	t.Helper()
	zone := must(c.MRZ())(t)
	r := printjob.Reading{
		Front: printjob.Surface{Fields: map[string]string{"number": string(c.Person.Number)}, QR: c.QR()},
		Back:  printjob.Surface{MRZ: strings.Join(zone.Lines, "\n")},
	}
	box, _ := printjob.Portrait(c.Design)
	img := must(picture.Decode(t.Context(), c.Portrait, picture.Options{}))(t)
	scan := image.NewGray(image.Rect(0, 0, int(box.W*15), int(box.H*15)))
	draw.Draw(scan, scan.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	box.X, box.Y = 0, 0
	in := box.Within(img.Bounds().Dx(), img.Bounds().Dy())
	for y := range int(in.H * 15) {
		for x := range int(in.W * 15) {
			at := img.At(int(float64(x)/15/in.W*float64(img.Bounds().Dx())), int(float64(y)/15/in.H*float64(img.Bounds().Dy())))
			scan.Set(int(in.X*15)+x, int(in.Y*15)+y, at)
		}
	}
	var b bytes.Buffer
	check(t, png.Encode(&b, scan))
	r.Front.Portrait = b.Bytes()
	return r
}

// altered is the slot's chip behind a wire that changes its answers.
func (f *finished) altered(change func(command, answer []byte) []byte) {
	f.s.exchange = func(ctx context.Context, _ int, b []byte) ([]byte, error) {
		a, err := f.chip.Exchange(ctx, b)
		if err != nil {
			return nil, err
		}
		return change(b, a), nil
	}
}

// mutants are cards with one fault each, by the only check that finds it.
var mutants = map[string][]struct {
	name string
	make func(t *testing.T, f *finished)
}{
	QAOpens: {{"a chip with another card's access keys", func(t *testing.T, f *finished) {
		f.clone(t, virtual.FolderOptions{MRZ: "190000099590021553002153", CAN: "000099"})
	}}},
	QAFiles: {{"an octet of EF.COM, which nobody signs", func(t *testing.T, f *finished) {
		com := must(f.files(t))(t)[lds.COM]
		at := bytes.Index(com, []byte("040000")) // the version of Unicode
		check(t, f.chip.Tamper(lds.COM, at+5, 0x01))
	}}},
	QASignature: {{"a document signer that was revoked since", func(t *testing.T, f *finished) {
		check(t, f.r.an.MakeCRL(t.Context(), 90, "ds-001"))
		f.r.loadTrust(t)
		f.e.Verify.Trust = f.r.trust
	}}},
	QAChip: {{"a copy of the card on a chip with keys of its own", func(t *testing.T, f *finished) {
		f.clone(t, virtual.FolderOptions{Counterfeit: true, CAN: person(1).Number.CAN()})
	}}},
	QABiometrics: {
		{"DG3 for everybody who has a channel", func(_ *testing.T, f *finished) {
			f.chip.OnCommand(func(c apdu.Command) apdu.Status {
				if c.INS == 0xA4 && bytes.Equal(c.Data, []byte{0x01, 0x03}) {
					return apdu.OK
				}
				return 0
			})
		}},
		{"DG4 by its short identifier", func(_ *testing.T, f *finished) {
			f.chip.OnCommand(func(c apdu.Command) apdu.Status {
				if c.INS == 0xB0 && c.P1 == 0x84 {
					return apdu.OK
				}
				return 0
			})
		}},
	},
	QALocked: {
		{"still open for the supplier", func(_ *testing.T, f *finished) {
			f.altered(func(c, a []byte) []byte {
				if c[1] == 0x50 && c[2] == 0 {
					return append(make([]byte, 29), 0x90, 0x00)
				}
				return a
			})
		}},
		{"DG1 in the clear", func(_ *testing.T, f *finished) {
			f.altered(func(c, a []byte) []byte {
				if c[0] == 0 && c[1] == 0xB0 && c[2] == 0x81 {
					return []byte{0x61, 0x5D, 0x90, 0x00}
				}
				return a
			})
		}},
		{"takes STORE DATA from anybody", func(_ *testing.T, f *finished) {
			f.altered(func(c, a []byte) []byte {
				if c[1] == 0xE2 {
					return []byte{0x90, 0x00}
				}
				return a
			})
		}},
		{"tells its history", func(_ *testing.T, f *finished) {
			f.altered(func(c, a []byte) []byte {
				if c[1] == 0xCA && c[2] == 0x9F {
					return append(bytes.Repeat([]byte{7}, 42), 0x90, 0x00)
				}
				return a
			})
		}},
	},
	QAAnonymous: {{"the same UID each time", func(_ *testing.T, f *finished) {
		f.altered(func(c, a []byte) []byte {
			if c[0] == 0xFF && c[1] == 0xCA {
				return []byte{0x04, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x90, 0x00}
			}
			return a
		})
	}}},
	QABody: {
		{"one letter of the zone", func(_ *testing.T, f *finished) {
			f.body.Back.MRZ = strings.Replace(f.body.Back.MRZ, "NGHIEM", "NGHIEN", 1)
		}},
		{"one letter of the code", func(_ *testing.T, f *finished) {
			f.body.Front.QR = strings.Replace(f.body.Front.QR, "Số 17", "Số 71", 1)
		}},
		{"another's portrait", func(t *testing.T, f *finished) {
			other := must(f.r.an.Draft(t.Context(), f.app))(t).body()
			other.Portrait = portrait(77)
			f.body.Front.Portrait = readingOf(t, other).Front.Portrait
		}},
		{"the front of another card", func(t *testing.T, f *finished) {
			other := must(f.r.an.Draft(t.Context(), f.r.approved(t, enrolment(2))))(t).body()
			number := f.body.Front.Fields["number"] // the last six digits are typed from this card
			f.body.Front = readingOf(t, other).Front
			f.body.Front.Fields["number"] = number
		}},
		{"the front was not read", func(_ *testing.T, f *finished) { f.body.Front.QR, f.body.Front.Portrait = "", nil }},
	},
	QAKeys: {{"keys that another card has", func(t *testing.T, f *finished) {
		other := f.r.finished(t, 3)
		var notes chipNotes
		must(f.r.an.openLast(t.Context(), issuance.Card(f.card), chipName, &notes))(t)
		f.r.tamper(t, "UPDATE claim SET stream = ? WHERE kind = 'chip-key' AND value = ?", other.card, digest(notes.CA))
	}}},
	QASample: {{"a broken code is answered as if nothing were", func(_ *testing.T, f *finished) {
		f.altered(func(_, a []byte) []byte {
			if bytes.Equal(a, []byte{0x69, 0x88}) {
				return []byte{0x6A, 0x86}
			}
			return a
		})
	}}},
}

// files are those that were signed for the card.
func (f *finished) files(t *testing.T) (map[lds.File][]byte, error) {
	t.Helper()
	byName, err := f.r.an.openFiles(t.Context(), issuance.Card(f.card), contentName, allClasses...)
	files := map[lds.File][]byte{}
	for name, b := range byName {
		file, _ := lds.ByName(name)
		files[file] = b
	}
	return files, err
}

// clone puts a copy of the card into the reader that anybody could make who has read it.
func (f *finished) clone(t *testing.T, o virtual.FolderOptions) {
	t.Helper()
	folder := fstest.MapFS{}
	for file, b := range must(f.files(t))(t) {
		folder[file.FileName()] = &fstest.MapFile{Data: b}
	}
	o.Rules = &gp.Rules{NoSelectMF: true}
	f.chip = must(virtual.FromFolder(folder, o))(t)
	f.s = insert(f.chip)
}

// TestGate: each of the ten checks has a mutant that it finds, and nobody else does.
func TestGate(t *testing.T) {
	if len(mutants) != len(qualityCodes) {
		t.Fatalf("%d checks, mutants for %d", len(qualityCodes), len(mutants))
	}
	for _, code := range qualityCodes {
		list := mutants[code]
		if len(list) == 0 {
			t.Errorf("%s has no mutant", code)
		}
		for _, m := range list {
			t.Run(code+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				f := r.finished(t, 1)
				if q, err := f.examine(t); err != nil || !q.Passed() {
					t.Fatalf("without the fault: %v %v", err, q)
				}
				m.make(t, f)
				q, err := r.binh.Check(t.Context(), f.card, f.s, f.e)
				failed := wantType[*QualityError](t, "check", err)
				if q == nil || failed == nil {
					return
				}
				if got := q.Failing(); !slices.Equal(got, []string{code}) || q.Reason() != code {
					t.Errorf("%v fail, want %s: %s", got, code, describe(q))
				}
				r.wantPhase(t, issuance.Card(f.card), issuance.Locked)
			})
		}
	}
}

// examine is an examination that nobody records.
func (f *finished) examine(t *testing.T) (*Quality, error) {
	t.Helper()
	s := must(issuance.Load(t.Context(), f.r.store, issuance.Card(f.card)))(t)
	g, err := f.r.binh.examine(t.Context(), s.Subject(issuance.Card(f.card)), must(f.r.binh.Draft(t.Context(), f.app))(t), f.s, f.e)
	if err != nil {
		return nil, err
	}
	return g.q, nil
}

func describe(q *Quality) string {
	var b strings.Builder
	for _, c := range q.Checks {
		fmt.Fprintf(&b, "\n%2d %-14s %-12v %s", c.Number, c.Code, c.Outcome, c.Detail)
	}
	return b.String()
}

// TestGatePasses: a sound card passes, whether or not it is in the sample, and its
// examination is kept.
func TestGatePasses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := r.finished(t, 1)
	q := must(r.binh.Check(t.Context(), f.card, f.s, f.e))(t)
	want := map[string]verify.Outcome{QAAnonymous: verify.Absent}
	for _, c := range q.Checks {
		if w, ok := want[c.Code]; ok && c.Outcome != w || !ok && c.Outcome != verify.Passed {
			t.Errorf("%s", describe(q))
			break
		}
	}
	r.wantPhase(t, issuance.Card(f.card), issuance.Checked)
	var kept checkedReport
	must(r.binh.openLast(t.Context(), issuance.Card(f.card), reportName, &kept))(t)
	if len(kept.Checks) != 10 {
		t.Errorf("%d checks are kept", len(kept.Checks))
	}

	// A random UID is none that names the card.
	n := byte(0)
	f.altered(func(c, a []byte) []byte {
		if c[0] == 0xFF {
			n++
			return []byte{0x08, n, 2, 3, 0x90, 0x00}
		}
		return a
	})
	f.e.Body, f.e.Sample = nil, 1<<30
	q = must(r.binh.Check(t.Context(), f.card, f.s, f.e))(t)
	if q.Check(QAAnonymous).Outcome != verify.Passed || q.Check(QASample).Outcome != verify.NotRun || q.Check(QABody).Outcome != verify.NotRun {
		t.Error(describe(q))
	}
	r.sound(t)
}

// TestGateReadsThePrint has the body printed, rendered and read by programs of others.
func TestGateReadsThePrint(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := r.finished(t, 1)
	c := must(r.an.Draft(t.Context(), f.app))(t).body()
	f.body = ocrtest.Read(t, c.Design, must(c.PDF())(t))
	must(r.binh.Check(t.Context(), f.card, f.s, f.e))(t)

	wrong := c
	wrong.Person.Given = "Thị Thử Nghiệp" // one letter, and the printer has another
	f.body = ocrtest.Read(t, c.Design, must(wrong.PDF())(t))
	q, err := r.binh.Check(t.Context(), f.card, f.s, f.e)
	wantType[*QualityError](t, "one letter", err)
	if got := q.Failing(); !slices.Equal(got, []string{QABody}) || !strings.Contains(q.Check(QABody).Detail, "mrz differs, qr differs") {
		t.Error(describe(q))
	}
}

// TestGateAnotherCard: another card of the ledger in the reader is nobody's failure.
func TestGateAnotherCard(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := r.finished(t, 1)
	other := r.finished(t, 2)
	_, err := r.binh.Check(t.Context(), f.card, other.s, other.e)
	wantType[*QualityError](t, "another person's card", err) // it does not even open
	_, err = r.binh.Check(t.Context(), f.card, insert(blank()), f.e)
	wantType[*QualityError](t, "a blank chip", err)
	r.wantPhase(t, issuance.Card(f.card), issuance.Locked)
	f.s.resets = func() error { return apdu.ErrRemoved }
	_, err = r.binh.Check(t.Context(), f.card, f.s, f.e)
	wantError(t, "taken away", err, apdu.ErrRemoved)
}
