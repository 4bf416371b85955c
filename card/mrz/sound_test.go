package mrz

import "testing"

// A zone in which one character is another is sound only if Decode finds nothing wrong, and
// then shows what Decode reads; the specimens of Doc 9303-5 and -4 are sound.
func TestSound(t *testing.T) {
	for _, zone := range []string{
		"I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10",
	} {
		if _, ok := Sound([]byte(zone)); !ok {
			t.Errorf("%s is not sound", zone)
		}
		for i := range zone {
			for v := range 256 {
				b := []byte(zone)
				b[i] = byte(v)
				checkSound(t, b)
			}
		}
		checkSound(t, []byte(zone[1:]))
	}
}

func checkSound(t *testing.T, b []byte) {
	t.Helper()
	g, ok := Sound(b)
	if !ok {
		return
	}
	m, err := Decode(b)
	if err != nil || len(m.Findings) > 0 {
		t.Fatalf("%q is sound: %v, %v", b, m.Findings, err)
	}
	if trim(string(g.Document[:])) != m.Document || trim(string(g.Issuer[:])) != m.Issuer || string(g.Expiry[:]) != string(m.Expiry) {
		t.Fatalf("%q shows %q, want %+v", b, g, m)
	}
}
