package population

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// signedIn reports whether a request has one of the tokens.
func (s *Server) signedIn(w http.ResponseWriter, req *http.Request) bool {
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	for _, t := range s.Tokens {
		if token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(t)) == 1 {
			return true
		}
	}
	w.WriteHeader(http.StatusForbidden)
	return false
}

func (s *Server) osiaFind(w http.ResponseWriter, req *http.Request) {
	if !s.signedIn(w, req) {
		return
	}
	var list []osiaExpression
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAnswer))
	if err != nil || json.Unmarshal(body, &list) != nil {
		osiaError(w, ErrQuery)
		return
	}
	value := map[string]string{}
	for _, e := range list {
		if _, twice := value[e.Attribute]; twice || e.Operator != "=" { // to confirm, not to search
			osiaError(w, ErrQuery)
			return
		}
		value[e.Attribute] = e.Value
	}
	q := headers(req)
	q.Number, q.Name = vn.Number(value[attrNumber]), spaced(value[attrFamily]+" "+value[attrGiven])
	text, _ := json.Marshal(value[attrBirth]) // a string always encodes
	if q.Birth.UnmarshalJSON(text) != nil || len(value) != 4 {
		osiaError(w, ErrQuery)
		return
	}
	found := []osiaFound{}
	switch r, err := s.confirm(req.Context(), q); {
	case err == nil:
		found = append(found, osiaFound{Person: string(r.Number)})
	case !errors.Is(err, ErrNoSuchPerson):
		osiaError(w, err)
		return
	}
	osiaAnswers(w, found)
}

// headers are who asks and why.
func headers(req *http.Request) Query {
	return Query{
		Officer: req.Header.Get("Tamthe-Officer"), Unit: req.Header.Get("Tamthe-Unit"), Purpose: req.Header.Get("Tamthe-Purpose"),
		Request: req.URL.Query().Get("transactionId"),
	}
}

// again is the record of whom the same request confirmed before: nobody reads a person
// whose name and date of birth they did not know.
func (s *Server) again(w http.ResponseWriter, req *http.Request) (Record, bool) {
	if !s.signedIn(w, req) {
		return Record{}, false
	}
	q := headers(req)
	n, err := s.Source.Confirmed(req.Context(), q.Unit, q.Request)
	if err == nil && string(n) != req.PathValue("id") {
		err = ErrNoSuchPerson
	}
	if err != nil {
		osiaError(w, err)
		return Record{}, false
	}
	r, err := s.Source.Find(req.Context(), n)
	if err != nil {
		osiaError(w, err)
		return Record{}, false
	}
	return r, true
}

func (s *Server) osiaPerson(w http.ResponseWriter, req *http.Request) {
	r, ok := s.again(w, req)
	if !ok {
		return
	}
	p := osiaPerson{ID: string(r.Number), Status: "ACTIVE", Physical: "ALIVE"}
	if r.Deceased {
		p.Physical = "DEAD"
	}
	osiaAnswers(w, p)
}

func (s *Server) osiaReference(w http.ResponseWriter, req *http.Request) {
	r, ok := s.again(w, req)
	if !ok {
		return
	}
	family, given, _ := strings.Cut(r.Name, " ")
	birth := ""
	if r.Birth.Year != 0 {
		birth = r.Birth.String()
	}
	osiaAnswers(w, osiaIdentity{ID: string(r.Number), Type: "CIVIL", Status: "VALID", Data: osiaBiographic{
		Number: string(r.Number), OldNumber: r.OldNumber, Family: family, Given: given, Sex: r.Sex, Birth: birth, Ethnicity: r.Ethnicity,
		Religion: r.Religion, Origin: r.Origin, Residence: r.Residence, Father: r.Father, Mother: r.Mother, Spouse: r.Spouse,
	}})
}

func osiaAnswers(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out)
}

// osiaError answers by the interface's own error.
func osiaError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrNoSuchPerson):
		w.WriteHeader(http.StatusNotFound)
		return
	case errors.Is(err, ErrQuery), errors.Is(err, ErrReused):
		status = http.StatusBadRequest
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{status, "the question is not answered"})
}
