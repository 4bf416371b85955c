package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/profile/vn"
)

func TestEmbedded(t *testing.T) {
	names := Names()
	if len(names) != 5 || names[len(names)-1] != Generic {
		t.Errorf("profiles: %q", names)
	}
	for _, name := range names {
		p, err := ByName(name)
		if err != nil || p.Name != name || len(p.Access) == 0 || !slices.Contains(p.Required, 1) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	for _, name := range []string{"../profile", "", "vn-cccd-2021.toml"} {
		if _, err := ByName(name); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), Generic) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What the notes on the card say; access never begins with BAC.
func TestVietnam(t *testing.T) {
	p, err := ByName("vn-cccd-2021")
	if err != nil {
		t.Fatal(err)
	}
	if want := []Access{{"PACE", "CAN"}, {"PACE", "MRZ"}, {"BAC", "MRZ"}}; !slices.Equal(p.Access, want) {
		t.Errorf("access %v", p.Access)
	}
	if string(p.AID) != "\xA0\x00\x00\x02\x47\x10\x01" || p.PhotoFrom != 6 || p.National != "vn" || p.PromisesPACE || !p.Has(NoSelectMF) {
		t.Errorf("%+v", p)
	}
	if p.NoExpiry != vn.NoExpiry || p.Country != vn.Country {
		t.Error("the profile and its code name different things")
	}
}

func TestFor(t *testing.T) {
	for text, want := range map[string]string{
		"IDVNM1900000174003190000017<<79002155F3002153VNM<<<<<<<<<<<8NGUYEN<<THI<THU<NGHIEM<<<<<<<<": "vn-cccd-2021",
		"I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<": Generic,
		"P<VNMERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36VNM7408122F1204159ZE184226B<<<<<10":   Generic,
	} {
		m, err := mrz.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if p := For(m); p.Name != want {
			t.Errorf("%s is read by %s", text, p.Name)
		}
	}
	if For(nil).Name != Generic || For(&mrz.MRZ{}).Name != Generic {
		t.Error("no MRZ has a country")
	}
	if n := testing.AllocsPerRun(100, func() { For(nil) }); n != 0 {
		t.Errorf("a look-up takes %v allocations", n)
	}
}

// TestQuirks holds every quirk of an embedded profile to a card and a public report, and
// what is taken by name only to its name.
func TestQuirks(t *testing.T) {
	n := 0
	for _, name := range Names() {
		p, _ := ByName(name)
		for _, q := range p.Quirks {
			if n++; q.Card == "" || !strings.Contains(q.Report, "#") || !p.Has(q.Name) {
				t.Errorf("%s: %+v", name, q)
			}
		}
	}
	if n == 0 || For(nil).Has(NoSelectMF) {
		t.Errorf("%d quirks", n)
	}
	for _, good := range []Quirk{{NoSelectMF, "a", "b#1"}} {
		for _, bad := range []Quirk{{"", good.Card, good.Report}, {good.Name, "", good.Report}, {good.Name, good.Card, ""}} {
			if bad.check() == nil || good.check() != nil {
				t.Errorf("%+v", bad)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "name = 'x'\naid = 'A0000002471001'\naccess = ['BAC']\nrequired = [1]\nphoto_from = -1\nno_expiry = '991231'\n"
	if _, err := parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for old, change := range map[string]string{
		"name = 'x'\n": "", "'A0000002471001'": "'A000'", "'BAC'": "'EAC'", "['BAC']": "[]", "[1]": "[17]",
		"'991231'": "'999999'", "photo_from": "colour", "'x'": "1",
		"no_expiry = '991231'\n": "[[quirk]]\nname = 'x'\ncard = 'a'\nreport = 'b'\n", "'x'\n": "'x'\nby_name = true\n",
	} {
		text := strings.Replace(good, old, change, 1)
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%q is a profile", text)
		}
	}
}
