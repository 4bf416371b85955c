package population

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tamthe/tamthe/card/profile/vn"
)

// What a register of OSIA answers instead of a person is told apart: nobody of that number, a
// register that is out of order and may be asked again, and one that refuses, by its own code
// where it says one.
func TestOSIAAnswers(t *testing.T) {
	q := Query{
		Number: "003190000017", Name: "Nguyễn Thị Thử", Birth: vn.Date{Year: 1990}, Officer: "lan", Unit: "mau", Purpose: "issue", Request: "R-1",
	}
	for _, c := range []struct {
		status int
		body   string
		want   error
		code   string // of a refusal
	}{
		{http.StatusNotFound, `{"code":7}`, ErrNoSuchPerson, ""},
		{http.StatusTooManyRequests, `{"code":7}`, ErrUnavailable, ""},
		{http.StatusInternalServerError, `{"code":7}`, ErrUnavailable, ""},
		{http.StatusServiceUnavailable, "", ErrUnavailable, ""},
		{http.StatusOK, "[]", ErrNoSuchPerson, ""},
		{http.StatusOK, "{", ErrAnswer, ""},
		{http.StatusOK, `[{"personId":"a"},{"personId":"b"}]`, ErrAnswer, ""},
		{http.StatusForbidden, `{"code":1234}`, nil, "1234"},
		{http.StatusForbidden, `{"code":0}`, nil, "403"},
		{http.StatusUnauthorized, "not JSON", nil, "401"},
		{http.StatusBadRequest, `{"code":"x"}`, nil, "400"},
	} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		}))
		_, err := (&OSIA{URL: web.URL, Token: "t", Client: web.Client()}).Confirm(t.Context(), q)
		web.Close()
		refused, ok := errors.AsType[*RefusedError](err)
		if c.want != nil && !errors.Is(err, c.want) || c.code != "" && (!ok || refused.Code != c.code) || c.code == "" && ok {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
}

// A code of no province is never the province of an address, not even of one that names none.
func TestProvinceOfNone(t *testing.T) {
	for _, ours := range []string{"Số 3, Tỉnh", "Số 3, tỉnh ", "Số 3, Thành phố"} {
		for _, theirs := range []Place{{Province: "03", Detail: "Số 3"}, {Province: "00", Detail: ours}, {Province: "x", Detail: ours}} {
			if class, cause := comparePlace(ours, theirs, today); class != Mismatch {
				t.Errorf("%q with %+v: %s, %s", ours, theirs, class, cause)
			}
		}
	}
}
