package cvc

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu/tlv"
	"github.com/tamthe/tamthe/testdata"
)

type indexed struct {
	ID            string
	File          string
	Issuer        string `json:"issuer_reference"`
	Holder        string `json:"holder_reference"`
	KeyOID        string `json:"key_oid"`
	Effective     string
	Expiry        string
	Authorization string
	SignedBy      []string `json:"signed_by"`
}

func index(t *testing.T) []indexed {
	t.Helper()
	var file struct{ Cases []indexed }
	if err := json.Unmarshal(testdata.Vectors(t, "cvc/index.json"), &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases, %v", len(file.Cases), err)
	}
	return file.Cases
}

// TestCertificatesInTheWild reads certificates of other projects, finds in them what their
// list says, writes them again octet for octet, and verifies every signature whose
// issuer is there.
func TestCertificatesInTheWild(t *testing.T) {
	known := map[string]*Certificate{}
	list := index(t)
	for _, x := range list {
		raw := testdata.Vectors(t, "cvc/"+x.File)
		c, err := Parse(raw)
		if err != nil {
			t.Errorf("%s: %v", x.ID, err)
			continue
		}
		known[x.ID] = c
		date := func(d Date) string { return strings.ReplaceAll(d.String()[2:], "-", "") }
		if string(c.Authority) != x.Issuer || string(c.Holder) != x.Holder || date(c.Effective) != x.Effective || date(c.Expiry) != x.Expiry {
			t.Errorf("%s: %s below %s, %v to %v", x.ID, c.Holder, c.Authority, c.Effective, c.Expiry)
		}
		oid, _ := hex.DecodeString(x.KeyOID)
		if !bytes.Equal(contents(c.Key.Algorithm.OID()), oid) {
			t.Errorf("%s: %v", x.ID, c.Key.Algorithm)
		}
		chat, _ := hex.DecodeString(x.Authorization)
		if !bytes.Equal(c.CHAT.Bytes(), tlv.Encode(tagCHAT, chat)) {
			t.Errorf("%s: authorisation %X", x.ID, c.CHAT.Bytes())
		}
		if again := rewrite(c); !bytes.Equal(again, raw) {
			t.Errorf("%s is written as\n%X, not\n%X", x.ID, again, raw)
		}
	}
	verified := 0
	for _, x := range list {
		for _, by := range x.SignedBy {
			issuer := known[by]
			if issuer == nil || known[x.ID] == nil {
				continue
			}
			key := issuer.Key
			for id := by; key.RSA == nil && key.EC == nil; {
				up := parent(list, id)
				if up == "" || known[up] == nil {
					break
				}
				if inherited, err := issuer.Key.Inherit(known[up].Key); err == nil {
					key = inherited
				}
				id = up
			}
			if err := known[x.ID].Verify(key); err != nil {
				t.Errorf("%s by %s: %v", x.ID, by, err)
			}
			verified++
		}
	}
	if verified < 15 {
		t.Errorf("%d signatures verified", verified)
	}
}

func parent(list []indexed, id string) string {
	for _, x := range list {
		if x.ID == id && len(x.SignedBy) > 0 && x.SignedBy[0] != id {
			return x.SignedBy[0]
		}
	}
	return ""
}

// rewrite encodes a certificate from its fields.
func rewrite(c *Certificate) []byte {
	body := tlv.Encode(tagProfile, []byte{0})
	body = tlv.Append(body, tagCAR, []byte(c.Authority))
	body = tlv.Append(body, tagKey, c.Key.encode(c.Key.Parameters))
	body = tlv.Append(body, tagCHR, []byte(c.Holder))
	body = append(body, c.CHAT.Bytes()...)
	body = tlv.Append(body, tagEffective, c.Effective.Bytes())
	body = tlv.Append(body, tagExpiry, c.Expiry.Bytes())
	if c.Extensions != nil {
		body = tlv.Append(body, tagExtensions, c.Extensions)
	}
	return tlv.Encode(tagCertificate, tlv.Encode(tagBody, body), tlv.Encode(tagSignature, c.Signature))
}

// TestMalformed damages a good certificate as TR-03105-3.2 unit J does.
func TestMalformed(t *testing.T) {
	p := newPKI(t, ECDSASHA256)
	good := p.terminal.Raw
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	s := tlv.String(good)
	var inner, body, sig tlv.String
	s.ReadTag(tagCertificate, &inner)
	inner.ReadTag(tagBody, &body)
	inner.ReadTag(tagSignature, &sig)
	wrap := func(body, sig []byte) []byte { return tlv.Encode(tagCertificate, body, sig) }
	signature := tlv.Encode(tagSignature, sig)
	without := func(tag tlv.Tag) []byte {
		var kept []byte
		for b := body; !b.Empty(); {
			var got tlv.Tag
			var v tlv.String
			b.Read(&got, &v)
			if got != tag {
				kept = tlv.Append(kept, got, v)
			}
		}
		return wrap(tlv.Encode(tagBody, kept), signature)
	}
	with := func(tag tlv.Tag, value []byte) []byte {
		var kept []byte
		for b := body; !b.Empty(); {
			var got tlv.Tag
			var v tlv.String
			b.Read(&got, &v)
			if got == tag {
				v = value
			}
			kept = tlv.Append(kept, got, v)
		}
		return wrap(tlv.Encode(tagBody, kept), signature)
	}
	oid := tlv.Encode(tagOID, contents(ECDSASHA256.OID()))
	for name, raw := range map[string][]byte{
		"empty":                    nil,
		"cut":                      good[:len(good)-1],
		"trailing octet":           append(slices.Clone(good), 0),
		"another root name (J_25)": append([]byte{0x7F, 0x22}, good[2:]...),
		"no signature (J_4)":       wrap(tlv.Encode(tagBody, body), nil),
		"empty signature":          wrap(tlv.Encode(tagBody, body), tlv.Encode(tagSignature)),
		"no body (J_5)":            wrap(nil, signature),
		"body's tag (J_17, J_26)":  wrap(tlv.Encode(0x7F4D, body), signature),
		"signature's tag (J_18)":   wrap(tlv.Encode(tagBody, body), tlv.Encode(0x5F38, sig)),
		"no authorisation (J_6)":   without(tagCHAT),
		"no effective date (J_7)":  without(tagEffective),
		"no expiry (J_8)":          without(tagExpiry),
		"no authority":             without(tagCAR),
		"no holder":                without(tagCHR),
		"no profile":               without(tagProfile),
		"profile 1":                with(tagProfile, []byte{1}),
		"effective not BCD (J_9)":  with(tagEffective, []byte{2, 6, 0, 0xA, 0, 1}),
		"expiry not BCD (J_10)":    with(tagExpiry, []byte{2, 6, 0, 1, 0, 0xF}),
		"effective no day (J_19)":  with(tagEffective, []byte{2, 6, 0, 2, 3, 0}),
		"expiry no day (J_20)":     with(tagExpiry, []byte{3, 0, 1, 3, 0, 1}),
		"ends first (J_21)":        with(tagExpiry, []byte{0, 1, 0, 1, 0, 1}),
		"role's OID (J_23)":        with(tagCHAT, append(tlv.Encode(tagOID, contents(append(oidRoles[:9:9], 9))), 0x53, 1, 3)),
		"rights of another length": with(tagCHAT, append(tlv.Encode(tagOID, contents(append(oidRoles[:9:9], 1))), 0x53, 2, 0, 3)),
		"key's OID (J_24, J_36)":   with(tagKey, append(tlv.Encode(tagOID, contents(append(oidTA[:9:9], 3, 1))), tlv.Encode(tagPoint, p.terminal.Key.point)...)),
		"key without OID (J_37)":   with(tagKey, tlv.Encode(tagPoint, p.terminal.Key.point)),
		"no point (J_38)":          with(tagKey, oid),
		"no modulus (J_39)":        with(tagKey, append(tlv.Encode(tagOID, contents(RSAv15SHA256.OID())), tlv.Encode(tagExponent, []byte{1, 0, 1})...)),
		"no exponent (J_40)":       with(tagKey, append(tlv.Encode(tagOID, contents(RSAv15SHA256.OID())), tlv.Encode(tagModulus, bytes.Repeat([]byte{0xFF}, 256))...)),
		"object in the key (J_41)": with(tagKey, append(append(slices.Clone(oid), tlv.Encode(tagPoint, p.terminal.Key.point)...), tlv.Encode(0x91, []byte{1})...)),
		"short RSA key (J_55)":     with(tagKey, append(append(tlv.Encode(tagOID, contents(RSAv15SHA256.OID())), tlv.Encode(tagModulus, bytes.Repeat([]byte{0xFF}, 64))...), tlv.Encode(tagExponent, []byte{3})...)),
		"long name":                with(tagCHR, bytes.Repeat([]byte("A"), 17)),
		"compressed point":         with(tagKey, append(slices.Clone(oid), tlv.Encode(tagPoint, append([]byte{2}, make([]byte, 64)...))...)),
		"too long":                 make([]byte, maxSize+1),
		"object behind the dates":  wrap(tlv.Encode(tagBody, append(slices.Clone([]byte(body)), tlv.Encode(0x91, []byte{1})...)), signature),
		"body's length (J_28)":     wrap(append(tlv.Encode(tagBody, body)[:len(body)], 0), signature),
	} {
		c, err := Parse(raw)
		if c != nil || !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrAlgorithm) && !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	p := newPKI(f, ECDSASHA256)
	f.Add(p.cvca.Raw)
	f.Add(p.terminal.Raw)
	f.Add(newPKI(f, RSAPSSSHA256).dv.Raw)
	f.Add(p.terminal.CHAT.Bytes())
	f.Add([]byte{2, 6, 1, 1, 2, 5})
	f.Add(EncodeCVCA("XOCVCA00001", "XOCVCA00002"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if (c == nil) == (err == nil) {
			t.Errorf("%v, %v", c, err)
		}
		if err == nil {
			_ = c.Verify(c.Key)
			_ = c.CHAT.Bytes()
		}
		if r, err := ParseRequest(b); (r == nil) == (err == nil) {
			t.Errorf("%v, %v", r, err)
		}
		if chat, err := ParseCHAT(b); err == nil && !bytes.Equal(chat.Bytes(), b) {
			t.Errorf("%X is written as %X", b, chat.Bytes())
		}
		_, _ = ParseContents(b)
		if d, err := ParseDate(b); err == nil && !bytes.Equal(d.Bytes(), b) {
			t.Errorf("%X is written as %X", b, d.Bytes())
		}
		if names, err := ParseCVCA(b); err == nil && len(names) == 0 {
			t.Error("no names")
		}
	})
}
