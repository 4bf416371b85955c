package verify

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/cms"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify/pki"
)

// surveyed is what a folder or list of real certificates holds.
type surveyed struct {
	from string
	list []*cert.Certificate
}

// realCertificates reads everything below pki/ that holds certificates: single files and
// what is in the master lists, whose own signatures the package pki tests.
func realCertificates(t *testing.T) []surveyed {
	t.Helper()
	var all []surveyed
	root := filepath.Join(testdata.Dir(t), "pki")
	folders := map[string][]*cert.Certificate{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(root, p)
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		switch filepath.Ext(p) {
		case ".cer":
			c, err := cert.Parse(b)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return nil
			}
			folders[filepath.ToSlash(filepath.Dir(name))+"/*.cer"] = append(folders[filepath.ToSlash(filepath.Dir(name))+"/*.cer"], c)
		case ".ml":
			folders[filepath.ToSlash(name)] = masterListContent(t, name, b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for from, list := range folders {
		all = append(all, surveyed{from, list})
	}
	slices.SortFunc(all, func(a, b surveyed) int { return strings.Compare(a.from, b.from) })
	return all
}

func masterListContent(t *testing.T, name string, raw []byte) []*cert.Certificate {
	t.Helper()
	d, err := cms.Parse(raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	content, set := cryptobyte.String(d.Content), cryptobyte.String(nil)
	if !content.ReadASN1(&content, tags.SEQUENCE) || !content.SkipASN1(tags.INTEGER) || !content.ReadASN1(&set, tags.SET) {
		t.Fatalf("%s: no list", name)
	}
	var list []*cert.Certificate
	for !set.Empty() {
		var der cryptobyte.String
		if !set.ReadASN1Element(&der, tags.SEQUENCE) {
			t.Fatalf("%s: no certificate", name)
		}
		c, err := cert.Parse(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		list = append(list, c)
	}
	return list
}

// TestSurveyTrial loads every real certificate there is and holds who signed whom to the
// survey, which was made with other code.
func TestSurveyTrial(t *testing.T) {
	long(t)
	var survey struct {
		Cases []struct {
			SHA256     string
			SelfSigned bool     `json:"self_signed"`
			SignedBy   []string `json:"signed_by"`
		}
	}
	if err := json.Unmarshal(testdata.Vectors(t, "pki/csca-survey.json"), &survey); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("Every certificate of the lists and folders is read and has a usable key.\n\n| from | certificates | new | self-signed | links | keep the profile of Doc 9303-12 |\n|---|---|---|---|---|---|\n")
	distinct := map[string]*cert.Certificate{}
	known := map[[32]byte][2]bool{} // self-signed, without an error
	var material []pki.Material
	for _, s := range realCertificates(t) {
		fresh, self, links, clean := 0, 0, 0, 0
		for _, c := range s.list {
			if c.KeyErr != nil {
				t.Errorf("%s: %v: %v", s.from, c.Subject, c.KeyErr)
			}
			fp := c.Fingerprint()
			if id := hex.EncodeToString(fp[:]); distinct[id] == nil {
				fresh++
				distinct[id] = c
				material = append(material, pki.Material{Cert: c, Source: s.from})
			}
			k, ok := known[fp]
			if !ok {
				k[0] = c.SelfSigned()
				k[1] = !slices.ContainsFunc(pki.Lint(c, pki.ProfileOf(c), nil), func(b pki.Breach) bool { return b.Severity == pki.Error })
				known[fp] = k
			}
			if k[0] {
				self++
			} else {
				links++
			}
			if k[1] {
				clean++
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", s.from, len(s.list), fresh, self, links, clean)
	}
	store := pki.NewStore(material, nil, nil)
	var absent, selfAgree, by, byAbsent, chained int
	for _, c := range survey.Cases {
		x := distinct[c.SHA256]
		if x == nil {
			absent++
			continue
		}
		if x.SelfSigned() != c.SelfSigned {
			t.Errorf("%v: self-signed is %v, the survey says %v", x.Subject, x.SelfSigned(), c.SelfSigned)
		}
		selfAgree++
		held := 0
		for _, issuer := range c.SignedBy {
			y := distinct[issuer]
			if y == nil {
				byAbsent++
				continue
			}
			held++
			if err := x.CheckSignature(y.PublicKey); err != nil {
				t.Errorf("%v is not signed by %v: %v", x.Subject, y.Subject, err)
			}
			by++
		}
		// None but those may have signed it: every key of the state is tried.
		for id, y := range distinct {
			if y.Subject.Country() == x.Subject.Country() && !slices.Contains(c.SignedBy, id) && id != c.SHA256 && x.CheckSignature(y.PublicKey) == nil &&
				!slices.ContainsFunc(append(slices.Clone(c.SignedBy), c.SHA256), func(s string) bool { return distinct[s] != nil && distinct[s].PublicKey.Equal(y.PublicKey) }) {
				t.Errorf("%v: %v signed it too, the survey does not say", x.Subject, y.Subject)
			}
		}
		if len(store.Chain(x).Judge(pki.Query{At: x.NotBefore.AddDate(0, 0, 1)}).Path) > 0 {
			chained++
		} else if c.SelfSigned || held > 0 && anchored(distinct, c.SignedBy) {
			t.Errorf("%v: no chain", x.Subject)
		}
	}
	fmt.Fprintf(&b, "\n%d distinct certificates. Of the %d of csca-survey.json %d are here, %d only in lists that are not; self-signed agrees for all %d,\n%d of %d signatures by another certificate verify (the issuer of %d is not here), and %d have a chain to an anchor.\n",
		len(distinct), len(survey.Cases), len(survey.Cases)-absent, absent, selfAgree, by, by+byAbsent, byAbsent, chained)
	trial(t, "Real certificates", b.String())
}

// anchored says whether one of the issuers is self-signed.
func anchored(all map[string]*cert.Certificate, ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		return all[id] != nil && all[id].SelfSigned() && all[id].Issuer.Equal(all[id].Subject)
	})
}
