//go:build linux && cgo

package desktest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
)

// TestPublishedSets inspects published data sets in a reader. The BSI's is intact, its chip
// proves itself with the published key, its unlisted DG15 counts for nothing, and nobody
// vouches for it: a second look. The German cards' SODs list hashes of 28 octets under
// SHA-256, which no group can match: refused as malformed, group by group or not.
func TestPublishedSets(t *testing.T) {
	t.Parallel()
	daemon(t)
	sets := filepath.Join(testdata.Dir(t), "lds")
	scalar := testdata.Scalar(t, testdata.Vectors(t, "lds/bsi-reference/chip-auth-private.pkcs8"))
	key := must(dh.BrainpoolP224r1().NewPrivateKey(scalar))(t)
	bearing := apdu.Limits{Command: 65535, Response: 65535}
	inspect := func(name string, chip virtual.FolderOptions, at time.Time) *verify.Report {
		folder := os.DirFS(filepath.Join(sets, name))
		raw := must(os.ReadFile(filepath.Join(sets, name, "DG1.bin")))(t)
		zone := must(lds.ParseDG1(raw))(t)
		chip.Limits = bearing
		w := newReader(t).hold(must(virtual.FromFolder(folder, chip))(t)).inserted()
		defer w.Close()
		policy := must(verify.PolicyByName("checkpoint"))(t)
		policy.Groups = []int{1, 2, 3, 4}
		return must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), verify.Options{
			At: at, Policy: policy, Passwords: []auth.Password{auth.MRZ(zone.KeyInfo())}, Reader: w.Limits(),
		}))(t)
	}
	r := inspect("bsi-reference", virtual.FolderOptions{CA: key, NoEAC: true}, time.Date(2014, 6, 1, 0, 0, 0, 0, time.UTC))
	if r.Verdict != verify.Refer || r.Check(verify.CheckSODSignature).Outcome != verify.Passed || r.Check(verify.CheckChain).Reason != verify.ReasonCSCAUnknown {
		t.Errorf("bsi-reference: %v %v", r.Verdict, r.Reasons())
	}
	if c := r.Check(verify.CheckCA1); c.Err != nil || c.Reason != verify.ReasonChipKeyUncovered {
		t.Errorf("bsi-reference: %+v", c) // the proof is right, and nobody vouches for its key
	}
	if c := r.Check(verify.CheckAA); c.Outcome != verify.Absent {
		t.Errorf("bsi-reference: an unlisted DG15 counts: %+v", c)
	}
	for _, c := range r.Checks {
		if c.Reason == verify.ReasonGroupHash {
			t.Errorf("bsi-reference: %+v", c)
		}
	}
	for _, name := range []string{"defaultpersogt", "profile02", "profile05", "profile09", "profileub01", "profileub03"} {
		r := inspect("de-td1-"+name, virtual.FolderOptions{NoEAC: true}, time.Date(2018, 6, 1, 0, 0, 0, 0, time.UTC))
		if r.Verdict != verify.Refuse || r.Check(verify.CheckSODStructure).Reason != verify.ReasonSODMalformed {
			t.Errorf("%s: %v %v", name, r.Verdict, r.Reasons())
		}
	}
}
