package intake_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/intake"
)

var update = flag.Bool("update", false, "write the golden file anew")

// The description of the service that is committed is that of its types. After a change:
// go test ./issuance/intake -run TestOpenAPI -update
func TestOpenAPI(t *testing.T) {
	signer, err := intake.NewOfficeSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := intake.New(intake.Config{ // a description asks nobody
		URL: "https://office.example", Store: struct{ intake.Store }{}, Vault: struct{ intake.Vault }{}, Ledger: struct{ intake.Ledger }{}, Signer: signer, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	var got bytes.Buffer
	if err := json.Indent(&got, w.Body.Bytes(), "", "  "); err != nil {
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
	for _, name := range []string{`"openapi": "3.1.`, intake.Header, `"Message"`, `"Receipt"`, `"Events"`, `"Status"`} {
		if !strings.Contains(got.String(), name) {
			t.Errorf("it does not name %s", name)
		}
	}
}
