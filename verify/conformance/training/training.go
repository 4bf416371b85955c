// Package training teaches officers with the rejection corpus: cards of invented citizens,
// each sound or with one fault of the catalogue, are shown as at a checkpoint; the trainee
// judges, is told what was right and why, and gets a score sheet.
//
// A session follows from its seed alone: the same seed asks the same questions about the
// same citizens. Everything in it is a SPECIMEN.
package training

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/conformance"
)

// ErrLesson says that there is no lesson of an identifier.
var ErrLesson = errors.New("no such lesson")

// Text is what people read, in both languages.
type Text struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// In is the text in the language.
func (t Text) In(l verify.Lang) string {
	if l == verify.Vietnamese {
		return t.VI
	}
	return t.EN
}

// Lesson is a fault of the catalogue, and the plays that show it. A few of them are sound:
// what looks odd and is allowed has to be known, too.
type Lesson struct {
	ID     string // of the case, N01 to N84 and T01 …; or of a unit of the guideline, LDS_H
	Kind   string // of fault, see Kinds
	Clause string
	Title  Text
	Scene  Text // what is at hand, where no card lies on the reader
	Plays  []string
}

// Told is the title as it is told with an answer: where the fault that the lesson warns of is
// not in this card, that is said.
func (l Lesson) Told(right Answer, lang verify.Lang) string {
	title := l.Title.In(lang)
	if right.Decision == verify.Accept && l.Kind != soundKind {
		title += " – " + allowed.In(lang)
	}
	return title
}

var allowed = Text{"biến thể này được phép", "this variant is allowed"}

// soundKind is the kind of a card with which nothing is wrong.
const soundKind = "sound"

//go:embed lessons.json
var lessonsJSON []byte

// Lessons returns the lessons: one for every case of the catalogue of attacks, and one for
// each unit of the guideline whose plays no attack has.
func Lessons() ([]Lesson, error) {
	var file []struct {
		ID     string   `json:"id"`
		VI     string   `json:"vi"`
		EN     string   `json:"en"`
		Clause string   `json:"clause"`
		Scene  Text     `json:"scene"`
		Plays  []string `json:"plays"`
	}
	if err := json.Unmarshal(lessonsJSON, &file); err != nil {
		return nil, fmt.Errorf("lessons.json: %w", err)
	}
	cases, err := conformance.Cases()
	if err != nil {
		return nil, err
	}
	byID, attacked := map[string]conformance.Case{}, map[string]bool{}
	for _, c := range cases {
		byID[c.ID] = c
		for _, p := range c.Plays {
			attacked[p] = attacked[p] || !guideline(c)
		}
	}
	var list []Lesson
	for _, f := range file {
		l := Lesson{ID: f.ID, Clause: f.Clause, Title: Text{f.VI, f.EN}, Scene: f.Scene, Plays: f.Plays}
		if c, ok := byID[f.ID]; ok {
			l.Kind, l.Clause, l.Title.EN = c.Area, c.Clause, c.Title
			l.Plays = append(l.Plays, c.Plays...)
		} else {
			l.Kind = unitKinds[f.ID]
			l.Plays = unitPlays(f.ID, cases, attacked)
		}
		list = append(list, l)
	}
	return list, nil
}

func guideline(c conformance.Case) bool { return strings.Contains(c.ID, "_") }

// unitPlays are the plays of a unit that no attack has.
func unitPlays(unit string, cases []conformance.Case, attacked map[string]bool) []string {
	var list []string
	for _, c := range cases {
		if !guideline(c) || c.ID[:strings.LastIndex(c.ID, "_")] != unit {
			continue
		}
		for _, p := range c.Plays {
			if !attacked[p] && !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// choose returns the lessons of these identifiers, all if there is none.
func choose(ids []string) ([]Lesson, error) {
	all, err := Lessons()
	if err != nil || len(ids) == 0 {
		return all, err
	}
	var list []Lesson
	for _, id := range ids {
		i := slices.IndexFunc(all, func(l Lesson) bool { return strings.EqualFold(l.ID, id) })
		if i < 0 {
			return nil, fmt.Errorf("%q: %w", id, ErrLesson)
		}
		list = append(list, all[i])
	}
	return list, nil
}
