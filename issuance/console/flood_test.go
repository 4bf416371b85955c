package console

import (
	"fmt"
	"testing"
	"time"
)

// Who begins logins as fast as one network may, and ends none, keeps nobody else from logging
// in; no more does one who has many addresses of IPv6.
func TestLoginFlood(t *testing.T) {
	for what, address := range map[string]func(int) string{
		"one address":                  func(int) string { return "192.0.2.1:4711" },
		"many of one network, by IPv6": func(i int) string { return fmt.Sprintf("[2001:db8::%x]:4711", i) },
	} {
		now := time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)
		c := &Console{config: Config{Now: func() time.Time { return now }}, ceremonies: map[string]*pending{}}
		for i := range 2 * maxCeremonies {
			now = now.Add(time.Second / 2)
			if _, err := c.hold(address(i), &pending{}); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		id, err := c.hold("198.51.100.7:4711", &pending{operator: "an"})
		if err != nil {
			t.Fatalf("%s: an officer elsewhere: %v", what, err)
		}
		for i := range maxCeremonies {
			now = now.Add(time.Second / 2)
			if _, err := c.hold(address(i), &pending{}); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		if p, err := c.take(id); err != nil || p.operator != "an" {
			t.Errorf("%s: the officer's login is gone: %v", what, err)
		}
		if len(c.ceremonies) > maxCeremonies {
			t.Errorf("%s: %d logins are held", what, len(c.ceremonies))
		}
	}
}
