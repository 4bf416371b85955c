// Package osiatest holds what goes over the wire against the contracts of OSIA: every question
// that a test asks and every answer that it gets, by the published OpenAPI documents where they
// are at hand, else by a table of operations, statuses and required properties.
//
// The documents are not part of this repository: TAMTHE_OSIA names a folder with cms.yaml,
// abis.yaml and pr.yaml, from src/doc/yaml of
// https://github.com/SecureIdentityAlliance/osia (7.1).
package osiatest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Contract is one of OSIA's interfaces in a test.
type Contract struct {
	t      testing.TB
	name   string
	doc    *openapi3.T // nil where there is none
	router routers.Router

	mu   sync.Mutex
	seen map[string]map[int]int // operation, status: how often
}

// Folder is where the published documents are; empty where they are not.
func Folder() string { return os.Getenv("TAMTHE_OSIA") }

// New is the interface of that name: cms, abis or pr. Without the published document it says
// so, or fails the test where TAMTHE_REQUIRE lists "osia".
func New(t testing.TB, name string) *Contract {
	t.Helper()
	c := &Contract{t: t, name: name, seen: map[string]map[int]int{}}
	if Folder() == "" {
		if slices.Contains(strings.Split(os.Getenv("TAMTHE_REQUIRE"), ","), "osia") {
			t.Fatal("required by TAMTHE_REQUIRE: TAMTHE_OSIA names no folder of OSIA's contracts")
		}
		t.Logf("TAMTHE_OSIA names no folder of OSIA's contracts: %s is held against the table of this repository only", name)
		return c
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(Folder(), name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil
	if err := doc.Validate(t.Context(), openapi3.DisableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
	if c.router, err = gorillamux.NewRouter(doc); err != nil {
		t.Fatal(err)
	}
	c.doc = doc
	return c
}

// transport are the statuses that HTTP has and the interface does not: a caller nobody knows,
// and one who calls too often.
var transport = []int{http.StatusUnauthorized, http.StatusTooManyRequests}

// Handler is h with every exchange held against the contract. A question that the contract
// does not allow must not be answered as if it did.
func (c *Contract) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			c.t.Errorf("%s: %v", c.name, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		asked := r.Clone(r.Context())
		asked.Body = io.NopCloser(bytes.NewReader(body))
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r)
		c.judge(asked, got)
		for k, v := range got.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(got.Code)
		w.Write(got.Body.Bytes())
	})
}

// Seen lists the operations of the contract that were answered with a status.
func (c *Contract) Seen(operation string) (statuses []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for status := range c.seen[operation] {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	return statuses
}

func (c *Contract) judge(r *http.Request, got *httptest.ResponseRecorder) {
	op := find(c.name, r.Method, r.URL.Path)
	if op == nil {
		if got.Code != http.StatusNotFound && got.Code != http.StatusMethodNotAllowed && got.Code != http.StatusForbidden {
			c.t.Errorf("%s %s is no operation of %s and has status %d", r.Method, r.URL.Path, c.name, got.Code)
		}
		return
	}
	c.mu.Lock()
	if c.seen[op.id] == nil {
		c.seen[op.id] = map[int]int{}
	}
	c.seen[op.id][got.Code]++
	c.mu.Unlock()
	if slices.Contains(transport, got.Code) {
		return
	}
	if why := op.refuses(got); why != "" {
		c.t.Errorf("%s: status %d: %s: %s", op.id, got.Code, why, got.Body)
	}
	if c.doc != nil {
		c.byDocument(op, r, got)
	}
}

// byDocument holds an exchange against the published document.
func (c *Contract) byDocument(op *operation, r *http.Request, got *httptest.ResponseRecorder) {
	route, params, err := c.router.FindRoute(r)
	if err != nil {
		c.t.Errorf("%s: %v", op.id, err)
		return
	}
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
			ExcludeReadOnlyValidations: true, // OpenAPI 3.0 has that they should not be sent, not that they must not
		},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil && got.Code < 400 {
		c.t.Errorf("%s: status %d for a question that the contract does not allow: %v", op.id, got.Code, err)
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: got.Code, Header: got.Header(), Body: io.NopCloser(bytes.NewReader(got.Body.Bytes())), Options: in.Options,
	})
	if err != nil {
		c.t.Errorf("%s: status %d: %v", op.id, got.Code, err)
	}
}

// find is the operation of a path of the table.
func find(contract, method, path string) *operation {
	parts := strings.Split(path, "/")
	for i := range operations {
		o := &operations[i]
		want := strings.Split(o.path, "/")
		if o.contract != contract || o.method != method || len(want) != len(parts) {
			continue
		}
		if fits(want, parts) {
			return o
		}
	}
	return nil
}

func fits(want, parts []string) bool {
	for i := range want {
		if want[i] != parts[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// refuses says what of an answer is not as the table has it.
func (o *operation) refuses(got *httptest.ResponseRecorder) string {
	if !slices.Contains(o.statuses, got.Code) {
		return "the operation has no such status"
	}
	switch got.Code {
	case http.StatusBadRequest, http.StatusInternalServerError:
		return exactly(got.Body.Bytes(), errorKeys)
	case http.StatusOK:
		if len(o.required) > 0 {
			return o.has(got.Body.Bytes())
		}
	case http.StatusAccepted:
		return exactly(got.Body.Bytes(), []string{"taskId"})
	default:
		if got.Body.Len() > 0 {
			return "a body where there is none"
		}
	}
	return ""
}

// exactly: an object with those keys.
func exactly(b []byte, keys []string) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(b, &o) != nil || len(o) != len(keys) {
		return "not an object of " + strings.Join(keys, ", ")
	}
	for _, k := range keys {
		if _, ok := o[k]; !ok {
			return "no " + k
		}
	}
	return ""
}

// has: an object, or each of a list, has what the table requires.
func (o *operation) has(b []byte) string {
	list := []map[string]json.RawMessage{}
	if o.array {
		if json.Unmarshal(b, &list) != nil {
			return "no list"
		}
	} else {
		var one map[string]json.RawMessage
		if json.Unmarshal(b, &one) != nil {
			return "no object"
		}
		list = append(list, one)
	}
	for _, one := range list {
		for _, k := range o.required {
			if _, ok := one[k]; !ok {
				return "no " + k
			}
		}
	}
	return ""
}
