package main

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance/training"
)

type trainOptions struct {
	seed                         uint64
	seeded                       bool
	questions                    int
	lessons                      []string
	all, hidden, list, solution  bool
	answers, trainee, sheet, dir string
	vpcd                         string
}

func newTrain(p *program) *cobra.Command {
	var o trainOptions
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Practise judging cards, forged ones among them, and get a score sheet",
		Long: `Shows cards of invented citizens (province 003) as at a checkpoint: what is printed, the
photograph, who carries the card, and what the reader finds step by step. Some are sound; the
others have a fault of the catalogue of forgeries (see conform), and some bearers are not the
holder. You judge, are told what was right, by which clause, and what to do; at the end there
is a score sheet, on which forgeries that were accepted stand apart. All of it is SPECIMEN.

An answer is one line: the decision (accept, refuse or refer), the number of the reason, and
whether the bearer is the one in the photograph (match, mismatch or unsure), such as
"refuse 3 match"; the Vietnamese words are nhận, từ-chối, chuyển; đúng, khác, không-rõ. Where
no card is at hand, the third word is left out. --answers takes them from a file, one line a
question; lines that begin with # are passed over.

The same --seed asks the same. --hidden leaves the program's verdict and reasons out: the steps
alone must do. --dir is where the pictures of holder and bearer go. --vpcd puts each card into a
virtual reader, so that you verify it with the real program; the command stands on the screen.
--solution prints the right answers in place of asking, for whoever teaches.

Exit status 3 says that the session was not passed: a forgery was accepted, less than four in
five decisions were right, or it was left before its end.
`,
		Example: "  tamthe train --questions 10 --dir practice\n  tamthe train --seed 7 --hidden --trainee \"Lê Thị Học\" --sheet score.html\n  tamthe train --lesson N73 --lesson T04\n  tamthe train --list",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.seeded = cmd.Flags().Changed("seed")
			return runTrain(cmd.Context(), p, o)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&o.seed, "seed", 0, "the `NUMBER` that the session follows from (else a random one, which is told)")
	f.IntVar(&o.questions, "questions", 10, "how `MANY` cards are shown")
	f.StringSliceVar(&o.lessons, "lesson", nil, "only the lesson of this `ID`, such as N73; may be repeated")
	f.BoolVar(&o.all, "all", false, "one question of every lesson")
	f.BoolVar(&o.hidden, "hidden", false, "hide the program's verdict and its reasons")
	f.BoolVar(&o.list, "list", false, "list the lessons, and end")
	f.BoolVar(&o.solution, "solution", false, "print the right answers as a file of answers, and end")
	f.StringVar(&o.answers, "answers", "", "take the answers from this `FILE`, - for standard input")
	f.StringVar(&o.trainee, "trainee", "", "your `NAME`, for the score sheet")
	f.StringVar(&o.sheet, "sheet", "", "also write the score sheet as a page to print into this new `FILE`")
	f.StringVar(&o.dir, "dir", "", "write the pictures, and with --vpcd what verify needs, into this empty or new `FOLDER`")
	f.StringVar(&o.vpcd, "vpcd", "", "put the cards into the virtual reader at `HOST:PORT`")
	return cmd
}

// maxQuestions bounds a session.
const maxQuestions = 1000

func (o *trainOptions) check(p *program) error {
	switch {
	case o.questions < 1 || o.questions > maxQuestions:
		return usagef("--questions is 1 to %d, not %d", maxQuestions, o.questions)
	case o.vpcd != "" && o.dir == "":
		return usagef("--vpcd wants --dir, where trust folder and passwords of each card go")
	case p.json && o.answers == "" && !o.list && !o.solution:
		return usagef("--json asks nobody: it goes with --answers, --solution or --list")
	case o.all && len(o.lessons) > 0:
		return usagef("--all and --lesson: one of them")
	}
	if err := checkLine("--trainee", o.trainee); err != nil {
		return err
	}
	if o.sheet != "" {
		if _, err := os.Lstat(o.sheet); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w", o.sheet, errors.Join(fs.ErrExist, err))
		}
		if _, err := os.Stat(filepath.Dir(o.sheet)); err != nil {
			return err
		}
	}
	if o.dir != "" {
		return vacant(o.dir)
	}
	return nil
}

// session plans what is asked.
func (o *trainOptions) session() (*training.Session, error) {
	plan := training.Options{Seed: o.seed, Questions: o.questions, Lessons: o.lessons, Reader: o.vpcd != ""}
	if o.all {
		lessons, err := training.Lessons()
		if err != nil {
			return nil, err
		}
		for _, l := range lessons {
			plan.Lessons = append(plan.Lessons, l.ID)
		}
		plan.Questions = 0
	}
	citizens := synthetic.Citizens{Seed: o.seed}
	s, err := training.New(plan, func(n int) vn.Person {
		return citizens.Citizen(4*(n/2) + n%2).Person // parents: children may be too young for a card with a portrait
	})
	if errors.Is(err, training.ErrLesson) || errors.Is(err, training.ErrNothing) {
		return nil, usagef("%w; `tamthe train --list` lists the lessons", err)
	}
	return s, err
}

func runTrain(ctx context.Context, p *program, o trainOptions) error {
	if o.list {
		return listLessons(p)
	}
	if err := o.check(p); err != nil {
		return err
	}
	if !o.seeded {
		var b [4]byte
		_, _ = crand.Read(b[:]) // never fails
		o.seed = uint64(binary.BigEndian.Uint32(b[:]))
	}
	s, err := o.session()
	if err != nil {
		return err
	}
	if o.solution {
		return printSolution(ctx, p, s)
	}
	t := &trainer{p: p, o: o, sheet: &training.Sheet{Seed: o.seed, Trainee: o.trainee, At: p.now(), Hidden: o.hidden, Planned: s.Len()}}
	if t.lines, err = p.answerLines(ctx, o.answers); err != nil {
		return err
	}
	if err := t.run(ctx, s); err != nil {
		return err
	}
	return t.finish()
}

// listLessons prints what can be learnt.
func listLessons(p *program) error {
	lessons, err := training.Lessons()
	if err != nil {
		return err
	}
	type lessonJSON struct {
		ID     string        `json:"id"`
		Kind   string        `json:"kind"`
		Clause string        `json:"clause"`
		Title  training.Text `json:"title"`
		Plays  []string      `json:"plays"`
	}
	doc := struct {
		Schema  string       `json:"schema"`
		Lessons []lessonJSON `json:"lessons"`
	}{"tamthe/train-lessons/1", []lessonJSON{}}
	for _, l := range lessons {
		doc.Lessons = append(doc.Lessons, lessonJSON{l.ID, l.Kind, l.Clause, l.Title, l.Plays})
	}
	if p.documents {
		return p.document(doc)
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, l := range lessons {
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.ID, training.KindName(l.Kind, verify.Lang(p.lang)), l.Title.In(verify.Lang(p.lang)))
	}
	return w.Flush()
}

// printSolution prints the right answers.
func printSolution(ctx context.Context, p *program, s *training.Session) error {
	var lines []string
	for i := range s.Len() {
		q, err := s.Question(ctx, i)
		if err != nil {
			return err
		}
		lines = append(lines, writeAnswer(q))
	}
	if p.documents {
		return p.document(struct {
			Schema  string   `json:"schema"`
			Answers []string `json:"answers"`
		}{"tamthe/train-solution/1", lines})
	}
	for _, l := range lines {
		fmt.Fprintln(p.out, l)
	}
	return nil
}
