package sm

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/suite"
	"github.com/tamthe/tamthe/testdata"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func command(t testing.TB, s string) apdu.Command {
	t.Helper()
	c, err := apdu.ParseCommand(unhex(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func response(t testing.TB, s string) apdu.Response {
	t.Helper()
	r, err := apdu.ParseResponse(unhex(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// script answers commands one after the other and holds what was sent.
type script struct {
	answers []apdu.Response
	err     error
	sent    []apdu.Command
}

func (s *script) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	s.sent = append(s.sent, c)
	if s.err != nil {
		return apdu.Response{}, s.err
	}
	r := s.answers[0]
	s.answers = s.answers[1:]
	return r, nil
}

type session struct {
	SessionKeyEnc  string `json:"session_key_enc"`
	SessionKeyMAC  string `json:"session_key_mac"`
	InitialCounter string `json:"initial_counter"`
	Exchanges      []struct {
		PlainCommand      string `json:"plain_command"`
		ProtectedCommand  string `json:"protected_command"`
		ProtectedResponse string `json:"protected_response"`
		PlainResponseData string `json:"plain_response_data"`
		PlainStatus       string `json:"plain_status"`
	}
}

func (s session) keys(t testing.TB) Keys {
	return Keys{suite.TDES, unhex(t, s.SessionKeyEnc), unhex(t, s.SessionKeyMAC), unhex(t, s.InitialCounter)}
}

func appendixD(t testing.TB) session {
	t.Helper()
	var file struct{ Cases []session }
	if err := json.Unmarshal(testdata.Read(t, "worked/bac-secure-messaging-3des.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 1 || len(file.Cases[0].Exchanges) != 3 {
		t.Fatal("Doc 9303-11 App. D.4 has three exchanges")
	}
	return file.Cases[0]
}

// TestAppendixD4 runs the session of Doc 9303-11 App. D.4 byte for byte at both ends.
func TestAppendixD4(t *testing.T) {
	s := appendixD(t)
	card := &script{}
	terminal, chip := New(card, s.keys(t)), NewChip(s.keys(t))
	for i, e := range s.Exchanges {
		card.answers = append(card.answers, response(t, e.ProtectedResponse))
		plain := command(t, e.PlainCommand)
		got, err := terminal.Transmit(t.Context(), plain)
		if err != nil {
			t.Fatal(err)
		}
		if sent, err := card.sent[i].Encode(false); err != nil || !bytes.Equal(sent, unhex(t, e.ProtectedCommand)) {
			t.Errorf("sent %X, %v; want %s", sent, err, e.ProtectedCommand)
		}
		want := response(t, e.PlainResponseData+e.PlainStatus)
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("answer %X, want %X", got.Bytes(), want.Bytes())
		}
		opened, err := chip.Open(command(t, e.ProtectedCommand))
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(opened) != fmt.Sprint(plain) {
			t.Errorf("chip reads %v, want %v", opened, plain)
		}
		if sealed, err := chip.Seal(want); err != nil || !bytes.Equal(sealed.Bytes(), unhex(t, e.ProtectedResponse)) {
			t.Errorf("chip answers %X, %v; want %s", sealed.Bytes(), err, e.ProtectedResponse)
		}
	}
}

type badAnswers struct {
	SessionKeyEnc        string `json:"session_key_enc"`
	SessionKeyMAC        string `json:"session_key_mac"`
	CounterBeforeCommand string `json:"counter_before_command"`
	PlainCommand         string `json:"plain_command"`
	ProtectedCommand     string `json:"protected_command"`
	Responses            []struct {
		ID, Response, Why, Plain string
		Valid                    bool
	}
}

func (s badAnswers) keys(t testing.TB) Keys {
	return Keys{suite.TDES, unhex(t, s.SessionKeyEnc), unhex(t, s.SessionKeyMAC), unhex(t, s.CounterBeforeCommand)}
}

func damaged(t testing.TB) badAnswers {
	t.Helper()
	var file struct{ Cases []badAnswers }
	if err := json.Unmarshal(testdata.Read(t, "worked/secure-messaging-bad-answers.json"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) != 1 || len(file.Cases[0].Responses) < 20 {
		t.Fatal("cases are missing")
	}
	return file.Cases[0]
}

// TestDamagedAnswers takes the answers that are good and closes the channel over all
// others, after which nothing more is sent, least of all in the clear.
func TestDamagedAnswers(t *testing.T) {
	s := damaged(t)
	for _, r := range s.Responses {
		t.Run(r.ID, func(t *testing.T) {
			card := &script{answers: []apdu.Response{response(t, r.Response)}}
			h := New(card, s.keys(t))
			got, err := h.Transmit(t.Context(), command(t, s.PlainCommand))
			if sent, _ := card.sent[0].Encode(false); !bytes.Equal(sent, unhex(t, s.ProtectedCommand)) {
				t.Fatalf("sent %X, want %s", sent, s.ProtectedCommand)
			}
			if r.Valid {
				if err != nil || !bytes.Equal(got.Data, unhex(t, r.Plain)) || got.Status != apdu.OK {
					t.Fatalf("%X %v, %v; want %s", got.Data, got.Status, err, r.Plain)
				}
				return
			}
			if !errors.Is(err, ErrProtection) || got.Data != nil || got.Status != 0 {
				t.Errorf("%s: %X %v, %v; want ErrProtection", r.Why, got.Data, got.Status, err)
			}
			if _, err := h.Transmit(t.Context(), command(t, s.PlainCommand)); !errors.Is(err, ErrClosed) || len(card.sent) != 1 {
				t.Errorf("after it: %v and %d commands sent; want ErrClosed and 1", err, len(card.sent))
			}
		})
	}
}

// TestClearRefusalIsNoStatus keeps a bare status within a session from being taken for
// the chip's word.
func TestClearRefusalIsNoStatus(t *testing.T) {
	for _, status := range []apdu.Status{apdu.OK, apdu.FileNotFound, apdu.SMIncorrect, 0x6C10, 0x6110, 0x63C0} {
		h := New(&script{answers: []apdu.Response{{Status: status}}}, Derive([]byte("secret"), suite.AES128))
		_, err := h.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 4})
		var s apdu.Status
		if !errors.Is(err, ErrProtection) || errors.As(err, &s) || errors.Is(err, status) {
			t.Errorf("%04X: %v", uint16(status), err)
		}
	}
}

func TestNoAnswerCloses(t *testing.T) {
	card := &script{err: apdu.ErrRemoved}
	h := New(card, Derive([]byte("secret"), suite.AES256))
	if _, err := h.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 4}); !errors.Is(err, apdu.ErrRemoved) {
		t.Errorf("%v, want ErrRemoved", err)
	}
	if _, err := h.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 4}); !errors.Is(err, ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

func TestImpossibleCommandLeavesChannelOpen(t *testing.T) {
	secret := []byte("secret")
	chip := NewChip(Derive(secret, suite.AES128))
	h := New(overChip{chip, func(c apdu.Command) apdu.Response { return apdu.Response{Status: apdu.OK} }}, Derive(secret, suite.AES128))
	for _, c := range []apdu.Command{
		{INS: 0xD6, Data: make([]byte, apdu.MaxData)},
		{INS: 0x6A},
		{INS: 0xB0, Le: -1},
		{INS: 0xB0, Le: apdu.MaxLe + 1},
	} {
		if _, err := h.Transmit(t.Context(), c); !errors.Is(err, apdu.ErrTooLong) && !errors.Is(err, apdu.ErrMalformed) {
			t.Errorf("INS %02X, Le %d: %v", c.INS, c.Le, err)
		}
	}
	if _, err := h.Transmit(t.Context(), apdu.Command{INS: 0xB0, Le: 4}); err != nil {
		t.Errorf("the channel does not go on: %v", err)
	}
}

// TestKeysAreForgotten wipes the slices that were given to New and NewChip.
func TestKeysAreForgotten(t *testing.T) {
	k, c := Derive([]byte("secret"), suite.AES192), Derive([]byte("secret"), suite.AES192)
	h, chip := New(nil, k), NewChip(c)
	h.Close()
	h.Close()
	chip.Close()
	for _, b := range [][]byte{k.Enc, k.MAC, c.Enc, c.MAC} {
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Error("a key outlives its channel")
		}
	}
	if h.MaxResponse(apdu.Limits{}) != 0 || h.MaxCommand(apdu.Limits{}) != 0 {
		t.Error("a closed channel has room")
	}
	if _, err := chip.Open(apdu.Command{CLA: 0x0C}); !errors.Is(err, ErrClosed) {
		t.Errorf("Open: %v", err)
	}
	if _, err := chip.Seal(apdu.Response{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Seal: %v", err)
	}
}

func TestWrongKeysMakeNoChannel(t *testing.T) {
	for _, k := range []Keys{
		{},
		{Cipher: suite.AES128, Enc: make([]byte, 16)},
		{Cipher: suite.AES256, Enc: make([]byte, 16), MAC: make([]byte, 16)},
		{Cipher: suite.AES128, Enc: make([]byte, 16), MAC: make([]byte, 16), SSC: make([]byte, 8)},
		{Cipher: suite.AES256 + 1, Enc: make([]byte, 16), MAC: make([]byte, 16)},
	} {
		if _, err := New(nil, k).Transmit(t.Context(), apdu.Command{}); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	k := Keys{suite.AES128, []byte("0123456789abcdef"), []byte("0123456789abcdef"), []byte("0123456789abcdef")}
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("keys", "keys", k)
	j, _ := json.Marshal(map[string]any{"keys": k})
	fmt.Fprintf(&out, "%v %+v %#v %s %s", k, k, k, k, j)
	if s := fmt.Sprintf("%d", k); s != fmt.Sprint(k) {
		t.Errorf("%%d prints %s", s)
	}
	if s := out.String(); strings.Contains(s, "0123") || strings.Contains(s, "30313233") || strings.Contains(s, "MDEy") || strings.Contains(s, "48 49") || strings.Contains(s, "0x30") {
		t.Errorf("printed: %s", s)
	}
}

// overChip is a card in memory that answers through a channel of its own.
type overChip struct {
	chip   *Chip
	answer func(apdu.Command) apdu.Response
}

func (o overChip) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	plain, err := o.chip.Open(c)
	var status apdu.Status
	if errors.As(err, &status) {
		return apdu.Response{Status: status}, nil
	}
	if err != nil {
		return apdu.Response{}, err
	}
	return o.chip.Seal(o.answer(plain))
}
