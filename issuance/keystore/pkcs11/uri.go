package pkcs11

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// URI is a PKCS #11 URI (RFC 7512): which module, which token in it, which object.
type URI struct {
	Token, Manufacturer, Model, Serial string // as the token calls itself; "" is any
	Slot                               string // slot-id, a decimal number; "" is any

	Object string // CKA_LABEL
	ID     []byte // CKA_ID

	PINSource  string // file:PATH, an absolute path, or fd:N
	ModulePath string // the library, an absolute path
}

// Bounds of a URI, in octets and attributes.
const (
	maxURI       = 2048
	maxValue     = 1024
	maxAttribute = 32
)

// ParseURI reads a URI that names a module by module-path. What RFC 7512 knows and we do
// not use, what it does not know, and what stands twice is refused, for a part that is
// passed over could be the one that tells two tokens apart. A PIN in the URI (pin-value)
// is refused: it would stand in configuration, logs and lists of processes.
func ParseURI(text string) (URI, error) {
	u, err := parseURI(text)
	if err != nil {
		return URI{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	return u, nil
}

func parseURI(text string) (u URI, err error) {
	rest, ok := strings.CutPrefix(text, "pkcs11:")
	if !ok || len(text) > maxURI {
		return u, fmt.Errorf("want pkcs11: and at most %d octets", maxURI)
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	if err := attributes(path, ";", pathSafe, u.setPath); err != nil {
		return u, err
	}
	if hasQuery {
		if err := attributes(query, "&", querySafe, u.setQuery); err != nil {
			return u, err
		}
	}
	switch {
	case u.ModulePath == "":
		return u, fmt.Errorf("module-path is missing: the library that speaks for the token")
	case !filepath.IsAbs(u.ModulePath):
		return u, fmt.Errorf("module-path is not absolute")
	}
	return u, nil
}

// The octets that stand for themselves in either part, beside letters and digits (RFC 7512
// §2.3).
const (
	pathSafe  = "-._~:[]@!$'()*+,=&"
	querySafe = "-._~:[]@!$'()*+,=/?|"
)

// attributes splits one part of the URI and hands each attribute on.
func attributes(part, separator, safe string, set func(name, value string) error) error {
	if part == "" {
		return nil
	}
	var seen []string
	for _, attribute := range strings.Split(part, separator) {
		name, value, ok := strings.Cut(attribute, "=")
		if !ok || slices.Contains(seen, name) || len(seen) == maxAttribute {
			return fmt.Errorf("attribute %.32q stands without a value, or twice", name)
		}
		seen = append(seen, name)
		decoded, err := unescape(value, safe)
		if err != nil {
			return fmt.Errorf("attribute %.32q: %w", name, err)
		}
		if err := set(name, decoded); err != nil {
			return err
		}
	}
	return nil
}

func unescape(s, safe string) (string, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s):
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("%%%.2q is no octet", s[i+1:i+3])
			}
			out = append(out, byte(n))
			i += 2
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c != '%' && strings.IndexByte(safe, c) >= 0:
			out = append(out, c)
		default:
			return "", fmt.Errorf("octet %#02x must be written %%%02X", c, c)
		}
	}
	if len(out) > maxValue {
		return "", fmt.Errorf("longer than %d octets", maxValue)
	}
	return string(out), nil
}

func (u *URI) setPath(name, value string) error {
	switch name {
	case "token":
		u.Token = value
	case "manufacturer":
		u.Manufacturer = value
	case "model":
		u.Model = value
	case "serial":
		u.Serial = value
	case "object":
		u.Object = value
	case "id":
		u.ID = []byte(value)
	case "type":
		if value != "private" {
			return fmt.Errorf("type is private where we use a key, not %.16q", value)
		}
	case "slot-id":
		if _, err := strconv.ParseUint(value, 10, 64); err != nil {
			return fmt.Errorf("slot-id is no number")
		}
		u.Slot = value
	default:
		return fmt.Errorf("attribute %.32q is not taken here", name)
	}
	return nil
}

func (u *URI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		if strings.ContainsRune(value, 0) {
			return fmt.Errorf("module-path holds a zero octet")
		}
		u.ModulePath = value
	case "pin-source":
		u.PINSource = value
	case "pin-value":
		return fmt.Errorf("pin-value is not taken here: give pin-source=file:PATH, or nothing and be asked")
	default:
		return fmt.Errorf("attribute %.32q is not taken here", name)
	}
	return nil
}

// String gives the URI back, in one order and one spelling.
func (u URI) String() string {
	var path, query []string
	add := func(list *[]string, name, value, safe string) {
		if value != "" {
			*list = append(*list, name+"="+escape(value, safe))
		}
	}
	add(&path, "token", u.Token, pathSafe)
	add(&path, "manufacturer", u.Manufacturer, pathSafe)
	add(&path, "model", u.Model, pathSafe)
	add(&path, "serial", u.Serial, pathSafe)
	add(&path, "slot-id", u.Slot, pathSafe)
	add(&path, "object", u.Object, pathSafe)
	if len(u.ID) > 0 {
		id := "id="
		for _, c := range u.ID {
			id += fmt.Sprintf("%%%02X", c)
		}
		path = append(path, id)
	}
	add(&query, "pin-source", u.PINSource, querySafe)
	add(&query, "module-path", u.ModulePath, querySafe)
	s := "pkcs11:" + strings.Join(path, ";")
	if len(query) > 0 {
		s += "?" + strings.Join(query, "&")
	}
	return s
}

func escape(s, safe string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
