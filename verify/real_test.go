package verify

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// folderStore loads the certificates of a folder of vectors.
func folderStore(t *testing.T, folders ...string) *pki.Store {
	t.Helper()
	var list []pki.Material
	for _, f := range folders {
		s, err := pki.LoadStore(os.DirFS(filepath.Join(testdata.Dir(t), f)), pki.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Certificates() {
			list = append(list, pki.Material{Cert: c, Source: f})
		}
	}
	return pki.NewStore(list, nil, nil)
}

// The SODs of eight states verify up to their CSCA, and every check of signer and
// chain passes at a time when the signer was valid.
func TestRealSODs(t *testing.T) {
	var index struct {
		Cases []struct {
			ID, File, Expected string
			Facts              struct {
				Valid []string `json:"ds_valid"`
			}
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "sod/index.json"), &index); err != nil {
		t.Fatal(err)
	}
	trust := folderStore(t, "pki/csca-for-sods", "pki/idn-2010-series")
	for _, c := range index.Cases {
		if strings.Contains(c.ID, "cardsecurity") || len(c.Facts.Valid) == 0 {
			continue
		}
		at, err := time.Parse(time.DateOnly, c.Facts.Valid[0])
		if err != nil {
			t.Fatal(err)
		}
		r := judgeOne(t, Files{lds.SODFile: testdata.Vectors(t, c.File)}, Options{Trust: trust, At: at.AddDate(0, 1, 0)})
		if strings.HasPrefix(c.ID, "gmrtd-") {
			for _, k := range r.Checks {
				if k.Claim == Authentic && (k.Outcome == Failed || k.Outcome == Undetermined) {
					t.Errorf("%s: %s %v %s: %s", c.ID, k.ID, k.Outcome, k.Reason, k.Detail)
				}
			}
			if r.Check(CheckChain).Outcome != Passed || r.Verdict != Refer {
				t.Errorf("%s: %v %v", c.ID, r.Verdict, r.Reasons())
			}
			continue
		}
		if bad := c.Expected != "valid"; bad && r.Verdict != Refuse {
			t.Errorf("%s (%s): %v %v", c.ID, c.Expected, r.Verdict, r.Reasons())
		}
	}
}

// The BSI's reference data set holds a DG15 that its SOD does not list; the SOD of the
// German test cards has hashes that are too short for their algorithm.
func TestSpecimenDocuments(t *testing.T) {
	dir := filepath.Join(testdata.Dir(t), "lds")
	at := time.Date(2014, 6, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string][]Reason{
		"bsi-reference": {ReasonCSCAUnknown, ReasonGroupUnlisted}, "de-td1-profile02": {ReasonSODMalformed}, "de-td1-profileub03": {ReasonSODMalformed},
	} {
		files, err := ReadFiles(os.DirFS(filepath.Join(dir, name)))
		if err != nil {
			t.Fatal(err)
		}
		r := judgeOne(t, files, Options{At: at})
		said := r.Reasons()
		for _, w := range r.Warnings() {
			said = append(said, w.Reason)
		}
		for _, x := range want {
			if !slices.Contains(said, x) || r.Verdict == Accept {
				t.Errorf("%s: %v %v, want %s among them", name, r.Verdict, said, x)
			}
		}
	}
}

// No anchor of a real state may itself sign documents.
func TestAnchorsSignNoDocuments(t *testing.T) {
	trust := folderStore(t, "pki/csca-for-sods", "pki/idn-2010-series", "pki/odd-csca", "pki/roots")
	seen := 0
	for _, a := range trust.Anchors() {
		r := trust.Chain(a.Cert).Judge(pki.Query{At: a.Cert.NotBefore.AddDate(0, 1, 0)})
		if f := r.Finding(pki.Usage); f.Kind != pki.SignerUsage {
			t.Errorf("%v may sign documents", a.Cert.Subject)
		}
		seen++
	}
	if seen < 30 {
		t.Errorf("%d anchors", seen)
	}
}
