package ceremony

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/tamthe/tamthe/issuance"
)

// Signed is what travels with a file between rooms that no wire connects: who signed its
// digest.
type Signed struct {
	Digest     string          `json:"sha256"`
	Signatures []FileSignature `json:"signatures"`
}

// FileSignature is one person's.
type FileSignature struct {
	Who       string `json:"who"`
	Key       string `json:"key"`
	Signature string `json:"signature"`
}

// SignFile signs a file's octets by some persons, for a room that takes it in.
func SignFile(content []byte, by ...Custodian) ([]byte, error) {
	s := Signed{Digest: sum(content)}
	for _, who := range by {
		key, err := issuance.KeyField(who.Key.Public())
		if err != nil {
			return nil, err
		}
		sig, err := issuance.SignMessage(who.Key, fileContext, []byte(s.Digest))
		if err != nil {
			return nil, err
		}
		s.Signatures = append(s.Signatures, FileSignature{who.Name, key, hex.EncodeToString(sig)})
	}
	return json.Marshal(s)
}

// CheckFile verifies what SignFile made, and that known takes at least two of the persons.
// Errors are ErrTranscript, ErrCustodian or what known says.
func CheckFile(content, signed []byte, known func(name, key string) error) (Signed, error) {
	var s Signed
	d := json.NewDecoder(bytes.NewReader(signed))
	d.DisallowUnknownFields()
	if len(signed) > maxScript || d.Decode(&s) != nil || s.Digest != sum(content) {
		return Signed{}, fmt.Errorf("%w: what was signed is another file", ErrTranscript)
	}
	people := map[string]bool{}
	for _, f := range s.Signatures {
		sig, err := hex.DecodeString(f.Signature)
		if err != nil || issuance.CheckMessage(f.Key, fileContext, []byte(s.Digest), sig) != nil {
			return Signed{}, fmt.Errorf("%w: the signature of %q", ErrTranscript, f.Who)
		}
		if err := known(f.Who, f.Key); err != nil {
			return Signed{}, err
		}
		people[f.Key] = true
	}
	if len(people) < 2 {
		return Signed{}, fmt.Errorf("%w: a file is signed by two", ErrCustodian)
	}
	return s, nil
}

// take lets a file in that two known persons signed.
func (c *conductor) take(ctx context.Context, s Step) error {
	content, signed, err := c.room.Import(ctx, s.Of)
	if err != nil {
		return err
	}
	if _, err := CheckFile(content, signed, func(name, key string) error { return c.room.Known(ctx, name, key) }); err != nil {
		return fmt.Errorf("import %s: %w", s.Of, err)
	}
	c.room.Show(fmt.Sprintf("taken in: %s, SHA-256 %s", s.Of, sum(content)))
	return c.add(Record{Kind: DoImport, Step: c.step, Item: s.Of, Digest: sum(content)})
}

// give lets a file out with the custodians' signatures.
func (c *conductor) give(ctx context.Context, s Step) error {
	o, err := c.room.Export(ctx, s.Of, func(content []byte) ([]byte, error) { return SignFile(content, c.by...) })
	if err != nil {
		return err
	}
	c.room.Show(fmt.Sprintf("given out: %s, SHA-256 %x", s.Of, o.Digest))
	return c.add(Record{Kind: DoExport, Step: c.step, Item: s.Of, Digest: hex.EncodeToString(o.Digest[:])})
}
