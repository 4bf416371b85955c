package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance/training"
)

// The words of an answer, the English one first; it is the one that --solution writes.
var (
	decisionWords = map[verify.Verdict][]string{verify.Accept: {"accept", "nhận"}, verify.Refuse: {"refuse", "từ-chối"}, verify.Refer: {"refer", "chuyển"}}
	holderWords   = map[verify.Holder][]string{verify.HolderMatch: {"match", "đúng"}, verify.HolderMismatch: {"mismatch", "khác"}, verify.HolderUnsure: {"unsure", "không-rõ"}}
)

// word finds what a word means.
func word[T comparable](words map[T][]string, s string) (T, bool) {
	for v, list := range words {
		if slices.Contains(list, strings.ToLower(s)) {
			return v, true
		}
	}
	var none T
	return none, false
}

// writeAnswer is the line of the right answer.
func writeAnswer(q *training.Question) string {
	line := decisionWords[q.Right.Decision][0] + " " + strconv.Itoa(slices.Index(q.Choices, q.Right.Reason)+1)
	if q.Card() {
		line += " " + holderWords[q.Right.Holder][0]
	}
	return line
}

// readAnswer understands a line about a question.
func readAnswer(q *training.Question, line string) (training.Answer, error) {
	var a training.Answer
	fields := strings.Fields(line)
	want := 2
	if q.Card() {
		want = 3
	}
	if len(fields) != want {
		return a, usageBoth(wordTrainFields, want, len(fields))
	}
	var ok bool
	if a.Decision, ok = word(decisionWords, fields[0]); !ok {
		return a, usageBoth(wordTrainDecision, fields[0])
	}
	n, err := strconv.Atoi(fields[1])
	if err != nil || n < 1 || n > len(q.Choices) {
		return a, usageBoth(wordTrainReason, len(q.Choices), fields[1])
	}
	a.Reason = q.Choices[n-1]
	if want == 3 {
		if a.Holder, ok = word(holderWords, fields[2]); !ok {
			return a, usageBoth(wordTrainHolder, fields[2])
		}
	}
	return a, nil
}

// maxAnswers bounds a file of answers, in octets.
const maxAnswers = 1 << 20

// answers gives one line after the other: those of a file, or what somebody types.
type answers struct {
	ctx    context.Context
	typed  bool
	number int // of the last line
	lines  <-chan string
}

// answerLines begins to read a file of answers or, without one, standard input. What is typed
// is read by a goroutine that ends with the process: a read cannot be ended otherwise.
func (p *program) answerLines(ctx context.Context, file string) (*answers, error) {
	var r io.Reader = p.in
	if file != "" {
		text, err := p.input(file, maxAnswers)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(text)
	} else if p.stdinTaken {
		return nil, usageBoth(wordStdinOnce)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return &answers{ctx: ctx, typed: file == "", lines: lines}, nil
}

// next is the next line that says something; false at the end.
func (a *answers) next() (string, bool) {
	for {
		select {
		case <-a.ctx.Done():
			return "", false
		case line, ok := <-a.lines:
			if !ok {
				return "", false
			}
			a.number++
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				return line, true
			}
		}
	}
}
