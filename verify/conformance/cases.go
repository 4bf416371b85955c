// Package conformance plays forged, odd and sound cards to this build, and says which it
// refuses and why: the attacks that readers are known to have fallen for, and the test
// cases of BSI TR-03105 part 5.1 for inspection systems.
//
// Cards, chips and certificates are made when they are played, of SPECIMEN keys that anybody
// can compute. No reader, network or file of the user's is touched; only what a device
// remembers of lists is played in a temporary folder. The cases are data
// (attacks.json, tr-03105-5.1.json); each is played by entries of a table, which change one
// thing of a card that is sound without it.
package conformance

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrCase says that there is no case of an identifier.
var ErrCase = errors.New("no such case")

// Case is a question to a station, and how it is played.
type Case struct {
	ID     string `json:"id"`   // N01 to N84, T01 … for what came later, or as in TR-03105-5.1: LDS_H_20
	Area   string `json:"area"` // access, sod, chain …, or the unit of the guideline
	Clause string `json:"clause"`
	Title  string `json:"case"`
	// Wanted is what the guideline wants of a station: pass, fail, open where it leaves that
	// or its table could not be read, withdrawn; "" for attacks.
	Wanted string   `json:"expected,omitempty"`
	ICAO   string   `json:"icao,omitempty"`  // the identifier in ICAO's part 4, whither the case has moved: its outcome is then our reading
	Plays  []string `json:"plays,omitempty"` // in this order
	NA     string   `json:"na,omitempty"`    // why it is not played
	Test   string   `json:"test,omitempty"`  // the package and test that cover it instead
	Note   string   `json:"note,omitempty"`  // where what we want is not what the case's words say
}

//go:embed attacks.json
var attacksJSON []byte

//go:embed tr-03105-5.1.json
var guidelineJSON []byte

// units are those of TR-03105-5.1.
var units = map[string]string{
	"ISO7816_A": "application selection", "ISO7816_B": "Basic Access Control and secure messaging", "ISO7816_C": "reading files",
	"ISO7816_D": "Chip Authentication", "ISO7816_E": "Terminal Authentication", "ISO7816_F": "Active Authentication", "ISO7816_G": "PACE",
	"LDS_A": "EF.COM", "LDS_B": "DG1", "LDS_C": "DG2", "LDS_D": "DG3", "LDS_E": "DG4", "LDS_F": "DG14", "LDS_G": "EF.CVCA",
	"LDS_H": "EF.SOD", "LDS_I": "DG15", "LDS_J": "EF.CardSecurity", "LDS_K": "EF.ATR/INFO",
}

// cases returns every case: the attacks, then those of the guideline, each in its order.
func cases() ([]Case, error) {
	var attacks, guideline []Case
	if err := json.Unmarshal(attacksJSON, &attacks); err != nil {
		return nil, fmt.Errorf("attacks.json: %w", err)
	}
	if err := json.Unmarshal(guidelineJSON, &guideline); err != nil {
		return nil, fmt.Errorf("tr-03105-5.1.json: %w", err)
	}
	for i := range guideline {
		c := &guideline[i]
		c.Area, c.Clause = units[c.ID[:strings.LastIndex(c.ID, "_")]], "BSI TR-03105-5.1"
		if c.ICAO != "" {
			c.Clause = "ICAO part 4 " + c.ICAO
		}
	}
	list := append(attacks, guideline...)
	var known []string
	for _, p := range plays() {
		known = append(known, p.id)
	}
	for i := range list {
		list[i].Plays = spread(list[i].Plays, known)
	}
	return list, nil
}

// spread replaces a pattern that ends in * by the plays that begin so.
func spread(patterns, known []string) []string {
	var out []string
	for _, p := range patterns {
		prefix, many := strings.CutSuffix(p, "*")
		if !many {
			out = append(out, p)
			continue
		}
		var found []string
		for _, id := range known {
			if strings.HasPrefix(id, prefix) && !slices.Contains(out, id) {
				found = append(found, id)
			}
		}
		slices.Sort(found) // tables that are made of maps have no order
		out = append(out, found...)
	}
	return out
}

// choose returns the cases of these identifiers, where that of a unit (LDS_H) stands for all
// in it; all cases if there is none.
func choose(ids []string) ([]Case, error) {
	all, err := cases()
	if err != nil || len(ids) == 0 {
		return all, err
	}
	var chosen []Case
	for _, id := range ids {
		found := false
		for _, c := range all {
			if strings.EqualFold(c.ID, id) || strings.HasPrefix(c.ID, strings.ToUpper(id)+"_") {
				found = true
				chosen = append(chosen, c)
			}
		}
		if !found {
			return nil, fmt.Errorf("%q: %w", id, ErrCase)
		}
	}
	return chosen, nil
}
