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
	first := filepath.Join(dir, "first.ml")
	for path, vector := range map[string]string{
		filepath.Join(trust, "de.cer"): "pki/roots/DE_ROOT_CA_CSCA07.cer", filepath.Join(trust, "de-2024.cer"): "pki/csca-for-sods/66b09a816ff5c76d.cer",
		first: "pki/master-lists/DE_ML_2024-08-07-07-38-24.ml",
	} {
		if err := os.WriteFile(path, testdata.Vectors(t, vector), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The first list is not for couriers. It names the CSCA of the Netherlands, which therefore
	// is known; it is not pinned.
	update := func(path string) []string { return []string{"trust", "update", server.URL + path} }
	for _, c := range []struct {
		args   []string
		status int
	}{
		{update("/DE.ml"), exitRefused},
		{[]string{"trust", "import", first}, 0},
		{update("/DE.ml"), 0},
		{update("/DE.ml"), 0},
		{update("/csca.cer"), 0},
		{update("/NL.ml"), exitRefused},
		{update("/blocked.toml"), exitRefused},
		{update("/nothing"), exitError},
	} {
		var out, errw bytes.Buffer
		p := &program{
			in: strings.NewReader(""), out: &out, err: &errw, home: home(dir),
			now: func() time.Time { return time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC) },
		}
		if got := p.run(context.Background(), c.args); got != c.status {
			t.Errorf("%v: status %d, %s", c.args, got, &errw)
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
