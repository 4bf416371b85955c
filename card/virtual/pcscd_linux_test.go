package virtual

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/pcsc/private"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/testdata"
)

// TestMain moves the tests into a network of their own, because a virtual reader listens
// to everybody. Fuzzing needs its own pipes and no reader.
func TestMain(m *testing.M) {
	fuzzing := false
	for _, a := range os.Args {
		fuzzing = fuzzing || strings.HasPrefix(a, "-test.fuzz")
	}
	if !fuzzing {
		if in, err := private.Enter(); !in {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(m.Run())
}

// TestThroughPCSC puts a chip into a real PC/SC reader and reads it there.
func TestThroughPCSC(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	d, err := private.Start(ctx, private.Options{})
	if errors.Is(err, private.ErrNoDaemon) || errors.Is(err, private.ErrNoDriver) || errors.Is(err, private.ErrUnsupported) {
		testdata.Missing(t, "pcscd", err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	chip, files := issued(t)
	chip.Limit(apdu.Limits{Command: 65535, Response: 65535})
	ready := make(chan bool, 10)
	control := make(chan Event)
	serve(t, chip, ServeOptions{Addr: d.Addr(0), Control: control, Ready: func() { ready <- true }})
	<-ready
	for _, l := range []apdu.Limits{{}, {Command: 65535, Response: 65535}} {
		c := insert(ctx, t, d.ReaderName(0))
		if !bytes.Equal(c.ATR(), chip.ATR()) {
			t.Errorf("ATR %X instead of %X", c.ATR(), chip.ATR())
		}
		begin := time.Now()
		link := apdu.Over(c, l)
		s, err := card.Open(ctx, link, card.Options{Passwords: []auth.Password{auth.CAN(canDigits)}})
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, s, files)
		s.Close()
		t.Logf("limits %v: %d commands in %v", l, link.Traffic().APDUs, time.Since(begin).Round(time.Millisecond))
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Run("published", func(t *testing.T) { publishedThroughPCSC(ctx, t, d) })
	c := insert(ctx, t, d.ReaderName(0))
	defer c.Close()
	control <- Remove
	for err == nil { // a command that overtakes the hand is still answered
		_, err = c.Exchange(ctx, unhex(t, "00B09C0000"))
	}
	if !errors.Is(err, apdu.ErrRemoved) {
		t.Errorf("after removal: %v", err)
	}
}

func insert(ctx context.Context, t *testing.T, reader string) *pcsc.Card {
	t.Helper()
	if err := pcsc.Wait(ctx, reader); err != nil {
		if errors.Is(err, pcsc.ErrUnavailable) {
			testdata.Missing(t, "pcscd", err.Error())
		}
		t.Fatal(err)
	}
	c, err := pcsc.Open(ctx, reader, pcsc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// publishedThroughPCSC reads the published data sets in the second reader, one after the
// other.
func publishedThroughPCSC(ctx context.Context, t *testing.T, d *private.Daemon) {
	testdata.Dir(t)
	for _, name := range []string{"bsi-reference", "de-td1-defaultpersogt", "de-td1-profile02"} {
		t.Run(name, func(t *testing.T) {
			var chip *Chip
			var files map[lds.File][]byte
			p := auth.CAN("500540")
			if name == "bsi-reference" {
				chip, files = bsiReference(t, FolderOptions{NoEAC: true, Limits: extended})
				zone, err := lds.ParseDG1(files[lds.DG1])
				if err != nil {
					t.Fatal(err)
				}
				p = auth.MRZ(zone.KeyInfo())
			} else {
				chip, files = published(t, name, FolderOptions{CAN: "500540", NoEAC: true, Limits: extended})
			}
			ready := make(chan bool, 10)
			serve(t, chip, ServeOptions{Addr: d.Addr(1), Ready: func() { ready <- true }})
			<-ready
			c := insert(ctx, t, d.ReaderName(1))
			defer c.Close()
			s, err := card.Open(ctx, apdu.Over(c, extended), card.Options{Passwords: []auth.Password{p}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for f, want := range files {
				if f == lds.CardAccess || f == lds.CardSecurity {
					continue
				}
				if got, err := s.ReadFile(ctx, f, nil); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%v: %d octets, %v", f, len(got), err)
				}
			}
		})
	}
}
