package credential

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

var b64 = base64.RawURLEncoding.Strict()

// saltSize is 128 bits, as RFC 9901 §9.3 wants at least.
const saltSize = 16

// disclosure is one field and how it is disclosed: base64url of [salt, name, value] (§4.2.1).
type disclosure struct {
	text, name string
	value      any
}

// disclose makes the disclosure of a field, with a salt that is used once.
func disclose(name string, value any) (disclosure, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([]any{b64.EncodeToString(salt), name, value}); err != nil {
		return disclosure{}, err
	}
	return disclosure{b64.EncodeToString(bytes.TrimSpace(b.Bytes())), name, value}, nil
}

// digest is that over the ASCII octets of the disclosure (§4.2.3).
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return b64.EncodeToString(sum[:])
}

// decoy is a digest of nothing (§4.2.5).
func decoy() string {
	salt := make([]byte, sha256.Size)
	rand.Read(salt)
	return digest(string(salt))
}

// reserved are names that nobody may disclose: those of SD-JWT itself, and those of SD-JWT VC
// that must be seen by everybody.
var reserved = []string{"_sd", "...", "_sd_alg", "iss", "nbf", "exp", "iat", "cnf", "vct", "vct#integrity", "status", "aud"}

// parseDisclosure reads one that was presented.
func parseDisclosure(text string) (disclosure, error) {
	raw, err := b64.DecodeString(text)
	if err != nil {
		return disclosure{}, refuse(CodeDisclosure)
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || len(parts) != 3 {
		return disclosure{}, refuse(CodeDisclosure)
	}
	d := disclosure{text: text}
	var salt string
	if json.Unmarshal(parts[0], &salt) != nil || salt == "" || json.Unmarshal(parts[1], &d.name) != nil || json.Unmarshal(parts[2], &d.value) != nil {
		return disclosure{}, refuse(CodeDisclosure)
	}
	if d.name == "" || slices.Contains(reserved, d.name) || nested(d.value) {
		return disclosure{}, refuse(CodeDisclosure)
	}
	return d, nil
}

// nested reports whether there are digests within a value, which are not read here.
func nested(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k == "_sd" || k == "..." || nested(x) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, nested)
	}
	return false
}

// parts cut an SD-JWT into the issuer's token, the disclosures and the key binding, which is
// "" if there is none (§4).
func parts(text string) (token string, disclosures []disclosure, binding string, err error) {
	if len(text) > maxPresentation {
		return "", nil, "", refuse(CodeMalformed)
	}
	list := strings.Split(text, "~")
	if len(list) < 2 || len(list)-2 > maxDisclosures {
		return "", nil, "", refuse(CodeMalformed)
	}
	seen := map[string]bool{}
	for _, s := range list[1 : len(list)-1] {
		d, err := parseDisclosure(s)
		if err != nil {
			return "", nil, "", err
		}
		if seen[s] {
			return "", nil, "", refuse(CodeDisclosure)
		}
		seen[s] = true
		disclosures = append(disclosures, d)
	}
	return list[0], disclosures, list[len(list)-1], nil
}

// reveal puts what is disclosed in the place of its digests (§7.1): every disclosure must be
// one of the digests, no digest may stand there twice, and no name may.
func reveal(payload map[string]any, disclosures []disclosure) (map[string]any, error) {
	if alg, ok := payload["_sd_alg"]; ok && alg != hashAlgorithm {
		return nil, refuse(CodeHash)
	}
	digests := map[string]bool{}
	if raw, ok := payload["_sd"]; ok {
		list, ok := raw.([]any)
		if !ok {
			return nil, refuse(CodeMalformed)
		}
		for _, x := range list {
			d, ok := x.(string)
			if !ok || digests[d] {
				return nil, refuse(CodeDisclosure)
			}
			digests[d] = true
		}
	}
	out := maps.Clone(payload)
	delete(out, "_sd")
	delete(out, "_sd_alg")
	if nested(out) {
		return nil, refuse(CodeMalformed)
	}
	for _, d := range disclosures {
		if _, taken := out[d.name]; taken || !digests[digest(d.text)] {
			return nil, refuse(CodeDisclosure)
		}
		out[d.name] = d.value
	}
	return out, nil
}
