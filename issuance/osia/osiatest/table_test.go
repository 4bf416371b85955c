package osiatest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
)

// The table is what the published contracts say.
func TestTable(t *testing.T) {
	if Folder() == "" {
		t.Skip("TAMTHE_OSIA names no folder of OSIA's contracts")
	}
	docs := map[string]*Contract{}
	for _, o := range operations {
		c := docs[o.contract]
		if c == nil {
			c = New(t, o.contract)
			docs[o.contract] = c
		}
		item := c.doc.Paths.Value(o.path)
		if item == nil || item.GetOperation(o.method) == nil {
			t.Errorf("%s %s: no such operation", o.method, o.path)
			continue
		}
		op := item.GetOperation(o.method)
		if op.OperationID != o.id {
			t.Errorf("%s is called %s", o.id, op.OperationID)
		}
		if s := (*op.Security)[0]["BearerAuth"]; !slices.Equal(s, []string{o.scope}) {
			t.Errorf("%s: scopes %v", o.id, s)
		}
		var statuses []int
		for text := range op.Responses.Map() {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Errorf("%s: status %q", o.id, text)
			}
			statuses = append(statuses, n)
		}
		slices.Sort(statuses)
		if !slices.Equal(statuses, o.statuses) {
			t.Errorf("%s: statuses %v", o.id, statuses)
		}
		if r := op.Responses.Value("200"); r != nil {
			schema := r.Value.Content["application/json"].Schema.Value
			if o.array != schema.Type.Is("array") {
				t.Errorf("%s: an answer of type %v", o.id, schema.Type)
			}
			if schema.Type.Is("array") {
				schema = schema.Items.Value
			}
			for _, k := range o.required {
				if !slices.Contains(schema.Required, k) {
					t.Errorf("%s: %s is not required", o.id, k)
				}
			}
			if len(schema.Required) != len(o.required) {
				t.Errorf("%s: %v are required", o.id, schema.Required)
			}
		}
	}
	n := 0
	for _, item := range docs["cms"].doc.Paths.Map() {
		n += len(item.Operations())
	}
	if n != 12 { // all of cms is in the table
		t.Errorf("cms has %d operations", n)
	}
}

// quiet is a test that may fail without failing this one.
type quiet struct {
	testing.TB
	failed bool
}

func (q *quiet) Errorf(string, ...any) { q.failed = true }
func (q *quiet) Logf(string, ...any)   {}

// What is not as the contract says is found.
func TestFinds(t *testing.T) {
	for _, c := range []struct {
		what, method, path, question string
		status                       int
		answer                       string
	}{
		{"a status", "POST", "/v1/credentials/C-1/suspend?transactionId=1", `{}`, 202, ""},
		{"a body", "POST", "/v1/credentials/C-1/suspend?transactionId=1", `{}`, 204, "x"},
		{"an error without a code", "POST", "/v1/credentials/C-1/suspend?transactionId=1", `{}`, 400, `{"message":"x"}`},
		{"an error with more", "POST", "/v1/credentials/C-1/suspend?transactionId=1", `{}`, 400, `{"code":1,"message":"x","field":"y"}`},
		{"a credential without a status", "GET", "/v1/credentials/C-1?transactionId=1", "", 200, `{"credentialId":"C-1","personId":"p","credentialProfileId":"q"}`},
		{"no such operation", "DELETE", "/v1/credentials/C-1?transactionId=1", "", 204, ""},
	} {
		q := &quiet{TB: t}
		h := New(q, "cms").Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			w.Write([]byte(c.answer))
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if !q.failed {
			t.Errorf("%s is not found", c.what)
		}
	}
}
