package apdu_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/testdata"
)

// octets is hexadecimal in JSON.
type octets []byte

func (o *octets) UnmarshalText(b []byte) (err error) {
	*o, err = hex.DecodeString(string(b))
	return err
}

type vectors struct {
	Cases []struct {
		ID               string
		CLA, INS, P1, P2 octets
		Data             octets
		Ne               int
		Extended         bool
		Encoding         octets
		Why              string
	}
	Responses []struct {
		ID             string
		Response, Data octets
		SW             octets
		Valid          *bool
	}
}

func load(t testing.TB) (v vectors) {
	t.Helper()
	if err := json.Unmarshal(testdata.Read(t, "apdu/apdu.json"), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	for _, c := range load(t).Cases {
		got, err := apdu.ParseCommand(c.Encoding)
		if strings.HasPrefix(c.ID, "bad-") {
			if !errors.Is(err, apdu.ErrMalformed) {
				t.Errorf("%s, %s: %+v, %v", c.ID, c.Why, got, err)
			}
			continue
		}
		want := apdu.Command{CLA: c.CLA[0], INS: c.INS[0], P1: c.P1[0], P2: c.P2[0], Data: c.Data, Le: c.Ne}
		if err != nil || !equal(got, want) {
			t.Errorf("%s: parsed %+v, %v", c.ID, got, err)
		}
		encoded, err := want.Encode(c.Extended)
		if err != nil || !bytes.Equal(encoded, c.Encoding) {
			t.Errorf("%s: encoded %X, %v", c.ID, encoded, err)
		}
	}
	for _, c := range load(t).Responses {
		r, err := apdu.ParseResponse(c.Response)
		if c.Valid != nil && !*c.Valid {
			if !errors.Is(err, apdu.ErrMalformed) {
				t.Errorf("%s: %+v, %v", c.ID, r, err)
			}
			continue
		}
		status := apdu.Status(c.SW[0])<<8 | apdu.Status(c.SW[1])
		if err != nil || r.Status != status || !bytes.Equal(r.Data, c.Data) || !bytes.Equal(r.Bytes(), c.Response) {
			t.Errorf("%s: %+v, %v", c.ID, r, err)
		}
	}
}

func equal(a, b apdu.Command) bool {
	return a.CLA == b.CLA && a.INS == b.INS && a.P1 == b.P1 && a.P2 == b.P2 && a.Le == b.Le && bytes.Equal(a.Data, b.Data)
}

func TestEncodeRefuses(t *testing.T) {
	for _, c := range []struct {
		name     string
		command  apdu.Command
		extended bool
		want     error
	}{
		{"short data", apdu.Command{Data: make([]byte, 256)}, false, apdu.ErrTooLong},
		{"short Le", apdu.Command{Le: 257}, false, apdu.ErrTooLong},
		{"extended data", apdu.Command{Data: make([]byte, 65536)}, true, apdu.ErrTooLong},
		{"Le", apdu.Command{Le: 65537}, true, apdu.ErrMalformed},
		{"negative Le", apdu.Command{Le: -1}, true, apdu.ErrMalformed},
		{"INS 61", apdu.Command{INS: 0x61}, false, apdu.ErrMalformed},
		{"INS 9F", apdu.Command{INS: 0x9F}, false, apdu.ErrMalformed},
		{"CLA FF", apdu.Command{CLA: 0xFF}, false, apdu.ErrMalformed},
	} {
		if b, err := c.command.Encode(c.extended); !errors.Is(err, c.want) || b != nil {
			t.Errorf("%s: %X, %v", c.name, b, err)
		}
	}
}

// TestSecured has the class bytes of ISO/IEC 7816-4 tables 2 and 3, and GlobalPlatform's.
func TestSecured(t *testing.T) {
	for cla, want := range map[byte]bool{
		0x00: false, 0x03: false, 0x10: false, 0x40: false, 0x4F: false, 0x50: false, 0x80: false,
		0x04: true, 0x08: true, 0x0C: true, 0x1C: true, 0x60: true, 0x6F: true, 0x84: true, 0x94: true, 0xE0: true,
	} {
		if got := (apdu.Command{CLA: cla}).Secured(); got != want {
			t.Errorf("%02X: %v", cla, got)
		}
	}
}

func TestResponseTooLong(t *testing.T) {
	if _, err := apdu.ParseResponse(make([]byte, apdu.MaxLe+2)); err != nil {
		t.Error(err)
	}
	if _, err := apdu.ParseResponse(make([]byte, apdu.MaxLe+3)); !errors.Is(err, apdu.ErrMalformed) {
		t.Error(err)
	}
}

// FuzzParseCommand: what parses is encoded to the same octets.
func FuzzParseCommand(f *testing.F) {
	for _, c := range load(f).Cases {
		f.Add([]byte(c.Encoding))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := apdu.ParseCommand(b)
		if err != nil {
			if !errors.Is(err, apdu.ErrMalformed) {
				t.Error(err)
			}
			return
		}
		short, shortErr := c.Encode(false)
		extended, err := c.Encode(true)
		if err != nil || !bytes.Equal(b, extended) && (shortErr != nil || !bytes.Equal(b, short)) {
			t.Errorf("%X became %X or %X", b, short, extended)
		}
		if c.Name() == "" {
			t.Error("no name")
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	for _, c := range load(f).Responses {
		f.Add([]byte(c.Response))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := apdu.ParseResponse(b)
		if err == nil && !bytes.Equal(r.Bytes(), b) {
			t.Errorf("%X became %X", b, r.Bytes())
		}
		if err == nil && r.Status.Error() == "" {
			t.Error("no text")
		}
	})
}
