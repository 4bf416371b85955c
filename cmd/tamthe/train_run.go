package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance/training"
	"github.com/tamthe/tamthe/verify/durable"
)

// trainer asks the questions of a session.
type trainer struct {
	p     *program
	o     trainOptions
	lines *answers
	sheet *training.Sheet
}

func (t *trainer) run(ctx context.Context, s *training.Session) error {
	given, err := t.given(ctx, s)
	if err != nil {
		return err
	}
	for i := range s.Len() {
		q, err := s.Question(ctx, i)
		if err != nil {
			return err
		}
		a, ok, err := t.question(ctx, q, s.Len(), given)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		m := q.Mark(a)
		t.sheet.Marks = append(t.sheet.Marks, m)
		t.feedback(q, m)
	}
	return ctx.Err()
}

// given reads a file of answers to its end before anything is shown, so that a line that is
// none is an error and nothing else.
func (t *trainer) given(ctx context.Context, s *training.Session) ([]training.Answer, error) {
	if t.lines.typed {
		return nil, nil
	}
	var list []training.Answer
	for i := range s.Len() {
		line, ok := t.lines.next()
		if !ok {
			break
		}
		q, err := s.Question(ctx, i)
		if err != nil {
			return nil, err
		}
		a, err := readAnswer(q, line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", t.o.answers, t.lines.number, err)
		}
		list = append(list, a)
	}
	return list, ctx.Err()
}

// say prints for the trainee; with --json there is nothing but the document.
func (t *trainer) say(format string, a ...any) {
	if !t.p.json {
		fmt.Fprintf(t.p.out, format+"\n", a...)
	}
}

// question shows one question and takes its answer, from those given or from who types. It is
// false at the end of the answers.
func (t *trainer) question(ctx context.Context, q *training.Question, of int, given []training.Answer) (training.Answer, bool, error) {
	var none training.Answer
	if !t.lines.typed && q.Number > len(given) {
		return none, false, nil
	}
	files, err := t.files(q)
	if err != nil {
		return none, false, err
	}
	if t.o.vpcd != "" {
		out, err := t.hold(ctx, q)
		if err != nil {
			return none, false, err
		}
		defer out()
	}
	if q.Number == 1 {
		t.say("*** %s ***", t.p.text(wordTrainSpecimen))
		t.say(t.p.text(wordTrainBegin), of, t.o.seed)
	}
	t.show(q, of, files)
	if !t.lines.typed {
		return given[q.Number-1], true, nil
	}
	for {
		line, ok := t.lines.next()
		if !ok {
			return none, false, ctx.Err()
		}
		a, err := readAnswer(q, line)
		if err == nil {
			return a, true, nil
		}
		t.say("  %s", verify.Escape(t.p.explain(err)))
	}
}

// explain is an error of usage in the program's language.
func (p *program) explain(err error) string {
	f := classify(err)
	if p.lang == "vi" && f.detailVi != "" {
		return f.detailVi
	}
	return f.Message
}

// feedback tells what was right, by which clause, and what to do.
func (t *trainer) feedback(q *training.Question, m training.Mark) {
	lang := verify.Lang(t.p.lang)
	head := wordTrainWrong
	switch {
	case m.Forgery():
		head = wordTrainForgery
	case m.Points == m.Of:
		head = wordTrainRight
	case m.Decision:
		head = wordTrainPartly
	}
	words := training.Words(q.Right.Reason, lang)
	t.say("  %s  %d/%d", t.p.text(head), m.Points, m.Of)
	t.say("    %s: %s", t.p.text(wordTrainAnswer), q.Right.Tell(lang))
	t.say("    %s: %s  [%s · %s]", t.p.text(wordTrainCase), q.Lesson.Told(q.Right, lang), q.Lesson.ID+" "+q.Scene.ID, q.Lesson.Clause)
	if lang != verify.Vietnamese && q.Lesson.Kind != "sound" {
		t.say("    %s", verify.Escape(q.Scene.What))
	}
	t.say("    → %s\n", words.Remedy)
}

// finish prints the score sheet.
func (t *trainer) finish() error {
	lang := verify.Lang(t.p.lang)
	if t.o.sheet != "" {
		var b bytes.Buffer
		if err := t.sheet.Write(&b, lang); err != nil {
			return err
		}
		if err := durable.Export(t.o.sheet, b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	var err error
	if t.p.documents {
		err = t.p.document(sheetDocument(t.sheet))
	} else {
		_, err = fmt.Fprint(t.p.out, t.sheet.Text(lang))
	}
	if err == nil && !t.sheet.Passed() {
		return verdictError(exitRefused)
	}
	return err
}

// trainJSON is what `train --json` prints.
type trainJSON struct {
	Schema    string                    `json:"schema"`
	Specimen  bool                      `json:"specimen"` // always
	Seed      uint64                    `json:"seed"`
	Trainee   string                    `json:"trainee"`
	At        time.Time                 `json:"at"`
	Hidden    bool                      `json:"hidden"`
	Planned   int                       `json:"planned"`
	Passed    bool                      `json:"passed"`
	Points    int                       `json:"points"`
	Of        int                       `json:"of"`
	Decisions int                       `json:"decisions_right"`
	Forgeries []int                     `json:"forgeries_accepted"` // numbers of questions
	Turned    []int                     `json:"sound_turned_away"`
	Confusion map[string]map[string]int `json:"confusion"` // right → given
	Kinds     []trainKindJSON           `json:"kinds"`
	Questions []trainMarkJSON           `json:"questions"`
}

type trainKindJSON struct {
	Kind  string `json:"kind"`
	Right int    `json:"right"`
	Asked int    `json:"asked"`
}

type trainMarkJSON struct {
	Number int             `json:"number"`
	Lesson string          `json:"lesson"`
	Play   string          `json:"play"`
	Kind   string          `json:"kind"`
	Clause string          `json:"clause"`
	Title  training.Text   `json:"title"`
	Right  trainAnswerJSON `json:"right"`
	Given  trainAnswerJSON `json:"given"`
	Points int             `json:"points"`
	Of     int             `json:"of"`
}

type trainAnswerJSON struct {
	Decision string        `json:"decision"`
	Reason   verify.Reason `json:"reason"`
	Holder   string        `json:"holder,omitempty"` // none where no card was at hand
}

func sheetDocument(s *training.Sheet) trainJSON {
	d := trainJSON{
		Schema: "tamthe/train/1", Specimen: true, Seed: s.Seed, Trainee: s.Trainee, At: s.At.UTC().Truncate(time.Second), Hidden: s.Hidden, Planned: s.Planned,
		Passed: s.Passed(), Decisions: s.Decisions(), Forgeries: append([]int{}, s.Forgeries()...), Turned: append([]int{}, s.Turned()...),
		Confusion: map[string]map[string]int{}, Kinds: []trainKindJSON{}, Questions: []trainMarkJSON{},
	}
	d.Points, d.Of = s.Points()
	names := [...]string{"accept", "refer", "refuse"}
	for i, row := range s.Confusion() {
		d.Confusion[names[i]] = map[string]int{names[0]: row[0], names[1]: row[1], names[2]: row[2]}
	}
	for _, k := range s.Kinds() {
		d.Kinds = append(d.Kinds, trainKindJSON{k.Kind, k.Right, k.Asked})
	}
	answer := func(a training.Answer) trainAnswerJSON {
		out := trainAnswerJSON{Decision: a.Decision.String(), Reason: a.Reason}
		if list := holderWords[a.Holder]; list != nil {
			out.Holder = list[0]
		}
		return out
	}
	for _, m := range s.Marks {
		d.Questions = append(d.Questions, trainMarkJSON{m.Number, m.Lesson.ID, m.Play, m.Lesson.Kind, m.Lesson.Clause, m.Lesson.Title, answer(m.Right), answer(m.Given), m.Points, m.Of})
	}
	return d
}
