package osiatest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// called are the statuses that a callback is answered with.
var called = []int{http.StatusNoContent, http.StatusForbidden, http.StatusInternalServerError}

// Callbacks is h, at which a biometric register calls back, with every call held against the
// contract of abis: what it does not allow must not be taken.
func (c *Contract) Callbacks(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			c.t.Errorf("a callback: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		asked := r.Clone(r.Context())
		asked.Body = io.NopCloser(bytes.NewReader(body))
		got := httptest.NewRecorder()
		h.ServeHTTP(got, r)
		if !slices.Contains(called, got.Code) {
			c.t.Errorf("a callback is answered with %d", got.Code)
		}
		if got.Code != http.StatusInternalServerError && got.Body.Len() > 0 {
			c.t.Errorf("a callback is answered with %q", got.Body)
		}
		if c.doc != nil && got.Code == http.StatusNoContent {
			c.taken(asked, body)
		}
		w.WriteHeader(got.Code)
		w.Write(got.Body.Bytes())
	})
}

// taken holds what was taken against the contract, by what it looks like.
func (c *Contract) taken(r *http.Request, body []byte) {
	method, path, name := "POST", "/v1/identify/{galleryId}", "identifyResponse"
	switch trimmed := bytes.TrimSpace(body); {
	case bytes.HasPrefix(trimmed, []byte(`{`)):
		path, name = "/v1/persons/{personId}/encounters/{encounterId}", "createResponse"
	case bytes.HasPrefix(trimmed, []byte(`"`)):
		method, path, name = "DELETE", "/v1/persons/{personId}/encounters/{encounterId}", "deleteResponse"
	}
	ref := c.doc.Paths.Value(path).GetOperation(method).Callbacks[name]
	if ref == nil {
		c.t.Errorf("%s %s has no callback %s", method, path, name)
		return
	}
	var op *openapi3.Operation
	for _, item := range ref.Value.Map() {
		op = item.Post
	}
	openapi3filter.RegisterBodyDecoder("application/error+json", openapi3filter.JSONBodyDecoder)
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, Route: &routers.Route{Spec: c.doc, Method: http.MethodPost, Operation: op, PathItem: &openapi3.PathItem{Post: op}},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	})
	if err != nil {
		c.t.Errorf("a callback was taken that the contract does not allow: %v", err)
	}
}
