// Package testdata holds the worked examples and test cases that the tests of every
// package share, and finds the larger set of vectors outside the repository.
//
// Only test files import it. The files are plain numbers of published standards or
// cases made for this project; what belongs to other projects stays outside and is
// reached through TAMTHE_VECTORS.
package testdata

import (
	"crypto/x509/pkix"
	"embed"
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FS holds the vectors that ship with the module, by their path below testdata.
//
//go:embed worked passive-auth apdu tlv history downgrade.json
var FS embed.FS

// Read returns an embedded file and ends the test if it is not there.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := FS.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Dir returns the folder that TAMTHE_VECTORS names. Without it the test is skipped
// and says so, unless TAMTHE_REQUIRE lists "vectors": then the test fails.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("TAMTHE_VECTORS")
	if dir == "" {
		Missing(t, "vectors", "TAMTHE_VECTORS is not set: the vectors of other projects are not here")
	}
	return dir
}

// Vectors returns a file of the folder that TAMTHE_VECTORS names; see Dir.
func Vectors(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Dir(t), filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Scalar returns the private key in PKCS #8 of an EC key, whose domain parameters may be
// explicit, as the published keys of chips have them.
func Scalar(t testing.TB, pkcs8 []byte) []byte {
	t.Helper()
	var outer struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	var inner struct {
		Version int
		Scalar  []byte
		Rest    asn1.RawValue `asn1:"optional,explicit,tag:0"`
		Public  asn1.RawValue `asn1:"optional,explicit,tag:1"`
	}
	if _, err := asn1.Unmarshal(pkcs8, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Key, &inner); err != nil {
		t.Fatal(err)
	}
	return inner.Scalar
}

// Missing skips the test with the reason, or fails it when TAMTHE_REQUIRE, a list
// with commas, names what is missing.
func Missing(t testing.TB, what, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("TAMTHE_REQUIRE"), ","), what) {
		t.Fatalf("required by TAMTHE_REQUIRE: %s", reason)
	}
	t.Skip(reason)
}
