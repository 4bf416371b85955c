package dh

import (
	"bytes"
	"slices"
	"testing"
)

func TestSignatureDER(t *testing.T) {
	for _, v := range []struct{ r, s, der string }{
		{"00000001", "0000007f", "30060201010201" + "7f"},
		{"00000080", "00000000", "300702020080020100"},
		{"7fffffff", "80000000", "300d02047fffffff02050080000000"},
	} {
		r, s, der := unhex(t, v.r), unhex(t, v.s), unhex(t, v.der)
		if got := encodeSignature(r, s); !bytes.Equal(got, der) {
			t.Errorf("%s %s is %x, want %x", v.r, v.s, got, der)
		}
		gotR, gotS := make([]byte, 4), make([]byte, 4)
		if !parseSignature(gotR, gotS, der) || !bytes.Equal(gotR, r) || !bytes.Equal(gotS, s) {
			t.Errorf("%x is %x %x", der, gotR, gotS)
		}
	}
	for _, size := range []int{61, 62, 66} {
		full := bytes.Repeat([]byte{0xFF}, size)
		der := encodeSignature(full, full)
		r, s := make([]byte, size), make([]byte, size)
		if !parseSignature(r, s, der) || !bytes.Equal(r, full) || !bytes.Equal(s, full) {
			t.Errorf("numbers of %d octets do not come back from %x", size, der)
		}
		if parseSignature(r[1:], s[1:], der) {
			t.Errorf("numbers longer than %d octets are taken", size-1)
		}
	}
}

func TestSignatureDERRefuses(t *testing.T) {
	for _, der := range []string{
		"", "30", "3000", "3080", "3006", "300302010102", // short
		"31060201010201" + "01",     // no SEQUENCE
		"308106020101020101",        // long form where the short one does
		"30820006020101020101",      // longer form
		"3080020101020101" + "0000", // indefinite length
		"30060201010201" + "0100",   // trailing octet
		"3007020101020101" + "00",   // trailing octet inside
		"3007020101" + "02020001",   // leading zero
		"3007" + "02020001" + "020101",
		"30060201010201" + "81", // negative
		"3006" + "0201ff" + "020101",
		"3005" + "0200" + "020101", // no number
		"3005" + "020101" + "0200",
		"3006" + "030101" + "020101", // no INTEGER
		"3003" + "020101",            // one number
		"3009" + "020101020101020101",
		"3006" + "020201" + "020101", // number beyond its end
		"3007" + "02810101" + "020101",
		"300b" + "020601020304050607" + "0201", // more than four octets, cut
		"300b" + "02050102030405" + "02020080", // more than four octets
	} {
		if r, s := make([]byte, 4), make([]byte, 4); parseSignature(r, s, unhex(t, der)) {
			t.Errorf("%s is taken as %x %x", der, r, s)
		}
	}
}

func FuzzVerifyDER(f *testing.F) {
	c := BrainpoolP256r1()
	digest := bytes.Repeat([]byte{1}, 32)
	k, err := c.NewPrivateKey(append(make([]byte, 31), 5))
	if err != nil {
		f.Fatal(err)
	}
	sig, err := k.Sign(nil, digest, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sig)
	f.Add(unhex(f, "3006020101020101"))
	f.Add(unhex(f, "308106020101020101"))
	f.Fuzz(func(t *testing.T, b []byte) {
		valid := VerifyDER(k.Point(), digest, b)
		r, s := make([]byte, c.OrderSize()), make([]byte, c.OrderSize())
		ok := parseSignature(r, s, b)
		if !ok {
			if valid {
				t.Fatalf("%x verifies but is no signature", b)
			}
			return
		}
		if !bytes.Equal(encodeSignature(r, s), b) {
			t.Fatalf("%x has a second encoding", b)
		}
		if valid != VerifyPlain(k.Point(), digest, slices.Concat(r, s)) {
			t.Fatalf("%x: the encodings disagree", b)
		}
	})
}
