package perso

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/issuance"
)

// trustPoint is a CVCA certificate signed by itself, for inspection systems.
func trustPoint(t *testing.T, name cvc.Reference) *cvc.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := cvc.NewPublicKey(cvc.ECDSASHA256, key.Public())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cvc.Sign(cvc.Template{
		Authority: name, Holder: name, Key: pub, CHAT: cvc.NewCHAT(cvc.InspectionSystem, cvc.CVCA).AllRights(),
		Effective: cvc.On(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)), Expiry: cvc.On(time.Date(2028, 12, 31, 0, 0, 0, 0, time.UTC)),
	}, cvc.ECDSASHA256, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTrustPoints puts CVCA certificates onto the chip, by each driver that can, after an
// interruption too; the finished card names them.
func TestTrustPoints(t *testing.T) {
	one, two := trustPoint(t, "VNCVCA00001"), trustPoint(t, "VNCVCA00002")
	for _, name := range Drivers() {
		for _, cut := range []bool{false, true} {
			r := forDriver(t, name)
			if !r.driver.EAC {
				continue
			}
			p := &pull{rig: r}
			o := r.order(p)
			o.Build = func(ctx context.Context, k PublicKeys) (*Content, error) {
				c, err := r.build(ctx, k)
				if err == nil {
					c.Trust, c.Date = [][]byte{one.Raw, two.Raw}, cvc.On(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
				}
				return c, err
			}
			r.chip.Reset()
			if cut { // between the trust points and the lock
				r.journal.crash, r.journal.after = r.journal.n+8, true
				if err := Run(t.Context(), apdu.Over(p, r.limits), o, &r.journal, State{}); err == nil {
					t.Fatalf("%s: not cut", name)
				}
				r.journal.crash = 0
				r.chip.Reset()
			}
			if err := Run(t.Context(), apdu.Over(p, r.limits), o, &r.journal, r.journal.state()); err != nil {
				t.Fatalf("%s, %v: %v", name, cut, err)
			}
			if r.journal.count(issuance.LockDone) != 1 {
				t.Errorf("%s, %v: recorded %v", name, cut, r.journal.records)
			}
			r.chip.Reset()
			s, err := card.Open(t.Context(), apdu.Over(r.chip, r.limits), card.Options{Passwords: []auth.Password{auth.CAN(canDigits)}})
			if err != nil {
				t.Fatal(err)
			}
			names, err := s.TrustPoints(t.Context(), lds.TerminalAuthInfo{})
			if err != nil || !slices.Contains(names, one.Holder) {
				t.Errorf("%s, %v: names %v, %v", name, cut, names, err)
			}
			s.Close()
		}
	}
}
