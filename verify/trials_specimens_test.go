package verify

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

// TestSpecimensTrial judges the folders of specimen documents and the real SODs, and tells
// the verdicts. Who is known to be genuine may not be called forged, and what was changed
// must be refused.
func TestSpecimensTrial(t *testing.T) {
	long(t)
	var b strings.Builder
	b.WriteString("Policy `archive`. The specimen documents are judged on 1 July 2014 under no anchor, for none is published; the SODs at a time when\ntheir signer was valid, under the CSCAs at hand and without their data groups, which are not published: more than \"refer\" none can get.\n\n| files | verdict | reasons |\n|---|---|---|\n")
	row := func(name string, r *Report) {
		var reasons []string
		for _, x := range r.Reasons() {
			reasons = append(reasons, string(x))
		}
		fmt.Fprintf(&b, "| %s | %v | %s |\n", name, r.Verdict, strings.Join(reasons, ", "))
	}
	dir := testdata.Dir(t)
	folders, err := filepath.Glob(filepath.Join(dir, "lds/*/EF.SOD.bin"))
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, f := range folders {
		name := filepath.Base(filepath.Dir(f))
		files, err := ReadFiles(os.DirFS(filepath.Dir(f)))
		if err != nil {
			t.Fatal(err)
		}
		r := judgeOne(t, files, Options{At: time.Date(2014, 7, 1, 0, 0, 0, 0, time.UTC)})
		if r.Verdict == Accept {
			t.Errorf("%s is accepted without an anchor", name)
		}
		row("lds/"+name, r)
	}
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
		if strings.Contains(c.ID, "cardsecurity") {
			continue
		}
		at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		if len(c.Facts.Valid) > 0 {
			if at, err = time.Parse(time.DateOnly, c.Facts.Valid[0]); err != nil {
				t.Fatal(err)
			}
			at = at.AddDate(0, 1, 0)
		}
		r := judgeOne(t, Files{lds.SODFile: testdata.Vectors(t, c.File)}, Options{Trust: trust, At: at})
		switch {
		case r.Verdict == Accept:
			t.Errorf("%s: accepted without data", c.ID)
		case strings.HasPrefix(c.ID, "gmrtd-") && r.Verdict == Refuse:
			t.Errorf("%s: a real SOD is refused: %v", c.ID, r.Reasons())
		case !strings.HasPrefix(c.Expected, "valid") && r.Verdict != Refuse:
			t.Errorf("%s (%s): %v", c.ID, c.Expected, r.Verdict)
		}
		row(strings.TrimSuffix(c.File, ".bin"), r)
	}
	trial(t, "Specimens and real SODs", b.String())
}
