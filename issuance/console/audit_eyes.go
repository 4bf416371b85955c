package console

import (
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/issuance"
)

// stage is a part of a card's way that one person does.
type stage int

const (
	atEntered stage = iota
	atApproved
	atMade
	atSigned
	atChecked
	atDelivered
	stages
)

// stageOf is the part of a card's way that an act belongs to; false for others.
func stageOf(kind issuance.Kind, act issuance.Act) (stage, bool) {
	if kind == issuance.KindApplication {
		switch act {
		case issuance.Enrol, issuance.Change:
			return atEntered, true
		case issuance.Approve, issuance.Accept, issuance.Clear:
			return atApproved, true
		}
		return 0, false
	}
	switch act {
	case issuance.Allocate, issuance.Attempt, issuance.Rotate, issuance.Generate, issuance.Write, issuance.WriteDone, issuance.Lock, issuance.LockDone, issuance.Print:
		return atMade, true
	case issuance.Prepare, issuance.Sign:
		return atSigned, true
	case issuance.Check, issuance.Fail:
		return atChecked, true
	case issuance.Deliver:
		return atDelivered, true
	}
	return 0, false
}

// apart are the parts that one person may not do both of, as the rules have it.
var apart = [][2]stage{{atEntered, atApproved}, {atApproved, atMade}, {atApproved, atSigned}, {atMade, atChecked}, {atSigned, atChecked}, {atMade, atDelivered}}

var stageNames = [stages]say{
	atEntered: {"Tiếp nhận", "Entered"}, atApproved: {"Duyệt", "Approved"}, atMade: {"Làm thẻ", "Made"}, atSigned: {"Ký", "Signed"},
	atChecked: {"Kiểm tra", "Checked"}, atDelivered: {"Trả thẻ", "Handed over"},
}

// way is who did what of one card, as persons.
type way struct {
	Card, Application string
	By                [stages][]actor
	Faults            []sameFault
	begun             int64
}

// sameFault is a pair of parts that the same person did both of.
type sameFault struct {
	One, Other say
	Person     actor
}

// alone is an entry that two must sign and one person signed twice.
type alone struct {
	entryRow
}

// eyes follows the cards through the log.
type eyes struct {
	who   actors
	apps  map[string]*[stages][]actor
	cards map[string]*way
	alone []alone
	twos  int // entries that two persons signed
}

func newEyes(who actors) *eyes {
	return &eyes{who: who, apps: map[string]*[stages][]actor{}, cards: map[string]*way{}}
}

// add takes the next entry of the log.
func (y *eyes) add(index int64, e *issuance.Entry) {
	if !e.Second.IsZero() {
		if one, two := y.who.of(e.Operator), y.who.of(e.Second); one.Person == two.Person {
			y.alone = append(y.alone, alone{y.who.row(index, e)})
		} else {
			y.twos++
		}
	}
	s, ok := stageOf(e.Stream.Kind, e.Act)
	if !ok {
		return
	}
	var by *[stages][]actor
	switch e.Stream.Kind {
	case issuance.KindApplication:
		if by = y.apps[e.Stream.ID]; by == nil {
			by = new([stages][]actor)
			y.apps[e.Stream.ID] = by
		}
	case issuance.KindCard:
		w := y.cards[e.Stream.ID]
		if w == nil {
			w = &way{Card: e.Stream.ID, begun: index}
			y.cards[e.Stream.ID] = w
		}
		if app := e.Fields["application"]; app != "" {
			w.Application = app
		}
		by = &w.By
	default:
		return
	}
	for _, k := range []issuance.KeyID{e.Operator, e.Second} {
		if a := y.who.of(k); !k.IsZero() && !slices.Contains(by[s], a) {
			by[s] = append(by[s], a)
		}
	}
}

// ways are the cards, newest first, with what is wrong with each.
func (y *eyes) ways() []way {
	var list []way
	for _, w := range y.cards {
		if app := y.apps[w.Application]; app != nil {
			w.By[atEntered], w.By[atApproved] = app[atEntered], app[atApproved]
		}
		w.Faults = faults(w.By)
		list = append(list, *w)
	}
	slices.SortFunc(list, func(a, b way) int { return int(b.begun - a.begun) })
	return list
}

// faults are the pairs that should be two persons' and are one's.
func faults(by [stages][]actor) (list []sameFault) {
	for _, pair := range apart {
		for _, one := range by[pair[0]] {
			same := func(other actor) bool { return other.Person == one.Person }
			if slices.ContainsFunc(by[pair[1]], same) {
				list = append(list, sameFault{stageNames[pair[0]], stageNames[pair[1]], one})
			}
		}
	}
	return list
}

// auditEyes shows who did what of each card, and every pair that was one person.
func (q *request) auditEyes() error {
	who, err := q.actors()
	if err != nil {
		return err
	}
	y := newEyes(who)
	err = q.c.config.Ledger.Entries(q.Context(), 0, func(index int64, leaf, _ []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		y.add(index, &e)
		return nil
	})
	if err != nil {
		return err
	}
	data := struct {
		Stages       []say
		Faulty, Rows []way
		Alone        []alone
		Cards, Twos  int
		More         int
		Card         string
	}{Stages: stageNames[:], Alone: y.alone, Twos: y.twos, Card: q.FormValue("card")}
	all := y.ways()
	data.Cards = len(all)
	for _, w := range all {
		if len(w.Faults) > 0 {
			data.Faulty = append(data.Faulty, w)
		}
		switch {
		case data.Card != "" && w.Card != data.Card && w.Application != data.Card:
		case len(data.Rows) < maxRows:
			data.Rows = append(data.Rows, w)
		default:
			data.More++
		}
	}
	return q.render("audit_eyes.html", data)
}
