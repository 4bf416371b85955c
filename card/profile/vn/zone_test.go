package vn

import (
	"errors"
	"strings"
	"testing"
)

// The synthetic card that the profile was described with.
func TestWriteMRZ(t *testing.T) {
	m, err := WriteMRZ(person(t), Expiry{Date{2030, 2, 15}})
	if err != nil {
		t.Fatal(err)
	}
	want := "IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<"
	if got := strings.Join(m.Lines, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	if m.KeyInfo() != "190000017490021553002153" {
		t.Error(m.KeyInfo())
	}
	never, err := WriteMRZ(person(t), Expiry{})
	if err != nil || never.Lines[1][8:15] != "9912315" {
		t.Error("no expiry is not 991231 with check digit 5", err)
	}
}

func TestWriteMRZNames(t *testing.T) {
	for _, tt := range []struct{ surname, given, want string }{
		{"Đặng", "Ví Dụ", "DANG<<VI<DU<<<<<<<<<<<<<<<<<<<"},
		{"", "Đức", "DUC<<<<<<<<<<<<<<<<<<<<<<<<<<<"},
		{"Y", "Đ'Lăk Êban", "Y<<DLAK<EBAN<<<<<<<<<<<<<<<<<<"},
		{"Nguyễn", "Thị Phương Thảo Nguyên Hương Giang", "NGUYEN<<THI<PHUONG<THAO<NGUYEN"},
		{"Nguyễn", "Thị Phương Thảo Nguyê Hương", "NGUYEN<<THI<PHUONG<THAO<NGUY<H"}, // no filler in the last place
	} {
		p := person(t)
		p.Surname, p.Given = tt.surname, tt.given
		m, err := WriteMRZ(p, Expiry{})
		if err != nil || m.Lines[2] != tt.want {
			t.Errorf("%s %s: %v, %v", tt.surname, tt.given, m, err)
			continue
		}
		if !nameAgrees(p.FullName(), m) || nameAgrees(p.FullName()+"x", m) && len(strings.TrimRight(tt.want, "<")) < 30 || nameAgrees("Trần "+p.Given, m) {
			t.Errorf("%s is not the name in %s only", p.FullName(), m.Lines[2])
		}
	}
}

func TestWriteMRZRefuses(t *testing.T) {
	for field, change := range map[string]func(*Person){
		"number":  func(p *Person) { p.Number = "190000017" },
		"surname": func(p *Person) { p.Surname = "Нгуен" },
		"given":   func(p *Person) { p.Given = "Thị 2" },
	} {
		p := person(t)
		change(&p)
		var e *FieldError
		if _, err := WriteMRZ(p, Expiry{}); !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
