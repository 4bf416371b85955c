package eid

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden file anew")

// The description of the service that is committed is that of its types. After a change:
// go test ./verify/eid -run TestOpenAPI -update
func TestOpenAPI(t *testing.T) {
	w := httptest.NewRecorder()
	newRig(t).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	raw, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	const path = "openapi.json"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s is not what the types say: see this test's comment", path)
	}
	var doc struct{ OpenAPI string }
	if json.Unmarshal(want, &doc) != nil || doc.OpenAPI[:4] != "3.1." {
		t.Errorf("it is of OpenAPI %s", doc.OpenAPI)
	}
}
