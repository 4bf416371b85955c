package ceremony

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const script = `
title = "First CSCA of a SPECIMEN authority"
custodians = 2

[[step]]
do = "attend"
[[step]]
do = "say"
text = "The door is closed and telephones are outside"
[[step]]
do = "ask"
text = "Number of the seal"
[[step]]
do = "act"
act = "csca"
with = { algorithm = "P-384" }
[[step]]
do = "read"
of = "csca.cer"
[[step]]
do = "import"
of = "dv.cvreq"
[[step]]
do = "export"
of = "csca.cer"
`

// room is one with two custodians and answers that were prepared.
type room struct {
	*testing.T
	people     []Custodian
	answers    []string
	prompts    []string
	transcript bytes.Buffer
	acts       []string
	incoming   []byte
	signed     []byte
	now        time.Time
}

func newPerson(t testing.TB, name string) Custodian {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Custodian{name, key}
}

func newRoom(t *testing.T) *room {
	r := &room{
		T: t, people: []Custodian{newPerson(t, "an"), newPerson(t, "binh")}, answers: []string{"yes", "S-0017", "AB12 cd34"},
		incoming: []byte("request"), now: time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC),
	}
	var err error
	if r.signed, err = SignFile(r.incoming, newPerson(t, "cuc"), newPerson(t, "dung")); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *room) room() Room {
	return Room{
		Now:        func() time.Time { r.now = r.now.Add(time.Second); return r.now },
		Transcript: &r.transcript,
		Custodian: func(_ context.Context, n int) (Custodian, error) {
			if n >= len(r.people) {
				return Custodian{}, errors.New("nobody came forward")
			}
			return r.people[n], nil
		},
		Ask: func(_ context.Context, prompt string) (string, error) {
			r.prompts = append(r.prompts, prompt)
			if len(r.answers) == 0 {
				return "", errors.New("nobody answers")
			}
			a := r.answers[0]
			r.answers = r.answers[1:]
			return a, nil
		},
		Show: func(string) {},
		Act: func(_ context.Context, act string, with map[string]string, by []Custodian) ([]Output, error) {
			r.acts = append(r.acts, act)
			if len(by) != 2 || with["algorithm"] != "P-384" {
				return nil, fmt.Errorf("by %d persons with %v", len(by), with)
			}
			return []Output{{"csca.cer", Digest([]byte("certificate"))}}, nil
		},
		CheckValue: func(context.Context, string) (string, error) { return "ab12-CD34", nil },
		Import:     func(context.Context, string) ([]byte, []byte, error) { return r.incoming, r.signed, nil },
		Export: func(_ context.Context, _ string, sign func([]byte) ([]byte, error)) (Output, error) {
			signed, err := sign([]byte("certificate"))
			if err != nil {
				return Output{}, err
			}
			_, err = CheckFile([]byte("certificate"), signed, func(string, string) error { return nil })
			return Output{"csca.cer", Digest([]byte("certificate"))}, err
		},
		Known: func(_ context.Context, name, _ string) error {
			if name == "cuc" || name == "dung" {
				return nil
			}
			return fmt.Errorf("%w: %s", ErrCustodian, name)
		},
	}
}

func (r *room) run(rehearsal bool) ([]byte, error) {
	r.Helper()
	s, err := Parse([]byte(script))
	if err != nil {
		r.Fatal(err)
	}
	err = Run(r.Context(), s, r.room(), rehearsal)
	return r.transcript.Bytes(), err
}

func TestCeremony(t *testing.T) {
	for _, rehearsal := range []bool{false, true} {
		r := newRoom(t)
		raw, err := r.run(rehearsal)
		if err != nil {
			t.Fatal(err)
		}
		report, err := Verify(raw)
		if err != nil {
			t.Fatal(err)
		}
		var outputs []string
		for _, o := range report.Outputs {
			outputs = append(outputs, o.Name)
		}
		if report.Rehearsal != rehearsal || report.Title != "First CSCA of a SPECIMEN authority" || len(report.Custodians) != 2 || report.Custodians[1].Name != "binh" ||
			report.Digest != Digest(raw) || report.Script != Digest([]byte(script)) || !slices.Equal(outputs, []string{"csca.cer", "dv.cvreq", "csca.cer"}) ||
			!report.Ended.After(report.Began) {
			t.Errorf("%+v", report)
		}
		for _, want := range []string{`"answer":"S-0017"`, `"prompt":"ab12-CD34","answer":"AB12 cd34"`, `"kind":"say","step":2,"prompt":"The door is closed`} {
			if !bytes.Contains(raw, []byte(want)) {
				t.Errorf("no %s in\n%s", want, raw)
			}
		}
	}
}

// TestCeremonyStops: what is missing or wrong stops it, nothing further is done, and the
// transcript does not pass for a whole one.
func TestCeremonyStops(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*room)
		want   error
		acts   int
	}{
		"a custodian is missing":         {func(r *room) { r.people = r.people[:1] }, ErrCustodian, 0},
		"one person twice":               {func(r *room) { r.people[1] = r.people[0] }, ErrCustodian, 0},
		"one key under two names":        {func(r *room) { r.people[1] = Custodian{"binh", r.people[0].Key} }, ErrCustodian, 0},
		"somebody says no":               {func(r *room) { r.answers[0] = "no" }, ErrAnswer, 0},
		"nothing is answered":            {func(r *room) { r.answers[1] = "" }, ErrAnswer, 0},
		"heard something else":           {func(r *room) { r.answers[2] = "ab12 cd35" }, ErrAnswer, 1},
		"nobody answers":                 {func(r *room) { r.answers = r.answers[:1] }, nil, 0},
		"another file comes in":          {func(r *room) { r.incoming = []byte("else") }, ErrTranscript, 1},
		"a file that strangers signed":   {func(r *room) { r.signed, _ = SignFile(r.incoming, r.people...) }, ErrCustodian, 1},
		"a file that one signed":         {func(r *room) { r.signed, _ = SignFile(r.incoming, newPerson(r, "cuc")) }, ErrCustodian, 1},
		"a file that one signed, twice":  {func(r *room) { p := newPerson(r, "cuc"); r.signed, _ = SignFile(r.incoming, p, p) }, ErrCustodian, 1},
		"a file without its signatures":  {func(r *room) { r.signed = nil }, ErrTranscript, 1},
		"an answer with control letters": {func(r *room) { r.answers[1] = "\x1b[2J" }, ErrAnswer, 0},
	} {
		r := newRoom(t)
		c.change(r)
		raw, err := r.run(false)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || len(r.acts) != c.acts {
			t.Errorf("%s: %v, %v", name, err, r.acts)
		}
		if _, err := Verify(raw); !errors.Is(err, ErrTranscript) || !strings.Contains(err.Error(), "stopped at step") {
			t.Errorf("%s: its transcript: %v", name, err)
		}
	}
}

// TestTranscriptChanged: whatever octet of a transcript is changed, added or taken away, it
// is noticed; and so are lines that were left out, turned round or written again.
func TestTranscriptChanged(t *testing.T) {
	r := newRoom(t)
	raw, err := r.run(false)
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(name string, b []byte) {
		t.Helper()
		if report, err := Verify(b); err == nil || report != nil && err == nil {
			t.Errorf("%s: %+v", name, report)
		}
	}
	step := 7
	for i := 0; i < len(raw); i += step {
		b := bytes.Clone(raw)
		b[i] ^= 1
		refuse(fmt.Sprintf("octet %d", i), b)
	}
	lines := bytes.SplitAfter(raw, []byte("\n"))
	lines = lines[:len(lines)-1]
	for i := range lines {
		refuse(fmt.Sprintf("without line %d", i+1), slices.Concat(append(slices.Clone(lines[:i]), lines[i+1:]...)...))
		refuse(fmt.Sprintf("up to line %d", i), slices.Concat(lines[:i]...))
	}
	refuse("something behind it", append(bytes.Clone(raw), lines[len(lines)-1]...))
	refuse("its start again", append(bytes.Clone(raw), raw...))
	refuse("nothing", nil)
	// Whoever has no custodian's key can chain other lines, but not sign them.
	var w bytes.Buffer
	out := writer{out: &w, now: func() time.Time { r.now = r.now.Add(time.Second); return r.now }, prev: start}
	list, err := read(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list {
		if x.Kind == DoAsk {
			x.Answer = "S-0018"
		}
		if err := out.add(x); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Verify(w.Bytes()); !errors.Is(err, ErrCustodian) {
		t.Errorf("written again with another answer: %v", err)
	}
}

// TestRecordedAnswers: a transcript that the custodians signed and in which a step's answer is
// not the one it needs is refused, whoever signed.
func TestRecordedAnswers(t *testing.T) {
	for kind, change := range map[string]func(*Record){
		DoSay:    func(r *Record) { r.Answer = "no" },
		DoAsk:    func(r *Record) { r.Prompt = "Number of the bag" },
		DoAct:    func(r *Record) { r.Item = "ds" },
		DoRead:   func(r *Record) { r.Answer = "ab12 cd35" },
		DoImport: func(r *Record) { r.Digest = "00" },
		DoExport: func(r *Record) { r.Item = "csca" },
	} {
		r := newRoom(t)
		raw, err := r.run(false)
		if err != nil {
			t.Fatal(err)
		}
		list, err := read(raw)
		if err != nil {
			t.Fatal(err)
		}
		var w bytes.Buffer
		c := conductor{writer: writer{out: &w, now: r.room().Now, prev: start}, room: r.room(), by: r.people}
		if c.script, err = Parse([]byte(script)); err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.Kind == kind {
				change(&x)
			}
			switch {
			case x.Kind == DoAttend && x.Who == "an":
				c.by, c.step = nil, 1
				err = c.attend(t.Context())
			case x.Kind == DoAttend, x.Kind == kindSign:
			case x.Kind == kindEnd:
				err = c.close()
			default:
				err = c.add(x)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Verify(w.Bytes()); !errors.Is(err, ErrTranscript) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestScripts(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"no title":         strings.Replace(script, "title", "#", 1),
		"one custodian":    strings.Replace(script, "custodians = 2", "custodians = 1", 1),
		"unknown key":      script + "quorum = 3\n",
		"unknown step":     script + "[[step]]\ndo = \"dance\"\n",
		"attend again":     script + "[[step]]\ndo = \"attend\"\n",
		"no attendance":    strings.Replace(script, "do = \"attend\"", "do = \"say\"\ntext = \"x\"", 1),
		"say nothing":      script + "[[step]]\ndo = \"say\"\n",
		"act without name": script + "[[step]]\ndo = \"act\"\n",
		"a way to a file":  script + "[[step]]\ndo = \"read\"\nof = \"../csca.cer\"\n",
		"with for nothing": script + "[[step]]\ndo = \"say\"\ntext = \"x\"\nwith = { a = \"b\" }\n",
		"control letters":  script + "[[step]]\ndo = \"say\"\ntext = \"x\\u001b\"\n",
		"two lines":        script + "[[step]]\ndo = \"say\"\ntext = \"x\\ny\"\n",
	} {
		if s, err := Parse([]byte(text)); s != nil || !errors.Is(err, ErrScript) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := Parse([]byte(script))
	if err != nil || !slices.Equal(s.Acts(), []string{"csca"}) {
		t.Errorf("%v, %v", s, err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"n":1,"at":"2026-09-01T09:00:00.000000Z","kind":"begin","prev":"` + start + `"}` + "\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Verify(b) })
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(script))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := Parse(b); err == nil && (s.Custodians < 2 || len(s.Steps) == 0) {
			t.Errorf("%+v", s)
		}
	})
}

func FuzzCheckFile(f *testing.F) {
	f.Add([]byte("x"), []byte(`{"sha256":"","signatures":[]}`))
	f.Fuzz(func(t *testing.T, content, signed []byte) {
		if _, err := CheckFile(content, signed, func(string, string) error { return nil }); err == nil && len(signed) == 0 {
			t.Error("signed by nobody")
		}
	})
}
