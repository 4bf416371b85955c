package verify

import (
	"errors"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// ErrUnproven says that data were asked for that no trusted signature carries.
var ErrUnproven = errors.New("the data of this document are not proven")

// Report is what an inspection found. A bad card is a report, too.
type Report struct {
	Verdict  Verdict
	Policy   Policy
	Checks   []Check // in the order of the catalogue
	At       time.Time
	Specimen bool // test keys were welcome and vouch for the document
	Document Document
	Session  *Session   // nil if files were judged
	Proofs   Proofs     // what the chip showed of its keys
	Chain    pki.Result // of the signer: the way to its anchor, and the list that speaks for it

	// Files are the octets as they were read, for evidence and for judging again.
	Files Files

	identity Identity
	portrait *lds.Face
	status   *statusAnswer // about the card
	compared comparison    // what an officer's answer is judged beside
}

// Document says which document was inspected, without personal data.
type Document struct {
	Card    CardID // zero if there is no readable SOD
	Type    string // document code of the MRZ in DG1: I, ID, P
	State   string // issuing state of the MRZ in DG1: VNM
	Profile string // how it was read
	Groups  []int  // data groups that the SOD lists
	Read    []int  // data groups that were read
	Hash    string // what the groups are hashed with
	Signer  string // SHA-256 of the signer's certificate
	CSCA    string // SHA-256 of the anchor
	Store   string // the digest of the trust store that it was judged by; see pki.Store.Digest

	Status *lds.StatusReference // its place in a list of card status, as the SOD says; nil if it says none
}

// List is a dated list, or an answer as of a date, that a check rested on.
type List struct {
	Kind       string    // crl or status
	Issuer     string    // who signed it, or its source; "" if that is not known
	Signed     time.Time // as of when it speaks
	NextUpdate time.Time // when its issuer promised the next one; zero if it did not
}

// Session says how a chip was read.
type Session struct {
	Access   string // PACE-CAN, PACE-MRZ, BAC-MRZ
	APDUs    int    // every command since the connection was made
	BytesIn  int    // octets from the chip
	BytesOut int    // octets to the chip

	PACE      string // the variant that was run, such as PACE-ECDH-GM-AES-CBC-CMAC-128 on brainpoolP256r1; "" after BAC
	Response  int    // the largest answer, encoded, that card and reader were taken to bear
	Challenge string // who chose what the chip signed: case, or random; "" if it signed nothing
	Reopened  bool   // the card ended its session at extended length and was opened again with short APDUs
}

// Identity is whom a document speaks of. Everything in it is text from the card:
// escape it before it is shown.
type Identity struct {
	DocumentNumber string
	Number         string // personal number, where the country has one
	Surname        string // as in the MRZ
	Given          string // as in the MRZ
	Name           string // as the country writes it, "" if the chip does not say
	Birth          string // YYYY-MM-DD, shortened where parts are unknown
	Sex            string // M, F, X
	Nationality    string // as in the MRZ
	Expiry         string // as Birth; "" if NoExpiry
	NoExpiry       bool
	Fields         []Field // what else the country puts on the chip
}

// Field is one of a country's own entries.
type Field struct {
	Name  string // stable, in English: residence
	Value string
}

// Identity returns whom the document speaks of, if Integrity and Authentic passed
// under the report's policy; else ErrUnproven.
func (r *Report) Identity() (Identity, error) {
	if !r.proven() {
		return Identity{}, ErrUnproven
	}
	return r.Unproven(), nil
}

// Unproven returns what the chip says, whether or not anybody signed it.
func (r *Report) Unproven() Identity {
	i := r.identity
	i.Fields = slices.Clone(i.Fields)
	return i
}

// Portrait returns the holder's portrait as it lies on the chip, undecoded; ErrUnproven
// as for Identity, and false if there is none.
func (r *Report) Portrait() (lds.Face, bool, error) {
	if !r.proven() {
		return lds.Face{}, false, ErrUnproven
	}
	if r.portrait == nil {
		return lds.Face{}, false, nil
	}
	return *r.portrait, true, nil
}

func (r *Report) proven() bool {
	return r.Policy.passed(Integrity, r.Checks) && r.Policy.passed(Authentic, r.Checks)
}

// Passed reports whether the checks carry the claim under the report's policy.
func (r *Report) Passed(c Claim) bool { return r.Policy.passed(c, r.Checks) }

// Check returns the check of that identifier; its zero value, NotRun, if there is
// none.
func (r *Report) Check(id string) Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return Check{ID: id}
}

// Reasons returns the reasons that keep the verdict from being Accept, in the order
// of the checks, each once; none for Accept.
func (r *Report) Reasons() []Reason {
	var list []Reason
	for _, c := range r.Checks {
		if r.decides(c) && c.Reason != "" && !slices.Contains(list, c.Reason) {
			list = append(list, c.Reason)
		}
	}
	return list
}

// decides says whether the check is one of those that the verdict rests on.
func (r *Report) decides(c Check) bool {
	failed := Accept
	if c.Outcome == Failed {
		failed = r.Policy.failure(c.Reason)
	}
	switch r.Verdict {
	case Refuse:
		return failed == Refuse
	case Refer:
		if failed == Refer {
			return true
		}
		return slices.Contains(r.Policy.Need, c.Claim) && !r.Policy.passed(c.Claim, r.Checks) &&
			(r.Policy.blocks(c) || missing(c, r.Policy) && !r.tried(c))
	case Accept:
	}
	return false
}

// missing says whether a constitutive check of its claim did not come about.
func missing(c Check, p Policy) bool {
	if c.Outcome == Passed || c.Outcome == Failed || c.Outcome == Undetermined {
		return false
	}
	for _, n := range p.Groups {
		if c.ID == groupCheck(n) {
			return true
		}
	}
	if slices.Contains(p.Demand, c.ID) {
		return true
	}
	for _, k := range catalogue {
		if k.id == c.ID {
			return k.role == needed || k.role == waived && c.Outcome != Absent || k.role == oneOf
		}
	}
	return false
}

// Lists returns the dated lists that checks rested on.
func (r *Report) Lists() []List {
	var list []List
	if l := r.Chain.List; l != nil {
		list = append(list, List{Kind: "crl", Issuer: l.Issuer.String(), Signed: l.ThisUpdate, NextUpdate: l.NextUpdate})
	}
	if s := r.status; s != nil && s.err == nil && !s.AsOf.IsZero() {
		list = append(list, List{Kind: "status", Issuer: s.Source, Signed: s.AsOf, NextUpdate: s.NextUpdate})
	}
	return list
}

// Unchecked returns the checks that were not run and say why, other than those that the
// verdict rests on and those that others stood in for: what a reader of the report must not
// take for granted.
func (r *Report) Unchecked() []Check {
	var list []Check
	for _, c := range r.Checks {
		if c.Outcome == NotRun && c.Reason != "" && !r.decides(c) && !r.tried(c) {
			list = append(list, c)
		}
	}
	return list
}

// tried says whether another check that may carry the claim in place of this one was passed
// or stands in its way: a chip that failed one proof was asked, though not for the others.
func (r *Report) tried(c Check) bool {
	return alternative(c.ID) && !slices.Contains(r.Policy.Demand, c.ID) && slices.ContainsFunc(r.Checks, func(o Check) bool {
		return o.ID != c.ID && o.Claim == c.Claim && alternative(o.ID) && (o.Outcome == Passed || r.Policy.blocks(o))
	})
}

// alternative says whether another check may carry the claim in place of this one.
func alternative(id string) bool {
	return slices.ContainsFunc(catalogue, func(k kind) bool { return k.id == id && k.role == oneOf })
}

// Warnings returns the checks that say something without having brought down the
// verdict: remarks, softened failures, and what is undetermined where the policy
// does not need it.
func (r *Report) Warnings() []Check {
	var list []Check
	for _, c := range r.Checks {
		if c.Reason != "" && !r.decides(c) && !quiet[c.Reason] {
			list = append(list, c)
		}
	}
	return list
}

// quiet are reasons that are said with their check and are no warning.
var quiet = map[Reason]bool{
	ReasonGroupProtected: true, ReasonChipNotAsked: true, ReasonStatusNotAsked: true, ReasonPrintNotGiven: true,
	ReasonHolderNotCompared: true, ReasonPrintCAN: true, ReasonRelay: true, ReasonNoExpiry: true, ReasonSODUntrusted: true, ReasonAccessBAC: true, ReasonAccessPlain: true,
	ReasonSpecimen:    true, // the banner says it
	ReasonCertProfile: true, // most states' certificates do
}
