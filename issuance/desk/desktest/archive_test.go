//go:build linux && cgo

package desktest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// document is one of testdata/passive-auth/cases.json.
type document struct {
	ID          string            `json:"id"`
	At          string            `json:"at"`
	Trust       []string          `json:"trust"`
	CRLs        []string          `json:"crls"`
	SignerStore []string          `json:"signer_store"`
	Files       map[string]string `json:"files"`
}

func documents(t *testing.T) (good []document) {
	t.Helper()
	var file struct {
		Cases []document `json:"cases"`
	}
	check(t, json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &file))
	for _, d := range file.Cases {
		if strings.HasPrefix(d.ID, "ok-") {
			good = append(good, d)
		}
	}
	return good
}

// chip is the document as a card.
func (d document) chip(t *testing.T) *virtual.Chip {
	t.Helper()
	folder := fstest.MapFS{}
	for name, b := range d.Files {
		folder[name+".bin"] = &fstest.MapFile{Data: unhex(t, b)}
	}
	return must(virtual.FromFolder(folder, virtual.FolderOptions{}))(t)
}

// options judge it as an archive does, at its time and with its trust.
func (d document) options(t *testing.T) verify.Options {
	t.Helper()
	folder := fstest.MapFS{}
	for i, b := range slices.Concat(d.Trust, d.SignerStore, d.CRLs) {
		folder[fmt.Sprintf("%d.der", i)] = &fstest.MapFile{Data: unhex(t, b)}
	}
	zone := must(lds.ParseDG1(unhex(t, d.Files["DG1"])))(t)
	return verify.Options{
		Trust: must(pki.LoadStore(folder, pki.LoadOptions{}))(t), Policy: must(verify.PolicyByName("archive"))(t),
		At: must(time.Parse(time.DateOnly, d.At))(t), Passwords: []auth.Password{auth.MRZ(zone.KeyInfo())},
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	return must(hex.DecodeString(s))(t)
}

// TestGoodDocuments reads the good documents of the passive authentication cases as cards.
// One lists a group that it lacks, and that an archive does not ask for.
func TestGoodDocuments(t *testing.T) {
	t.Parallel()
	daemon(t)
	for _, d := range documents(t) {
		t.Run(d.ID, func(t *testing.T) {
			t.Parallel()
			w := newReader(t).hold(d.chip(t)).inserted()
			report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), d.options(t)))(t)
			wantVerdict(t, report, verify.Accept)
		})
	}
}
