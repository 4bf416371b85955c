package vn

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestQR(t *testing.T) {
	p := person(t)
	text := EncodeQR(p, "", day("2021-05-10"))
	if text != "003190000017||Nguyễn Thị Thử Nghiệm|15021990|Nữ|Số 1 phố Thử Nghiệm, Hà Nội|10052021" {
		t.Error(text)
	}
	want := QR{p.Number, "", p.FullName(), "15021990", "Nữ", p.Residence, "10052021", nil}
	for _, s := range []string{text, text + "|000000017|", norm.NFD.String(text), text + "\n"} {
		q, ok := ParseQR(s)
		more := strings.Split(strings.TrimSpace(s), "|")[7:]
		if !ok || !slices.Equal(q.More, more) {
			t.Errorf("%q: %+v", s, q)
		}
		q.More = nil
		if q.Name != want.Name || q.Number != want.Number || q.Birth != want.Birth || q.Sex != want.Sex || q.Residence != want.Residence || q.Issued != want.Issued {
			t.Errorf("%q: %+v", s, q)
		}
	}
	p.Birth = Date{Year: 1990}
	if s := EncodeQR(p, "000000017", day("2021-05-10")); !strings.HasPrefix(s, "003190000017|000000017|") || !strings.Contains(s, "|1990|") {
		t.Error(s)
	}
	for _, s := range []string{"", "http://example.org|||||||", "003190000017|||||", text + strings.Repeat("|", 3000)} {
		if _, ok := ParseQR(s); ok {
			t.Errorf("%q is a card", s[:min(len(s), 40)])
		}
	}
}
