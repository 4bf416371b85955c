package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tamthe/tamthe/"

// layers are the top folders from left to right: a package imports only to the left,
// or inside its own folder.
var layers = []string{"apdu", "card", "verify", "issuance", "cmd"}

// allowed lists the third-party modules that a folder may import, the longest prefix
// deciding. The standard library is allowed everywhere.
var allowed = map[string][]string{
	"apdu":                     {},
	"apdu/pcsc":                {"github.com/ebfe/scard"},
	"apdu/pcsc/private":        {"golang.org/x/sys"},
	"card":                     {"golang.org/x/crypto", "golang.org/x/text", "github.com/pelletier/go-toml/v2", "filippo.io/bigmod"},
	"card/eddsa":               {"filippo.io/edwards25519"},
	"verify":                   {"golang.org/x/crypto", "golang.org/x/text", "github.com/pelletier/go-toml/v2"},
	"verify/evidence":          {"filippo.io/age"},
	"verify/eid":               {"github.com/go-jose/go-jose/v4", "github.com/danielgtaylor/huma/v2"},
	"verify/eid/metrics":       {"github.com/prometheus/client_golang"},
	"verify/eid/openid":        {"github.com/go-jose/go-jose/v4", "github.com/zitadel/oidc/v3"},
	"verify/receipt":           {"golang.org/x/mod"},
	"issuance":                 {"golang.org/x/crypto", "golang.org/x/mod"},
	"issuance/keystore/pkcs11": {"github.com/miekg/pkcs11", "golang.org/x/crypto"},
	"issuance/printjob":        {"codeberg.org/go-pdf/fpdf", "golang.org/x/image", "golang.org/x/text", "rsc.io/qr"},
	"issuance/ceremony":        {"github.com/pelletier/go-toml/v2"},
	"issuance/dataset":         {"github.com/parquet-go/parquet-go"},
	"issuance/population":      {"golang.org/x/text"},
	"issuance/osia":            {"github.com/go-jose/go-jose/v4"},
	"issuance/osia/osiatest":   {"github.com/getkin/kin-openapi"},
	"issuance/intake":          {"github.com/go-jose/go-jose/v4", "github.com/danielgtaylor/huma/v2"},
	"issuance/sqlite":          {"github.com/mattn/go-sqlite3", "golang.org/x/mod"},
	"issuance/postgres":        {"github.com/jackc/pgx/v5", "golang.org/x/mod"},
	"issuance/console":         {"github.com/go-webauthn/webauthn", "golang.org/x/time", "golang.org/x/mod"},
	"cmd/tamthe":               {"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/pelletier/go-toml/v2", "golang.org/x/term", "golang.org/x/mod", "rsc.io/qr", "filippo.io/age"},
	"cmd/sample-portal":        {"github.com/coreos/go-oidc/v3", "golang.org/x/oauth2"},
	"cmd/tamthe/testdata":      {},
}

// allowedInTests are oracles and runners that no program may link.
var allowedInTests = []string{
	"filippo.io/nistec", "filippo.io/torchwood", "github.com/transparency-dev/formats", "golang.org/x/mod",
	"github.com/rogpeppe/go-internal", "github.com/santhosh-tekuri/jsonschema/v6", "github.com/coreos/go-oidc/v3", "golang.org/x/oauth2",
	"github.com/descope/virtualwebauthn",
}

// forbidden are the edges inside a layer that DESIGN rules out: from → what it must not import.
var forbidden = map[string][]string{
	"verify":         {"verify/evidence", "verify/conformance", "verify/eid"},
	"verify/pki":     {"verify"},
	"verify/status":  {"verify"},
	"verify/receipt": {"verify"},
	"issuance":       {"issuance/"},
}

func TestLayers(t *testing.T) {
	root := "../.."
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		src, err := os.ReadFile(p) // through os, so that the test cache notices a change
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), rel, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if why := refuse(filepath.ToSlash(rel), imp); why != "" {
				t.Errorf("%s imports %s: %s", rel, imp, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// refuse says why the file must not import imp, or nothing.
func refuse(file, imp string) string {
	test := strings.HasSuffix(file, "_test.go")
	dir := path.Dir(file)
	own, ok := strings.CutPrefix(imp, module)
	if !ok {
		return refuseForeign(dir, imp, test)
	}
	if own == "testdata" {
		if !test && !strings.HasSuffix(dir, "test") {
			return "only tests import testdata"
		}
		return ""
	}
	from, to := slices.Index(layers, top(dir)), slices.Index(layers, top(own))
	if from < 0 {
		return "no layer holds this file"
	}
	if to < 0 || to > from {
		return "a package imports only to the left"
	}
	if from == to && !test {
		for _, f := range forbidden[dir] {
			if own == f || strings.HasSuffix(f, "/") && strings.HasPrefix(own, f) {
				return "DESIGN forbids this edge"
			}
		}
		if top(dir) == "issuance" && !siblingAllowed(dir, own) {
			return "only desk imports its siblings"
		}
	}
	return ""
}

// siblingAllowed lets a package of issuance import the root, itself and, for the stores,
// the shared form of the log; desk and what lies right of it may import all.
func siblingAllowed(dir, own string) bool {
	switch {
	case dir == "issuance/desk", dir == "issuance/console", own == "issuance":
		return true
	case strings.HasPrefix(own, dir+"/"), strings.HasPrefix(dir, own+"/"):
		return true
	case dir == "issuance/signing": // it shares the form of the log, and what may be signed
		return own == "issuance/ledger" || own == "issuance/ca"
	case dir == "issuance/monitor": // likewise, and how old lists may be
		return own == "issuance/ledger" || own == "issuance/ca"
	case own == "issuance/population", own == "issuance/intake", own == "issuance/osia/abis", own == "issuance/osia/cms", own == "issuance/monitor": // what they keep lies in files, too
		return dir == "issuance/sqlite"
	case own == "issuance/turns":
		return dir == "issuance/sqlite" || dir == "issuance/postgres"
	case own == "issuance/ledger":
		return dir == "issuance/sqlite" || dir == "issuance/postgres" || dir == "issuance/ledgertest"
	}
	return false
}

func refuseForeign(dir, imp string, test bool) string {
	if !strings.Contains(strings.Split(imp, "/")[0], ".") {
		return "" // standard library
	}
	if test && hasPrefix(imp, allowedInTests) {
		return ""
	}
	for d := dir; ; d = path.Dir(d) {
		if list, ok := allowed[d]; ok {
			if hasPrefix(imp, list) {
				return ""
			}
			return "not on the allow-list of " + d
		}
		if d == "." {
			return "no allow-list names this folder"
		}
	}
}

func hasPrefix(imp string, modules []string) bool {
	return slices.ContainsFunc(modules, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}

func top(dir string) string { return strings.Split(dir, "/")[0] }

// A test that cannot fail is a defect: planted violations must be named.
func TestLayersRefuse(t *testing.T) {
	for _, c := range []struct{ file, imp string }{
		{"apdu/x.go", module + "card"},
		{"card/lds/x.go", module + "verify"},
		{"verify/x.go", module + "issuance"},
		{"verify/pki/x.go", module + "verify"},
		{"verify/x.go", module + "verify/eid"},
		{"issuance/x.go", module + "issuance/sqlite"},
		{"issuance/ca/x.go", module + "issuance/perso"},
		{"issuance/desk/x.go", module + "cmd/tamthe"},
		{"card/x.go", module + "testdata"},
		{"card/x.go", "github.com/ebfe/scard"},
		{"apdu/x.go", "golang.org/x/crypto/cryptobyte"},
		{"issuance/desk/x.go", "github.com/spf13/cobra"},
		{"issuance/desk/x.go", "github.com/mattn/go-sqlite3"},
		{"issuance/keystore/x.go", "github.com/miekg/pkcs11"},
		{"issuance/keystore/pkcs11/x.go", module + "issuance/ca"},
		{"card/dh/x.go", "filippo.io/nistec"},
		{"tools/x.go", module + "apdu"},
	} {
		if refuse(c.file, c.imp) == "" {
			t.Errorf("%s may import %s", c.file, c.imp)
		}
	}
	for _, c := range []struct{ file, imp string }{
		{"issuance/desk/x.go", module + "issuance/ca"},
		{"issuance/x.go", module + "verify"},
		{"card/dh/x_test.go", "filippo.io/nistec"},
		{"apdu/pcsc/x.go", "github.com/ebfe/scard"},
	} {
		if why := refuse(c.file, c.imp); why != "" {
			t.Errorf("%s may not import %s: %s", c.file, c.imp, why)
		}
	}
}
