package population

import (
	"crypto/subtle"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
)

func (s *Server) soap(w http.ResponseWriter, req *http.Request) {
	account, password, _ := req.BasicAuth()
	secret, ok := s.Accounts[account]
	stamp := req.Header.Get("timestamp")
	if !ok || !s.recent(stamp) || subtle.ConstantTimeCompare([]byte(password), []byte(soapPassword(s.URL+"/soap", account, stamp, secret))) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="register"`)
		http.Error(w, "not signed in", http.StatusUnauthorized)
		return
	}
	var m soapRequest
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAnswer))
	if err != nil || xml.Unmarshal(body, &m) != nil || m.Body.Ask == nil {
		soapAnswers(w, http.StatusInternalServerError, soapAnswer{}, "Client.Envelope")
		return
	}
	q, err := m.Body.Ask.query()
	if err == nil && m.Body.Ask.Account != account {
		err = ErrQuery
	}
	var r Record
	if err == nil {
		r, err = s.confirm(req.Context(), q)
	}
	var out soapAnswer
	out.Body.All = &soapCitizen{}
	switch {
	case err == nil:
		out.Body.All.List = []soapPerson{toSOAPPerson(r)}
	case errors.Is(err, ErrNoSuchPerson):
	case errors.Is(err, ErrQuery):
		soapAnswers(w, http.StatusInternalServerError, soapAnswer{}, "Client.Query")
		return
	case errors.Is(err, ErrReused):
		soapAnswers(w, http.StatusInternalServerError, soapAnswer{}, "Client.MaYeuCau")
		return
	default:
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	soapAnswers(w, http.StatusOK, out, "")
}

// recent reports whether a time in seconds since 1970 is now, or nearly.
func (s *Server) recent(stamp string) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	return err == nil && s.Now().Sub(time.Unix(n, 0)).Abs() <= window
}

func soapAnswers(w http.ResponseWriter, status int, m soapAnswer, fault string) {
	if fault != "" {
		m.Body.Fault = &soapFault{Code: fault, Text: "the question is not answered"}
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	xml.NewEncoder(w).Encode(m)
}

func (a *soapQuery) query() (Query, error) {
	birth, err := fromSOAP(a.Birth)
	if err != nil {
		return Query{}, ErrQuery
	}
	return Query{
		Number: vn.Number(a.Number), Name: a.Name, Birth: birth, Officer: a.Officer, Unit: a.Unit, Purpose: a.Purpose, Request: a.Request,
	}, nil
}

func toSOAPPerson(r Record) soapPerson {
	sex := map[string]string{"M": "1", "F": "2"}[r.Sex]
	if sex == "" {
		sex = r.Sex
	}
	place := func(p Place) *soapPlace {
		if p.IsZero() {
			return nil
		}
		return &soapPlace{p.Province, p.District, p.Ward, p.Detail, p.Country}
	}
	p := soapPerson{
		Number: string(r.Number), OldNumber: r.OldNumber, Name: soapName{Given: r.Name}, Sex: sex, Ethnicity: r.Ethnicity, Religion: r.Religion,
		Birth: toSOAP(r.Birth), Origin: place(r.Origin), Residence: place(r.Residence), Father: soapRelative{soapName{Given: r.Father}},
		Mother: soapRelative{soapName{Given: r.Mother}}, Spouse: soapRelative{soapName{Given: r.Spouse}},
	}
	if r.Deceased {
		p.Deceased = "1"
	}
	return p
}
