package virtual

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
)

func TestMemoryFileIsLockedWhileInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chip")
	c, err := Create(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second Load: %v", err)
	}
	if _, err := Create(path, Config{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second Create: %v", err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	kdd := c.KDD()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if _, err := c.Exchange(t.Context(), []byte{0, 0xA4, 4, 0x0C}); !errors.Is(err, apdu.ErrRemoved) {
		t.Errorf("Exchange after Close: %v", err)
	}
	c, err = Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.KDD() != kdd || c.InUse() {
		t.Errorf("came back as %v", c.KDD())
	}
}

// aMemory returns the octets of a memory of several records, and where each ends.
func aMemory(t *testing.T) (b []byte, ends []int) {
	t.Helper()
	m, err := createMemory("")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []record{
		factoryRecord(gp.KDD{1}, []byte{0x80}, gp.TransportKeys()),
		fileRecord(0x0101, 4), partRecord(0x0101, 0, []byte{1, 2}), partRecord(0x0101, 2, []byte{3, 4}),
		secretRecord(gp.DGIRules, []byte{1, 0}), stateRecord(gp.StateSecured),
	} {
		if err := m.write(r); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(m.bare))
	}
	return m.bare, ends
}

func TestTornEndsAreDropped(t *testing.T) {
	whole, ends := aMemory(t)
	for n := ends[0]; n <= len(whole); n++ {
		path := filepath.Join(t.TempDir(), "chip")
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		want := 0
		for _, e := range ends {
			if e <= n {
				want = e
			}
		}
		if c.InUse() != (n == len(whole)) {
			t.Errorf("cut at %d: in use %v", n, c.InUse())
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if b, _ := os.ReadFile(path); !bytes.Equal(b, whole[:want]) {
			t.Errorf("cut at %d: %d octets left instead of %d", n, len(b), want)
		}
	}
}

func TestDamageIsNoTornEnd(t *testing.T) {
	whole, ends := aMemory(t)
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		path := filepath.Join(t.TempDir(), "chip")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		want := ErrCorrupt
		if i < len(heading) {
			want = ErrNotChip
		}
		if !errors.Is(err, want) {
			t.Errorf("octet %d: %v", i, err)
		}
		if err == nil {
			c.Close()
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, b) {
			t.Fatalf("octet %d: the file was changed", i)
		}
	}
	for n := range ends[0] {
		path := filepath.Join(t.TempDir(), "chip")
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); !errors.Is(err, ErrNotChip) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func TestRecordsOutOfPlace(t *testing.T) {
	factory := factoryRecord(gp.KDD{1}, nil, gp.TransportKeys())
	for name, records := range map[string][]record{
		"no factory":        {fileRecord(0x0101, 4)},
		"two factories":     {factory, factory},
		"part of no file":   {factory, partRecord(0x0101, 0, []byte{1})},
		"part beyond":       {factory, fileRecord(0x0101, 4), partRecord(0x0101, 3, []byte{1, 2})},
		"file too large":    {factory, fileRecord(0x0101, maxFile+1)},
		"unknown kind":      {factory, {99, nil}},
		"state too long":    {factory, {recState, []byte{1, 2}}},
		"state too short":   {factory, {recState, nil}},
		"counter too short": {factory, {recFailures, []byte{0}}},
		"unknown curve":     {factory, {recPair, []byte{1, 0xB6, 99, 1}}},
	} {
		var m image
		var err error
		for _, r := range records {
			err = m.apply(r)
		}
		if !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTornWriteSilencesTheChip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chip")
	file, err := Create(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Chip{"in process": New(Config{}), "in a file": file} {
		failed := externalAuthenticateWrong(t, c)
		if failed != apdu.AuthenticationFailed || c.image.failures[failuresDomain] != 1 {
			t.Fatalf("%s: %v", name, failed)
		}
		c.OnWrite(func(n int) bool { return n < 2 })
		externalAuthenticateWrong(t, c)
		if _, err := tryWrong(t, c); !errors.Is(err, apdu.ErrRemoved) {
			t.Errorf("%s: torn write answers: %v", name, err)
		}
		if _, err := c.Exchange(t.Context(), []byte{0x80, 0xCA, 0, 0xCF, 0}); !errors.Is(err, apdu.ErrRemoved) {
			t.Errorf("%s: after a torn write: %v", name, err)
		}
		c.Reset()
		if c.image.failures[failuresDomain] != 2 {
			t.Errorf("%s: %d failures counted", name, c.image.failures[failuresDomain])
		}
		c.OnWrite(nil)
		externalAuthenticateWrong(t, c)
		if c.image.failures[failuresDomain] != 3 {
			t.Errorf("%s: %d failures counted", name, c.image.failures[failuresDomain])
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.image.failures[failuresDomain] != 3 {
		t.Errorf("from the file: %d failures", again.image.failures[failuresDomain])
	}
}

func TestFullDiskIsAnAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chip")
	c, err := Create(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.memory.file.Close() // what a full disk does to a write, without a disk to fill
	if s := externalAuthenticateWrong(t, c); s != apdu.MemoryFailure {
		t.Errorf("answer %v", s)
	}
}

func externalAuthenticateWrong(t *testing.T, c *Chip) apdu.Status {
	t.Helper()
	r, err := tryWrong(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return r.Status
}

func tryWrong(t *testing.T, c *Chip) (apdu.Response, error) {
	t.Helper()
	link := apdu.Over(c, apdu.Limits{})
	if _, err := gp.Initialize(t.Context(), link, gp.Start{}); err != nil {
		return apdu.Response{}, err
	}
	return link.Transmit(t.Context(), apdu.Command{CLA: 0x84, INS: 0x82, P1: 0x33, Data: make([]byte, 16)})
}
