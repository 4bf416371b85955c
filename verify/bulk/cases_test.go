package bulk

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// Every document of the test cases, under the trust and time of every other, twice.
func TestCases(t *testing.T) {
	var file struct {
		Cases []struct {
			ID                 string
			At                 string
			Trust, CRLs        []string
			SignerStore        []string `json:"signer_store"`
			Files              map[string]string
			files              verify.Files
			certificates, crls [][]byte
		}
	}
	must(t, json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &file))
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		must(t, err)
		return b
	}
	for i := range file.Cases {
		c := &file.Cases[i]
		c.files = verify.Files{}
		for name, s := range c.Files {
			f, ok := lds.ByName(name)
			if !ok {
				t.Fatal(name)
			}
			c.files[f] = unhex(s)
		}
	}
	seen := map[string]bool{}
	for _, c := range file.Cases {
		options := verify.Options{}
		var certs []pki.Material
		for _, s := range slices.Concat(c.Trust, c.SignerStore) {
			x, err := cert.Parse(unhex(s))
			must(t, err)
			certs = append(certs, pki.Material{Cert: x, Source: "case"})
		}
		var crls []*cert.CRL
		for _, s := range c.CRLs {
			x, err := cert.ParseCRL(unhex(s))
			must(t, err)
			crls = append(crls, x)
		}
		key, err := json.Marshal([]any{c.Trust, c.SignerStore, c.CRLs, c.At})
		must(t, err)
		if seen[string(key)] {
			continue
		}
		seen[string(key)] = true
		options.Trust = pki.NewStore(certs, crls, nil)
		options.At, err = time.Parse(time.DateOnly, c.At)
		must(t, err)
		j := New(options)
		for range 2 {
			for _, d := range file.Cases {
				same(t, j, d.files, d.ID+" as "+c.ID)
			}
		}
	}
}

// What judging depends on is listed here as this package takes it into account. Whoever
// adds a field looks at plainOptions and situation, and then adds it here.
func TestNothingNew(t *testing.T) {
	for name, c := range map[string]struct {
		of   reflect.Type
		want []string
	}{
		"pki.Query": {reflect.TypeFor[pki.Query](), []string{"At", "Country", "DocumentType", "Issued", "NoExpiry", "Specimen", "Lists", "Number", "Seen", "CRLAge"}},
		"verify.Options": {reflect.TypeFor[verify.Options](), []string{
			"Trust", "Policy", "At", "Seen", "Newest", "Status", "Specimen", "Printed", "QR", "Holder", "Face", "Profile", "Signers", "Lists", "Recurring",
			"Passwords", "Ask", "AllowBAC", "Reader", "Claimed", "Block", "Terminal", "Interim", "Progress", "Save", "Protected",
			"Patience", "Directory", "Have", "Challenge", "Log",
		}},
	} {
		var got []string
		for i := range c.of.NumField() {
			got = append(got, c.of.Field(i).Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s has the fields %q, known are %q", name, got, c.want)
		}
	}
	o := newOffice(t, suites[3])
	j := New(o.options())
	for _, files := range o.cards(6, 20) {
		same(t, j, files, "card")
		changed := maps.Clone(files)
		changed[lds.CardAccess] = []byte("anything")
		same(t, j, changed, "card with EF.CardAccess")
	}
	if j.Quick() != 6 {
		t.Errorf("%d took the quick way", j.Quick())
	}
}
