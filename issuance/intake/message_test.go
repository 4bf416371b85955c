package intake_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance/intake"
)

const good = `{"to":"https://office.example","portal":"dvc","request":"r-1","case":"K-1","act":"file","revision":1,"purpose":"cấp lại thẻ căn cước",
"time":"2026-11-26T08:00:00Z","salt":"00112233445566778899aabbccddeeff","reason":"lost","login":{"issuer":"https://eid.example","acr":"possession","id":"x"},
"person":{"number":"003190000017","surname":"Nguyễn","given":"Thị Thử Nghiệm","sex":"F","birth":"1990-02-15","nationality":"Việt Nam","origin":"Xã Mẫu",
"residence":"Số 17, Tỉnh Mẫu","ethnicity":"Kinh","religion":"Không","features":"Không","father":"","mother":"","spouse":"","expiry":null}}`

func TestParse(t *testing.T) {
	m, who, err := intake.Parse([]byte(good))
	if err != nil || m.Act != intake.File || who.Number != "003190000017" || m.Login.Level != "possession" {
		t.Fatalf("%v", err)
	}
	for what, one := range map[string]struct {
		from, to string
		code     intake.Code
	}{
		"a login of more":        {`"acr"`, `"name":"x","acr"`, intake.CodeKey},
		"a login in capitals":    {`"acr"`, `"ACR"`, intake.CodeKey},
		"a login without a word": {`"possession"`, `""`, intake.CodeFormat},
		"a bad octet":            {`K-1`, "K-\xff", intake.CodeFormat},
		"a long name":            {`K-1`, strings.Repeat("k", 65), intake.CodeFormat},
		"a line in a purpose":    {`cấp lại`, `cấp\nlại`, intake.CodePurpose},
		"no time":                {`"time":"2026-11-26T08:00:00Z",`, ``, intake.CodeFormat},
		"another act":            {`"act":"file"`, `"act":"approve"`, intake.CodeFormat},
		"a revision of text":     {`"revision":1`, `"revision":"1"`, intake.CodeFormat},
		"an amendment of first":  {`"act":"file"`, `"act":"amend"`, intake.CodeFormat},
		"a date in the person":   {`1990-02-15`, `1990-02-30`, intake.CodePerson},
		"too long":               {`Xã Mẫu`, strings.Repeat("x", intake.MaxMessage), intake.CodeSize},
	} {
		_, _, err := intake.Parse([]byte(strings.Replace(good, one.from, one.to, 1)))
		if r, ok := errors.AsType[*intake.Refusal](err); !ok || r.Code != one.code {
			t.Errorf("%s: %v, want %s", what, err, one.code)
		}
	}
}

// Whatever is parsed can be said again, and then says the same; no error tells what was there.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"to":"x","portal":"a","request":"b","case":"c","act":"withdraw","purpose":"p","time":"2026-11-26T08:00:00Z","salt":"00112233445566778899aabbccddeeff"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, who, err := intake.Parse(b)
		if err != nil {
			if m != nil || who.Number != "" {
				t.Error("a part of what was refused")
			}
			if _, ok := errors.AsType[*intake.Refusal](err); !ok {
				t.Errorf("no code: %v", err)
			}
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > intake.MaxMessage {
			return // package json escapes what the portal did not
		}
		if _, same, err := intake.Parse(again); err != nil || same != who && same.Expiry == nil {
			t.Errorf("said again: %v", err)
		}
	})
}

// Both kinds of keys sign and verify; what a portal signed is no answer, and the other way round.
func TestSign(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := intake.NewSigner(large, "dvc"); !errors.Is(err, intake.ErrKey) {
		t.Errorf("a key of P-384: %v", err)
	}
	for _, key := range []crypto.Signer{ed, ec} {
		office, err := intake.NewOfficeSigner(key)
		if err != nil {
			t.Fatal(err)
		}
		set, err := office.Keys()
		if err != nil || strings.Contains(string(set), `"d"`) {
			t.Fatalf("%s, %v", set, err)
		}
		keys, err := intake.ParseKeys(set)
		if err != nil {
			t.Fatal(err)
		}
		s, err := office.Sign([]byte("receipt"))
		if err != nil || intake.VerifyAnswer(s, keys) != nil {
			t.Errorf("%v", err)
		}
		other := s
		other.Body = []byte("receipts")
		if err := intake.VerifyAnswer(other, keys); !errors.Is(err, intake.ErrSignature) {
			t.Errorf("another body: %v", err)
		}
		portal, err := intake.NewSigner(key, "dvc")
		if err != nil {
			t.Fatal(err)
		}
		if s, err = portal.Sign([]byte("receipt")); err != nil || !errors.Is(intake.VerifyAnswer(s, keys), intake.ErrSignature) {
			t.Error("a message passes for an answer")
		}
	}
	if _, err := intake.ParseKeys([]byte(`{"keys":[]}`)); !errors.Is(err, intake.ErrKey) {
		t.Error(err)
	}
}

// Every state has words in both languages, and says what comes next.
func TestWords(t *testing.T) {
	for _, s := range intake.States() {
		for _, lang := range []string{"vi", "en"} {
			if s.Text(lang) == "" || s.Next(lang) == "" {
				t.Errorf("%s says nothing in %s", s, lang)
			}
		}
	}
	if (&intake.Refusal{Code: intake.CodeRate}).Again() == (&intake.Refusal{Code: intake.CodeReused}).Again() {
		t.Error("what is to be sent again, and what is not")
	}
}
