package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

// clockFile is where a server's programs read what time it is, each time they ask.
const clockFile = "clock"

// NewClocked returns a server as New does, whose clock SetClock sets; it begins right. The
// clock is that of libfaketime (Debian package faketime). Where there is none the test is
// skipped, or fails if TAMTHE_REQUIRE lists "faketime".
func NewClocked(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	found, err := filepath.Glob("/usr/lib*/*/faketime/libfaketime.so.1")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		testdata.Missing(t, "faketime", "no libfaketime here (Debian package faketime): the server's clock cannot be set")
	}
	c, err := start(found[0], settings)
	judge(t, err)
	t.Cleanup(c.end)
	return c
}

// SetClock moves the server's clock at once, for all its processes, also while they work; it
// goes on from there. Durations are measured as before: only the time of day jumps.
func (c *Cluster) SetClock(t testing.TB, to time.Time) {
	t.Helper()
	path := filepath.Join(c.dir, clockFile)
	text := fmt.Sprintf("%+.6f\n", time.Until(to).Seconds())
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// clocked are the variables that give a program the server's clock.
func (c *Cluster) clocked() []string {
	if c.faketime == "" {
		return nil
	}
	return []string{
		"LD_PRELOAD=" + c.faketime, "FAKETIME_TIMESTAMP_FILE=" + filepath.Join(c.dir, clockFile), "FAKETIME_NO_CACHE=1",
		"FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1", "FAKETIME_DISABLE_SHM=1",
	}
}
