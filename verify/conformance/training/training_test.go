package training

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance"
)

// citizen invents somebody of province 003.
func citizen(n int) vn.Person {
	return vn.Person{
		Number: vn.Number(fmt.Sprintf("0030%02d%06d", 60+n%30, n%1_000_000)), Surname: "Lê", Given: fmt.Sprintf("Văn Thử %c", 'A'+n%20), Sex: "M",
		Birth: vn.Date{Year: 1960 + n%30, Month: 1 + n%12, Day: 1 + n%28}, Nationality: "Việt Nam", Origin: "Tỉnh Thử", Residence: "1 Phố Mẫu",
		Ethnicity: "Kinh", Religion: "Không", Features: "Không", Father: "Lê Văn Cha", Mother: "Trần Thị Mẹ",
	}
}

// TestEveryFaultHasALesson holds the lessons to the catalogue: every case of it has its own,
// each with words in both languages, and every play that must not be accepted is in one.
func TestEveryFaultHasALesson(t *testing.T) {
	lessons, err := Lessons()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := conformance.Cases()
	if err != nil {
		t.Fatal(err)
	}
	byID, taught := map[string]Lesson{}, map[string]bool{}
	for _, l := range lessons {
		if _, twice := byID[l.ID]; twice || l.Title.VI == "" || l.Title.EN == "" || l.Clause == "" || len(l.Plays) == 0 || kinds[l.Kind].VI == "" {
			t.Errorf("lesson %s is not whole, or there twice: %+v", l.ID, l)
		}
		if (l.Scene.VI == "") != (l.Scene.EN == "") {
			t.Errorf("lesson %s has a scene in one language", l.ID)
		}
		byID[l.ID] = l
		for _, p := range l.Plays {
			taught[p] = true
		}
	}
	for _, c := range cases {
		if !guideline(c) && byID[c.ID].ID == "" {
			t.Errorf("the catalogue's %s (%s) has no lesson", c.ID, c.Title)
		}
	}
	known := map[string]bool{}
	for _, p := range conformance.Plays() {
		if known[p.ID] = true; p.Verdict != "accept" && !taught[p.ID] {
			t.Errorf("no lesson has the fault %s (%s)", p.ID, p.What)
		}
	}
	for _, l := range append(lessons, soundLesson()) {
		for _, p := range l.Plays {
			if !known[p] {
				t.Errorf("lesson %s: there is no play %s", l.ID, p)
			}
		}
	}
}

// TestWords wants words in both languages for every reason that may be chosen.
func TestWords(t *testing.T) {
	for _, r := range append(pool(), Sound) {
		vi, en := Words(r, verify.Vietnamese), Words(r, verify.English)
		if vi.Cause == "" || en.Cause == "" || vi.Remedy == "" || en.Remedy == "" || vi == en || strings.HasPrefix(vi.Cause, `"`) {
			t.Errorf("%s: %+v %+v", r, vi, en)
		}
	}
}

// perfect answers all as it should be.
func perfect(q *Question) Answer { return q.Right }

func run(t *testing.T, o Options, answer func(*Question) Answer) (*Sheet, []*Question) {
	t.Helper()
	s, err := New(o, citizen)
	if err != nil {
		t.Fatal(err)
	}
	sheet := &Sheet{Seed: o.Seed}
	var asked []*Question
	for i := range s.Len() {
		q, err := s.Question(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, q)
		sheet.Marks = append(sheet.Marks, q.Mark(answer(q)))
	}
	return sheet, asked
}

// TestEveryLesson asks one question of each lesson (all plays with TAMTHE_SOAK): the card
// comes out as its lesson says, one choice is right, and whoever knows all passes.
func TestEveryLesson(t *testing.T) {
	lessons, err := Lessons()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, l := range lessons {
		ids = append(ids, l.ID)
	}
	rounds := uint64(1)
	if os.Getenv("TAMTHE_SOAK") != "" {
		rounds = 20
	}
	for seed := range rounds {
		sheet, asked := run(t, Options{Seed: seed, Lessons: ids}, perfect)
		if points, of := sheet.Points(); points != of || !sheet.Passed() || len(sheet.Marks) != len(ids) {
			t.Errorf("seed %d: %d of %d points", seed, points, of)
		}
		for _, q := range asked {
			p := q.Scene.Play
			if q.Scene.Got.Verdict != p.Verdict || p.Reason != "" && !slices.Contains(q.Scene.Got.Reasons, p.Reason) {
				t.Errorf("%s %s: %s %v, expected %s %s", q.Lesson.ID, p.ID, q.Scene.Got.Verdict, q.Scene.Got.Reasons, p.Verdict, p.Reason)
			}
			if n := len(q.Choices); n != distractors+1 && n != distractors+2 || !slices.Contains(q.Choices, q.Right.Reason) {
				t.Errorf("%s: choices %v, right is %s", q.Lesson.ID, q.Choices, q.Right.Reason)
			}
			if report := q.Seen(); report != nil && report.Verdict == verify.Accept && !report.Specimen {
				t.Errorf("%s: accepted without SPECIMEN", q.Lesson.ID)
			}
		}
	}
}

// TestRepeatable wants the same of the same seed, and something else of another.
func TestRepeatable(t *testing.T) {
	tell := func(seed uint64) (list []string) {
		_, asked := run(t, Options{Seed: seed, Questions: 12}, perfect)
		for _, q := range asked {
			list = append(list, fmt.Sprint(q.Number, q.Lesson.ID, q.Scene.ID, q.Scene.Person, q.Photo, q.Bearer, q.Choices, q.Right))
		}
		return list
	}
	first := tell(7)
	if again := tell(7); !reflect.DeepEqual(first, again) {
		t.Errorf("%v\n%v", first, again)
	}
	if other := tell(8); reflect.DeepEqual(first, other) {
		t.Error("another seed asks the same")
	}
}

// TestMixture wants sound cards, bearers who are not the holder, and all three decisions in
// a long session: else one answer would always do.
func TestMixture(t *testing.T) {
	s, err := New(Options{Seed: 3, Questions: 400}, citizen)
	if err != nil {
		t.Fatal(err)
	}
	whole, others := 0, 0
	lessons := map[string]bool{}
	for _, it := range s.items {
		if it.lesson.Kind == "sound" {
			whole++
		}
		if it.other {
			others++
		}
		lessons[it.lesson.ID] = true
	}
	if whole < 60 || whole > 160 || others < 40 || others > 130 || len(lessons) != 106 {
		t.Errorf("%d sound, %d others, %d lessons", whole, others, len(lessons))
	}
}

// TestScore counts what a trainee gets wrong: forgeries accepted apart.
func TestScore(t *testing.T) {
	options := Options{Seed: 5, Questions: 20}
	for _, c := range []struct {
		name   string
		answer func(*Question) Answer
		passed bool
	}{
		{"who knows all", perfect, true},
		{"who accepts all", func(q *Question) Answer { return Answer{verify.Accept, Sound, verify.HolderMatch} }, false},
		{"who refuses all", func(q *Question) Answer { return Answer{verify.Refuse, "", verify.HolderUnsure} }, false},
	} {
		sheet, asked := run(t, options, c.answer)
		forgeries, turned := 0, 0
		for _, q := range asked {
			if given := c.answer(q).Decision; q.Right.Decision == verify.Refuse && given == verify.Accept {
				forgeries++
			} else if q.Right.Decision == verify.Accept && given != verify.Accept {
				turned++
			}
		}
		if sheet.Passed() != c.passed || len(sheet.Forgeries()) != forgeries || len(sheet.Turned()) != turned {
			t.Errorf("%s: passed %v, forgeries %v, turned away %v", c.name, sheet.Passed(), sheet.Forgeries(), sheet.Turned())
		}
		if c.name == "who accepts all" && forgeries < 5 || c.name == "who refuses all" && turned < 2 {
			t.Errorf("%s: %d forgeries, %d turned away: the session asks too little", c.name, forgeries, turned)
		}
		sum := 0
		for _, row := range sheet.Confusion() {
			for _, n := range row {
				sum += n
			}
		}
		if sum != len(asked) {
			t.Errorf("%s: %d decisions in the table", c.name, sum)
		}
	}
	if (&Sheet{}).Passed() {
		t.Error("a session without an answer is passed")
	}
}

// One decision wrong in five passes, unless it lets a forgery through.
func TestOneForgeryFails(t *testing.T) {
	ok := Mark{Right: Answer{Decision: verify.Refuse}, Given: Answer{Decision: verify.Refuse}, Decision: true}
	slow := Mark{Right: Answer{Decision: verify.Refuse}, Given: Answer{Decision: verify.Refer}}
	fooled := Mark{Right: Answer{Decision: verify.Refuse}, Given: Answer{Decision: verify.Accept}}
	s := Sheet{Marks: []Mark{ok, ok, ok, ok, slow}}
	if !s.Passed() {
		t.Error("four of five are enough")
	}
	if s.Planned = 6; s.Passed() {
		t.Error("a question was left out")
	}
	s.Planned, s.Marks[4] = 5, fooled
	if s.Passed() {
		t.Error("a forgery was accepted")
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(Options{Questions: 1, Lessons: []string{"N99"}}, citizen); !errors.Is(err, ErrLesson) {
		t.Error(err)
	}
	if _, err := New(Options{}, citizen); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
	if _, err := New(Options{Questions: 3, Reader: true, Lessons: []string{"N83"}}, citizen); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
}

// The sheet is whole in both languages, says SPECIMEN, and escapes what people type.
func TestWrite(t *testing.T) {
	sheet, _ := run(t, Options{Seed: 5, Questions: 6}, func(q *Question) Answer { return Answer{verify.Accept, Sound, verify.HolderMatch} })
	sheet.Trainee = "<script>alert(1)</script>\u202e"
	for _, l := range []verify.Lang{verify.Vietnamese, verify.English} {
		var b strings.Builder
		if err := sheet.Write(&b, l); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		for _, want := range []string{"SPECIMEN", words(l).Failed, `<html lang="` + string(l), "bad\">", sheet.Marks[0].Lesson.Clause} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: no %q on the page", l, want)
			}
		}
		if strings.Contains(page, "<script>") || strings.Contains(page, "\u202e") {
			t.Error("the trainee's name stands on the page as it was typed")
		}
		if text := sheet.Text(l); !strings.Contains(text, "SPECIMEN") || !strings.Contains(text, words(l).Forgeries) {
			t.Error(text)
		}
	}
}
