package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

const schema = "tamthe/evidence/1"

// Hex are octets that JSON shows in lower-case hexadecimal.
type Hex []byte

// MarshalText never fails.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText refuses what is no hexadecimal.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.AppendDecode(nil, text)
	*h = b
	return err
}

// The shapes of a bundle; their order is part of the format.
type (
	jsonBundle struct {
		Schema       string            `json:"schema"`
		Case         string            `json:"case"`
		Purpose      string            `json:"purpose"`
		Device       Hex               `json:"device"`
		Officer      Hex               `json:"officer"`
		Time         string            `json:"time"`
		Nonce        Hex               `json:"nonce"`
		Tool         string            `json:"tool"`
		Policy       string            `json:"policy"`
		At           string            `json:"at"`
		Specimen     bool              `json:"specimen"`
		Verdict      verify.Verdict    `json:"verdict"`
		Card         Hex               `json:"card_id"`
		Access       string            `json:"access"`
		Checks       []jsonCheck       `json:"checks"`
		Store        string            `json:"store"`
		Certificates []jsonCertificate `json:"certificates"`
		Lists        []jsonList        `json:"lists"`
		Files        []jsonFile        `json:"files"`
		Active       *jsonActive       `json:"active_authentication"`
		Agreement    *jsonAgreement    `json:"chip_authentication"`
		Mapping      *jsonAgreement    `json:"chip_authentication_mapping"`
	}
	jsonCheck struct {
		ID      string         `json:"id"`
		Claim   verify.Claim   `json:"claim"`
		Outcome verify.Outcome `json:"outcome"`
		Reason  verify.Reason  `json:"reason"`
		Spec    string         `json:"spec"`
		Detail  string         `json:"detail"`
	}
	jsonCertificate struct {
		Role        string `json:"role"`
		SHA256      Hex    `json:"sha256"`
		Certificate Hex    `json:"certificate"`
	}
	jsonList struct {
		Kind     string `json:"kind"`
		Issuer   string `json:"issuer"`
		Number   string `json:"number"`
		Signed   string `json:"signed"`
		Next     string `json:"next"`
		SHA256   Hex    `json:"sha256"`
		Contents Hex    `json:"list"`
	}
	jsonFile struct {
		Name     string `json:"name"`
		SHA256   Hex    `json:"sha256"`
		Contents Hex    `json:"contents"`
	}
	jsonActive struct {
		ChallengeFrom string `json:"challenge_from"` // case, or random
		Challenge     Hex    `json:"challenge"`
		Signature     Hex    `json:"signature"`
		Proves        string `json:"proves"`
	}
	jsonAgreement struct {
		Key       Hex    `json:"chip_key"`
		Ephemeral Hex    `json:"ephemeral"`
		Answer    Hex    `json:"answer"`
		Proves    string `json:"proves"`
	}
)

// What the records of a chip's proofs say of themselves, for who reads without this program.
const (
	fromCase, fromRandom = "case", "random"

	provesCase    = "that this chip signed for this case and device; not when"
	provesRandom  = "nothing to others: the device may have chosen the challenge"
	provesNothing = "nothing to others: whoever knows the chip's public key can write it"
)

// Roles of certificates.
const (
	roleSigner = "signer"
	roleLink   = "link"
	roleAnchor = "anchor"
)

// Sealed has the device seal the bundle and returns its one encoding, with a line end. The
// bundle must be of the device's own Context. Errors wrap ErrContext, ErrTooLarge and those of
// the signer.
func (b *Bundle) Sealed(d *Device) ([]byte, error) {
	if err := b.Context.check(); err != nil {
		return nil, err
	}
	if b.Context.Device != d.ID() {
		return nil, fmt.Errorf("seal: the bundle is another device's: %w", ErrContext)
	}
	body, err := b.body()
	if err != nil {
		return nil, err
	}
	if b.Seal, err = d.Seal(body); err != nil {
		return nil, err
	}
	line, err := withSeal(body, b.Seal)
	if err == nil && len(line) > MaxSize {
		err = ErrTooLarge
	}
	return line, err
}

// withSeal puts the seal behind the last member of a document.
func withSeal(body []byte, s Seal) ([]byte, error) {
	seal, err := encode(s)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `%s,"seal":%s}`+"\n", body[:len(body)-1], seal), nil
}

// body is what is signed: the document without its seal.
func (b *Bundle) body() ([]byte, error) {
	j := jsonBundle{
		Schema: schema, Case: b.Context.Case, Purpose: b.Context.Purpose, Device: b.Context.Device[:], Officer: orNone(b.Officer),
		Time: stamp(b.Context.Time), Nonce: b.Context.Nonce[:], Tool: clip(b.Tool, maxText), Policy: b.Policy, At: stamp(b.At),
		Specimen: b.Specimen, Verdict: b.Verdict, Card: orNone(b.Card), Access: b.Access, Store: b.Store,
		Checks: []jsonCheck{}, Certificates: []jsonCertificate{}, Lists: []jsonList{}, Files: []jsonFile{},
		Active: activeJSON(b.Proofs.Active), Agreement: agreementJSON(b.Proofs.Agreement), Mapping: agreementJSON(b.Proofs.Mapping),
	}
	for _, c := range b.Checks {
		j.Checks = append(j.Checks, jsonCheck{c.ID, c.Claim, c.Outcome, c.Reason, clip(c.Spec, maxDetail), clip(c.Detail, maxDetail)})
	}
	for i, c := range b.Certificates {
		fp := c.Fingerprint()
		j.Certificates = append(j.Certificates, jsonCertificate{role(i, len(b.Certificates)), fp[:], c.Raw})
	}
	for _, l := range b.Lists {
		out := jsonList{Kind: "crl", Issuer: clip(l.Issuer, maxDetail), Number: l.Number, Signed: stamp(l.Signed), Next: stamp(l.Next), SHA256: l.Digest[:]}
		if l.Contents != nil {
			out.Contents = l.Contents.Raw
		}
		j.Lists = append(j.Lists, out)
	}
	for _, f := range lds.Files() {
		if raw, ok := b.Files[f]; ok {
			sum := sha(raw)
			j.Files = append(j.Files, jsonFile{f.FileName(), sum[:], raw})
		}
	}
	return encode(j)
}

func role(i, of int) string {
	switch {
	case i == 0:
		return roleSigner
	case i == of-1:
		return roleAnchor
	}
	return roleLink
}

func activeJSON(a *verify.ActiveRecord) *jsonActive {
	if a == nil {
		return nil
	}
	if a.Chosen {
		return &jsonActive{fromCase, a.Challenge[:], a.Signature, provesCase}
	}
	return &jsonActive{fromRandom, a.Challenge[:], a.Signature, provesRandom}
}

func agreementJSON(a *verify.AgreementRecord) *jsonAgreement {
	if a == nil {
		return nil
	}
	return &jsonAgreement{a.Key, a.Ephemeral, a.Answer, provesNothing}
}

// encode is compact JSON in which only quotes, backslashes and control characters are
// escaped, as other tools write it.
func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// clip makes text printable and short.
func clip(s string, most int) string {
	s = verify.Escape(s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func orNone[T ~[32]byte](id T) Hex {
	if id == (T{}) {
		return Hex{}
	}
	return id[:]
}
