package population

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// OSIA asks a register by the Population Registry interface of OSIA (pr 1.x): findPersons
// by number, name and date of birth, then the one person's status and reference identity.
// The interface has no place for who asks and why: they go along as the headers
// Tamthe-Officer, Tamthe-Unit and Tamthe-Purpose. Use it over TLS only.
type OSIA struct {
	URL    string // before /v1
	Token  Secret // bearer token with the scopes pr.person.read and pr.reference.read
	Client *http.Client
}

// The names of a person's attributes. The interface leaves them to its users.
const (
	attrNumber = "personalNumber"
	attrFamily = "lastName"
	attrGiven  = "firstName"
	attrBirth  = "dateOfBirth"
)

type (
	osiaExpression struct {
		Attribute string `json:"attributeName"`
		Operator  string `json:"operator"`
		Value     string `json:"value"`
	}
	osiaFound struct {
		Person   string `json:"personId"`
		Identity string `json:"identityId,omitempty"`
	}
	osiaPerson struct {
		ID       string `json:"personId"`
		Status   string `json:"status"`
		Physical string `json:"physicalStatus"`
	}
	osiaIdentity struct {
		ID     string         `json:"identityId"`
		Type   string         `json:"identityType"`
		Status string         `json:"status"`
		Data   osiaBiographic `json:"biographicData"`
	}
	osiaBiographic struct {
		Number    string `json:"personalNumber"`
		OldNumber string `json:"oldNumber,omitempty"`
		Family    string `json:"lastName,omitempty"`
		Given     string `json:"firstName,omitempty"`
		Sex       string `json:"gender,omitempty"`
		Birth     string `json:"dateOfBirth,omitempty"` // YYYY, YYYY-MM or YYYY-MM-DD
		Ethnicity string `json:"ethnicity,omitempty"`
		Religion  string `json:"religion,omitempty"`
		Origin    Place  `json:"placeOfOrigin"`
		Residence Place  `json:"residence"`
		Father    string `json:"father,omitempty"`
		Mother    string `json:"mother,omitempty"`
		Spouse    string `json:"spouse,omitempty"`
	}
)

// Confirm asks the register.
func (o *OSIA) Confirm(ctx context.Context, q Query) (Record, error) {
	if err := q.Check(); err != nil {
		return Record{}, err
	}
	family, given, _ := strings.Cut(spaced(q.Name), " ")
	var found []osiaFound
	err := o.call(ctx, q, http.MethodPost, "", url.Values{"group": {"true"}, "reference": {"true"}, "limit": {"2"}}, []osiaExpression{
		{attrNumber, "=", string(q.Number)}, {attrFamily, "=", family}, {attrGiven, "=", given}, {attrBirth, "=", q.Birth.String()},
	}, &found)
	switch {
	case err != nil:
		return Record{}, err
	case len(found) == 0:
		return Record{}, ErrNoSuchPerson
	case len(found) > 1 || found[0].Person == "":
		return Record{}, fmt.Errorf("%w: not one person", ErrAnswer)
	}
	one := "/" + url.PathEscape(found[0].Person)
	var p osiaPerson
	if err := o.call(ctx, q, http.MethodGet, one, url.Values{}, nil, &p); err != nil {
		return Record{}, err
	}
	var id osiaIdentity
	if err := o.call(ctx, q, http.MethodGet, one+"/reference", url.Values{}, nil, &id); err != nil {
		return Record{}, err
	}
	r, err := id.Data.record()
	if err != nil {
		return Record{}, err
	}
	r.Deceased = p.Physical != "ALIVE"
	return r.answering(q)
}

func (b osiaBiographic) record() (Record, error) {
	var birth vn.Date
	if b.Birth != "" {
		text, _ := json.Marshal(b.Birth) // a string always encodes
		if err := birth.UnmarshalJSON(text); err != nil {
			return Record{}, fmt.Errorf("%w: a date of birth that is none", ErrAnswer)
		}
	}
	return Record{
		Number: vn.Number(b.Number), OldNumber: b.OldNumber, Name: spaced(b.Family + " " + b.Given), Sex: b.Sex, Birth: birth,
		Ethnicity: b.Ethnicity, Religion: b.Religion, Origin: b.Origin, Residence: b.Residence, Father: b.Father, Mother: b.Mother, Spouse: b.Spouse,
	}, nil
}

// call makes one call of the interface and reads its answer into out.
func (o *OSIA) call(ctx context.Context, q Query, method, path string, query url.Values, in, out any) error {
	query.Set("transactionId", q.Request)
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("write the question: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(o.URL, "/")+"/v1/persons"+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return errors.New("ask the register: its address is none")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+string(o.Token))
	req.Header.Set("Tamthe-Officer", q.Officer)
	req.Header.Set("Tamthe-Unit", q.Unit)
	req.Header.Set("Tamthe-Purpose", q.Purpose)
	status, answer, err := exchange(o.Client, req)
	switch {
	case err != nil:
		return err
	case status == http.StatusOK:
		if err := json.Unmarshal(answer, out); err != nil {
			return fmt.Errorf("%w: not the JSON of it", ErrAnswer)
		}
		return nil
	case status == http.StatusNotFound:
		return ErrNoSuchPerson
	case status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("%w: HTTP status %d", ErrUnavailable, status)
	}
	var e struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(answer, &e) == nil && e.Code != 0 {
		return &RefusedError{strconv.Itoa(e.Code)}
	}
	return &RefusedError{strconv.Itoa(status)}
}
