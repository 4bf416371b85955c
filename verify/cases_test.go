package verify

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// paCase is a document of testdata/passive-auth/cases.json.
type paCase struct {
	ID          string            `json:"id"`
	At          string            `json:"at"`
	Trust       []string          `json:"trust"`
	CRLs        []string          `json:"crls"`
	SignerStore []string          `json:"signer_store"`
	Files       map[string]string `json:"files"`
	Expected    struct {
		Verdict string   `json:"verdict"`
		Reason  string   `json:"reason"`
		Also    []string `json:"also_acceptable"`
	} `json:"expected"`
}

func paCases(t testing.TB) []paCase {
	t.Helper()
	var file struct {
		Cases []paCase `json:"cases"`
	}
	if err := json.Unmarshal(testdata.Read(t, "passive-auth/cases.json"), &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

func (c paCase) files(t testing.TB) Files {
	files := Files{}
	for name, s := range c.Files {
		f, ok := lds.ByName(name)
		if !ok {
			t.Fatalf("%s: file %q", c.ID, name)
		}
		files[f] = unhex(t, s)
	}
	return files
}

func (c paCase) store(t testing.TB) *pki.Store {
	var certs []pki.Material
	for _, s := range slices.Concat(c.Trust, c.SignerStore) {
		x, err := cert.Parse(unhex(t, s))
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		certs = append(certs, pki.Material{Cert: x, Source: "case"})
	}
	var crls []*cert.CRL
	for _, s := range c.CRLs {
		x, err := cert.ParseCRL(unhex(t, s))
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		crls = append(crls, x)
	}
	return pki.NewStore(certs, crls, nil)
}

func (c paCase) options(t testing.TB) Options {
	at, err := time.Parse(time.DateOnly, c.At)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Trust: c.store(t), At: at}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// classes gives the reasons that belong to each reason class of the cases.
var classes = map[string][]Reason{
	"group-not-read":     {ReasonGroupNotRead},
	"group-hash":         {ReasonGroupHash},
	"group-unlisted":     {ReasonGroupUnlisted},
	"com-sod-mismatch":   {ReasonCOMMismatch},
	"structure":          {ReasonSODMalformed, ReasonSODProfile, ReasonSODAttributes, ReasonGroupsMissing, ReasonCertAlgorithm, ReasonCertDefect},
	"signature":          {ReasonSODSignature, ReasonSODDigest},
	"message-digest":     {ReasonSODDigest},
	"algorithm":          {ReasonAlgorithmBroken, ReasonAlgorithmWeak, ReasonKeyShort},
	"key":                {ReasonSignerKey},
	"chain":              {ReasonCSCAUnknown, ReasonChainForged, ReasonCSCAUsage, ReasonPathLength},
	"country":            {ReasonCountry},
	"validity":           {ReasonSignerExpired, ReasonCSCAExpired},
	"usage":              {ReasonSignerUsage, ReasonCSCAUsage, ReasonSignerType},
	"revocation-unknown": {ReasonCRLStale, ReasonCRLMissing},
	"revoked":            {ReasonSignerRevoked},
}

// words of the cases that each verdict of ours may stand for.
var caseVerdicts = map[Verdict][]string{
	Accept: {"accept", "accept-partial", "accept-with-warning"},
	Refer:  {"inconclusive"},
	Refuse: {"reject"},
}

func TestPassiveAuthenticationCases(t *testing.T) {
	var table strings.Builder
	right := 0
	cases := paCases(t)
	for _, c := range cases {
		r, err := JudgeFiles(context.Background(), c.files(t), c.options(t))
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		said := r.Reasons()
		for _, w := range r.Warnings() {
			said = append(said, w.Reason)
		}
		allowed := append([]string{c.Expected.Verdict}, c.Expected.Also...)
		ok := slices.ContainsFunc(allowed, func(s string) bool { return slices.Contains(caseVerdicts[r.Verdict], s) })
		because := c.Expected.Reason == "" || slices.ContainsFunc(said, func(x Reason) bool { return slices.Contains(classes[c.Expected.Reason], x) })
		switch {
		case c.Expected.Verdict == "reject" && r.Verdict == Accept && !slices.Contains(c.Expected.Also, "accept-with-warning"):
			t.Errorf("%s: a forgery is accepted", c.ID)
		case strings.HasPrefix(c.ID, "ok-") && r.Verdict != Accept:
			t.Errorf("%s: a good document: %v, %v", c.ID, r.Verdict, r.Reasons())
		case !ok:
			t.Errorf("%s: %v, want one of %v", c.ID, r.Verdict, allowed)
		case !because:
			t.Errorf("%s: %v because of %v, want class %q", c.ID, r.Verdict, said, c.Expected.Reason)
		default:
			right++
		}
		fmt.Fprintf(&table, "%-32s %-20s %-7v %v\n", c.ID, c.Expected.Verdict, r.Verdict, said)
	}
	t.Logf("%d of %d as expected\n%s", right, len(cases), table.String())
}

func TestNoCaseIsAcceptedWithoutTrust(t *testing.T) {
	for _, c := range paCases(t) {
		o := c.options(t)
		o.Trust = nil
		r, err := JudgeFiles(context.Background(), c.files(t), o)
		if err != nil || r.Verdict == Accept {
			t.Errorf("%s: %v, %v", c.ID, r.Verdict, err)
		}
		if _, err := r.Identity(); err == nil {
			t.Errorf("%s: an identity nobody vouches for", c.ID)
		}
	}
}

// A bit changed anywhere in a signed file must never leave an accepted document,
// unless it lies where no signature reaches: then nothing that is shown may change.
func TestEveryChangedBitIsSeen(t *testing.T) {
	for _, c := range paCases(t) {
		if c.ID != "ok-lds18" && c.ID != "ok-ecdsa-bp256-explicit" {
			continue
		}
		o, files := c.options(t), c.files(t)
		whole, err := JudgeFiles(context.Background(), files, o)
		if err != nil {
			t.Fatal(err)
		}
		for f, step := range map[lds.File]int{lds.DG1: 3, lds.DG2: 97, lds.SODFile: 11} {
			for i := 0; i < len(files[f]); i += step {
				changed := Files{}
				for k, v := range files {
					changed[k] = slices.Clone(v)
				}
				changed[f][i] ^= 1 << (i % 8)
				r, err := JudgeFiles(context.Background(), changed, o)
				if err != nil {
					t.Fatal(err)
				}
				if r.Verdict == Accept && (f != lds.SODFile || r.Document.Card != whole.Document.Card) {
					t.Errorf("%s: octet %d of %s changed, and accepted", c.ID, i, f)
				}
			}
		}
	}
}
