package mrz

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// Doc 9303-11 App. D.2 and the forms around it: short, long, with unknown parts.
func TestKeyInfo(t *testing.T) {
	for _, tt := range []struct {
		number        string
		birth, expiry Date
		want          string
	}{
		{"L898902C", "690806", "940623", "L898902C<369080619406236"},
		{"D23145890734", "340712", "950712", "D23145890734934071279507122"},
		{"190000017", "900215", "300215", "190000017490021553002153"},
		{"0000000055"[:9], "89<<<<", "350630", "000000005589<<<<33506307"},
	} {
		if got := KeyInfo(tt.number, tt.birth, tt.expiry); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

func TestParseKey(t *testing.T) {
	zone := "IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<"
	for _, text := range []string{"190000017;900215;300215", " 190000017 ; 900215;300215\n", zone + "\n", strings.ToLower(zone)} {
		k, err := ParseKey(text)
		if err != nil || k.Info() != "190000017490021553002153" || (k.Zone != nil) == strings.Contains(text, ";") {
			t.Error(text, err)
		}
	}
	for _, text := range []string{
		"", ";;", "1;900215", "1;900215;3002155", "1;901315;300215", "a b;900215;300215", "1;900215;300215;", "12345678901234567890123;900215;300215",
		"ı;900215;300215", strings.Replace(zone, "0174003", "0175003", 1), strings.Replace(zone, "9002155F", "90O2155F", 1), zone[:80],
	} {
		_, err := ParseKey(text)
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", text, err)
		} else if strings.Contains(err.Error(), "9002") || strings.Contains(err.Error(), "NGUYEN") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestKeyIsRedacted(t *testing.T) {
	k, err := ParseKey("190000017;900215;300215")
	if err != nil {
		t.Fatal(err)
	}
	j, err := json.Marshal(map[string]any{"k": k})
	if s := fmt.Sprintf("%d", k); s != fmt.Sprint(k) {
		t.Errorf("%%d prints %s", s)
	}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "k", k)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s %q", k, k, k, &k), string(j), b.String()} {
		if err != nil || strings.Contains(s, "190000017") || strings.Contains(s, "900215") {
			t.Errorf("%s, %v", s, err)
		}
	}
}

// What opens a chip has the length of three fields and their digits, and no error tells it.
func FuzzParseKey(f *testing.F) {
	f.Add("190000017;900215;300215")
	f.Add("IDVNM1900000174003190000017<<7\n9002155F3002153VNM<<<<<<<<<<<8\nNGUYEN<<THI<THU<NGHIEM<<<<<<<<")
	f.Add("d23145890734 ; 34<<<<;950712")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKey(s)
		if err != nil {
			if !errors.Is(err, ErrFormat) || k != (Key{}) {
				t.Fatalf("%v with %v", err, k.Zone)
			}
			return
		}
		if n := len(k.Info()); n < 24 || n > 10+1+maxNumber+14 || !k.Birth.Valid() || !k.Expiry.Valid() {
			t.Fatalf("a key of %d characters", n)
		}
	})
}
