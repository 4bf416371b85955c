package sqlite_test

import (
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/ledgertest"
)

func TestHealth(t *testing.T) {
	l := open(t, t.TempDir())
	defer l.Close()
	if h, err := l.Health(t.Context()); err != nil || h.Size != 0 || !h.Last.IsZero() || h.Queue != nil || h.Epoch != 0 {
		t.Errorf("%+v: %v", h, err)
	}
	ledgertest.NewOffice(t, l).Found(t)
	for _, subject := range []string{"a", "b", "c"} {
		if _, err := l.Lease(t.Context(), subject, "an", map[bool]time.Duration{true: time.Millisecond, false: time.Minute}[subject == "a"]); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(10 * time.Millisecond)
	h, err := l.Health(t.Context())
	if err != nil || h.Size == 0 || h.Last.Year() != 2026 || h.Held != 2 || h.Over != 1 || h.Trip <= 0 || h.Off != 0 {
		t.Errorf("%+v: %v", h, err)
	}
}
