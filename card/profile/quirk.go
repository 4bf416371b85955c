package profile

import (
	"fmt"
	"slices"
)

// Quirk is a departure of real cards from the standards. It names the card that it was met
// on and the public report of it, so that it can be dropped once the report turns out
// wrong. A quirk changes how a card is asked, never what is believed of its answers.
type Quirk struct {
	Name   QuirkName
	Card   string // such as "identity card of 2021, Vietnam"
	Report string // such as "NFCPassportReader#219"
}

// QuirkName says what a card does.
type QuirkName string

// The quirks that are known. Package card asks every card in a way that all of them bear,
// so that no answer is taken for more than it says because a profile excuses it.
const (
	// NoSelectMF: SELECT of the master file is 6D00. Files there are had by short
	// identifier, or by their own from where the card starts.
	NoSelectMF QuirkName = "no-select-mf"
	// NoCaseFour: a Le on SELECT and MSE is 6700.
	NoCaseFour QuirkName = "no-case-four"
	// PACEFails: some cards that offer PACE refuse it, and open by BAC where that is
	// allowed.
	PACEFails QuirkName = "pace-fails"
)

var quirkNames = []QuirkName{NoSelectMF, NoCaseFour, PACEFails}

// check refuses a quirk that nobody treats or that nobody can look up.
func (q Quirk) check() error {
	if !slices.Contains(quirkNames, q.Name) || q.Card == "" || q.Report == "" {
		return fmt.Errorf("quirk %q of card %q by report %q: all three are needed, and the first has to be a known one", q.Name, q.Card, q.Report)
	}
	return nil
}
