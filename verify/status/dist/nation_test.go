package dist

import (
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// TestNation lets a device that is a program of its own fetch the list of a hundred million
// cards (with TAMTHE_SOAK, else of some), that of the next day, and look a card up. It prints
// what lies on the device's disk, what came, and the most memory that the device had.
func TestNation(t *testing.T) {
	if os.Getenv(deviceHome) != "" {
		beDevice(t)
		return
	}
	n := uint32(200_000)
	if os.Getenv("TAMTHE_SOAK") != "" {
		n = 100_000_000
	}
	an := newIssuer(t)
	an.pub.Snapshot = func() ([]byte, error) { return an.nation(n) }
	url := an.serve(an.under())
	home := t.TempDir()
	for day := range 2 {
		p := an.publish()
		out := an.run(t, url, home)
		t.Logf("day %d: %s", day, out)
		if day == 1 && !strings.Contains(out, " 1 patches ") {
			t.Error("the snapshot came whole again")
		}
		if p.Patch > 1_000_000 {
			t.Errorf("a patch of %d octets", p.Patch)
		}
	}
	t.Logf("then: %s", an.run(t, "", home))
	kept := int64(0)
	for _, f := range names(t, filepath.Join(home, "status")) {
		info, err := os.Stat(filepath.Join(home, "status", f))
		if err != nil {
			t.Fatal(err)
		}
		kept += info.Size()
	}
	if kept > 30_000_000 || kept > int64(n)*104/800 {
		t.Errorf("%d octets of %d cards", kept, n)
	}
}

const (
	deviceURL  = "TAMTHE_TEST_DEVICE_URL"
	deviceHome = "TAMTHE_TEST_DEVICE_HOME"
	deviceKey  = "TAMTHE_TEST_DEVICE_KEY"
)

// nation signs the list of a country: eight in nine places are taken, one card in fifty is out
// of force, and each day three hundred in a hundred thousand places change.
func (i *issuer) nation(n uint32) ([]byte, error) {
	rows := &status.Rows{}
	for v := range n + n/8 {
		s := status.Active
		switch draw := v * 2654435761 >> 7 % 900_000; {
		case draw < 100_000-1_700*i.gone:
			continue
		case draw < 100_000:
			s = status.Undelivered
		case draw < 100_000+1_700*2 && i.gone == 1:
			s = status.Undelivered
		case draw >= 884_000-60*i.gone:
			s = status.Revoked
		}
		if err := rows.Add(v, s); err != nil {
			return nil, err
		}
	}
	d, err := status.PrepareIndexRows(i.header(), i.key.Public(), rows)
	if err != nil {
		return nil, err
	}
	return d.Sign(i.key)
}

// run lets a device fetch, and returns what it prints.
func (i *issuer) run(t *testing.T, url, home string) string {
	t.Helper()
	pinned, _ := i.Issuer("VN", "I")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNation$", "-test.v")
	cmd.Env = append(os.Environ(), deviceURL+"="+url, deviceHome+"="+home, deviceKey+"="+hex.EncodeToString(pinned.StatusKeys[0][:]))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, said, _ := strings.Cut(string(out), "device: ")
	said, _, _ = strings.Cut(said, "\n")
	return said
}

// pin is one key for everything.
type pin [32]byte

func (p pin) Issuer(country, document string) (pki.Issuer, bool) {
	return pki.Issuer{Country: country, Documents: []string{document}, StatusKeys: [][32]byte{p}}, true
}

// beDevice fetches, if there is an address, or loads what lies there and looks a card up.
func beDevice(t *testing.T) {
	b, err := hex.DecodeString(os.Getenv(deviceKey))
	if err != nil {
		t.Fatal(err)
	}
	home := os.Getenv(deviceHome)
	seen, err := pki.OpenMemory(filepath.Join(home, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	dir, begin := filepath.Join(home, "status"), time.Now()
	if url := os.Getenv(deviceURL); url != "" {
		c := Client{Dir: dir, Signers: pin(b), Memory: seen, Now: time.Now}
		f, err := c.Fetch(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("device: number %d by %d patches and %d octets in %v; peak memory %d MB\n", f.To, f.Steps, f.Octets, time.Since(begin), peak(t))
		return
	}
	s, err := status.Load(os.DirFS(dir), status.Options{Signers: pin(b), Memory: seen})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Lookup(status.Card{Ref: &lds.StatusReference{List: listURI, Index: 1}, Country: "VN", DocumentType: "ID"})
	if err != nil || a.Source == "" {
		t.Errorf("%+v, %v", a, err)
	}
	fmt.Printf("device: loaded and looked a card up in %v; peak memory %d MB\n", time.Since(begin), peak(t))
}

// peak is the most memory that this process had, in MB, 0 where the system does not tell.
func peak(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(b), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(line + " x")[0])
	if err != nil {
		t.Log(err)
	}
	return kb / 1000
}
