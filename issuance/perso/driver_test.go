package perso

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/issuance"
)

// TestEveryDriver makes a card with each driver on a chip of its kind.
func TestEveryDriver(t *testing.T) {
	for _, name := range Drivers() {
		t.Run(name, func(t *testing.T) {
			r := forDriver(t, name)
			p := &pull{}
			if err := r.run(t, p); err != nil {
				t.Fatal(err)
			}
			r.issuedOnce(t)
			imported := ""
			for _, rec := range r.journal.records {
				switch rec.Act {
				case issuance.Allocate:
					if rec.Driver != name {
						t.Errorf("allocated for driver %q", rec.Driver)
					}
				case issuance.Generate:
					imported = rec.Imported
				}
			}
			if want := map[bool]string{true: "ca"}[r.imports]; imported != want {
				t.Errorf("recorded as imported: %q instead of %q", imported, want)
			}
			t.Logf("%d commands", p.n)
		})
	}
}

// TestEveryAccidentOfEveryDriver is TestEveryAccident for the other drivers.
func TestEveryAccidentOfEveryDriver(t *testing.T) {
	for _, name := range Drivers()[1:] {
		fresh := func(t *testing.T) *rig { return forDriver(t, name) }
		for what, kind := range map[string]func(n int) accident{
			"removed before command": func(n int) accident { return removal(n, false) },
			"answer lost":            func(n int) accident { return removal(n, true) },
			"torn write":             tear,
			"crash before record":    func(n int) accident { return crash(n, false) },
			"crash after record":     func(n int) accident { return crash(n, true) },
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				n := enumerate(t, stride(), fresh, kind)
				if n < 1 {
					t.Errorf("only %d", n)
				}
				t.Logf("%d points", n)
			})
		}
	}
}

// TestImportedKeys has a chip that can make its keys get them from outside.
func TestImportedKeys(t *testing.T) {
	r := forDriver(t, Default)
	r.imports = true
	if err := r.run(t, &pull{}); err != nil {
		t.Fatal(err)
	}
	r.issuedOnce(t)
	for _, rec := range r.journal.records {
		if rec.Act == issuance.Generate && rec.Imported != "aa-ca" {
			t.Errorf("recorded as imported: %q", rec.Imported)
		}
	}
}

func TestOrdersThatADriverRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		driver string
		order  func(*Order)
		want   error
	}{
		"no test card":        {"passportapplet", func(o *Order) { o.TestCard = false }, ErrTestCard},
		"short APDUs":         {"files-scp03", func(o *Order) {}, ErrOrder},
		"no import allowed":   {"files-scp03", func(o *Order) { o.Import = false }, ErrOrder},
		"no such key":         {"card42", func(o *Order) { o.AA = o.CA }, ErrOrder},
		"a curve it has not":  {"card42", func(o *Order) { o.CA = newRig().ca }, ErrOrder},
		"AA where only files": {"files-scp03", func(o *Order) { o.AA = o.CA }, ErrOrder},
	} {
		r := forDriver(t, c.driver)
		p := &pull{rig: r}
		o := r.order(p)
		c.order(&o)
		if name == "short APDUs" {
			r.limits = apdu.Limits{}
		}
		if err := Run(t.Context(), apdu.Over(p, r.limits), o, &r.journal, State{}); !errors.Is(err, c.want) || p.n > 0 {
			t.Errorf("%s: %v after %d commands", name, err, p.n)
		}
	}
	if _, err := DriverByName("jcop"); !errors.Is(err, ErrDriver) {
		t.Errorf("error %v", err)
	}
}
