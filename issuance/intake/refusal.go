package intake

import "net/http"

// Code says in one word why a message was refused.
type Code string

// The codes.
const (
	CodeUnsigned Code = "unsigned"       // no signature
	CodeSigner   Code = "bad-signature"  // no key of the portal made it over these octets
	CodePortal   Code = "unknown-portal" // not on the list of portals
	CodeOther    Code = "wrong-portal"   // signed by one portal, said to be another's
	CodeOffice   Code = "wrong-office"   // signed for another office
	CodeStale    Code = "stale"          // too old, and never seen before
	CodeEarly    Code = "early"          // dated in the future
	CodeReused   Code = "reused"         // other octets have come under that name
	CodeSize     Code = "oversize"
	CodeFormat   Code = "malformed"
	CodeKey      Code = "unknown-field"
	CodePerson   Code = "person"   // what is said of the person can't be on a card
	CodePurpose  Code = "purpose"  // none, or not one of the portal's
	CodeReason   Code = "reason"   // no reason for a card, or not one that the portal may give
	CodeRevision Code = "revision" // another message has that revision of the case
	CodeClosed   Code = "closed"   // the desk has the case, or it is over
	CodeRate     Code = "too-many"
	CodeUnknown  Code = "unknown" // no such case
	CodeDown     Code = "out-of-order"
)

// Codes lists them.
func Codes() []Code {
	return []Code{
		CodeUnsigned, CodeSigner, CodePortal, CodeOther, CodeOffice, CodeStale, CodeEarly, CodeReused, CodeSize, CodeFormat, CodeKey,
		CodePerson, CodePurpose, CodeReason, CodeRevision, CodeClosed, CodeRate, CodeUnknown, CodeDown,
	}
}

// Refusal is why a message was not taken in: nothing of it was stored.
type Refusal struct {
	Code  Code   `json:"code"`
	Field string `json:"field,omitempty" doc:"of the person, which is wrong"`
}

func (r *Refusal) Error() string {
	if r.Field != "" {
		return "refused: " + string(r.Code) + ": " + r.Field
	}
	return "refused: " + string(r.Code)
}

// Again reports whether the same message may be taken in if it is sent again.
func (r *Refusal) Again() bool {
	return r.Code == CodeRate || r.Code == CodeDown || r.Code == CodeEarly
}

func refuse(c Code) error { return &Refusal{Code: c} }

// statuses are the codes whose HTTP status is not 400.
var statuses = map[Code]int{
	CodeUnsigned: http.StatusUnauthorized, CodeSigner: http.StatusUnauthorized, CodePortal: http.StatusUnauthorized,
	CodeOther: http.StatusForbidden, CodeOffice: http.StatusForbidden, CodePurpose: http.StatusForbidden,
	CodeReused: http.StatusConflict, CodeRevision: http.StatusConflict, CodeClosed: http.StatusConflict,
	CodeSize: http.StatusRequestEntityTooLarge, CodeRate: http.StatusTooManyRequests, CodeUnknown: http.StatusNotFound,
	CodeDown: http.StatusServiceUnavailable,
}
