package population_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance/osia/osiatest"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/issuance/population/synthetic"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

var citizens = synthetic.Citizens{Seed: 5}

// people are the first so many citizens, and one of whom the register knows little.
func people(n int) iter.Seq[population.Record] {
	return func(yield func(population.Record) bool) {
		for i := range n {
			r := citizens.Citizen(i).Record
			if i == 1 {
				r.Birth, r.Residence, r.Deceased = vn.Date{Year: r.Birth.Year}, population.Place{}, true
			}
			if !yield(r) {
				return
			}
		}
	}
}

// newRegister starts a register over a file, and gives the two ways to ask it.
func newRegister(t *testing.T) (*population.Server, *population.SOAP, *population.OSIA) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "register.db")
	if n, err := sqlite.CreatePopulation(t.Context(), path, people(40)); err != nil || n != 40 {
		t.Fatal(n, err)
	}
	source, err := sqlite.OpenPopulation(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	s := &population.Server{Source: source, Accounts: map[string]population.Secret{"mau": "s3cret"}, Tokens: []population.Secret{"t0ken"}, Now: time.Now}
	web := httptest.NewTLSServer(held(t, s.Handler()))
	t.Cleanup(web.Close)
	s.URL = web.URL
	return s, &population.SOAP{URL: web.URL + "/soap", Account: "mau", Secret: "s3cret", Service: "S1", Integration: "I1", Client: web.Client()},
		&population.OSIA{URL: web.URL + "/osia", Token: "t0ken", Client: web.Client()}
}

// held is a register of which what is OSIA's is held against the contract.
func held(t *testing.T, register http.Handler) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", register)
	mux.Handle("/osia/", http.StripPrefix("/osia", osiatest.New(t, "pr").Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/osia" + r.URL.Path
		register.ServeHTTP(w, r)
	}))))
	return mux
}

// asked is a question about a citizen.
func asked(i int, request string) population.Query {
	p := citizens.Citizen(i).Person
	return population.Query{Number: p.Number, Name: p.FullName(), Birth: p.Birth, Officer: "lan", Unit: "mau", Purpose: "issue", Request: request}
}

// Both ways give what the register holds, octet by octet.
func TestBothWays(t *testing.T) {
	_, soap, osia := newRegister(t)
	for way, r := range map[string]population.Register{"soap": soap, "osia": osia} {
		i := 0
		for want := range people(40) {
			got, err := r.Confirm(t.Context(), asked(i, fmt.Sprintf("%s-%d", way, i)))
			if err != nil || got != want {
				t.Errorf("%s: citizen %d: %v", way, i, err)
			}
			i++
		}
		loud := asked(3, way+"-loud")
		loud.Name = strings.ToUpper(loud.Name)
		if _, err := r.Confirm(t.Context(), loud); err != nil {
			t.Errorf("%s: in capitals: %v", way, err)
		}
		if _, err := r.Confirm(t.Context(), asked(41, way+"-41")); !errors.Is(err, population.ErrNoSuchPerson) {
			t.Errorf("%s: an unknown number: %v", way, err)
		}
		for name, spoil := range map[string]func(*population.Query){
			"name": func(q *population.Query) { q.Name = "Nguyễn Văn Khác" }, "year": func(q *population.Query) { q.Birth.Year-- },
			"day": func(q *population.Query) { q.Birth.Day = q.Birth.Day%28 + 1 },
		} {
			q := asked(2, way+"-"+name)
			spoil(&q)
			if _, err := r.Confirm(t.Context(), q); !errors.Is(err, population.ErrNoSuchPerson) {
				t.Errorf("%s: another %s: %v", way, name, err)
			}
		}
	}
}

// Whoever asks is known, and a request stays what it was.
func TestWhoAsks(t *testing.T) {
	_, soap, osia := newRegister(t)
	refused := func(name string, r population.Register, q population.Query) {
		t.Helper()
		if _, err := r.Confirm(t.Context(), q); errorsAs(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := *soap
	other.Secret = "guess"
	refused("another secret", &other, asked(0, "a"))
	other = *soap
	other.Account = "stranger"
	refused("another account", &other, asked(0, "a"))
	other = *soap
	other.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	refused("an hour ago", &other, asked(0, "a"))
	stranger := *osia
	stranger.Token = "guess"
	refused("another token", &stranger, asked(0, "a"))

	for range 2 { // the same question may be repeated
		if _, err := soap.Confirm(t.Context(), asked(0, "same")); err != nil {
			t.Error(err)
		}
	}
	refused("a request about somebody else", soap, asked(2, "same"))
	refused("a request about somebody else", osia, asked(2, "same"))
	for name, change := range map[string]func(*population.Query){
		"another name": func(q *population.Query) { q.Name = "Nguyễn Văn Khác" }, "another date": func(q *population.Query) { q.Birth.Year-- },
		"another officer": func(q *population.Query) { q.Officer = "mai" }, "another purpose": func(q *population.Query) { q.Purpose = "correct" },
	} {
		q := asked(0, "same")
		change(&q)
		refused("the same request with "+name, soap, q)
	}
	if _, err := soap.Confirm(t.Context(), population.Query{}); !errors.Is(err, population.ErrQuery) {
		t.Error(err)
	}
}

func errorsAs(err error) *population.RefusedError {
	var e *population.RefusedError
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// The register is asked to confirm. Nobody reads or finds a person whom they could not name.
func TestNobodySearches(t *testing.T) {
	s, _, osia := newRegister(t)
	number := string(citizens.Citizen(0).Person.Number)
	call := func(method, path, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/osia/v1/persons"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer t0ken")
		for name, value := range map[string]string{"Tamthe-Officer": "lan", "Tamthe-Unit": "mau", "Tamthe-Purpose": "issue"} {
			req.Header.Set(name, value)
		}
		resp, err := osia.Client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := call("GET", "/"+number+"/reference?transactionId=never", ""); got != http.StatusNotFound {
		t.Errorf("read without a question: %d", got)
	}
	if _, err := osia.Confirm(t.Context(), asked(1, "once")); err != nil {
		t.Fatal(err)
	}
	if got := call("GET", "/"+number+"/reference?transactionId=once", ""); got != http.StatusNotFound {
		t.Errorf("read by another's question: %d", got)
	}
	for name, body := range map[string]string{
		"all of a year": `[{"attributeName":"dateOfBirth","operator":">","value":"1960"}]`,
		"a number":      `[{"attributeName":"personalNumber","operator":"=","value":"` + number + `"}]`,
		"no birth":      `[{"attributeName":"personalNumber","operator":"=","value":"` + number + `"},{"attributeName":"lastName","operator":"=","value":"A"},{"attributeName":"firstName","operator":"=","value":"B"},{"attributeName":"sex","operator":"=","value":"M"}]`,
		"nothing":       `[]`, "no list": `{}`, "no JSON": `[`,
	} {
		if got := call("POST", "?transactionId=x", body); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// lying is a register, or somebody between, that answers what it likes.
type lying func(w http.ResponseWriter)

func (l lying) RoundTrip(*http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	l(w)
	return w.Result(), nil
}

const envelope = `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>%s</e:Body></e:Envelope>`

// What answers badly confirms nobody.
func TestLyingRegister(t *testing.T) {
	q := asked(0, "x")
	person := func(number, name string) string {
		var b bytes.Buffer
		xml.EscapeText(&b, []byte(name))
		return fmt.Sprintf(`<CongDan><SoDinhDanh>%s</SoDinhDanh><HoVaTen><Ten>%s</Ten></HoVaTen><NgayThangNamSinh><Nam>%d</Nam></NgayThangNamSinh></CongDan>`, number, b.String(), q.Birth.Year)
	}
	collection := func(list ...string) string {
		return fmt.Sprintf(envelope, `<CongdanCollection xmlns="http://www.mic.gov.vn/dancu/1.0">`+strings.Join(list, "")+`</CongdanCollection>`)
	}
	good := person(string(q.Number), q.Name)
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"the person":        {200, collection(good), nil},
		"nobody":            {200, collection(), population.ErrNoSuchPerson},
		"somebody else":     {200, collection(person("003190000017", q.Name)), population.ErrAnswer},
		"another name":      {200, collection(person(string(q.Number), "A B")), population.ErrAnswer},
		"two":               {200, collection(good, good), population.ErrAnswer},
		"no collection":     {200, fmt.Sprintf(envelope, ""), population.ErrAnswer},
		"another namespace": {200, strings.ReplaceAll(collection(good), "mic.gov.vn", "example.org"), population.ErrAnswer},
		"a page":            {200, "<html>", population.ErrAnswer},
		"a date of none":    {200, strings.ReplaceAll(collection(good), "<Nam>", "<Nam>x"), population.ErrAnswer},
		"out of order":      {503, "", population.ErrUnavailable},
		"a page of 502":     {502, "<html>", population.ErrUnavailable},
		"elsewhere":         {302, "", population.ErrUnavailable},
		"too much":          {200, strings.Repeat(" ", 1<<20) + collection(good), population.ErrAnswer},
	} {
		soap := &population.SOAP{URL: "https://register.example/soap", Client: &http.Client{Transport: lying(func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		})}}
		if _, err := soap.Confirm(t.Context(), q); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fault := &population.SOAP{URL: "https://register.example/soap", Client: &http.Client{Transport: lying(func(w http.ResponseWriter) {
		w.WriteHeader(500)
		fmt.Fprintf(w, envelope, "<e:Fault><faultcode>Client.15\n\x1b</faultcode></e:Fault>")
	})}}
	if _, err := fault.Confirm(t.Context(), q); err == nil || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("a fault: %v", err)
	}
}

// A register that is down is asked again later; a question that was given up is not.
func TestRegisterDown(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	web.Close()
	for _, r := range []population.Register{&population.SOAP{URL: web.URL}, &population.OSIA{URL: web.URL}} {
		_, err := r.Confirm(t.Context(), asked(0, "x"))
		if !errors.Is(err, population.ErrUnavailable) || strings.Contains(err.Error(), web.URL) {
			t.Errorf("%T: %v", r, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Confirm(ctx, asked(0, "x")); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", r, err)
		}
	}
}
