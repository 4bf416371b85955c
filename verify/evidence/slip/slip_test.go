package slip

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"

	"github.com/tamthe/tamthe/card/profile/vn"
)

var (
	now    = time.Date(2026, 11, 26, 7, 30, 0, 0, time.UTC)
	zone   = time.FixedZone("+07", 7*3600)
	office = Office{Name: "Công an phường Mẫu, bàn 2", Basis: "Luật 26/2023/QH15, Điều 22", Complain: "Công an tỉnh Mẫu, 0123"}
	person = vn.Person{
		Number: "003078000041", Surname: "Đỗ", Given: "Văn Ví Dụ", Sex: "M", Birth: vn.Date{Year: 1978, Month: 11, Day: 5}, Nationality: "Việt Nam",
		Origin: "Xã Gốc, Tỉnh Thử", Residence: "Số 5, phố Ở, Tỉnh Thử", Ethnicity: "Tày", Religion: "Không", Features: "Sẹo chấm",
		Father: "Đỗ Văn Ông", Mother: "Lý Thị Bà",
	}
)

// inspected is a card that was inspected and recorded, with its device.
func inspected(t *testing.T, play string) (dir string, d *evidence.Device, e record.Entry, r *verify.Report) {
	t.Helper()
	scene, err := conformance.Stage(t.Context(), play, conformance.Cast{Person: person})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if d, err = evidence.NewDevice(key); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for range 2 {
		e = record.New("verify", scene.Report, now)
		e.Purpose = "qua chốt"
		if e, err = record.Append(dir, d, e); err != nil {
			t.Fatal(err)
		}
	}
	return dir, d, e, scene.Report
}

func render(t *testing.T, s Slip, d *evidence.Device, l verify.Lang) (page, text string) {
	t.Helper()
	var a, b bytes.Buffer
	if err := errors.Join(s.Page(&a, l, d, zone), s.Text(&b, l, d, zone)); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

// A slip says what was read, by whom, for what and when, in both languages, and no value of
// it.
func TestSlip(t *testing.T) {
	dir, d, e, r := inspected(t, "print-agrees")
	s, err := New(e, r, office, KeptBundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []verify.Lang{verify.Vietnamese, verify.English} {
		page, text := render(t, s, d, l)
		w := words(l)
		for _, want := range []string{
			office.Name, office.Basis, office.Complain, "qua chốt", w.verdicts["accept"], w.files["DG1"], w.files["DG2"], w.files["DG13"], w.kept[KeptBundle], "SPECIMEN",
			w.Entry + " 2", "26/11/2026",
		} {
			if l == verify.English && want == "26/11/2026" {
				want = "2026-11-26 14:30"
			}
			if !strings.Contains(page, want) || !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", l, want, text)
			}
		}
		for _, secret := range []string{"003078000041", "000041", "Ví Dụ", "VI<DU", "1978", "05/11", "phố Ở", "Gốc", "Tày", "Sẹo", "Ông", "Bà", "data:image"} {
			if strings.Contains(page, secret) || strings.Contains(text, secret) {
				t.Errorf("%s: the slip says %q", l, secret)
			}
		}
		for _, form := range []string{page, text} {
			got, device, err := Parse([]byte(form))
			if err != nil || device != d.ID() || got.Entry != 2 || got.Purpose != "qua chốt" {
				t.Fatalf("%v: %+v", err, got)
			}
			if err := got.Recorded(dir); err != nil {
				t.Error(err)
			}
		}
	}
}

// A card that was refused has the reason on its slip; nothing read is told as nothing.
func TestRefusedSlip(t *testing.T) {
	_, d, e, r := inspected(t, "dg2-changed")
	s, err := New(e, r, office)
	if err != nil {
		t.Fatal(err)
	}
	_, text := render(t, s, d, verify.Vietnamese)
	for _, want := range []string{"không hợp lệ, vì " + verify.ReasonGroupHash.Words(verify.Vietnamese).Cause, vietnamese.KeptNone} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r.Files = nil
	if s, err = New(e, r, office); err != nil {
		t.Fatal(err)
	}
	if page, text := render(t, s, d, verify.English); !strings.Contains(text, "- nothing\n") || !strings.Contains(page, "<li>nothing</li>") {
		t.Error(text)
	}
}

// What was changed on a slip is found: by the seal, or by the record.
func TestForgedSlip(t *testing.T) {
	dir, d, e, r := inspected(t, "print-agrees")
	s, err := New(e, r, office)
	if err != nil {
		t.Fatal(err)
	}
	_, text := render(t, s, d, verify.English)
	open := strings.Index(text, begin) + len(begin) + 1
	changed := []byte(text)
	for i := range 40 { // the schema, and what follows it
		changed[open+20+i] = 'A'
	}
	if _, _, err := Parse(changed); !errors.Is(err, ErrSlip) && !errors.Is(err, evidence.ErrSeal) {
		t.Errorf("changed: %v", err)
	}
	for name, forged := range map[string]string{
		"none": "a letter", "cut": text[:len(text)-40], "twice": text + text, "no code": begin + "\n" + end, "long": begin + strings.Repeat("A", 3*maxCode) + end,
	} {
		if _, _, err := Parse([]byte(forged)); !errors.Is(err, ErrSlip) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Purpose = "another"
	_, other, err := Parse([]byte(must(t, s, d)))
	if err != nil || other != d.ID() {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Slip){
		"another entry's hash": func(s *Slip) { s.Hash = bytes.Clone(s.Hash); s.Hash[0] ^= 1 },
		"an entry beyond":      func(s *Slip) { s.Entry = 3 },
		"the entry before":     func(s *Slip) { s.Entry = 1 },
		"no entry":             func(s *Slip) { s.Entry = 0 },
	} {
		f := s
		change(&f)
		if err := f.Recorded(dir); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Recorded(filepath.Join(dir, "no")); !errors.Is(err, record.ErrMissing) {
		t.Error(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := evidence.NewDevice(stranger)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Parse([]byte(must(t, s, elsewhere))); !errors.Is(err, ErrSlip) {
		t.Errorf("sealed by another device than it names: %v", err)
	}
}

func must(t *testing.T, s Slip, d *evidence.Device) string {
	t.Helper()
	code, err := s.code(d)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// A login's slip says what the party was told, and where it is on record.
func TestLoginSlip(t *testing.T) {
	s := NewLogin(Login{
		Party: "Sở Thuế <b>", Server: "https://eid.example", Purpose: "nộp tờ khai", Session: "5e55", Files: []string{"EF.SOD", "DG1", "DG14"}, Told: eid.Fields(), At: now,
	})
	page, text := render(t, s, nil, verify.Vietnamese)
	for _, f := range eid.Fields() {
		if vietnamese.fields[f] == "" || english.fields[f] == "" {
			t.Errorf("no words for %s", f)
		}
		if !strings.Contains(text, "- "+vietnamese.fields[f]+"\n") {
			t.Errorf("%s is not told in\n%s", f, text)
		}
	}
	for _, want := range []string{"https://eid.example", "nộp tờ khai", "5e55", vietnamese.NoSeal} {
		if !strings.Contains(text, want) || !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(page, "<b>") || strings.Contains(text, begin) {
		t.Error("not escaped, or with a seal")
	}
	if _, _, err := Parse([]byte(text)); !errors.Is(err, ErrSlip) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(begin + "\nAAAA\n" + end))
	f.Add([]byte(begin))
	if b, err := os.ReadFile("slip.go"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, _, err := Parse(b); err == nil && s.Schema != schema {
			t.Error("a slip of another schema")
		}
	})
}
