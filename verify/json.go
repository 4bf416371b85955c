package verify

import (
	"encoding/json"
	"time"
)

// The schemas of JSON documents: what verify says of a chip, and judge of files.
const (
	schemaVerify = "tamthe/verify/1"
	schemaJudge  = "tamthe/judge/1"
)

// The shapes of the JSON document. Their order is part of the contract; fields are
// only ever added.
type (
	jsonReport struct {
		Schema   string        `json:"schema"`
		Verdict  Verdict       `json:"verdict"`
		Policy   string        `json:"policy"`
		At       string        `json:"at"`
		Specimen bool          `json:"specimen"`
		Reasons  []Reason      `json:"reasons"`
		Checks   []jsonCheck   `json:"checks"`
		Warnings []jsonWarning `json:"warnings"`
		Document jsonDocument  `json:"document"`
		Identity *jsonIdentity `json:"identity"`
		Session  *jsonSession  `json:"session"`

		Unchecked []jsonWarning `json:"unchecked"`
		Lists     []jsonList    `json:"lists"`
	}
	jsonCheck struct {
		ID      string  `json:"id"`
		Claim   Claim   `json:"claim"`
		Outcome Outcome `json:"outcome"`
		Reason  *Reason `json:"reason"`
		Spec    string  `json:"spec"`
		Detail  string  `json:"detail,omitempty"`

		TR03135 *jsonTR03135 `json:"tr03135,omitempty"`
	}
	jsonTR03135 struct {
		Clause string `json:"clause"`
		Check  string `json:"check"`
		Result string `json:"result"`
	}
	jsonWarning struct {
		ID     string `json:"id"`
		Reason Reason `json:"reason"`
	}
	jsonList struct {
		Kind       string  `json:"kind"`
		Issuer     string  `json:"issuer"`
		Signed     string  `json:"signed"`
		NextUpdate *string `json:"next_update"`
	}
	jsonDocument struct {
		Card    string `json:"card_id"`
		Type    string `json:"type"`
		State   string `json:"state"`
		Profile string `json:"profile"`
		Groups  []int  `json:"groups"`
		Read    []int  `json:"read"`
		Hash    string `json:"hash"`
		Signer  string `json:"signer"`
		CSCA    string `json:"csca"`
		Store   string `json:"store"`

		Status *jsonStatus `json:"status,omitempty"`
	}
	jsonStatus struct {
		List  string `json:"list"`
		Index uint32 `json:"index"`
	}
	jsonIdentity struct {
		DocumentNumber string      `json:"document_number"`
		Number         string      `json:"number"`
		Surname        string      `json:"surname"`
		Given          string      `json:"given"`
		Name           string      `json:"name"`
		Birth          string      `json:"birth"`
		Sex            string      `json:"sex"`
		Nationality    string      `json:"nationality"`
		Expiry         *string     `json:"expiry"`
		Fields         []jsonField `json:"fields"`
	}
	jsonField struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	jsonSession struct {
		Access    string `json:"access"`
		APDUs     int    `json:"apdus"`
		BytesIn   int    `json:"bytes_in"`
		BytesOut  int    `json:"bytes_out"`
		PACE      string `json:"pace,omitempty"`
		Response  int    `json:"max_response,omitempty"`
		Reopened  bool   `json:"reopened,omitempty"`
		Challenge string `json:"challenge,omitempty"`
	}
)

// JSON encodes the report as tamthe/verify/1, or tamthe/judge/1 if files were
// judged: one object with a final line end, in which no control character and no
// mark of direction stands unescaped. The identity is null unless it is proven.
func (r *Report) JSON() ([]byte, error) {
	doc := jsonReport{
		Schema: schemaVerify, Verdict: r.Verdict, Policy: r.Policy.Name, At: r.At.UTC().Format(time.RFC3339),
		Specimen: r.Specimen, Reasons: nonNil(r.Reasons()), Checks: r.jsonChecks(), Warnings: reasoned(r.Warnings()),
		Unchecked: reasoned(r.Unchecked()), Lists: r.jsonLists(),
		Document: jsonDocument{
			Type: r.Document.Type, State: r.Document.State, Profile: r.Document.Profile, Groups: nonNil(r.Document.Groups),
			Read: nonNil(r.Document.Read), Hash: r.Document.Hash, Signer: r.Document.Signer, CSCA: r.Document.CSCA,
			Store: r.Document.Store,
		},
	}
	if r.Document.Card != (CardID{}) {
		doc.Document.Card = r.Document.Card.String()
	}
	if s := r.Document.Status; s != nil {
		doc.Document.Status = &jsonStatus{s.List, s.Index}
	}
	if i, err := r.Identity(); err == nil {
		doc.Identity = i.json()
	}
	if s := r.Session; s != nil {
		doc.Session = &jsonSession{s.Access, s.APDUs, s.BytesIn, s.BytesOut, s.PACE, s.Response, s.Reopened, s.Challenge}
	} else {
		doc.Schema = schemaJudge
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(EscapeJSON(b), '\n'), nil
}

func (r *Report) jsonChecks() []jsonCheck {
	list := []jsonCheck{}
	for _, c := range r.Checks {
		j := jsonCheck{ID: c.ID, Claim: c.Claim, Outcome: c.Outcome, Spec: c.Spec, Detail: c.Detail}
		if c.Reason != "" {
			j.Reason = &c.Reason
		}
		if t, ok := c.TR03135(); ok {
			j.TR03135 = (*jsonTR03135)(&t)
		}
		list = append(list, j)
	}
	return list
}

// reasoned are the checks with their reasons only.
func reasoned(checks []Check) []jsonWarning {
	list := []jsonWarning{}
	for _, c := range checks {
		list = append(list, jsonWarning{c.ID, c.Reason})
	}
	return list
}

func (r *Report) jsonLists() []jsonList {
	list := []jsonList{}
	for _, l := range r.Lists() {
		j := jsonList{Kind: l.Kind, Issuer: l.Issuer, Signed: l.Signed.UTC().Format(time.RFC3339)}
		if !l.NextUpdate.IsZero() {
			s := l.NextUpdate.UTC().Format(time.RFC3339)
			j.NextUpdate = &s
		}
		list = append(list, j)
	}
	return list
}

func (i Identity) json() *jsonIdentity {
	j := &jsonIdentity{
		DocumentNumber: i.DocumentNumber, Number: i.Number, Surname: i.Surname, Given: i.Given, Name: i.Name,
		Birth: i.Birth, Sex: i.Sex, Nationality: i.Nationality, Fields: []jsonField{},
	}
	if !i.NoExpiry {
		j.Expiry = &i.Expiry
	}
	for _, f := range i.Fields {
		j.Fields = append(j.Fields, jsonField(f))
	}
	return j
}

// nonNil makes an empty list of nil, which JSON would write as null.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
