//go:build linux && cgo

package desktest

import (
	"errors"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/verify"
)

// TestWrongPassword opens a card of ours with what is not printed on it, and then with
// what is.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	h, o, who := issued(t)
	w := h.inserted()
	wrong := o.person()
	for _, p := range []auth.Password{auth.CAN(wrong.Number.CAN()), auth.MRZ(o.zone(t, wrong).KeyInfo())} {
		report, err := verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(p))
		if wantError(t, p.Name(), err, auth.ErrWrongPassword); report != nil {
			t.Errorf("%s: a report", p.Name())
		}
		check(t, w.Reset(t.Context()))
	}
	report := must(verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), o.checkpoint(auth.CAN(who.Number.CAN()))))(t)
	wantVerdict(t, report, verify.Accept)
}

// TestTriesLeft guesses at a card that counts, takes it out in between, and blocks it.
func TestTriesLeft(t *testing.T) {
	t.Parallel()
	daemon(t)
	u := newUtopia(t)
	const can = "123456"
	chip := must(virtual.FromFolder(u.folder(), virtual.FolderOptions{CA: u.chipKey, CAN: can, Rules: &gp.Rules{Tries: 2}}))(t)
	h := newReader(t).hold(chip)
	options := verify.Options{Trust: u.trust(t, "ut", "", u.list), At: inForce}
	for _, c := range []struct {
		can  string
		err  error
		left int
	}{
		{"654321", auth.ErrWrongPassword, 1},
		{can, nil, 0},
		{"654321", auth.ErrWrongPassword, 1},
		{"000000", auth.ErrBlocked, 0},
		{can, auth.ErrBlocked, 0},
	} {
		w := h.inserted()
		options.Passwords = []auth.Password{auth.CAN(c.can)}
		_, err := verify.Inspect(t.Context(), apdu.Over(w, apdu.Limits{}), options)
		wantError(t, c.can, err, c.err)
		var e *auth.PasswordError
		if c.err == auth.ErrWrongPassword && errors.As(err, &e) {
			if n, ok := e.TriesLeft(); !ok || n != c.left {
				t.Errorf("%d tries left, %v; want %d", n, ok, c.left)
			}
		}
		check(t, w.Close())
		h.remove()
	}
}
