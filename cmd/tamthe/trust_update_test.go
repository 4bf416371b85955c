package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// An address gives one file, which is trusted no more than one that a courier brings.
func TestTrustUpdateFromAnAddress(t *testing.T) {
	const list = "pki/master-lists/DE_ML_2026-05-28-08-28-45.ml"
	files := map[string][]byte{
		"/DE.ml":        testdata.Vectors(t, list),
		"/NL.ml":        testdata.Vectors(t, "pki/master-lists/NL_ML_2026-07-22.ml"),
		"/csca.cer":     testdata.Vectors(t, "pki/roots/NL_ROOT_CA.cer"),
		"/blocked.toml": []byte("[[signer]]\ncountry = \"DE\"\nserial = \"1\"\n"),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(b)
	}))
	defer server.Close()
	dir := t.TempDir()
	trust := filepath.Join(dir, "trust")
	if err := os.MkdirAll(trust, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(trust, "de.cer"), testdata.Vectors(t, "pki/roots/DE_ROOT_CA_CSCA07.cer"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The list names the CSCA of the Netherlands, which therefore is known; it is not pinned.
	for _, c := range []struct {
		path   string
		status int
	}{{"/DE.ml", 0}, {"/DE.ml", 0}, {"/csca.cer", 0}, {"/NL.ml", exitRefused}, {"/blocked.toml", exitRefused}, {"/nothing", exitError}} {
		var out, errw bytes.Buffer
		p := &program{
			in: strings.NewReader(""), out: &out, err: &errw, home: home(dir),
			now: func() time.Time { return time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC) },
		}
		if got := p.run(context.Background(), []string{"trust", "update", server.URL + c.path}); got != c.status {
			t.Errorf("%s: status %d, %s", c.path, got, &errw)
		}
	}
	s, err := pki.LoadStore(os.DirFS(trust), pki.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Anchors()); n < 300 {
		t.Errorf("%d anchors", n)
	}
}
