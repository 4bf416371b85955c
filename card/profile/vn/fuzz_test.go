package vn

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/card/mrz"
)

func FuzzParseDG13(f *testing.F) {
	raw := encode(f, person(f), issue(Expiry{}))
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Add(tlv.Encode(0x6D, tlv.Encode(0x30, []byte{2, 1, 1}, tlv.Encode(0x31, field(17, 0x1E, "\x1e\xbf"), []byte{0x30, 0x81, 3, 2, 1, 14}))))
	m, err := WriteMRZ(person(f), Expiry{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kept := bytes.Clone(b)
		d, err := ParseDG13(b)
		if (d == nil) == (err == nil) || !bytes.Equal(b, kept) {
			t.Fatalf("%+v, %v", d, err)
		}
		if text, ok := Issued(b); ok && (err != nil || d.Value(FieldIssued) != string(text)) {
			t.Fatalf("issued %q, %+v, %v", text, d, err)
		}
		if d != nil {
			for _, field := range d.Fields {
				for _, v := range field.Values {
					if !utf8.ValidString(v) || !norm.NFC.IsNormalString(v) || field.Number < 1 || len(field.Values) > maxValues {
						t.Fatalf("%+v", field)
					}
				}
			}
		}
		if r := Inspect(m, b); b != nil && (r.DG13 == nil) != (err != nil) {
			t.Fatalf("%+v", r)
		}
	})
}

func FuzzParsePerson(f *testing.F) {
	f.Add([]byte(specimen))
	f.Add([]byte(`{"number":"003190000017","Number":"x","birth":"1990"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePerson(b)
		if err != nil {
			if p != (Person{}) {
				t.Fatal("a part of a person with an error")
			}
			return
		}
		m, err := WriteMRZ(p, Expiry{})
		if err != nil {
			t.Fatalf("%+v can't be written: %v", p, err)
		}
		d, err := ParseDG13(encode(t, p, issue(Expiry{})))
		if err != nil || d.Value(FieldName) != p.FullName() || d.Value(FieldResidence) != p.Residence {
			t.Fatalf("%+v comes back as %+v, %v", p, d, err)
		}
		if q, ok := ParseQR(EncodeQR(p, "", day("2021-05-10"))); !ok || q.Name != p.FullName() || q.Residence != p.Residence || len(q.More) > 0 {
			t.Fatalf("%+v comes back as %+v", p, q)
		}
		if !nameAgrees(p.FullName(), m) {
			t.Fatalf("%+q is not the name in %s", p.FullName(), m.Lines[2])
		}
	})
}

func FuzzParseQR(f *testing.F) {
	f.Add(EncodeQR(person(f), "000000017", day("2021-05-10")) + "|x|y")
	f.Add("003190000017||||||")
	f.Fuzz(func(t *testing.T, s string) {
		if q, ok := ParseQR(s); ok && !q.Number.Valid() {
			t.Fatalf("%+v", q)
		}
	})
}

func FuzzInspectZone(f *testing.F) {
	m, err := WriteMRZ(person(f), Expiry{})
	if err != nil {
		f.Fatal(err)
	}
	raw := encode(f, person(f), issue(Expiry{}))
	f.Add(m.Text())
	f.Add("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10")
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := mrz.Decode([]byte(s)); err == nil {
			Inspect(m, raw)
		}
	})
}
