package pki

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/verify/receipt"
)

// Requirement says what an issuer has, as the operator knows it.
type Requirement uint8

// The requirements; the zero value asks for most.
const (
	Required Requirement = iota
	Optional
	None
)

// Issuer is what the operator knows about one issuer's documents. The zero value
// asks for everything.
type Issuer struct {
	Country   string   // two letters, as in certificates
	Documents []string // document codes of the MRZ: "I" is all that begin with I, "ID" only these; empty is all

	CRL      Requirement
	CRLGrace time.Duration // how long a list is used after its nextUpdate
	Status   Requirement   // status of single cards; never Optional
	Chip     Requirement   // chips have a key of their own; never Optional

	// Anchors are the SHA-256 fingerprints of the only anchors for these documents;
	// empty admits every anchor of the country.
	Anchors [][32]byte

	// StatusKeys are the SHA-256 fingerprints of the public keys (SubjectPublicKeyInfo)
	// that may sign lists of card status for these documents; empty admits none.
	StatusKeys [][32]byte

	// Log says whether documents must carry a proof that they stand in a log of the
	// issuer's; LogFrom limits it to signers whose certificate began then or later.
	Log       LogRequirement `json:",omitzero"`
	LogFrom   time.Time      `json:",omitzero"`
	Logs      []string       `json:",omitempty"` // verifier keys of the logs (C2SP signed-note)
	Witnesses []string       `json:",omitempty"` // verifier keys of witnesses (C2SP tlog-cosignature)
	Quorum    int            `json:",omitzero"`  // how many of them must have cosigned
}

// LogRequirement says what the operator knows of an issuer's log. That nothing is said is
// no demand: hardly any issuer has a log.
type LogRequirement uint8

// What is known of a log.
const (
	LogUnset LogRequirement = iota
	LogRequired
	LogNone
)

// LogPolicy is whom to believe about the issuer's log.
func (i Issuer) LogPolicy() receipt.Policy {
	p := receipt.Policy{Quorum: i.Quorum}
	for _, key := range i.Logs {
		if v, err := receipt.ParseLogKey(key); err == nil {
			p.Logs = append(p.Logs, v)
		}
	}
	for _, key := range i.Witnesses {
		if w, err := receipt.ParseWitnessKey(key); err == nil {
			p.Witnesses = append(p.Witnesses, w)
		}
	}
	return p
}

// IssuersFile is the file of a trust folder that ParseIssuers reads.
const IssuersFile = "issuers.toml"

// ParseIssuers reads an issuers.toml:
//
//	[[issuer]]
//	country = "VN"
//	documents = ["I"]
//	crl = "required"       # required, optional, none
//	crl_grace_days = 2
//	status = "required"    # required, none
//	chip = "required"      # required, none
//	anchors = ["57ab…"]    # SHA-256 of the certificates
//	status_keys = ["09cd…"] # SHA-256 of the public keys that sign lists of card status
//	log = "required"       # required, none: a proof of the issuer's log in the signature
//	log_from = 2026-12-01  # of signers whose certificate begins on that day or later
//	logs = ["example.com/log+1234abcd+AQ…"]      # keys of the logs
//	witnesses = ["auditor.example+5678cdef+BA…"] # keys of their witnesses
//	quorum = 1             # how many of these must have cosigned; all, if it is left out
//
// What is left out is required, but for the log: it is required where logs are named.
// Unknown keys and words are errors.
func ParseIssuers(b []byte) ([]Issuer, error) {
	var file struct {
		Issuer []struct {
			Country      string   `toml:"country"`
			Documents    []string `toml:"documents"`
			CRL          string   `toml:"crl"`
			CRLGraceDays int      `toml:"crl_grace_days"`
			Status       string   `toml:"status"`
			Chip         string   `toml:"chip"`
			Anchors      []string `toml:"anchors"`
			StatusKeys   []string `toml:"status_keys"`
			logTOML
		} `toml:"issuer"`
	}
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("read %s: %w", IssuersFile, err)
	}
	var list []Issuer
	for n, f := range file.Issuer {
		i := Issuer{Country: strings.ToUpper(f.Country), Documents: f.Documents, CRLGrace: time.Duration(f.CRLGraceDays) * 24 * time.Hour}
		var err error
		if i.CRL, err = requirement(f.CRL, true); err == nil {
			if i.Status, err = requirement(f.Status, false); err == nil {
				i.Chip, err = requirement(f.Chip, false)
			}
		}
		if err == nil {
			i.Anchors, err = fingerprints(f.Anchors)
		}
		if err == nil {
			i.StatusKeys, err = fingerprints(f.StatusKeys)
		}
		if err == nil {
			err = f.logTOML.fill(&i)
		}
		if err == nil && len(i.Country) != 2 {
			err = fmt.Errorf("country %q has not two letters", f.Country)
		}
		if err == nil && (f.CRLGraceDays < 0 || f.CRLGraceDays > 3650) {
			err = fmt.Errorf("crl_grace_days %d is out of range", f.CRLGraceDays)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: issuer %d: %w", IssuersFile, n+1, err)
		}
		list = append(list, i)
	}
	return list, nil
}

// logTOML is what issuers.toml says of a log.
type logTOML struct {
	Log       string         `toml:"log"`
	LogFrom   toml.LocalDate `toml:"log_from"`
	Logs      []string       `toml:"logs"`
	Witnesses []string       `toml:"witnesses"`
	Quorum    *int           `toml:"quorum"`
}

func (f logTOML) fill(i *Issuer) error {
	switch {
	case f.Log == "required" || f.Log == "" && len(f.Logs) > 0:
		i.Log = LogRequired
	case f.Log == "none":
		i.Log = LogNone
	case f.Log != "":
		return fmt.Errorf("unknown word %q", f.Log)
	}
	i.Logs, i.Witnesses, i.Quorum = f.Logs, f.Witnesses, len(f.Witnesses)
	if f.Quorum != nil {
		i.Quorum = *f.Quorum
	}
	if f.LogFrom != (toml.LocalDate{}) {
		i.LogFrom = f.LogFrom.AsTime(time.UTC)
	}
	p := i.LogPolicy()
	switch {
	case len(p.Logs) != len(f.Logs):
		return errors.New("logs: not the verifier key of a log (NAME+HASH+KEY)")
	case len(p.Witnesses) != len(f.Witnesses):
		return errors.New("witnesses: not the verifier key of a witness (NAME+HASH+KEY, type 4)")
	case i.Quorum < 0 || i.Quorum > len(i.Witnesses):
		return fmt.Errorf("quorum %d of %d witnesses", i.Quorum, len(i.Witnesses))
	}
	return nil
}

func requirement(s string, optional bool) (Requirement, error) {
	switch {
	case s == "" || s == "required":
		return Required, nil
	case s == "none":
		return None, nil
	case s == "optional" && optional:
		return Optional, nil
	}
	return Required, fmt.Errorf("unknown word %q", s)
}

func fingerprints(list []string) ([][32]byte, error) {
	var out [][32]byte
	for _, s := range list {
		b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
		if err != nil || len(b) != 32 {
			return nil, fmt.Errorf("%q is no SHA-256 fingerprint", s)
		}
		out = append(out, [32]byte(b))
	}
	return out, nil
}

// Issuer returns what the operator says of a country's documents of this type: the
// entry that names the document code best. Without one, ok is false and the zero
// Issuer with the country asks for everything. Either argument may be "".
func (s *Store) Issuer(country, documentType string) (i Issuer, ok bool) {
	country = canonical(country)
	i = Issuer{Country: country}
	best := 0
	for _, e := range s.issuers {
		if canonical(e.Country) != country {
			continue
		}
		if m := e.match(documentType); m > best {
			i, ok, best = e, true, m
		}
	}
	return i, ok
}

// Covers says whether the entry speaks of a country's documents of that type. A country or
// type that is not known, "", may be any.
func (i Issuer) Covers(country, documentType string) bool {
	return (country == "" || sameCountry(i.Country, country)) && (documentType == "" || i.match(documentType) > 0)
}

// match grades how well the entry fits: 0 not at all, then all documents, then by
// one letter, then by two.
func (i Issuer) match(documentType string) int {
	if len(i.Documents) == 0 {
		return 1
	}
	best := 0
	for _, d := range i.Documents {
		if covers(d, documentType) {
			best = max(best, 1+len(d))
		}
	}
	return best
}

// covers says whether a document code of a list covers that of a document: one
// letter covers all that begin with it.
func covers(listed, code string) bool {
	listed, code = strings.TrimRight(listed, "<"), strings.TrimRight(code, "<")
	return listed != "" && (listed == code || (len(listed) == 1 && strings.HasPrefix(code, listed)))
}

// admits says whether documents of this issuer may end at the anchor.
func (i Issuer) admits(a *Anchor) bool {
	return len(i.Anchors) == 0 || slices.Contains(i.Anchors, a.Fingerprint)
}

// admits says whether the anchor was imported for documents of that code.
func (a *Anchor) admits(code string) bool {
	return a.Import == nil || len(a.Import.Documents) == 0 ||
		slices.ContainsFunc(a.Import.Documents, func(d string) bool { return covers(d, code) })
}
