package credential

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tamthe/tamthe/card/dh"
)

// sign makes the compact form of a token.
func sign(s jose.Signer, claims any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(claims); err != nil {
		return "", err
	}
	signed, err := s.Sign(bytes.TrimSpace(b.Bytes()))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// open reads a token of a type, under one of the keys of a set. The codes are Malformed,
// Algorithm, Type and the one for a signature that none of the keys made.
func open(token string, keys jose.JSONWebKeySet, unsigned Code, types ...string) ([]byte, error) {
	if foreign(token) {
		return nil, refuse(CodeAlgorithm)
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, refuse(CodeMalformed)
	}
	header := parsed.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	known := false
	for _, t := range types {
		known = known || typ == t
	}
	if !known {
		return nil, refuse(CodeType)
	}
	for _, k := range keys.Keys {
		if header.KeyID != "" && k.KeyID != "" && k.KeyID != header.KeyID {
			continue
		}
		if key, ok := k.Key.(*ecdsa.PublicKey); ok && key.Curve == elliptic.P256() {
			if body, err := parsed.Verify(key); err == nil {
				return body, nil
			}
		}
	}
	return nil, refuse(unsigned)
}

// foreign reports whether a token's header names another algorithm, whatever else is wrong
// with it.
func foreign(token string) bool {
	head, _, _ := bytes.Cut([]byte(token), []byte("."))
	raw, err := b64.DecodeString(string(head))
	var h struct {
		Alg string `json:"alg"`
	}
	return err == nil && json.Unmarshal(raw, &h) == nil && h.Alg != string(jose.ES256)
}

// object reads a JSON object whose names are each there once, which encoding/json leaves open.
func object(b []byte) (map[string]any, error) {
	if err := once(json.NewDecoder(bytes.NewReader(b))); err != nil {
		return nil, refuse(CodeMalformed)
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&m) != nil || m == nil {
		return nil, refuse(CodeMalformed)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, refuse(CodeMalformed)
	}
	return m, nil
}

var errTwice = errors.New("a name is there twice")

// once walks one value.
func once(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if s, _ := name.(string); names[s] {
				return errTwice
			} else {
				names[s] = true
			}
		}
		if err := once(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// seconds is a time of a claim; false if it is none.
func seconds(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := n.Float64()
	if err != nil || f < 0 || f > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

// ErrKey means that a key is not of P-256.
var ErrKey = errors.New("credentials are signed with keys of P-256")

// plain is a key whose public half is of the standard library's type.
func plain(key crypto.Signer) (crypto.Signer, error) {
	p, ok := key.Public().(*dh.Point)
	if !ok {
		return key, nil
	}
	if p.Curve() != dh.P256() {
		return nil, ErrKey
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), p.Bytes())
	if err != nil {
		return nil, ErrKey
	}
	return plainKey{key, pub}, nil
}

type plainKey struct {
	crypto.Signer
	pub *ecdsa.PublicKey
}

func (k plainKey) Public() crypto.PublicKey { return k.pub }

// publicJWK is the public half of a key of P-256, with its thumbprint for a name.
func publicJWK(pub crypto.PublicKey) (jose.JSONWebKey, error) {
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return jose.JSONWebKey{}, ErrKey
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.ES256), Use: "sig"}
	print, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(print)
	return jwk, nil
}

// parseJWK reads a holder's key: P-256, public, and nothing else.
func parseJWK(v any) (jose.JSONWebKey, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return jose.JSONWebKey{}, refuse(CodeMalformed)
	}
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(b) != nil || !jwk.IsPublic() || !jwk.Valid() {
		return jose.JSONWebKey{}, refuse(CodeMalformed)
	}
	key, ok := jwk.Key.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return jose.JSONWebKey{}, refuse(CodeAlgorithm)
	}
	return jose.JSONWebKey{Key: key}, nil
}
