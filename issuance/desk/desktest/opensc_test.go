//go:build linux && cgo

package desktest

import (
	"bytes"
	"context"
	"encoding/hex"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
)

// OpenSC connects to every reader before it does anything, and so waits for every card
// that somebody has open: these tests run alone.

// tool finds a program that others wrote, or skips the test. What it is started for finds
// the private service by the environment, as we do.
func tool(t *testing.T, name, of string) func(arg ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		testdata.Missing(t, of, name+" is not installed")
	}
	return func(arg ...string) *exec.Cmd {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		t.Cleanup(cancel)
		return exec.CommandContext(ctx, path, arg...)
	}
}

func output(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, out)
	}
	return string(out)
}

// TestScanSeesTheCard: pcsc_scan shows the readers, and the card's ATR in ours.
func TestScanSeesTheCard(t *testing.T) {
	scan := tool(t, "pcsc_scan", "opensc")
	h := newReader(t).hold(blank())
	h.insert()
	if out := output(t, scan("-r")); !strings.Contains(out, h.name) {
		t.Errorf("no %q in\n%s", h.name, out)
	}
	want := regexp.MustCompile(h.name + `\s+Event number: \d+\s+Card state: Card inserted,\s+ATR: ` + strings.ToUpper(spaced(h.chip.ATR())))
	colours := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	if out := colours.ReplaceAllString(output(t, scan("-n", "-t", "1")), ""); !want.MatchString(out) {
		t.Errorf("no %v in\n%s", want, out)
	}
}

func spaced(b []byte) string {
	var parts []string
	for _, o := range b {
		parts = append(parts, hex.EncodeToString([]byte{o}))
	}
	return strings.Join(parts, " ")
}

// TestOpenSCSelects: opensc-tool sees the ATR and selects the eMRTD application.
func TestOpenSCSelects(t *testing.T) {
	opensc := tool(t, "opensc-tool", "opensc")
	h, _, _ := issued(t)
	h.insert()
	reader := slotNumber(t, opensc, h.name)
	if out := output(t, opensc("--reader", reader, "--atr")); strings.TrimSpace(out) != strings.ReplaceAll(spaced(h.chip.ATR()), " ", ":") {
		t.Errorf("ATR %s", out)
	}
	out := output(t, opensc("--reader", reader, "--card-driver", "default", "-s", "00A4040C07A0000002471001"))
	if !strings.Contains(out, "Received (SW1=0x90, SW2=0x00)") {
		t.Errorf("select:\n%s", out)
	}
	out = output(t, opensc("--reader", reader, "--card-driver", "default", "-s", "00A4040C07A0000002471001", "-s", "00B0810000"))
	if !strings.Contains(out, "SW1=0x69, SW2=0x82") {
		t.Errorf("read without access:\n%s", out)
	}
}

// slotNumber is the number that OpenSC gives to a reader.
func slotNumber(t *testing.T, opensc func(...string) *exec.Cmd, name string) string {
	t.Helper()
	for line := range strings.Lines(output(t, opensc("--list-readers"))) {
		if f := strings.Fields(line); strings.HasSuffix(strings.TrimSpace(line), name) && len(f) > 0 {
			if _, err := strconv.Atoi(f[0]); err == nil {
				return f[0]
			}
		}
	}
	t.Fatalf("OpenSC does not list %q", name)
	return ""
}

// TestOpenSCResets has another program reset the card in the midst of an inspection: it is
// held off until that is over, and then the card is as good as before.
func TestOpenSCResets(t *testing.T) {
	opensc := tool(t, "opensc-tool", "opensc")
	h, o, who := issued(t)
	reader := slotNumber(t, opensc, h.name)
	w := &tap{Card: h.inserted()}
	var said bytes.Buffer
	ended := make(chan error, 1)
	w.act = func(n int) error {
		if n != 12 {
			return nil
		}
		other := opensc("--reader", reader, "--reset")
		other.Stdout, other.Stderr = &said, &said
		go func() { ended <- other.Run() }()
		select {
		case err := <-ended:
			t.Errorf("opensc-tool --reset did not wait: %v\n%s", err, &said)
			ended <- err
		case <-time.After(400 * time.Millisecond):
		}
		return nil
	}
	options := o.checkpoint(auth.CAN(who.Number.CAN()))
	report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), options))(t)
	wantVerdict(t, report, verify.Accept)
	check(t, w.Close())
	if err := <-ended; err != nil {
		t.Errorf("opensc-tool --reset: %v\n%s", err, &said)
	}
	again := h.open(pcsc.Options{})
	report = must(verify.Inspect(t.Context(), apdu.Over(again, apdu.Limits{}), options))(t)
	wantVerdict(t, report, verify.Accept)
}
