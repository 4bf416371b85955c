package profile

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/card/mrz"
)

func TestEmbedded(t *testing.T) {
	for _, name := range Names() {
		p, err := ByName(name)
		if err != nil || p.Name != name || len(p.Access) == 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := ByName("../profile"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

func TestFor(t *testing.T) {
	for text, want := range map[string]string{
		"IDVNM1900000174003190000017<<79002155F3002153VNM<<<<<<<<<<<8NGUYEN<<THI<THU<NGHIEM<<<<<<<<": "vn-cccd-2021",
		"I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<": "icao",
	} {
		m, err := mrz.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if p := For(m); p.Name != want {
			t.Errorf("%s is read by %s", text, p.Name)
		}
	}
	if For(nil).Name != Generic {
		t.Error("no MRZ has a country")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "name = 'x'", "name = 'x'\naid = 'A0000002471001'\ncolour = 'red'", "name = 'x'\naid = 'A0000002471001'\naccess = ['EAC']",
		"name = 'x'\naid = 'A0000002471001'\nrequired = [17]", "name = 'x'\naid = 'A0000002471001'\nno_expiry = '999999'", "aid = 1",
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is a profile", text)
		}
	}
}
