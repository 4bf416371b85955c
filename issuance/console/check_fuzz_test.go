package console

import "testing"

func FuzzParseOpening(f *testing.F) {
	for _, s := range []string{
		"000017", "190000017;900215;300215", "003190000017||Nguyễn Thị Thử Nghiệm|15021990|Nữ|Tỉnh Thử|01012024",
		"IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<",
	} {
		if _, err := parseOpening(s); err != nil {
			f.Fatalf("%q: %v", s, err)
		}
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := parseOpening(s)
		if (err == nil) != (len(o.passwords) == 1) {
			t.Errorf("%d passwords, %v", len(o.passwords), err)
		}
	})
}
