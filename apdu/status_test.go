package apdu_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tamthe/tamthe/apdu"
)

func TestStatusIs(t *testing.T) {
	for _, c := range []struct {
		status, target apdu.Status
		want           bool
	}{
		{0x6A82, apdu.FileNotFound, true},
		{0x6A82, apdu.RecordNotFound, false},
		{0x63C2, apdu.VerifyFailed, true},
		{0x63C0, apdu.VerifyFailed, true},
		{0x63C2, 0x63C2, true},
		{0x63C2, 0x63C1, false},
		{0x63C0, 0x63C2, false},
		{0x6300, apdu.VerifyFailed, false},
		{0x6C10, apdu.WrongLe, true},
		{0x61FF, apdu.BytesRemaining, true},
		{0x6282, apdu.EndOfFile, true},
		{0x6282, apdu.StateUnchanged, false},
	} {
		err := fmt.Errorf("read DG2: %w", apdu.Command{INS: 0xB0}.Refused(c.status))
		if got := errors.Is(err, c.target); got != c.want {
			t.Errorf("%v is %v: %v", c.status, c.target, got)
		}
	}
}

func TestStatusErr(t *testing.T) {
	if apdu.OK.Err() != nil || (apdu.Command{}).Refused(apdu.OK) != nil || (apdu.Response{Status: apdu.OK}).Err() != nil {
		t.Error("OK is an error")
	}
	if err := apdu.EndOfFile.Err(); !errors.Is(err, apdu.EndOfFile) {
		t.Error("a warning is no error:", err)
	}
	var refusal *apdu.StatusError
	err := fmt.Errorf("x: %w", apdu.Command{INS: 0xA4}.Refused(apdu.FileNotFound))
	if !errors.As(err, &refusal) || refusal.Command != "SELECT" {
		t.Error(err)
	}
	var status apdu.Status
	if !errors.As(err, &status) || status != apdu.FileNotFound {
		t.Error(status)
	}
}

func TestStatusText(t *testing.T) {
	for want, err := range map[string]error{
		"SELECT: file not found (6A82)":                               apdu.Command{INS: 0xA4}.Refused(0x6A82),
		"READ BINARY: security status not satisfied (6982)":           apdu.Command{CLA: 0x0C, INS: 0xB0}.Refused(0x6982),
		"VERIFY: verification failed, 2 tries left (63C2)":            apdu.Command{INS: 0x20}.Refused(0x63C2),
		"STORE DATA: wrong Le (6C10)":                                 apdu.Command{CLA: 0x84, INS: 0xE2}.Refused(0x6C10),
		"APPEND RECORD: status word (6F12)":                           apdu.Command{INS: 0xE2}.Refused(0x6F12),
		"INS 1A: incorrect P1-P2 (6A86)":                              apdu.Command{INS: 0x1A}.Refused(0x6A86),
		"GENERAL AUTHENTICATE: authentication failed (6300)":          apdu.Command{INS: 0x86}.Refused(0x6300),
		"MANAGE SECURITY ENVIRONMENT: more data remain (6110)":        apdu.Command{INS: 0x22}.Refused(0x6110),
		"EXTERNAL AUTHENTICATE: authentication method blocked (6983)": apdu.Command{INS: 0x82}.Refused(0x6983),
	} {
		if err.Error() != want {
			t.Errorf("%q instead of %q", err, want)
		}
	}
}

func TestTriesLeft(t *testing.T) {
	for status, want := range map[apdu.Status]int{0x63C0: 0, 0x63C3: 3, 0x63CF: 15} {
		if n, ok := status.TriesLeft(); !ok || n != want {
			t.Errorf("%04X: %d %v", uint16(status), n, ok)
		}
	}
	for _, status := range []apdu.Status{0x6300, 0x9000, 0x63D1, 0x6983} {
		if _, ok := status.TriesLeft(); ok {
			t.Errorf("%04X has tries", uint16(status))
		}
	}
}
