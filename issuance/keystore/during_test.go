package keystore

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/dh"
)

// TestDuring: the clock counts at each signature, to the second.
func TestDuring(t *testing.T) {
	key, err := dh.P256().Generate()
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	to := time.Date(2026, 5, 31, 23, 59, 59, 0, time.UTC)
	var now time.Time
	signer := During(key, from, to, func() time.Time { return now })
	sum := sha256.Sum256(nil)
	for at, want := range map[time.Time]error{
		from.Add(-time.Second): ErrPeriod, from: nil, to: nil, to.Add(time.Second): ErrPeriod, from.AddDate(1, 0, 0): ErrPeriod,
		from.In(time.FixedZone("", 7*3600)): nil, {}: ErrPeriod,
	} {
		now = at
		sig, err := signer.Sign(nil, sum[:], crypto.SHA256)
		if !errors.Is(err, want) || (sig == nil) != (want != nil) {
			t.Errorf("%s: %x, %v", at, sig, err)
		}
	}
	signer.(interface{ Destroy() }).Destroy()
	now = from
	if _, err := signer.Sign(nil, sum[:], crypto.SHA256); !errors.Is(err, dh.ErrDestroyed) {
		t.Error(err)
	}
}
