package cms

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

var testNow = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// noOffice is an office that nobody comes to.
type noOffice struct{ Office }

type noStore struct{ Store }

// token signs claims as the issuer.
func token(t *testing.T, key crypto.PrivateKey, alg jose.SignatureAlgorithm, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Tokens of the issuer count as far as they say, for whom, until when, and over the
// certificate to which they are bound.
func TestCaller(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := &x509.Certificate{Raw: []byte("mine")}, &x509.Certificate{Raw: []byte("theirs")}
	pinned := sha256.Sum256(mine.Raw)
	s, err := New(Config{
		Systems: []System{
			{ID: "enrolment", Scopes: []string{RequestRead, RequestWrite}, Tokens: [][32]byte{sha256.Sum256([]byte("opaque"))}, Purpose: "cards"},
			{ID: "bound", Scopes: []string{RequestRead}, Tokens: [][32]byte{sha256.Sum256([]byte("opaque-bound"))}, Purpose: "cards", Certificate: &pinned},
		},
		Issuer:  &Issuer{Name: "https://sso.test", Audience: "https://cms.test", Keys: []crypto.PublicKey{key.Public(), edwards.Public()}},
		Profile: Profile{ID: "p"}, Office: noOffice{}, Store: noStore{}, Now: func() time.Time { return testNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	with := func(change map[string]any) map[string]any {
		claims := map[string]any{
			"iss": "https://sso.test", "aud": "https://cms.test", "sub": "enrolment", "exp": testNow.Add(time.Hour).Unix(), "scope": "cms.request.read cms.credential.read",
		}
		for k, v := range change {
			if claims[k] = v; v == nil {
				delete(claims, k)
			}
		}
		return claims
	}
	es := func(change map[string]any) string { return token(t, key, jose.ES256, with(change)) }
	bound := map[string]any{"cnf": map[string]any{"x5t#S256": base64.RawURLEncoding.EncodeToString(pinned[:])}}
	for _, c := range []struct {
		what, token string
		shown       *x509.Certificate
		want        string
		scopes      int
	}{
		{"a token of the system's own", "opaque", nil, "enrolment", 2},
		{"without the certificate", "opaque-bound", nil, "", 0},
		{"with another certificate", "opaque-bound", theirs, "", 0},
		{"with the certificate", "opaque-bound", mine, "bound", 1},
		{"ES256", es(nil), nil, "enrolment", 1},
		{"EdDSA", token(t, edwards, jose.EdDSA, with(nil)), nil, "enrolment", 1},
		{"scopes as a list", es(map[string]any{"scope": []string{RequestRead, RequestWrite, "cms.all"}}), nil, "enrolment", 2},
		{"no scope", es(map[string]any{"scope": nil}), nil, "enrolment", 0},
		{"scopes that are none", es(map[string]any{"scope": 7}), nil, "enrolment", 0},
		{"of another key", token(t, other, jose.ES256, with(nil)), nil, "", 0},
		{"by a password", token(t, []byte("0123456789abcdef0123456789abcdef"), jose.HS256, with(nil)), nil, "", 0},
		{"of another issuer", es(map[string]any{"iss": "https://other.test"}), nil, "", 0},
		{"for another office", es(map[string]any{"aud": []string{"https://other.test"}}), nil, "", 0},
		{"for two offices", es(map[string]any{"aud": []string{"https://other.test", "https://cms.test"}}), nil, "enrolment", 1},
		{"over", es(map[string]any{"exp": testNow.Add(-2 * time.Minute).Unix()}), nil, "", 0},
		{"without an end", es(map[string]any{"exp": nil}), nil, "", 0},
		{"to come", es(map[string]any{"nbf": testNow.Add(2 * time.Minute).Unix()}), nil, "", 0},
		{"of nobody", es(map[string]any{"sub": "nobody"}), nil, "", 0},
		{"without a system", es(map[string]any{"sub": nil}), nil, "", 0},
		{"bound, without the certificate", es(bound), nil, "", 0},
		{"bound, with another", es(bound), theirs, "", 0},
		{"bound, with the certificate", es(bound), mine, "enrolment", 1},
		{"unsigned", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJlbnJvbG1lbnQifQ.", nil, "", 0},
	} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		if c.shown != nil {
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.shown}}
		}
		got, err := s.caller(r)
		if (err == nil) != (c.want != "") || err == nil && (got.ID != c.want || len(got.scopes) != c.scopes) {
			t.Errorf("%s: %+v, %v", c.what, got, err)
		}
	}
}

// What can't be a service is none.
func TestNew(t *testing.T) {
	good := Config{Profile: Profile{ID: "p"}, Office: noOffice{}, Store: noStore{}, Now: time.Now}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for what, systems := range map[string][]System{
		"a scope that is none": {{ID: "a", Scopes: []string{"cms.all"}}}, "no scope": {{ID: "a"}}, "two of a name": {{ID: "a", Scopes: Scopes()}, {ID: "a", Scopes: Scopes()}},
		"a number for a name": {{ID: "003190000017", Scopes: Scopes()}},
	} {
		c := good
		c.Systems = systems
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("nothing is taken")
	}
}

// Whatever is sent is read whole or refused, in bounded time.
func FuzzParseOrder(f *testing.F) {
	f.Add([]byte(`{"personId":"K-1","requestData":{"priority":1,"credentialProfileId":"p","requestType":"FIRST_ISSUANCE"},"biographicData":{"personalNumber":"003190000017","firstName":"Thử","gender":"F","dateOfBirth":"1990-02-15"}}`))
	f.Add([]byte(`{"personId":"K-1","requestData":{},"biographicData":{},"biometricData":[{"biometricType":"FACE","image":"AAAA"}]}`))
	f.Add([]byte(`[[[[[[[[[[`))
	s := &Server{c: Config{Profile: Profile{ID: "p"}, Office: anyPortrait{}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := s.parseOrder("R-1", b)
		if err == nil && (o.meta.Profile != "p" || o.person == nil) {
			t.Errorf("%q is read as %+v", b, o.meta)
		}
		if _, ok := err.(*Problem); err != nil && !ok { //nolint:errorlint // it is what is returned
			t.Errorf("%v", err)
		}
		if _, err := parseSearch(b, "status"); err != nil {
			if _, ok := err.(*Problem); !ok { //nolint:errorlint // it is what is returned
				t.Errorf("%v", err)
			}
		}
	})
}

type anyPortrait struct{ Office }

func (anyPortrait) CheckPortrait([]byte) error { return nil }
