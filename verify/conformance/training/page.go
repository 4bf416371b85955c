package training

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/sheet"
)

//go:embed page.html
var source string

var page = sync.OnceValue(func() *template.Template { return template.Must(template.New("page").Parse(source)) })

// labels are the fixed words of the page.
type labels struct {
	Title, Specimen, Trainee, Date, Seed, Mode, Passed, Failed, Points, Decisions, Forgeries, Turned, None string
	Confusion, Given, Right, Kinds, Kind, Asked, Questions, Number, Lesson, Said, Should, Examiner, Foot   string
	Verdicts                                                                                               [3]string // accept, refer, refuse
	Holders                                                                                                map[verify.Holder]string
	Shown, Hidden                                                                                          string
}

var english = labels{
	Title: "Training: score sheet", Specimen: "SPECIMEN: invented citizens and test keys; nobody's documents", Trainee: "Trainee", Date: "Date", Seed: "Seed",
	Mode: "Verdict of the program", Passed: "PASSED", Failed: "NOT PASSED", Points: "Points", Decisions: "Decisions right", Forgeries: "Forgeries accepted (question)",
	Turned: "Sound cards not let through (question)", None: "none", Confusion: "Decisions: what was right, by what was given", Given: "given", Right: "right",
	Kinds: "By kind of fault", Kind: "Kind", Asked: "Right of", Questions: "Question by question", Number: "No.", Lesson: "What it was", Said: "Answer", Should: "Right answer, and what to do",
	Examiner: "Examiner (signature, name in full)", Foot: "Made by tamthe. The same seed asks the same questions again.",
	Verdicts: [3]string{"accept", "refer", "refuse"}, Shown: "shown", Hidden: "hidden",
	Holders: map[verify.Holder]string{verify.HolderMatch: "same person", verify.HolderMismatch: "another person", verify.HolderUnsure: "unsure", verify.HolderNotCompared: "–"},
}

var vietnamese = labels{
	Title: "Phiếu chấm điểm luyện tập", Specimen: "MẪU (SPECIMEN): công dân hư cấu và khóa thử nghiệm; không phải giấy tờ của ai", Trainee: "Học viên", Date: "Ngày", Seed: "Mã đề",
	Mode: "Kết luận của chương trình", Passed: "ĐẠT", Failed: "CHƯA ĐẠT", Points: "Điểm", Decisions: "Quyết định đúng", Forgeries: "Chấp nhận nhầm thẻ giả (câu)",
	Turned: "Không cho thẻ tốt qua (câu)", None: "không có", Confusion: "Quyết định: đáp án đúng theo câu trả lời", Given: "trả lời", Right: "đáp án",
	Kinds: "Theo loại lỗi", Kind: "Loại lỗi", Asked: "Đúng trên", Questions: "Từng câu", Number: "Câu", Lesson: "Tình huống", Said: "Trả lời", Should: "Đáp án và cách xử lý",
	Examiner: "Người chấm (ký, ghi rõ họ tên)", Foot: "Do tamthe lập. Cùng một mã đề sẽ cho lại cùng các câu hỏi.",
	Verdicts: [3]string{"chấp nhận", "chuyển cấp hai", "từ chối"}, Shown: "có hiển thị", Hidden: "ẩn",
	Holders: map[verify.Holder]string{verify.HolderMatch: "đúng người", verify.HolderMismatch: "người khác", verify.HolderUnsure: "không chắc", verify.HolderNotCompared: "–"},
}

func words(l verify.Lang) labels {
	if l == verify.Vietnamese {
		return vietnamese
	}
	return english
}

// verdict is a decision in words.
func (l labels) verdict(v verify.Verdict) string {
	switch v {
	case verify.Accept:
		return l.Verdicts[0]
	case verify.Refuse:
		return l.Verdicts[2]
	}
	return l.Verdicts[1]
}

// Tell says an answer in words: decision, reason and, where there was a bearer, who it is.
func (a Answer) Tell(lang verify.Lang) string {
	l := words(lang)
	text := l.verdict(a.Decision)
	if a.Reason != "" {
		text += " · " + Words(a.Reason, lang).Cause
	}
	if a.Holder != verify.HolderNotCompared {
		text += " · " + l.Holders[a.Holder]
	}
	return text
}

type row struct {
	Number               int
	Lesson, Clause, Code string
	Said, Should, Remedy string
	Mark                 verify.Mark
	Points               string
}

type kindRow struct {
	Name  string
	Score string
}

type data struct {
	Lang                               verify.Lang
	Labels                             labels
	Style                              template.CSS
	Colour, Sign, Word                 string
	Trainee, Date, Seed, Mode          string
	Points, Decisions, Fooled, Unlucky string
	Confusion                          [3][3]int
	Kinds                              []kindRow
	Rows                               []row
}

// Write makes the sheet as one page in the language, to print. The error is that of w.
func (s *Sheet) Write(w io.Writer, lang verify.Lang) error {
	if lang != verify.Vietnamese {
		lang = verify.English
	}
	l := words(lang)
	points, of := s.Points()
	d := data{
		Lang: lang, Labels: l, Style: template.CSS(sheet.Style()), Colour: "refuse", Sign: "✗", Word: l.Failed,
		Trainee: verify.Escape(s.Trainee), Date: s.At.Format("02/01/2006 15:04"), Seed: strconv.FormatUint(s.Seed, 10), Mode: l.Shown,
		Points: fmt.Sprintf("%d/%d", points, of), Decisions: fmt.Sprintf("%d/%d", s.Decisions(), max(s.Planned, len(s.Marks))),
		Fooled: l.numbers(s.Forgeries()), Unlucky: l.numbers(s.Turned()), Confusion: s.Confusion(),
	}
	if s.Passed() {
		d.Colour, d.Sign, d.Word = "accept", "✓", l.Passed
	}
	if s.Hidden {
		d.Mode = l.Hidden
	}
	for _, k := range s.Kinds() {
		d.Kinds = append(d.Kinds, kindRow{KindName(k.Kind, lang), fmt.Sprintf("%d/%d", k.Right, k.Asked)})
	}
	for _, m := range s.Marks {
		r := row{
			Number: m.Number, Lesson: m.Lesson.Told(m.Right, lang), Clause: m.Lesson.Clause, Code: m.Lesson.ID + " " + m.Play, Said: m.Given.Tell(lang),
			Should: m.Right.Tell(lang), Remedy: Words(m.Right.Reason, lang).Remedy, Mark: verify.MarkPassed, Points: fmt.Sprintf("%d/%d", m.Points, m.Of),
		}
		switch {
		case m.Forgery() || !m.Decision:
			r.Mark = verify.MarkFailed
		case m.Points < m.Of:
			r.Mark = verify.MarkRemark
		}
		d.Rows = append(d.Rows, r)
	}
	var b bytes.Buffer
	if err := page().Execute(&b, d); err != nil {
		return fmt.Errorf("write the score sheet: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (l labels) numbers(list []int) string {
	if len(list) == 0 {
		return l.None
	}
	var b []string
	for _, n := range list {
		b = append(b, strconv.Itoa(n))
	}
	return strings.Join(b, ", ")
}

// Text is the sheet in lines, for a terminal.
func (s *Sheet) Text(lang verify.Lang) string {
	l := words(lang)
	points, of := s.Points()
	var b strings.Builder
	word := l.Failed
	if s.Passed() {
		word = l.Passed
	}
	fmt.Fprintf(&b, "*** %s ***\n%s   %s %d/%d   %s %d/%d\n", l.Specimen, word, l.Points, points, of, l.Decisions, s.Decisions(), max(s.Planned, len(s.Marks)))
	fmt.Fprintf(&b, "  %s: %s\n  %s: %s\n", l.Forgeries, l.numbers(s.Forgeries()), l.Turned, l.numbers(s.Turned()))
	fmt.Fprintf(&b, "  %s\n", l.Confusion)
	pad := func(s string, n int) string { return s + strings.Repeat(" ", max(1, n-len([]rune(s)))) }
	fmt.Fprintf(&b, "    %s", pad(l.Right+" \\ "+l.Given, 22))
	for _, v := range l.Verdicts {
		b.WriteString(pad(v, 16))
	}
	b.WriteString("\n")
	for i, r := range s.Confusion() {
		fmt.Fprintf(&b, "    %s", pad(l.Verdicts[i], 22))
		for _, n := range r {
			b.WriteString(pad(strconv.Itoa(n), 16))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "  %s\n", l.Kinds)
	for _, k := range s.Kinds() {
		fmt.Fprintf(&b, "    %s%d/%d\n", pad(KindName(k.Kind, lang), 34), k.Right, k.Asked)
	}
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}
