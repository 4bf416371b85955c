package auth

import (
	"bytes"
	"context"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/sm"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

type recording struct {
	ID, State string
	Group14   string
	Before    struct {
		Cipher  string
		Enc     string `json:"session_key_enc"`
		MAC     string `json:"session_key_mac"`
		Counter string
	}
	Private string `json:"terminal_private"`
	Public  string `json:"terminal_public"`
	Secret  string `json:"shared_secret"`
	After   struct {
		Cipher  string
		Enc     string `json:"session_key_enc"`
		MAC     string `json:"session_key_mac"`
		Counter string `json:"counter_after_select"`
	}
	Exchanges [][2]string
}

func recordings(t testing.TB) []recording {
	t.Helper()
	var file struct{ Cases []recording }
	load(t, testdata.Vectors(t, "worked/chip-auth-recordings.json"), &file)
	if len(file.Cases) != 2 {
		t.Fatalf("%d recordings, want 2", len(file.Cases))
	}
	return file.Cases
}

func cipherOf(t testing.TB, name, key string) suite.Cipher {
	t.Helper()
	for _, c := range suites {
		if (c == suite.TDES) == (name == "TDES") && 2*c.KeySize() == len(key) {
			return c
		}
	}
	t.Fatalf("suite %s", name)
	return 0
}

// TestChip1OfRecordings runs Chip Authentication as real chips of two states did: the
// whole agreement and the first exchange under the new keys, octet for octet.
func TestChip1OfRecordings(t *testing.T) {
	for _, r := range recordings(t) {
		t.Run(r.ID, func(t *testing.T) {
			after := cipherOf(t, r.After.Cipher, r.After.Enc)
			if c := sm.Derive(unhex(t, r.Secret), after); !bytes.Equal(c.Enc, unhex(t, r.After.Enc)) || !bytes.Equal(c.MAC, unhex(t, r.After.MAC)) {
				t.Errorf("keys %X %X", c.Enc, c.MAC)
			}
			last := r.Exchanges[len(r.Exchanges)-1]
			recorded, err := apdu.ParseCommand(unhex(t, last[0]))
			if err != nil {
				t.Fatal(err)
			}
			first, err := sm.NewChip(sm.Derive(unhex(t, r.Secret), after)).Open(recorded)
			if err != nil {
				t.Fatal(err)
			}
			infos, err := lds.ParseDG14(unhex(t, r.Group14))
			if err != nil {
				t.Fatal(err)
			}
			keys, err := ChipAuthKeys(infos)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%d keys, %v", len(keys), err)
			}
			before := sm.Keys{
				Cipher: cipherOf(t, r.Before.Cipher, r.Before.Enc),
				Enc:    unhex(t, r.Before.Enc), MAC: unhex(t, r.Before.MAC), SSC: unhex(t, r.Before.Counter),
			}
			s := &script{t: t, exchanges: r.Exchanges}
			proof, err := chip1(t.Context(), sm.New(s, before), keys[0], first, unhex(t, r.Private))
			if err != nil {
				t.Fatal(err)
			}
			if s.sent != len(r.Exchanges) || proof.First.Status != apdu.OK || !bytes.Equal(proof.Ephemeral.Bytes(), unhex(t, r.Public)) {
				t.Errorf("%d commands, first answer %v, our key %X", s.sent, proof.First.Status, proof.Ephemeral.Bytes())
			}
		})
	}
}

// chipCard is a card with a channel and Chip Authentication; it answers READ BINARY with
// "file" and all else with 6D00.
type chipCard struct {
	auth    *ChipAuthChip
	channel *sm.Chip
	stay    bool // keep the old keys
	count   int
	alter   func(n int, r *apdu.Response) // before protection
	tamper  func(n int, r *apdu.Response) // after protection
}

func (c *chipCard) Transmit(_ context.Context, p apdu.Command) (apdu.Response, error) {
	n := c.count
	c.count++
	plain, err := c.channel.Open(p)
	var status apdu.Status
	if errors.As(err, &status) {
		return apdu.Response{Status: status}, nil
	} else if err != nil {
		return apdu.Response{Status: apdu.Unknown}, nil
	}
	r, keys := c.auth.Process(plain)
	if plain.INS == 0xB0 {
		r = apdu.Response{Data: []byte("file"), Status: apdu.OK}
	}
	if c.alter != nil {
		if c.alter(n, &r); r.Status != apdu.OK {
			keys = nil
		}
	}
	sealed, err := c.channel.Seal(r)
	if err != nil {
		return apdu.Response{}, err
	}
	if keys != nil && !c.stay {
		c.channel.Close()
		c.channel = sm.NewChip(*keys)
	}
	if c.tamper != nil {
		c.tamper(n, &sealed)
	}
	return sealed, nil
}

var readFirst = apdu.Command{INS: 0xB0, P1: 0x81, Le: 4}

func chipAuthOID(c suite.Cipher) asn1.ObjectIdentifier {
	return arc(oidChipAuth, 2, int(c))
}

// newChipCard opens a channel to a card with one Chip Authentication key.
func newChipCard(t testing.TB, c suite.Cipher, curve *dh.Curve, id *big.Int) (*chipCard, *sm.Channel, lds.ChipAuthKey) {
	t.Helper()
	secret, err := curve.Generate()
	if err != nil {
		t.Fatal(err)
	}
	chip, err := NewChipAuthChip(ChipAuthSecret{chipAuthOID(c), id, secret})
	if err != nil {
		t.Fatal(err)
	}
	card := &chipCard{auth: chip, channel: sm.NewChip(sm.Derive([]byte("pace"), suite.AES128))}
	ch := sm.New(card, sm.Derive([]byte("pace"), suite.AES128))
	return card, ch, chipAuthKeyOf(c, id, secret.Point())
}

// TestChip1SelfPlay runs both ends over every suite and curve, with and without keyId.
func TestChip1SelfPlay(t *testing.T) {
	for _, curve := range curves(t) {
		for _, c := range suites {
			for _, id := range []*big.Int{nil, big.NewInt(0), big.NewInt(1), big.NewInt(300)} {
				t.Run(fmt.Sprintf("%s/%v/%v", curve.Name(), c, id), func(t *testing.T) {
					t.Parallel()
					card, ch, key := newChipCard(t, c, curve, id)
					proof, err := Chip1(t.Context(), ch, key, readFirst)
					if err != nil {
						t.Fatal(err)
					}
					want := 3 // MSE, GENERAL AUTHENTICATE, READ BINARY
					if c == suite.TDES {
						want = 2
					}
					if string(proof.First.Data) != "file" || card.count != want {
						t.Errorf("%q after %d commands, want %d", proof.First.Data, card.count, want)
					}
					if r, err := proof.Channel.Transmit(t.Context(), readFirst); err != nil || string(r.Data) != "file" {
						t.Errorf("the channel after it: %q, %v", r.Data, err)
					}
					if _, err := ch.Transmit(t.Context(), readFirst); !errors.Is(err, sm.ErrClosed) {
						t.Errorf("the channel before it: %v, want ErrClosed", err)
					}
				})
			}
		}
	}
}

// TestChip1Refused keeps the old channel open after a protected refusal.
func TestChip1Refused(t *testing.T) {
	for _, c := range []struct {
		suite suite.Cipher
		at    int
	}{{suite.AES128, 0}, {suite.AES128, 1}, {suite.TDES, 0}} {
		for _, status := range []apdu.Status{apdu.ReferenceNotFound, apdu.WrongData, apdu.SecurityStatus, apdu.AuthenticationFailed, 0x63C0} {
			card, ch, key := newChipCard(t, c.suite, dh.P256(), nil)
			card.alter = func(n int, r *apdu.Response) {
				if n == c.at {
					*r = apdu.Response{Status: status}
				}
			}
			proof, err := Chip1(t.Context(), ch, key, readFirst)
			if proof != nil || !errors.Is(err, status) || card.count != c.at+1 {
				t.Errorf("%v: %v after %d commands", status, err, card.count)
			}
			if r, err := ch.Transmit(t.Context(), readFirst); err != nil || string(r.Data) != "file" {
				t.Errorf("%v: the old channel gives %q, %v", status, r.Data, err)
			}
		}
	}
}

// TestChip1FirstAnswerMayRefuse takes a refusal under the new keys for a proof.
func TestChip1FirstAnswerMayRefuse(t *testing.T) {
	card, ch, key := newChipCard(t, suite.AES256, dh.P384(), nil)
	card.alter = func(n int, r *apdu.Response) {
		if n == 2 {
			*r = apdu.Response{Status: apdu.FileNotFound}
		}
	}
	proof, err := Chip1(t.Context(), ch, key, readFirst)
	if err != nil || proof.First.Status != apdu.FileNotFound {
		t.Errorf("%v", err)
	}
}

// TestChip1LyingChip shows a chip without the key in every way that it may try.
func TestChip1LyingChip(t *testing.T) {
	stranger, err := dh.BrainpoolP256r1().Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		prepare func(*chipCard)
		want    error
	}{
		"another private key": {func(c *chipCard) { c.auth.keys[0].key = stranger }, sm.ErrProtection},
		"old keys go on":      {func(c *chipCard) { c.stay = true }, sm.ErrProtection},
		"bare success": {func(c *chipCard) {
			c.tamper = func(n int, r *apdu.Response) {
				if n == 2 {
					*r = apdu.Response{Status: apdu.OK}
				}
			}
		}, sm.ErrProtection},
		"bare data": {func(c *chipCard) {
			c.tamper = func(n int, r *apdu.Response) {
				if n == 2 {
					*r = apdu.Response{Data: []byte("file"), Status: apdu.OK}
				}
			}
		}, sm.ErrProtection},
		"MAC wrong": {func(c *chipCard) {
			c.tamper = func(n int, r *apdu.Response) {
				if n == 2 {
					r.Data[len(r.Data)-1] ^= 1
				}
			}
		}, sm.ErrProtection},
		"bare success to MSE": {func(c *chipCard) {
			c.tamper = func(n int, r *apdu.Response) {
				if n == 0 {
					*r = apdu.Response{Status: apdu.OK}
				}
			}
		}, sm.ErrProtection},
		"bare refusal of GENERAL AUTHENTICATE": {func(c *chipCard) {
			c.tamper = func(n int, r *apdu.Response) {
				if n == 1 {
					*r = apdu.Response{Status: apdu.WrongData}
				}
			}
		}, sm.ErrProtection},
	} {
		card, ch, key := newChipCard(t, suite.AES128, dh.BrainpoolP256r1(), nil)
		c.prepare(card)
		proof, err := Chip1(t.Context(), ch, key, readFirst)
		var status apdu.Status
		if proof != nil || !errors.Is(err, c.want) || errors.As(err, &status) {
			t.Errorf("%s: %v, want %v and no status", name, err, c.want)
		}
		if _, err := ch.Transmit(t.Context(), readFirst); !errors.Is(err, sm.ErrClosed) {
			t.Errorf("%s: the old channel: %v, want ErrClosed", name, err)
		}
	}
}

// TestChip1NothingSent refuses what it can't run before the first command.
func TestChip1NothingSent(t *testing.T) {
	card, ch, key := newChipCard(t, suite.AES128, dh.P256(), nil)
	key.Info.OID = arc(oidChipAuth, 1, 2) // id-CA-DH-AES-128
	if _, err := Chip1(t.Context(), ch, key, readFirst); !errors.Is(err, ErrUnsupported) || card.count != 0 {
		t.Errorf("%v after %d commands", err, card.count)
	}
	key.Info.OID, key.Public = chipAuthOID(suite.AES128), nil
	if _, err := Chip1(t.Context(), ch, key, readFirst); !errors.Is(err, ErrUnsupported) || card.count != 0 {
		t.Errorf("%v after %d commands", err, card.count)
	}
	if _, err := ch.Transmit(t.Context(), readFirst); err != nil {
		t.Errorf("the channel: %v", err)
	}
}

// TestChip1SeveralKeys names the key by its id on a chip that has several.
func TestChip1SeveralKeys(t *testing.T) {
	var secrets []ChipAuthSecret
	for i, curve := range []*dh.Curve{dh.P256(), dh.P256(), dh.BrainpoolP384r1()} {
		k, err := curve.Generate()
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, ChipAuthSecret{chipAuthOID(suite.AES192), big.NewInt(int64(i + 1)), k})
	}
	for i, s := range secrets {
		chip, err := NewChipAuthChip(secrets...)
		if err != nil {
			t.Fatal(err)
		}
		card := &chipCard{auth: chip, channel: sm.NewChip(sm.Derive([]byte("bac"), suite.TDES))}
		ch := sm.New(card, sm.Derive([]byte("bac"), suite.TDES))
		key := chipAuthKeyOf(suite.AES192, s.KeyID, s.Key.(*dh.PrivateKey).Point())
		if _, err := Chip1(t.Context(), ch, key, readFirst); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
		for _, id := range []*big.Int{nil, big.NewInt(9)} {
			card := &chipCard{auth: chip, channel: sm.NewChip(sm.Derive([]byte("bac"), suite.TDES))}
			ch := sm.New(card, sm.Derive([]byte("bac"), suite.TDES))
			key := chipAuthKeyOf(suite.AES192, id, s.Key.(*dh.PrivateKey).Point())
			if _, err := Chip1(t.Context(), ch, key, readFirst); !errors.Is(err, apdu.ReferenceNotFound) {
				t.Errorf("key %d named %v: %v", i, id, err)
			}
		}
	}
}

func chipAuthKeyOf(c suite.Cipher, id *big.Int, pub *dh.Point) lds.ChipAuthKey {
	return lds.ChipAuthKey{KeyID: id, Public: pub, Info: lds.ChipAuthInfo{OID: chipAuthOID(c), Version: 1, KeyID: id}}
}

// TestChipAuthKeys pairs keys and protocols by keyId.
func TestChipAuthKeys(t *testing.T) {
	point := func(c *dh.Curve) cert.PublicKey { return cert.PublicKey{EC: c.Generator()} }
	one, two, three := big.NewInt(1), big.NewInt(2), big.NewInt(3)
	info := func(c suite.Cipher, id *big.Int) lds.ChipAuthInfo {
		return lds.ChipAuthInfo{OID: chipAuthOID(c), Version: 1, KeyID: id}
	}
	modp := lds.ChipAuthInfo{OID: arc(oidChipAuth, 1, 2), Version: 1}
	for name, c := range map[string]struct {
		infos lds.SecurityInfos
		want  string // suite and keyId of each
		err   error
	}{
		"none": {},
		"one": {lds.SecurityInfos{
			Chip:     []lds.ChipAuthInfo{info(suite.AES128, nil)},
			ChipKeys: []lds.ChipAuthPublicKey{{Key: point(dh.P256())}},
		}, "2:<nil> ", nil},
		"strongest first": {lds.SecurityInfos{
			Chip:     []lds.ChipAuthInfo{info(suite.TDES, one), info(suite.AES256, two), info(suite.AES128, one)},
			ChipKeys: []lds.ChipAuthPublicKey{{Key: point(dh.P256()), KeyID: one}, {Key: point(dh.P384()), KeyID: two}},
		}, "4:2 2:1 1:1 ", nil},
		"no protocol named": {lds.SecurityInfos{
			ChipKeys: []lds.ChipAuthPublicKey{{Key: point(dh.P256()), KeyID: one}},
		}, "1:1 ", nil},
		"ids differ": {lds.SecurityInfos{
			Chip:     []lds.ChipAuthInfo{info(suite.AES128, three)},
			ChipKeys: []lds.ChipAuthPublicKey{{Key: point(dh.P256()), KeyID: one}},
		}, "", ErrUnsupported},
		"id on one side only": {lds.SecurityInfos{
			Chip:     []lds.ChipAuthInfo{info(suite.AES128, nil)},
			ChipKeys: []lds.ChipAuthPublicKey{{Key: point(dh.P256()), KeyID: one}},
		}, "", ErrUnsupported},
		"another group": {lds.SecurityInfos{
			Chip:     []lds.ChipAuthInfo{modp},
			ChipKeys: []lds.ChipAuthPublicKey{{Key: point(dh.P256())}},
		}, "", ErrUnsupported},
		"unusable key": {lds.SecurityInfos{
			ChipKeys: []lds.ChipAuthPublicKey{{Err: dh.ErrPoint}},
		}, "", ErrUnsupported},
	} {
		keys, err := ChipAuthKeys(&c.infos)
		var got string
		for _, k := range keys {
			got += fmt.Sprintf("%d:%v ", k.Info.OID[len(k.Info.OID)-1], k.KeyID)
		}
		if got != c.want || !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: %q, %v; want %q, %v", name, got, err, c.want, c.err)
		}
	}
}
