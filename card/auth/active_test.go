package auth

import (
	"context"
	"crypto"
	"encoding/asn1"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
)

type activeCard struct {
	chip  *ActiveChip
	alter func(r *apdu.Response)
}

func (a activeCard) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	r := a.chip.Process(c)
	if a.alter != nil {
		a.alter(&r)
	}
	return r, nil
}

func newActiveCard(t testing.TB, curve *dh.Curve, h crypto.Hash) (activeCard, *dh.PrivateKey) {
	t.Helper()
	key, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	chip, err := NewActiveChip(key, h)
	if err != nil {
		t.Fatal(err)
	}
	return activeCard{chip: chip}, key
}

var challenge = [8]byte{1, 2, 3, 4, 5, 6, 7, 8}

// TestActiveSelfPlay runs every curve under every hash that Doc 9303-11 allows.
func TestActiveSelfPlay(t *testing.T) {
	for _, curve := range curves(t) {
		for _, h := range []crypto.Hash{crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			card, key := newActiveCard(t, curve, h)
			proof, err := active(t.Context(), card, cert.PublicKey{EC: key.Point()}, h, 256, challenge)
			if err != nil {
				t.Errorf("%s, %v: %v", curve.Name(), h, err)
				continue
			}
			if proof.DER || proof.Hash != h || proof.Challenge != challenge || len(proof.Signature) != 2*curve.OrderSize() {
				t.Errorf("%s, %v: %+v", curve.Name(), h, proof)
			}
		}
	}
}

// TestActiveDER takes a signature in DER and says so.
func TestActiveDER(t *testing.T) {
	card, key := newActiveCard(t, dh.P256(), crypto.SHA256)
	card.alter = func(r *apdu.Response) {
		der, err := key.Sign(nil, sum(crypto.SHA256, challenge[:]), crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		r.Data = der
	}
	proof, err := active(t.Context(), card, cert.PublicKey{EC: key.Point()}, crypto.SHA256, 256, challenge)
	if err != nil || !proof.DER {
		t.Errorf("%+v, %v", proof, err)
	}
}

// TestActiveLyingChip gives signatures that are none of the key over the challenge.
func TestActiveLyingChip(t *testing.T) {
	for name, alter := range map[string]func(key *dh.PrivateKey, r *apdu.Response){
		"empty":            func(_ *dh.PrivateKey, r *apdu.Response) { r.Data = nil },
		"cut":              func(_ *dh.PrivateKey, r *apdu.Response) { r.Data = r.Data[:63] },
		"an octet more":    func(_ *dh.PrivateKey, r *apdu.Response) { r.Data = append(r.Data, 0) },
		"a bit wrong":      func(_ *dh.PrivateKey, r *apdu.Response) { r.Data[20] ^= 4 },
		"zeros":            func(_ *dh.PrivateKey, r *apdu.Response) { clear(r.Data) },
		"r zero":           func(_ *dh.PrivateKey, r *apdu.Response) { clear(r.Data[:32]) },
		"an old challenge": func(k *dh.PrivateKey, r *apdu.Response) { r.Data, _ = k.SignPlain(sum(crypto.SHA256, make([]byte, 8))) },
		"another hash":     func(k *dh.PrivateKey, r *apdu.Response) { r.Data, _ = k.SignPlain(sum(crypto.SHA512, challenge[:])) },
		"another key": func(_ *dh.PrivateKey, r *apdu.Response) {
			k, _ := dh.P256().Generate()
			r.Data, _ = k.SignPlain(sum(crypto.SHA256, challenge[:]))
		},
	} {
		card, key := newActiveCard(t, dh.P256(), crypto.SHA256)
		card.alter = func(r *apdu.Response) { alter(key, r) }
		if proof, err := active(t.Context(), card, cert.PublicKey{EC: key.Point()}, crypto.SHA256, 256, challenge); proof != nil || !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want ErrSignature", name, err)
		}
	}
}

func TestActiveRefused(t *testing.T) {
	card, key := newActiveCard(t, dh.P256(), crypto.SHA256)
	for _, status := range []apdu.Status{apdu.AuthenticationFailed, apdu.WrongData, 0x6FFF} {
		card.alter = func(r *apdu.Response) { r.Status = status }
		if _, err := active(t.Context(), card, cert.PublicKey{EC: key.Point()}, crypto.SHA256, 256, challenge); !errors.Is(err, status) || errors.Is(err, ErrSignature) {
			t.Errorf("%v", err)
		}
	}
	if _, err := active(t.Context(), card, cert.PublicKey{}, crypto.SHA256, 256, challenge); !errors.Is(err, ErrUnsupported) {
		t.Errorf("no EC key: %v", err)
	}
	for _, h := range []crypto.Hash{0, crypto.SHA1, crypto.MD5} {
		if _, err := active(t.Context(), card, cert.PublicKey{EC: key.Point()}, h, 256, challenge); !errors.Is(err, ErrUnsupported) {
			t.Errorf("hash %d: %v", h, err)
		}
		if _, err := NewActiveChip(key, h); !errors.Is(err, ErrUnsupported) {
			t.Errorf("chip with hash %d: %v", h, err)
		}
	}
}

func TestActiveChipRefuses(t *testing.T) {
	card, _ := newActiveCard(t, dh.P256(), crypto.SHA256)
	for _, c := range []struct {
		command apdu.Command
		want    apdu.Status
	}{
		{apdu.Command{INS: 0xB0}, apdu.INSNotSupported},
		{apdu.Command{INS: 0x88, P2: 1, Data: challenge[:], Le: 256}, apdu.WrongP1P2},
		{apdu.Command{INS: 0x88, Data: challenge[:7], Le: 256}, apdu.WrongLength},
		{apdu.Command{INS: 0x88, Data: challenge[:]}, apdu.WrongLength},
	} {
		if r := card.chip.Process(c.command); r.Status != c.want || r.Data != nil {
			t.Errorf("%v, want %v", r.Status, c.want)
		}
	}
}

func TestActiveHash(t *testing.T) {
	plain := func(n int) *lds.SecurityInfos {
		return &lds.SecurityInfos{Active: []lds.ActiveAuthInfo{{Version: 1, Algorithm: asn1.ObjectIdentifier{0, 4, 0, 127, 0, 7, 1, 1, 4, 1, n}}}}
	}
	for _, c := range []struct {
		infos    *lds.SecurityInfos
		curve    *dh.Curve
		want     crypto.Hash
		declared bool
		err      error
	}{
		{plain(2), dh.P256(), crypto.SHA224, true, nil},
		{plain(3), dh.P384(), crypto.SHA256, true, nil},
		{plain(5), dh.P256(), crypto.SHA512, true, nil},
		{plain(1), dh.P256(), 0, true, ErrUnsupported}, // SHA-1
		{plain(6), dh.P256(), 0, true, ErrUnsupported}, // RIPEMD-160
		{nil, dh.P224(), crypto.SHA224, false, nil},
		{&lds.SecurityInfos{}, dh.BrainpoolP256r1(), crypto.SHA256, false, nil},
		{nil, dh.BrainpoolP320r1(), crypto.SHA384, false, nil},
		{nil, dh.P384(), crypto.SHA384, false, nil},
		{nil, dh.P521(), crypto.SHA512, false, nil},
	} {
		h, declared, err := ActiveHash(c.infos, c.curve.Generator())
		if h != c.want || declared != c.declared || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%v, %v, %v; want %v, %v, %v", h, declared, err, c.want, c.declared, c.err)
		}
	}
}

// TestZeroChallenge: a challenge that nobody drew does not go out.
func TestZeroChallenge(t *testing.T) {
	if _, err := InternalAuthenticate(t.Context(), nil, [ChallengeSize]byte{}, 256); !errors.Is(err, ErrChallenge) {
		t.Error(err)
	}
}
