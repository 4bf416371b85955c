//go:build linux

package clustertest

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Enter()
	os.Exit(m.Run())
}

func TestRig(t *testing.T) {
	b := time.Now()
	c := Start(t)
	t.Log(c.Primary(t).Name, time.Since(b))
	for range 2 {
		b := time.Now()
		p := c.Primary(t)
		p.Kill(t)
		n := c.Primary(t)
		t.Log(n.Name, time.Since(b))
		p.Start(t)
		c.Settle(t)
		t.Log("settled", time.Since(b))
	}
	p := c.Primary(t)
	b = time.Now()
	p.Cut(t)
	n := c.Primary(t)
	t.Log(n.Name, time.Since(b))
	p.Join(t)
	c.Settle(t)
	t.Log("settled", time.Since(b))
}
