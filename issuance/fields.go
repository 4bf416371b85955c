package issuance

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// fields is the closed list of what an entry may say in clear, and in what form. There
// is no form for a name, a date of birth or a document number.
var fields = map[string]func(string) bool{
	// operators
	"key":    isOctets, // SubjectPublicKeyInfo
	"person": isName,   // who stands behind the key; a number of the desk's own, not the State's
	"name":   isName,   // what the desk calls the key
	"roles":  isRoles,  // with commas, in the order of Roles
	"logkey": isText,   // verifier key of a log (golang.org/x/mod/sumdb/note)
	"with":   isDigest, // key of the second administrator
	"from":   isTime,   // since when a key or desk counts as another's

	// references to other streams
	"application": validID,
	"card":        validID,
	"replaces":    validID, // the card that an application is to replace
	"successor":   validID, // the card that replaces this one
	"ds":          validID, // the key that signed
	"issuer":      validID, // the key that certifies
	"subject":     validID, // the person who applies
	"batch":       validID, // of blank cards
	"transport":   validID, // the key with which a batch came

	// what is to be made
	"doctype": isName,
	"profile": isName,
	"reason":  isName,
	"plan":    isDigest, // of the personalisation plan; the plan holds a random value
	"ordinal": isNumber, // the how many-th of a person's numbers it is made out to

	"request": validID, // the question to the register of the population

	// personalisation
	"keyset":   isNumber, // version of the keys put onto the chip
	"os":       isName,   // driver of the card's operating system
	"attempt":  isNumber,
	"script":   isDigest, // of the commands sent
	"evidence": isDigest, // of the chip's answer under R-MAC
	"imported": isName,   // which keys were not made on the chip
	"cardid":   isDigest, // SHA-256 of the LDSSecurityObject
	"tbs":      isDigest, // of what will be signed
	"sod":      isDigest, // of EF.SOD
	"readback": isDigest, // of the files as read back
	"report":   isDigest, // of the inspection report
	"verdict":  isName,
	"policy":   isName,
	"print":    isDigest, // of the print job, with a random value
	"holder":   isName,   // match, mismatch or unsure; or proxy

	// what becomes of it
	"to":        isName,
	"shipment":  isName,
	"withdrawn": isName, // of a card that is replaced: yes, or lost
	"outcome":   isName, // of a complaint, or of a question to the register

	// the authority's keys
	"usage":      isName,   // csca, ds, …
	"algorithm":  isName,   // of the key: a curve's name, or rsa-3072
	"public":     isDigest, // of the SubjectPublicKeyInfo
	"object":     isName,   // certificate, crl, link, …
	"issued":     isDigest, // of what was signed
	"cap":        isNumber, // how many cards a document signer may sign
	"number":     isNumber, // of a list
	"chr":        validID,  // certificate holder reference (TR-03110-3 A.6.1)
	"kcv":        isOctets, // key check value
	"components": isNumber,
	"ceremony":   validID,
	"transcript": isDigest,
	"title":      isName,

	// blank cards, desks and days
	"at":        isName,
	"blank":     isNumber, // number of a blank card in its batch
	"count":     isNumber,
	"serials":   isDigest, // of the list of numbers that were found
	"closed":    isDay,
	"opening":   isNumber, // how many blanks were there when the day before was closed
	"received":  isNumber,
	"used":      isNumber,
	"spoiled":   isNumber,
	"moved":     isNumber,
	"closing":   isNumber, // how many are there now
	"supplier":  isName,
	"day":       isDay,
	"origin":    validOrigin, // name of a desk's own log
	"size":      isNumber,    // entries of a log
	"tree":      isDigest,    // and its root
	"conflicts": isNumber,
	"left":      isText, // a stream of a log: origin#kind/id
	"right":     isText,
	"first":     isText,
	"last":      isText,

	// where and with what
	"desk":    isName,
	"program": isName,
}

// checkFields holds an entry's fields against the list.
func checkFields(e *Entry) error {
	for name, value := range e.Fields {
		form, ok := fields[name]
		if !ok {
			return fmt.Errorf("%w: %s: no field is called %q", ErrEntry, e.Act, name)
		}
		if !form(value) {
			return fmt.Errorf("%w: %s: the value of %q has not its form", ErrEntry, e.Act, name)
		}
	}
	return nil
}

// validWord: a lower-case letter, then lower-case letters, digits and hyphens.
func validWord(s string, most int) bool {
	return s != "" && isLower(s[0]) && validName(s, most) && !strings.Contains(s, ".")
}

// validName: lower-case letters, digits, dots and hyphens.
func validName(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLower(c) && !isDigit(c) && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// validID: a letter or digit, then letters, digits, dots, hyphens and underscores.
func validID(s string) bool {
	if s == "" || len(s) > maxStreamID || !isAlnum(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

// validText: printable ASCII without spaces.
func validText(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validOrigin: what a signed note takes as the name of a key.
func validOrigin(s string) bool { return validText(s, maxOrigin) && !strings.Contains(s, "+") }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isAlnum(c byte) bool { return isLower(c) || isDigit(c) || 'A' <= c && c <= 'Z' }

func isText(s string) bool { return validText(s, maxFieldValue) }
func isName(s string) bool { return validName(s, 64) }

func isOctets(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != "" && len(s)%2 == 0
}

func isDigest(s string) bool { return len(s) == 64 && isOctets(s) }

func isNumber(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s == "0" || s != "" && len(s) <= 18 && s[0] != '0'
}

// isTime: RFC 3339 in UTC, whole seconds.
func isTime(s string) bool {
	t, err := time.Parse(time.RFC3339, s)
	return err == nil && t.UTC().Format(time.RFC3339) == s
}

func isDay(s string) bool {
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Format(time.DateOnly) == s
}

func isRoles(s string) bool {
	rest := Roles()
	for name := range strings.SplitSeq(s, ",") {
		i := slices.Index(rest, Role(name))
		if i < 0 {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}

// RolesField returns the text of the field "roles": the roles without repetition, in
// the order of [Roles].
func RolesField(roles ...Role) string {
	var names []string
	for _, r := range Roles() {
		if slices.Contains(roles, r) {
			names = append(names, string(r))
		}
	}
	return strings.Join(names, ",")
}
