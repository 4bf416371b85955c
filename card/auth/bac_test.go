package auth

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/sm"
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

func load(t testing.TB, b []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

// script is a card that expects commands as they are encoded and answers them in turn.
type script struct {
	t         testing.TB
	exchanges [][2]string
	sent      int
}

func (s *script) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	s.t.Helper()
	b, err := c.Encode(false)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.sent >= len(s.exchanges) {
		s.t.Fatalf("command %d after the end: %X", s.sent, b)
	}
	e := s.exchanges[s.sent]
	s.sent++
	if !bytes.Equal(b, unhex(s.t, e[0])) {
		s.t.Fatalf("command %d is %X, want %s", s.sent, b, e[0])
	}
	r, err := apdu.ParseResponse(unhex(s.t, e[1]))
	if err != nil {
		s.t.Fatal(err)
	}
	return r, nil
}

// process is a chip's end behind a Transmitter; after holds the keys of a good run.
type process struct {
	chip interface {
		Process(apdu.Command) (apdu.Response, *sm.Keys)
	}
	keys  *sm.Keys
	count int
	alter func(n int, r *apdu.Response) // lies in the answer to command n, from 0
}

func (p *process) Transmit(_ context.Context, c apdu.Command) (apdu.Response, error) {
	r, keys := p.chip.Process(c)
	if keys != nil {
		p.keys = keys
	}
	if p.alter != nil {
		p.alter(p.count, &r)
	}
	p.count++
	return r, nil
}

// talk checks that a channel and the chip's keys make a session.
func talk(t testing.TB, h *sm.Channel, p *process) {
	t.Helper()
	if p.keys == nil {
		t.Fatal("the chip has no keys")
	}
	chip := sm.NewChip(*p.keys)
	p.chip = answers{t, chip}
	p.alter = nil
	for range 2 {
		r, err := h.Transmit(t.Context(), apdu.Command{INS: 0xB0, Data: []byte("question"), Le: 6})
		if err != nil || string(r.Data) != "answer" {
			t.Fatalf("%q, %v", r.Data, err)
		}
	}
}

type answers struct {
	t    testing.TB
	chip *sm.Chip
}

func (a answers) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	plain, err := a.chip.Open(c)
	if err != nil || string(plain.Data) != "question" {
		a.t.Fatalf("%q, %v", plain.Data, err)
	}
	r, err := a.chip.Seal(apdu.Response{Data: []byte("answer"), Status: apdu.OK})
	if err != nil {
		a.t.Fatal(err)
	}
	return r, nil
}

type bacExample struct {
	MRZ            string `json:"mrz_information"`
	Seed           string `json:"key_seed"`
	ChipRandom     string `json:"chip_random"`
	TerminalRandom string `json:"terminal_random"`
	TerminalKey    string `json:"terminal_key"`
	ChipKey        string `json:"chip_key"`
	Data           string `json:"external_authenticate_data"`
	Response       string `json:"external_authenticate_response"`
	Enc            string `json:"session_key_enc"`
	MAC            string `json:"session_key_mac"`
	Counter        string `json:"initial_counter"`
	Exchanges      []struct {
		Plain     string `json:"plain_command"`
		Protected string `json:"protected_command"`
		Response  string `json:"protected_response"`
		Data      string `json:"plain_response_data"`
		Status    string `json:"plain_status"`
	}
	FileContent string `json:"file_content"`
}

func appendixD(t testing.TB) bacExample {
	t.Helper()
	var file struct{ Cases []bacExample }
	load(t, testdata.Read(t, "worked/bac-secure-messaging-3des.json"), &file)
	return file.Cases[0]
}

// TestBACOfAppendixD runs Doc 9303-11 App. D.3 and D.4 from the MRZ to the file, byte for
// byte.
func TestBACOfAppendixD(t *testing.T) {
	e := appendixD(t)
	s := &script{t: t, exchanges: [][2]string{
		{"0084000008", e.ChipRandom + "9000"},
		{"0082000028" + e.Data + "28", e.Response + "9000"},
	}}
	for _, x := range e.Exchanges {
		s.exchanges = append(s.exchanges, [2]string{x.Protected, x.Response})
	}
	p := MRZ(e.MRZ)
	if seed, err := p.BACSeed(); err != nil || !bytes.Equal(seed, unhex(t, e.Seed)) {
		t.Errorf("seed %X, %v; want %s", seed, err, e.Seed)
	}
	h, err := bac(t.Context(), s, p, bacFresh{unhex(t, e.TerminalRandom), unhex(t, e.TerminalKey)})
	if err != nil {
		t.Fatal(err)
	}
	var content []byte
	for _, x := range e.Exchanges {
		c, err := apdu.ParseCommand(unhex(t, x.Plain))
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.Transmit(t.Context(), c)
		if err != nil || !bytes.Equal(r.Bytes(), unhex(t, x.Data+x.Status)) {
			t.Fatalf("%X, %v; want %s", r.Bytes(), err, x.Data+x.Status)
		}
		content = append(content, r.Data...)
	}
	if !bytes.Equal(content, unhex(t, e.FileContent)) {
		t.Errorf("EF.COM %X, want %s", content, e.FileContent)
	}
}

// TestBACChipOfAppendixD is the chip's side of the same example.
func TestBACChipOfAppendixD(t *testing.T) {
	e := appendixD(t)
	chip := NewBACChip(unhex(t, e.Seed))
	chip.fresh = bacFresh{unhex(t, e.ChipRandom), unhex(t, e.ChipKey)}
	if r, _ := chip.Process(apdu.Command{INS: 0x84, Le: 8}); !bytes.Equal(r.Bytes(), unhex(t, e.ChipRandom+"9000")) {
		t.Errorf("challenge %X", r.Bytes())
	}
	r, keys := chip.Process(apdu.Command{INS: 0x82, Data: unhex(t, e.Data), Le: 40})
	if !bytes.Equal(r.Bytes(), unhex(t, e.Response+"9000")) || keys == nil {
		t.Fatalf("answer %X", r.Bytes())
	}
	if !bytes.Equal(keys.Enc, unhex(t, e.Enc)) || !bytes.Equal(keys.MAC, unhex(t, e.MAC)) || !bytes.Equal(keys.SSC, unhex(t, e.Counter)) {
		t.Errorf("session keys %X %X, counter %X", keys.Enc, keys.MAC, keys.SSC)
	}
}

const anyMRZ = "T22000129364081251010318"

func newBACProcess(t testing.TB) *process {
	seed, err := MRZ(anyMRZ).BACSeed()
	if err != nil {
		t.Fatal(err)
	}
	return &process{chip: NewBACChip(seed)}
}

func TestBACSelfPlay(t *testing.T) {
	for range 200 {
		p := newBACProcess(t)
		h, err := BAC(t.Context(), p, MRZ(anyMRZ))
		if err != nil {
			t.Fatal(err)
		}
		talk(t, h, p)
	}
}

func TestBACWrongPassword(t *testing.T) {
	p := newBACProcess(t)
	_, err := BAC(t.Context(), p, MRZ("L898902C<369080619406236"))
	var wrong *PasswordError
	if !errors.Is(err, ErrWrongPassword) || !errors.As(err, &wrong) || wrong.Password != "MRZ" {
		t.Errorf("%v, want ErrWrongPassword for MRZ", err)
	}
	if _, counted := wrong.TriesLeft(); counted || p.keys != nil {
		t.Errorf("tries left are invented, or the chip has keys")
	}
	for _, none := range []Password{CAN("123456"), {}, MRZ("")} {
		p := newBACProcess(t)
		if _, err := BAC(t.Context(), p, none); !errors.Is(err, ErrPassword) || p.count != 0 {
			t.Errorf("%v: %v after %d commands", none, err, p.count)
		}
	}
}

func TestBACRefusals(t *testing.T) {
	for _, c := range []struct {
		at     int
		status apdu.Status
		want   error
	}{
		{0, apdu.INSNotSupported, apdu.INSNotSupported},
		{0, apdu.SecurityStatus, apdu.SecurityStatus},
		{1, apdu.AuthenticationFailed, ErrWrongPassword},
		{1, apdu.SecurityStatus, ErrWrongPassword},
		{1, apdu.SMIncorrect, ErrWrongPassword},
		{1, 0x63C2, ErrWrongPassword},
		{1, apdu.Blocked, ErrBlocked},
		{1, apdu.Unknown, apdu.Unknown},
	} {
		p := newBACProcess(t)
		p.alter = func(n int, r *apdu.Response) {
			if n == c.at {
				*r = apdu.Response{Status: c.status}
			}
		}
		h, err := BAC(t.Context(), p, MRZ(anyMRZ))
		if h != nil || !errors.Is(err, c.want) || p.count != c.at+1 {
			t.Errorf("%v at command %d: %v after %d commands, want %v", c.status, c.at, err, p.count, c.want)
		}
	}
}

// TestBACLyingChip changes the chip's answers: no session comes of it.
func TestBACLyingChip(t *testing.T) {
	for name, lie := range map[string]func(n int, r *apdu.Response){
		"short challenge": func(n int, r *apdu.Response) {
			if n == 0 {
				r.Data = r.Data[:7]
			}
		},
		"no challenge": func(n int, r *apdu.Response) {
			if n == 0 {
				r.Data = nil
			}
		},
		"other challenge": func(n int, r *apdu.Response) {
			if n == 0 {
				r.Data[0] ^= 1
			}
		},
		"cut token": func(n int, r *apdu.Response) {
			if n == 1 {
				r.Data = r.Data[:39]
			}
		},
		"token without MAC": func(n int, r *apdu.Response) {
			if n == 1 {
				r.Data = r.Data[:32]
			}
		},
		"no token": func(n int, r *apdu.Response) {
			if n == 1 {
				r.Data = nil
			}
		},
		"damaged token": func(n int, r *apdu.Response) {
			if n == 1 {
				r.Data[3] ^= 1
			}
		},
		"damaged MAC": func(n int, r *apdu.Response) {
			if n == 1 {
				r.Data[39] ^= 1
			}
		},
	} {
		p := newBACProcess(t)
		p.alter = lie
		if h, err := BAC(t.Context(), p, MRZ(anyMRZ)); h != nil || err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestBACEcho gives a terminal its own token back, and one with the randoms swapped, both
// with right MACs.
func TestBACEcho(t *testing.T) {
	seed, _ := MRZ(anyMRZ).BACSeed()
	keys := bacKeys(seed)
	for _, swap := range []bool{false, true} {
		chip := echoBAC{keys: keys, swap: swap}
		if h, err := BAC(t.Context(), &process{chip: &chip}, MRZ(anyMRZ)); h != nil || !errors.Is(err, ErrProtocol) {
			t.Errorf("swap %v: %v, want ErrProtocol", swap, err)
		}
	}
}

type echoBAC struct {
	keys bacPair
	swap bool
}

func (e *echoBAC) Process(c apdu.Command) (apdu.Response, *sm.Keys) {
	if c.INS == 0x84 {
		return apdu.Response{Data: []byte("12345678"), Status: apdu.OK}, nil
	}
	if !e.swap {
		return apdu.Response{Data: c.Data, Status: apdu.OK}, nil
	}
	plain, _ := e.keys.open(c.Data)
	token, _ := e.keys.seal([]byte("wrong   "), plain[:8], plain[16:])
	return apdu.Response{Data: token, Status: apdu.OK}, nil
}

// TestBACChipSaysOneThing answers every bad token with the same status, and a token
// without a fresh challenge with 6985.
func TestBACChipSaysOneThing(t *testing.T) {
	seed, _ := MRZ(anyMRZ).BACSeed()
	keys := bacKeys(seed)
	replay, err := keys.seal([]byte("terminal"), []byte("earlier "), make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string][]byte{
		"right MAC, old challenge": replay,
		"wrong MAC":                append(replay[:39:39], replay[39]^1),
		"short":                    replay[:20],
		"empty":                    nil,
	} {
		chip := NewBACChip(seed)
		chip.Process(apdu.Command{INS: 0x84, Le: 8})
		if r, k := chip.Process(apdu.Command{INS: 0x82, Data: token, Le: 40}); r.Status != apdu.AuthenticationFailed || k != nil || r.Data != nil {
			t.Errorf("%s: %v", name, r.Status)
		}
		if r, k := chip.Process(apdu.Command{INS: 0x82, Data: replay, Le: 40}); r.Status != apdu.ConditionsNotSatisfied || k != nil {
			t.Errorf("%s, second token: %v", name, r.Status)
		}
	}
	if r, _ := NewBACChip(seed).Process(apdu.Command{INS: 0xB0}); r.Status != apdu.INSNotSupported {
		t.Errorf("another command: %v", r.Status)
	}
}
