package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
)

// Act says what a message does to its case.
type Act string

// The acts.
const (
	File     Act = "file"     // revision 1 of the content: without it nothing is done
	Amend    Act = "amend"    // a later revision, whole: the greatest counts, not the last to come
	Withdraw Act = "withdraw" // for good, whatever comes before or after it
)

// Message is what a portal signs.
type Message struct {
	To       string          `json:"to" doc:"the service's address: what is signed for one office is nothing at another"`
	Portal   string          `json:"portal"`
	Request  string          `json:"request" doc:"the portal's name for this message"`
	Case     string          `json:"case" doc:"the portal's name for the case"`
	Act      Act             `json:"act" enum:"file,amend,withdraw"`
	Revision int             `json:"revision,omitempty" doc:"of the content: 1 files, 2 and more amend"`
	Purpose  string          `json:"purpose" doc:"what the citizen agreed to, as the agreement with the portal has it"`
	Time     time.Time       `json:"time"`
	Salt     string          `json:"salt" doc:"32 random hexadecimal digits, so that the digest tells nothing of the person"`
	Reason   string          `json:"reason,omitempty" doc:"why a card is asked for"`
	Person   json.RawMessage `json:"person,omitempty" doc:"the person, with the keys of tamthe enrol"`
	Login    *Login          `json:"login,omitempty"`
}

// Format prints none of it: a message holds personal data.
func (Message) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(a portal's message)") }

// Login says how the portal knew the citizen.
type Login struct {
	Issuer string `json:"issuer" doc:"who vouched"`
	Level  string `json:"acr" doc:"how far"`
	ID     string `json:"id" doc:"of the assertion"`
}

// The bounds of a message.
const (
	MaxMessage = 64 << 10 // octets
	maxName    = 64
	maxText    = 200
	maxLevel   = 1 << 20 // revisions
)

// messageKeys and loginKeys are those that a message may have, octet for octet: package json
// takes them in other case, too.
var (
	messageKeys = []string{"to", "portal", "request", "case", "act", "revision", "purpose", "time", "salt", "reason", "person", "login"}
	loginKeys   = []string{"issuer", "acr", "id"}
)

// Parse reads a message and whom it is about. A refusal says what is wrong, nothing of what
// was there.
func Parse(b []byte) (*Message, vn.Person, error) {
	var m Message
	if err := strict(b, messageKeys, &m); err != nil {
		return nil, vn.Person{}, err
	}
	if m.Login != nil {
		var top struct {
			Login json.RawMessage `json:"login"`
		}
		if json.Unmarshal(b, &top) != nil || strict(top.Login, loginKeys, new(Login)) != nil {
			return nil, vn.Person{}, refuse(CodeKey)
		}
	}
	p, err := m.check()
	if err != nil {
		return nil, vn.Person{}, err
	}
	return &m, p, nil
}

// Open reads the octets of a stored message, which must be those that its portal signed.
func (k *Kept) Open(b []byte) (*Message, vn.Person, error) {
	if sha256.Sum256(b) != k.Digest {
		return nil, vn.Person{}, issuance.ErrChanged
	}
	return Parse(b)
}

// strict reads one object of those keys, each at most once, and nothing behind it.
func strict(b []byte, keys []string, into any) error {
	if len(b) > MaxMessage {
		return refuse(CodeSize)
	}
	if !utf8.Valid(b) {
		return refuse(CodeFormat)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return refuse(CodeFormat)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		key, _ := t.(string)
		var value json.RawMessage
		switch {
		case err != nil || seen[key]:
			return refuse(CodeFormat)
		case !slices.Contains(keys, key):
			return refuse(CodeKey)
		case d.Decode(&value) != nil:
			return refuse(CodeFormat)
		}
		seen[key] = true
	}
	if _, err := d.Token(); err != nil {
		return refuse(CodeFormat)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(CodeFormat)
	}
	if json.Unmarshal(b, into) != nil {
		return refuse(CodeFormat)
	}
	return nil
}

// check bounds what a message says.
func (m *Message) check() (vn.Person, error) {
	var p vn.Person
	content := m.Revision != 0 || m.Reason != "" || m.Person != nil
	switch {
	case !isName(m.Portal) || !isName(m.Request) || !isName(m.Case):
		return p, refuse(CodeFormat)
	case !isText(m.To) || m.Time.IsZero() || len(m.Salt) != 32 || strings.Trim(m.Salt, "0123456789abcdef") != "":
		return p, refuse(CodeFormat)
	case m.Login != nil && (!isText(m.Login.Issuer) || !isText(m.Login.Level) || !isText(m.Login.ID)):
		return p, refuse(CodeFormat)
	case !isText(m.Purpose):
		return p, refuse(CodePurpose)
	case m.Act == Withdraw && content, m.Act == File && m.Revision != 1, m.Act == Amend && (m.Revision < 2 || m.Revision > maxLevel):
		return p, refuse(CodeFormat)
	case m.Act == Withdraw:
		return p, nil
	case m.Act != File && m.Act != Amend:
		return p, refuse(CodeFormat)
	case !slices.Contains(issuance.EnrolReasons(), m.Reason):
		return p, refuse(CodeReason)
	}
	p, err := vn.ParsePerson(m.Person)
	if err != nil {
		r := &Refusal{Code: CodePerson}
		if f, ok := errors.AsType[*vn.FieldError](err); ok {
			r.Field = f.Field
		}
		return vn.Person{}, r
	}
	return p, nil
}

// isName is for names that portals give: no text in which anything could hide, nor the
// digits alone of a number of a person, for names are kept in clear.
func isName(s string) bool {
	return strings.Trim(s, "0123456789") != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
}

// isText is for one line of text.
func isText(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F })
}
