package cms

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of what is read.
const (
	MaxBody   = 256 << 10 // octets
	maxName   = 64
	maxText   = 200
	maxDepth  = 8
	maxSearch = 8   // expressions
	maxFound  = 100 // records of one answer
)

func problem(code int, message string) error { return &Problem{code, message} }

// object reads one object of those keys, each at most once and octet for octet, and nothing
// behind it. Without keys it takes any.
func object(b []byte, what string, keys ...string) (map[string]json.RawMessage, error) {
	wrong := func(how string) error { return problem(CodeFormat, what+" "+how) }
	if !utf8.Valid(b) {
		return nil, wrong("is not in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, wrong("is no object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, wrong("is no JSON")
		}
		if _, twice := out[key]; twice {
			return nil, wrong("has a property twice")
		}
		if len(keys) > 0 && !slices.Contains(keys, key) {
			return nil, wrong("has a property that the interface does not know")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil || deep(value) {
			return nil, wrong("is no JSON, or too deep")
		}
		out[key] = value
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') {
		return nil, wrong("is no JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, wrong("has something behind it")
	}
	return out, nil
}

func deep(b []byte) bool {
	depth, quoted, escaped := 0, false, false
	for _, c := range b {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// list reads an array.
func list(b []byte, what string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	if !utf8.Valid(b) || json.Unmarshal(b, &out) != nil || out == nil || deep(b) {
		return nil, problem(CodeFormat, what+" is no array")
	}
	return out, nil
}

// text reads a string of an object; ok reports whether it is there.
func text(o map[string]json.RawMessage, key string) (s string, ok bool, err error) {
	b, ok := o[key]
	if !ok {
		return "", false, nil
	}
	if len(b) == 0 || b[0] != '"' || json.Unmarshal(b, &s) != nil {
		return "", true, problem(CodeFormat, key+" is no string")
	}
	return s, true, nil
}

// number reads an integer of an object.
func number(o map[string]json.RawMessage, key string) (n int, ok bool, err error) {
	b, ok := o[key]
	if !ok {
		return 0, false, nil
	}
	if string(b) == "null" || json.Unmarshal(b, &n) != nil {
		return 0, true, problem(CodeFormat, key+" is no integer")
	}
	return n, true, nil
}

// isName is for names that systems give: no text in which anything could hide, nor the digits
// alone of a person's number, for names are kept in clear.
func isName(s string) bool {
	return strings.Trim(s, "0123456789") != "" && isWord(s)
}

func isWord(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
}
