package meter

import (
	"fmt"
	"testing"
	"time"
)

// So many pass in a minute, each for themselves, and the next minute begins anew.
func TestPass(t *testing.T) {
	var m Meter
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for i := range 5 {
		if got := m.Pass("a", 3, now.Add(time.Duration(i)*time.Second)); got != (i < 3) {
			t.Errorf("act %d: %v", i, got)
		}
	}
	if !m.Over("a", 3, now.Add(5*time.Second)) || m.Over("b", 3, now) || !m.Pass("b", 3, now) {
		t.Error("one's flood is another's")
	}
	if next := now.Add(time.Minute); m.Over("a", 3, next) || !m.Pass("a", 3, next) {
		t.Error("a minute does not end")
	}
	if !m.Pass("a", 1, now.Add(-time.Hour)) {
		t.Error("a clock that was set back keeps everybody out")
	}
}

// The memory is bounded: those for whom there is no room share a count, and whose minute is
// over are forgotten.
func TestBounded(t *testing.T) {
	var m Meter
	now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
	for i := range most {
		m.Pass(fmt.Sprint(i), 1, now)
	}
	if !m.Pass("x", 1, now) || m.Pass("y", 1, now) || !m.Over("z", 1, now) || m.Over("0", 2, now) {
		t.Error("those without room do not share a count")
	}
	if len(m.minutes) > most+1 {
		t.Errorf("%d are counted", len(m.minutes))
	}
	if m.Pass("x", 1, now.Add(time.Minute)); len(m.minutes) != 1 {
		t.Errorf("%d are remembered after their minute", len(m.minutes))
	}
}

func TestNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:443": "192.0.2.7/32", "[::ffff:192.0.2.7]:1": "192.0.2.7/32", "[2001:db8:1:2:3::4]:1": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1": "fe80::/64", "": "", "nobody": "", "192.0.2.7": "",
	} {
		if got := Network(remote); got != want {
			t.Errorf("%q is of %q, not %q", remote, got, want)
		}
	}
}
