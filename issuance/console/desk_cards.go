package console

import (
	"slices"

	"github.com/tamthe/tamthe/issuance"
)

// tab is a phase by which a list is told apart.
type tab struct {
	Phase issuance.Phase
	Count int
	Here  bool
}

// cardPhases are those by which cards are looked for, in the order of a card's life.
var cardPhases = []issuance.Phase{
	issuance.Locked, issuance.Printed, issuance.Checked, issuance.Failed, issuance.InTransit, issuance.Arrived, issuance.Active, issuance.Suspended,
	issuance.Superseded, issuance.Revoked, issuance.Spoiled, issuance.Returned, issuance.Destroyed,
}

// cardList lists the cards, newest first, all or those of a phase.
func (q *request) cardList() error {
	phase := issuance.Phase(q.FormValue("phase"))
	all, err := q.office.Cards(q.Context())
	if err != nil {
		return err
	}
	data := struct {
		Tabs []tab
		Rows []issuance.Summary
		All  bool
		More int
	}{All: phase == ""}
	counts := map[issuance.Phase]int{}
	for _, c := range slices.Backward(all) {
		counts[c.Phase]++
		switch {
		case phase != "" && c.Phase != phase:
		case len(data.Rows) < maxRows:
			data.Rows = append(data.Rows, c)
		default:
			data.More++
		}
	}
	for _, p := range cardPhases {
		if counts[p] > 0 {
			data.Tabs = append(data.Tabs, tab{p, counts[p], p == phase})
		}
	}
	return q.render("desk_cards.html", data)
}
