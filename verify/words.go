package verify

import (
	"fmt"
	"time"
)

// Lang is a language that reports are written in.
type Lang string

// The languages. Anything else reads as English.
const (
	English    Lang = "en"
	Vietnamese Lang = "vi"
)

// Words says to an officer what a reason means and what to do about it.
type Words struct {
	Cause  string // one clause, lower case, without a full stop
	Remedy string // a sentence
}

// vocabulary is all that a report says in one language.
type vocabulary struct {
	reasons  map[Reason]Words
	checks   map[string]string // titles of the checks; "lds.dg" takes the number
	claims   [HolderBound + 1]string
	verdicts [Refuse + 1]string
	labels   labels
	sexes    map[string]string // M, F, X
	lists    map[string]string // kinds of List
	sources  map[string]string // of card status, where another word than the source's own is due
	printed  map[string]string // what may be printed otherwise than the chip has it, see differences and vn.Rule
	day      string            // layout of dates for people
	ages     [3]string         // of lists: less than two hours, so many hours, so many days
}

// labels are the fixed words of a printed report.
type labels struct {
	specimen, withoutPhoto, withoutChip, unproven, noExpiry string
	holder, name, number, birth, sex, nationality           string
	expiry, policy, access, time, seconds, apdus            string
	groups, unchecked                                       string
	at, document, card, signer, csca, store                 string
}

// date writes a date of the form YYYY-MM-DD for people; one that is partly known stays.
func (v *vocabulary) date(s string) string {
	if d, err := time.Parse(time.DateOnly, s); err == nil {
		return d.Format(v.day)
	}
	return s
}

// age says how long ago something was signed.
func (v *vocabulary) age(d time.Duration) string {
	switch hours := int(d.Hours()); {
	case hours < 2:
		return v.ages[0]
	case hours < 48:
		return fmt.Sprintf(v.ages[1], hours)
	default:
		return fmt.Sprintf(v.ages[2], hours/24)
	}
}

// Words returns the cause and the remedy of the reason in the language; the code
// itself for a reason that this version doesn't know.
func (r Reason) Words(l Lang) Words {
	if w, ok := words(l).reasons[r]; ok {
		return w
	}
	return Words{Cause: fmt.Sprintf("%q", string(r))}
}

// Word is the verdict as an officer is told it.
func (v Verdict) Word(l Lang) string { return words(l).verdicts[min(v, Refuse)] }

// Title names the check for an officer.
func (c Check) Title(l Lang) string {
	v := words(l)
	if t, ok := v.checks[c.ID]; ok {
		return t
	}
	var n int
	if _, err := fmt.Sscanf(c.ID, "lds.dg%d", &n); err == nil {
		return fmt.Sprintf(v.checks["lds.dg"], n)
	}
	return c.ID
}

func words(l Lang) *vocabulary {
	if l == Vietnamese {
		return &vietnamese
	}
	return &english
}
