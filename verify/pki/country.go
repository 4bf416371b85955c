package pki

import (
	"strings"

	"golang.org/x/text/language"
)

// issuingStates maps the codes of Doc 9303-3 §5 that are not in ISO 3166-1, and a
// few that authorities write otherwise, to the country in their certificates.
var issuingStates = map[string]string{
	"D": "DE", "GBD": "GB", "GBN": "GB", "GBO": "GB", "GBP": "GB", "GBS": "GB",
	"EUE": "EU", "UNO": "UN", "UNA": "UN", "UNK": "UN",
	"RKS": "KS", "XPO": "XP", "XOM": "XO", "XCT": "XC", "UTO": "UT",
	"AOE": "XO", "XAA": "XX", "XBA": "XB", "XIM": "XI", "XCC": "XC", "XCE": "XE", "XCO": "XK", "XEC": "XE", "XMP": "XM", "XES": "XS",
}

// alike lists countries that certificates write in two ways.
var alike = map[string]string{
	"UK": "GB", // reserved for the United Kingdom
	"EL": "GR", // as the European Union writes Greece
	"XK": "KS", // Kosovo, both user-assigned
	"QZ": "KS",
}

// CountryOf returns the two letters that certificates use for an issuing state of
// the MRZ (VNM → VN, D → DE, UTO → UT), or "" for a code that is none.
func CountryOf(state string) string {
	state = strings.ToUpper(strings.TrimRight(state, "<"))
	if c, ok := issuingStates[state]; ok {
		return c
	}
	if len(state) != 3 {
		return ""
	}
	r, err := language.ParseRegion(state)
	if err != nil || !r.IsCountry() {
		return ""
	}
	return r.String()
}

// canonical folds the ways of writing one country in certificates.
func canonical(country string) string {
	country = strings.ToUpper(strings.TrimSpace(country))
	if len(country) == 3 {
		if c := CountryOf(country); c != "" {
			country = c
		}
	}
	if c, ok := alike[country]; ok {
		return c
	}
	return country
}

// sameCountry says whether two certificates, or a certificate and CountryOf, name
// one state. An empty name is no state's.
func sameCountry(a, b string) bool {
	return a != "" && b != "" && canonical(a) == canonical(b)
}
