package lds

import (
	"bytes"
	"encoding/asn1"
	"strings"
	"testing"
)

// eidExamples are data groups written by hand from TR-03110-4 §2.2.3.1: tags are explicit.
var eidExamples = map[string]struct {
	number int
	raw    string
	want   EIDGroup
}{
	"document type":   {1, "6104" + "13024944", EIDGroup{Text: "ID"}},
	"issuing state":   {2, "6203" + "130144", EIDGroup{Text: "D"}},
	"issuing entity":  {2, "6210" + "300E" + "AB070C054BC3B66C6E" + "AD03130144", EIDGroup{Places: []EIDPlace{{City: "Köln", Country: "D"}}}},
	"expiry":          {3, "630A" + "12083230333031303331", EIDGroup{Text: "20301031"}},
	"given names":     {4, "6407" + "0C054552494B41", EIDGroup{Text: "ERIKA"}},
	"family names":    {5, "650C" + "0C0A4D55535445524D414E4E", EIDGroup{Text: "MUSTERMANN"}},
	"birth":           {8, "680A" + "12083139363430383132", EIDGroup{Text: "19640812"}},
	"birth, the year": {8, "680A" + "12083139363420202020", EIDGroup{Text: "1964    "}},
	"place of birth":  {9, "690A" + "A1080C064245524C494E", EIDGroup{Places: []EIDPlace{{Free: "BERLIN"}}}},
	"nationality":     {10, "6A03" + "130144", EIDGroup{Text: "D"}},
	"sex":             {11, "6B03" + "130146", EIDGroup{Text: "F"}},
	"optional data":   {12, "6C0D" + "310B" + "3009" + "06032A0304" + "02020102", EIDGroup{Options: []EIDOption{{asn1.ObjectIdentifier{1, 2, 3, 4}, []byte{2, 2, 1, 2}}}}},
	"signature":       {14, "6E04" + "0402FF4F", EIDGroup{Octets: []byte{0xFF, 0x4F}}},
	"residence": {17, "7122" + "3020" + "AA070C055745472031" + "AB070C054BC3B66C6E" + "AD03130144" + "AE0713053531313437", EIDGroup{
		Places: []EIDPlace{{Street: "WEG 1", City: "Köln", Country: "D", ZIP: "51147"}},
	}},
	"no residence":  {17, "7108" + "A206" + "0C046E6F6E65", EIDGroup{Places: []EIDPlace{{None: "none"}}}},
	"two of them":   {17, "7110" + "310E" + "A105" + "0C03414141" + "A105" + "0C03424242", EIDGroup{Places: []EIDPlace{{Free: "AAA"}, {Free: "BBB"}}}},
	"municipality":  {18, "7209" + "040702760300000000", EIDGroup{Octets: []byte{2, 0x76, 3, 0, 0, 0, 0}}},
	"remark":        {19, "7307" + "A105" + "0C03414243", EIDGroup{Text: "ABC"}},
	"packed remark": {20, "7407" + "A205" + "0403" + "4B0400", EIDGroup{Text: "a"}},
	"phone":         {21, "7508" + "13062B3439313233", EIDGroup{Text: "+49123"}},
	"e-mail":        {22, "7605" + "1603614062", EIDGroup{Text: "a@b"}},
}

func TestEIDGroups(t *testing.T) {
	for name, c := range eidExamples {
		raw := fromHex(t, c.raw)
		g, err := ParseEID(c.number, raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if g.Number != c.number || g.Text != c.want.Text || len(g.Places) != len(c.want.Places) || !bytes.Equal(g.Octets, c.want.Octets) || len(g.Options) != len(c.want.Options) {
			t.Errorf("%s: %+v", name, g)
			continue
		}
		for i, p := range c.want.Places {
			if g.Places[i] != p {
				t.Errorf("%s: %+v", name, g.Places[i])
			}
		}
		for i, o := range c.want.Options {
			if !g.Options[i].Type.Equal(o.Type) || !bytes.Equal(g.Options[i].Data, o.Data) {
				t.Errorf("%s: %+v", name, g.Options[i])
			}
		}
		if again, err := g.Encode(); err != nil || !bytes.Equal(again, raw) && !g.deflated {
			t.Errorf("%s: written again as %X, %v", name, again, err)
		}
		if f := EIDFile(c.number); f.SFI() != byte(c.number) || f.FID() != 0x0100|uint16(c.number) {
			t.Errorf("%s: %v", name, f)
		}
		for i := range raw {
			if g, err := ParseEID(c.number, raw[:i]); err == nil || g != nil {
				t.Errorf("%s: cut to %d octets", name, i)
			}
		}
	}
}

func TestEIDRefused(t *testing.T) {
	for name, c := range map[string]struct {
		number int
		raw    string
	}{
		"another group's":            {5, eidExamples["given names"].raw},
		"number 0":                   {0, "6104" + "13024944"},
		"number 16":                  {16, "7003" + "130144"},
		"number 23":                  {23, "7703" + "130144"},
		"implicit tags":              {4, "6405" + "4552494B41"},
		"another string type":        {4, "6407" + "13054552494B41"},
		"no UTF-8":                   {4, "6404" + "0C02C328"},
		"letters in a date":          {3, "630A" + "12083230333031304A4E"},
		"a date of six digits":       {3, "6308" + "1206333031303331"},
		"a third sex":                {11, "6B03" + "130158"},
		"a document type of one":     {1, "6103" + "130149"},
		"a country of two":           {10, "6A04" + "13024445"},
		"a place without a city":     {9, "6907" + "3005" + "AD03130144"},
		"parts out of order":         {9, "6910" + "300E" + "AD03130144" + "AB070C054BC3B66C6E"},
		"free text for an issuer":    {2, "620A" + "A1080C064245524C494E"},
		"two values":                 {4, "640E" + "0C054552494B41" + "0C054552494B41"},
		"something behind it":        {4, "6407" + "0C054552494B41" + "01"},
		"broken DEFLATE":             {19, "7307" + "A205" + "0403FFFFFF"},
		"several places of birth":    {9, "6910" + "310E" + "A105" + "0C03414141" + "A105" + "0C03424242"},
		"not ASCII in an address":    {22, "7604" + "1602C3B6"},
		"an option without its type": {12, "6C06" + "3104" + "3002" + "0500"},
	} {
		if g, err := ParseEID(c.number, fromHex(t, c.raw)); err == nil || g != nil {
			t.Errorf("%s is taken: %+v", name, g)
		}
	}
	bomb := EIDGroup{Number: 19, Text: strings.Repeat("a", maxEIDText+1), deflated: true}
	if raw, err := bomb.Encode(); err == nil || raw != nil {
		t.Error("a text that unpacks to more than the bound is taken")
	}
	if raw, err := (EIDGroup{Number: 3, Text: "today"}).Encode(); err == nil || raw != nil {
		t.Error("a date that is none is written")
	}
	if raw, err := (EIDGroup{Number: 40}).Encode(); err == nil || raw != nil {
		t.Error("a group that does not exist is written")
	}
}

func FuzzParseEID(f *testing.F) {
	for _, c := range eidExamples {
		f.Add(byte(c.number), fromHex(f, c.raw))
	}
	f.Fuzz(func(t *testing.T, n byte, raw []byte) {
		g, err := ParseEID(int(n), raw)
		if (g == nil) == (err == nil) {
			t.Fatalf("%v, %v", g, err)
		}
		if err != nil {
			return
		}
		again, err := g.Encode()
		if err != nil {
			t.Fatalf("%X: %v", raw, err)
		}
		if h, err := ParseEID(int(n), again); err != nil || h.Text != g.Text || len(h.Places) != len(g.Places) {
			t.Errorf("%X comes back as %X: %v", raw, again, err)
		}
	})
}
