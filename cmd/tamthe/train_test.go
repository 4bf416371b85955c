package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance/training"
)

// The command that a trainee is told to type says of a card what its lesson says: every lesson
// whose card can be held into a reader and most of their plays with TAMTHE_SOAK, else every
// fourth lesson.
func TestTrainVerifies(t *testing.T) {
	lessons, err := training.Lessons()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	soak := os.Getenv("TAMTHE_SOAK") != ""
	for i, l := range lessons {
		if soak || i%4 == 0 {
			ids = append(ids, l.ID)
		}
	}
	rounds := uint64(1)
	if soak {
		rounds = 8
	}
	for seed := range rounds {
		o := trainOptions{seed: seed, questions: len(ids), lessons: ids, vpcd: "in process"}
		s, err := o.session()
		if err != nil {
			t.Fatal(err)
		}
		statuses := map[int]int{}
		for i := range s.Len() {
			q, err := s.Question(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			statuses[verifyHeld(t, q)]++
		}
		if len(statuses) < 3 {
			t.Errorf("only %v", statuses)
		}
		t.Log(statuses)
	}
}

// verifyHeld types the command and returns its exit status.
func verifyHeld(t *testing.T, q *training.Question) int {
	t.Helper()
	dir := t.TempDir()
	if err := writeStation(dir, q); err != nil {
		t.Fatal(err)
	}
	held, err := q.Scene.Hold()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	var out, errw bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, err: &errw, now: time.Now, home: home(filepath.Join(dir, "home"))}
	p.connect = func(context.Context, string) (*reader, error) {
		held.Reset()
		return &reader{Wire: held, close: func() error { return nil }, limits: apdu.Limits{Command: 4096, Response: 4096}, claimed: q.Scene.Station.Claimed}, nil
	}
	status := p.run(t.Context(), append(verifyArguments(dir, q), "--json"))
	play := q.Scene.Play
	if play.Reason == verify.ReasonHolderMismatch { // the card is sound: it is the trainee who looks at the bearer
		play.Verdict = "accept"
	}
	want := map[string][]int{"accept": {exitOK}, "refuse": {exitRefused}, "refer": {exitRefer}, "none": {exitError, exitPassword, exitBlocked}}[play.Verdict]
	if !slices.Contains(want, status) {
		t.Errorf("%s %s: status %d, expected %s %s\n%s%s", q.Lesson.ID, play.ID, status, play.Verdict, play.Reason, &out, &errw)
	}
	if play.Verdict == "refuse" || play.Verdict == "refer" {
		if !strings.Contains(out.String(), `"`+string(play.Reason)+`"`) {
			t.Errorf("%s %s: no reason %s in %s", q.Lesson.ID, play.ID, play.Reason, &out)
		}
	}
	return status
}

// train runs the verb with that standard input.
func train(t *testing.T, input string, args ...string) (int, string, string) {
	t.Helper()
	var out, errw bytes.Buffer
	p := &program{in: strings.NewReader(input), out: &out, err: &errw, now: time.Now, home: home(t.TempDir())}
	status := p.run(t.Context(), append([]string{"train", "--lang", "en"}, args...))
	return status, out.String(), errw.String()
}

// Whoever answers by the solution passes; whoever accepts everything does not, and the forgeries
// are told apart.
func TestTrainScores(t *testing.T) {
	args := []string{"--seed", "11", "--questions", "12"}
	_, key, _ := train(t, "", append(args, "--solution")...)
	status, text, errs := train(t, key, append(args, "--answers", "-", "--json")...)
	var doc trainJSON
	if err := json.Unmarshal([]byte(text), &doc); err != nil || status != exitOK || errs != "" {
		t.Fatalf("status %d, %v\n%s%s", status, err, text, errs)
	}
	if !doc.Passed || !doc.Specimen || doc.Points != doc.Of || doc.Decisions != 12 || len(doc.Forgeries) != 0 || len(doc.Questions) != 12 {
		t.Errorf("%+v", doc)
	}
	var all strings.Builder
	for line := range strings.Lines(key) {
		fields := strings.Fields(line)
		fields[0] = "accept"
		all.WriteString(strings.Join(fields, " ") + "\n")
	}
	status, text, _ = train(t, all.String(), append(args, "--answers", "-", "--json")...)
	if err := json.Unmarshal([]byte(text), &doc); err != nil || status != exitRefused || doc.Passed || len(doc.Forgeries) == 0 || len(doc.Forgeries) != doc.Confusion["refuse"]["accept"] {
		t.Errorf("status %d, %v, %+v", status, err, doc)
	}
	if len(doc.Turned) != 0 {
		t.Errorf("whoever accepts all turned %v away", doc.Turned)
	}
}

// A typed answer that is none is asked for again; one of a file is an error with its line;
// one that is missing fails the session.
func TestTrainAnswers(t *testing.T) {
	args := []string{"--seed", "12", "--questions", "2"}
	_, key, _ := train(t, "", append(args, "--solution")...)
	status, out, errs := train(t, "perhaps\nrefuse 99 match\n"+key, args...)
	if status != exitOK || strings.Count(out, "has 3 words, not 1") != 1 || strings.Count(out, `1 to 5, not "99"`) != 1 || errs != "" {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	status, _, errs = train(t, "# a remark\n\nperhaps\n", append(args, "--answers", "-")...)
	if status != exitUsage || !strings.HasPrefix(errs, "tamthe: -:3: an answer to this question has 3 words, not 1\n") {
		t.Errorf("status %d: %s", status, errs)
	}
	first, _, _ := strings.Cut(key, "\n")
	if status, out, _ = train(t, first+"\n", args...); status != exitRefused || !strings.Contains(out, "NOT PASSED") {
		t.Errorf("status %d: %s", status, out)
	}
}

// With --hidden neither verdict nor reasons stand before the answer.
func TestTrainHides(t *testing.T) {
	args := []string{"--seed", "4", "--lesson", "N42", "--questions", "1"}
	before := func(out string) string { s, _, _ := strings.Cut(out, "Reasons:"); return s }
	_, shown, _ := train(t, "", args...)
	_, hidden, _ := train(t, "", append(args, "--hidden")...)
	if !strings.Contains(before(shown), "REFUSE") || !strings.Contains(before(shown), "[group-") {
		t.Errorf("%s", shown)
	}
	if strings.Contains(before(hidden), "REFUSE") || strings.Contains(before(hidden), "group-") || !strings.Contains(before(hidden), "✗") {
		t.Errorf("%s", hidden)
	}
}

// What is asked is SPECIMEN, and of nobody: every number begins with 003.
func TestTrainIsSpecimen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "practice")
	_, key, _ := train(t, "", "--seed", "2", "--questions", "6", "--solution")
	page := filepath.Join(t.TempDir(), "score.html")
	_, out, _ := train(t, key, "--seed", "2", "--questions", "6", "--dir", dir, "--sheet", page, "--trainee", "Lê Thị Học")
	if strings.Count(out, "SPECIMEN") < 2 {
		t.Error(out)
	}
	for line := range strings.Lines(out) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), "number   "); ok && !strings.HasPrefix(strings.TrimSpace(number), "003") {
			t.Errorf("%q", line)
		}
	}
	b, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(b, []byte("SPECIMEN")) || !bytes.Contains(b, []byte("Lê Thị Học")) {
		t.Errorf("%v\n%s", err, b)
	}
	photo, err := os.ReadFile(filepath.Join(dir, "q01", "photo.jpg"))
	if err != nil || !bytes.Contains(photo, []byte("SPECIMEN")) {
		t.Errorf("%v", err)
	}
	if status, _, _ := train(t, "", "--dir", dir); status == exitOK {
		t.Error("a folder with something in it is taken")
	}
}
