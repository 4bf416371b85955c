package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance/training"
	"github.com/tamthe/tamthe/verify/durable"
)

// handout is where the files of a question lie; "" for each that there is not.
type handout struct {
	dir, photo, bearer string
}

// files writes what belongs to a question into a folder of its own.
func (t *trainer) files(q *training.Question) (handout, error) {
	if t.o.dir == "" || !q.Card() {
		return handout{}, nil
	}
	h := handout{dir: filepath.Join(t.o.dir, fmt.Sprintf("q%02d", q.Number))}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return h, err
	}
	h.photo, h.bearer = filepath.Join(h.dir, "photo.jpg"), filepath.Join(h.dir, "bearer.jpg")
	if err := durable.Export(h.photo, q.Photo.JPEG(), 0o600); err != nil {
		return h, err
	}
	return h, durable.Export(h.bearer, q.Bearer.JPEG(), 0o600)
}

// show puts a question before the trainee.
func (t *trainer) show(q *training.Question, of int, h handout) {
	p, lang := t.p, verify.Lang(t.p.lang)
	t.say("\n%s %d/%d", p.text(wordTrainQuestion), q.Number, of)
	if q.Card() {
		t.showCard(q, h)
		if t.o.vpcd == "" {
			t.showReader(q)
		} else {
			t.say("  %s\n    %s", p.text(wordTrainVerify), verifyCommand(h.dir, q))
		}
	} else {
		scene := q.Lesson.Scene
		if scene == (training.Text{}) {
			scene = training.Text{VI: wordTrainScene.vi, EN: wordTrainScene.en}
		}
		t.say("  %s", scene.In(lang))
		t.showWord(q)
	}
	t.say("  %s", p.text(wordTrainReasons))
	for i, r := range q.Choices {
		t.say("    %d  %s", i+1, training.Words(r, lang).Cause)
	}
	if t.lines.typed {
		if q.Card() {
			t.say("  %s", p.text(wordTrainAsk))
		} else {
			t.say("  %s", p.text(wordTrainAskShort))
		}
	}
}

// showCard tells what is printed and who is there.
func (t *trainer) showCard(q *training.Question, h handout) {
	p, lang, person := t.p, verify.Lang(t.p.lang), q.Scene.Person
	t.say("  %s", p.text(wordTrainPrinted))
	row := func(label phrase, value string) {
		if value != "" {
			l := p.text(label)
			t.say("      %s%s%s", l, strings.Repeat(" ", max(1, 18-len([]rune(l)))), verify.Escape(value))
		}
	}
	row(wordTrainNumber, string(person.Number))
	row(wordTrainName, person.FullName())
	row(wordTrainBirth, person.Birth.Text())
	row(wordTrainSex, map[string]phrase{"M": {"male", "Nam"}, "F": {"female", "Nữ"}}[person.Sex].in(p))
	row(wordTrainNationality, person.Nationality)
	row(wordTrainResidence, person.Residence)
	row(wordTrainExpiry, q.Scene.Expiry.Text())
	if m := q.Scene.Printed; m != nil {
		for i, line := range m.Lines {
			row(map[bool]phrase{true: wordTrainZone, false: {" ", " "}}[i == 0], line)
		}
	}
	row(wordTrainQR, q.Scene.QR)
	row(wordTrainPhoto, q.Photo.Words(lang)+inFile(h.photo))
	row(wordTrainBearer, q.Bearer.Words(lang)+inFile(h.bearer))
	row(wordTrainNow, q.Scene.Station.At.Format("02/01/2006"))
}

func inFile(path string) string {
	if path == "" {
		return ""
	}
	return "  (" + path + ")"
}

// in is the phrase in the program's language.
func (t phrase) in(p *program) string { return p.text(t) }

// showReader tells what the reader finds: all of the program's report, or the steps alone.
func (t *trainer) showReader(q *training.Question) {
	p, lang := t.p, verify.Lang(t.p.lang)
	report := q.Seen()
	t.say("  %s", p.text(wordTrainReader))
	switch {
	case report == nil:
		t.say("      ✗ %s", p.text(wordTrainNotOpened))
		t.showWord(q)
	case t.o.hidden:
		t.showSteps(report.View(lang))
	default:
		var b strings.Builder
		_ = report.Render(&b, lang, verify.RenderOptions{}) // into memory
		for line := range strings.Lines(b.String()) {
			t.say("    %s", strings.TrimSuffix(line, "\n"))
		}
	}
}

// showSteps tells how each check came out, and no verdict.
func (t *trainer) showSteps(v verify.View) {
	for _, c := range v.Claims {
		if c.Groups != "" {
			t.say("      ✓ %s", c.Groups)
		}
		for _, k := range c.Checks {
			if k.Told {
				t.say("      %s %s", k.Mark, k.Title)
			}
		}
	}
	for _, list := range [][]verify.ViewRow{v.Lists, v.Holder} {
		for _, r := range list {
			t.say("        %s  %s", r.Label, r.Value)
		}
	}
	if v.Unproven != "" {
		t.say("        %s", v.Unproven)
	}
}

// showWord tells what the program says where there is no report: with the reason, or in its
// own words alone.
func (t *trainer) showWord(q *training.Question) {
	got := q.Scene.Got
	switch {
	case got.Detail != "":
		t.say("      %s: %s", t.p.text(wordTrainSays), verify.Escape(got.Detail))
	case got.Verdict == "accept":
		t.say("      %s", t.p.text(wordTrainNoRemark))
	}
	if !t.o.hidden {
		for _, r := range got.Reasons {
			t.say("      [%s] %s", r, training.Words(r, verify.Lang(t.p.lang)).Cause)
		}
	}
}
