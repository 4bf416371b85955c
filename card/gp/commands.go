package gp

import (
	"context"
	"fmt"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// do sends a command and returns the data of an answer that is OK; all else is an error
// that names the command.
func (h *Channel) do(ctx context.Context, c apdu.Command) ([]byte, error) {
	r, err := h.Transmit(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	if err := refused(c, r); err != nil {
		return nil, err
	}
	return r.Data, nil
}

// Tags of GET DATA (Card Specification §11.3).
const (
	TagKDD        = 0x00CF // the key diversification data
	TagKeyInfo    = 0x00E0 // key information template
	TagLifeCycle  = 0x9F70 // the life cycle state
	tagSelected   = 0x7F49 // public key template, ISO/IEC 7816-8
	tagPoint      = 0x86
	crtSignature  = 0xB6 // control reference templates of ISO/IEC 7816-4 §10.3.3
	crtAgreement  = 0xA6
	tagPrivateKey = 0x84
	tagAlgorithm  = 0x80
)

// GetData returns the value of the data object with a tag of one or two octets. An answer
// that begins with another tag is ErrAnswer.
func (h *Channel) GetData(ctx context.Context, tag uint16) ([]byte, error) {
	c := apdu.Command{CLA: claPlain, INS: insGetData, P1: byte(tag >> 8), P2: byte(tag), Le: apdu.MaxShortLe}
	data, err := h.do(ctx, c)
	if err != nil {
		return nil, err
	}
	value, ok := tlv.Find(data, tlv.Tag(tag))
	if !ok {
		return nil, fmt.Errorf("%s %02X: %w", c.Name(), tag, ErrAnswer)
	}
	return value, nil
}

// KDD reads the chip's KDD under the channel's protection: at a level with an R-MAC it is
// the chip's own word, which the KDD of the handshake is not.
func (h *Channel) KDD(ctx context.Context) (KDD, error) {
	c := apdu.Command{CLA: claPlain, INS: insGetData, P1: TagKDD >> 8, P2: TagKDD & 0xFF, Le: apdu.MaxShortLe}
	data, err := h.expect(ctx, c, kddObject(h.info.KDD))
	if err != nil {
		return KDD{}, err
	}
	v, ok := tlv.Find(data, TagKDD)
	if !ok || len(v) != len(KDD{}) {
		return KDD{}, fmt.Errorf("KDD of %d octets: %w", len(v), ErrAnswer)
	}
	return KDD(v), nil
}

// KeyUse is what a key pair of a chip serves.
type KeyUse byte

// The uses of chip keys.
const (
	Signature KeyUse = crtSignature // Active Authentication
	Agreement KeyUse = crtAgreement // Chip Authentication
)

// KeyRef names a key pair of a chip, and the curve that it is or will be on.
type KeyRef struct {
	Use       KeyUse
	Reference byte // the chip's number for the key
	Curve     byte // standardised domain parameter id, TR-03110-3 table 4
}

// crt encodes the reference as a control reference template (ISO/IEC 7816-4 §10.3.3).
func (r KeyRef) crt() []byte {
	return tlv.Encode(tlv.Tag(r.Use),
		tlv.Encode(tagPrivateKey, []byte{r.Reference}),
		tlv.Encode(tagAlgorithm, []byte{r.Curve}))
}

// P1 of GENERATE ASYMMETRIC KEY PAIR (ISO/IEC 7816-8 §5.1).
const (
	generateNew  = 0x80
	readExisting = 0x81
)

// Generate has the chip make a key pair in place of any that has this reference and
// returns the public point as the chip encodes it. It insists on a channel with an
// R-MAC: who stands between could put a key of his own into a bare answer.
func (h *Channel) Generate(ctx context.Context, r KeyRef) ([]byte, error) {
	return h.keyPair(ctx, generateNew, r)
}

// Generated is what a chip says when it is asked for a key pair: the public point as it
// encodes it, and the exchange's evidence.
type Generated struct {
	Point    []byte
	Evidence *Evidence
}

// GenerateAll has the chip make several key pairs and then asks for each, in this order:
// what counts is what it says it has. Over a Queue that takes one flight.
func (h *Channel) GenerateAll(ctx context.Context, refs ...KeyRef) ([]Generated, error) {
	for _, r := range refs {
		if _, err := h.askKey(ctx, generateNew, r); err != nil {
			return nil, err
		}
	}
	var waiting []func(context.Context) ([]byte, *Evidence, error)
	for _, r := range refs {
		f, err := h.askKey(ctx, readExisting, r)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, f)
	}
	var out []Generated
	for _, f := range waiting {
		data, e, err := f(ctx)
		if err != nil {
			return nil, err
		}
		point, err := parsePublicKey(data)
		if err != nil {
			return nil, err
		}
		out = append(out, Generated{point, e})
	}
	return out, nil
}

func (h *Channel) askKey(ctx context.Context, p1 byte, r KeyRef) (func(context.Context) ([]byte, *Evidence, error), error) {
	if !h.level.rmac() {
		return nil, fmt.Errorf("GENERATE ASYMMETRIC KEY PAIR at security level %02X: %w", byte(h.level), ErrUnsupported)
	}
	return h.ask(ctx, apdu.Command{CLA: claPlain, INS: insGenerate, P1: p1, Data: r.crt(), Le: apdu.MaxShortLe})
}

// PublicKey returns the public point of a key pair that the chip has; see Generate.
// One that it lacks is refused with apdu.ReferenceNotFound.
func (h *Channel) PublicKey(ctx context.Context, r KeyRef) ([]byte, error) {
	return h.keyPair(ctx, readExisting, r)
}

func (h *Channel) keyPair(ctx context.Context, p1 byte, r KeyRef) ([]byte, error) {
	c := apdu.Command{CLA: claPlain, INS: insGenerate, P1: p1, Data: r.crt(), Le: apdu.MaxShortLe}
	if !h.level.rmac() {
		return nil, fmt.Errorf("%s at security level %02X: %w", c.Name(), byte(h.level), ErrUnsupported)
	}
	data, err := h.do(ctx, c)
	if err != nil {
		return nil, err
	}
	point, err := parsePublicKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name(), err)
	}
	return point, nil
}

// parsePublicKey finds the point in the answer to GENERATE ASYMMETRIC KEY PAIR.
func parsePublicKey(data []byte) ([]byte, error) {
	outer := tlv.String(data)
	var key tlv.String
	if !outer.ReadTag(tagSelected, &key) || !outer.Empty() {
		return nil, ErrAnswer
	}
	point, ok := tlv.Find(key, tagPoint)
	if !ok {
		return nil, fmt.Errorf("no point: %w", ErrAnswer)
	}
	return point, nil
}

// ParseKeyRef reads the data of GENERATE ASYMMETRIC KEY PAIR at the chip's end.
func ParseKeyRef(data []byte) (KeyRef, bool) {
	s := tlv.String(data)
	var tag tlv.Tag
	var crt tlv.String
	if !s.Read(&tag, &crt) || !s.Empty() || tag != crtSignature && tag != crtAgreement {
		return KeyRef{}, false
	}
	var ref, curve tlv.String
	if !crt.ReadTag(tagPrivateKey, &ref) || !crt.ReadTag(tagAlgorithm, &curve) || !crt.Empty() ||
		len(ref) != 1 || len(curve) != 1 {
		return KeyRef{}, false
	}
	return KeyRef{Use: KeyUse(tag), Reference: ref[0], Curve: curve[0]}, true
}

// EncodePublicKey is the chip's answer to GENERATE ASYMMETRIC KEY PAIR.
func EncodePublicKey(point []byte) []byte {
	return tlv.Encode(tagSelected, tlv.Encode(tagPoint, point))
}

// Targets of SET STATUS (Card Specification §11.10.2.1).
const (
	StatusOfApplication = 0x40 // an application or a security domain
	StatusOfCard        = 0x80 // the issuer security domain, and with it the card
)

// SetStatus moves the card or an application to a life cycle state. When no answer comes
// the state is either.
func (h *Channel) SetStatus(ctx context.Context, target, state byte, aid []byte) error {
	c := apdu.Command{CLA: claPlain, INS: insSetStatus, P1: target, P2: state, Data: aid, Le: apdu.MaxShortLe}
	data, err := h.expect(ctx, c, nil)
	if err == nil && len(data) > 0 {
		err = fmt.Errorf("%s: %w", c.Name(), ErrAnswer)
	}
	return err
}
