package mrz

import (
	"errors"
	"strings"
	"testing"
)

// The synthetic card of the Vietnamese profile, and its key.
func TestWriteTD1(t *testing.T) {
	m, err := WriteTD1(Card{
		Document: "ID", Issuer: "VNM", Number: "190000017", Optional1: "003190000017<<7", Birth: "900215", Sex: "F",
		Expiry: "300215", Nationality: "VNM", Primary: "NGUYEN", Secondary: "THI THU NGHIEM",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"IDVNM1900000174003190000017<<7", "9002155F3002153VNM<<<<<<<<<<<8", "NGUYEN<<THI<THU<NGHIEM<<<<<<<<"}
	if strings.Join(m.Lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(m.Lines, "\n"))
	}
	if m.KeyInfo() != "190000017490021553002153" || len(m.Findings) != 0 {
		t.Errorf("key %s, findings %v", m.KeyInfo(), m.Findings)
	}
}

func utopian() Card {
	return Card{Document: "I", Issuer: "UTO", Number: "D23145890", Birth: "740812", Sex: "F", Expiry: "120415", Nationality: "UTO", Primary: "ERIKSSON", Secondary: "ANNA MARIA"}
}

func TestLongNumber(t *testing.T) {
	for _, n := range []string{"D231458907340", "1", "ABCDEFGHI", "ABCDEFGHIJ", "1234567890123456789012"} {
		c := utopian()
		c.Number = n
		m, err := WriteTD1(c)
		if err != nil {
			t.Fatal(n, err)
		}
		if m.Number != n || m.Optional1 != "" || len(m.Findings) != 0 {
			t.Errorf("%s came back as %s with %v", n, m.Number, m.Findings)
		}
	}
	c := utopian()
	c.Number, c.Optional1 = "D23145890734", "X Y"
	m, err := WriteTD1(c)
	if err != nil || m.Lines[0] != "I<UTOD23145890<7349<X<Y<<<<<<<" || m.Optional1 != "X<Y" {
		t.Error(m, err)
	}
}

func TestWriteTD1Refuses(t *testing.T) {
	for field, change := range map[Field]func(*Card){
		Document:    func(c *Card) { c.Document = "IDX" },
		Issuer:      func(c *Card) { c.Issuer = "D0" },
		Number:      func(c *Card) { c.Number = "" },
		Optional:    func(c *Card) { c.Optional2 = "123456789012" },
		Birth:       func(c *Card) { c.Birth = "741301" },
		Expiry:      func(c *Card) { c.Expiry = "" },
		SexField:    func(c *Card) { c.Sex = "Nam" },
		Nationality: func(c *Card) { c.Nationality = "uto" },
		Name:        func(c *Card) { c.Primary = "Ériksson" },
	} {
		c := utopian()
		change(&c)
		var e *FieldError
		if _, err := WriteTD1(c); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	c := utopian()
	c.Number = "12345678901234567890123"
	if _, err := WriteTD1(c); err == nil {
		t.Error("a number of 23 characters is written")
	}
	c = utopian()
	c.Expiry = "1204<<"
	if _, err := WriteTD1(c); err == nil {
		t.Error("a card that expires on no known day is written")
	}
	c = utopian()
	c.Sex, c.Birth = "X", "74<<<<"
	if m, err := WriteTD1(c); err != nil || m.Sex != "<" || m.Birth.Known() {
		t.Error(err)
	}
}
