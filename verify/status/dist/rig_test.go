package dist

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

const listURI = "urn:tamthe:test:status:1"

// issuer signs and publishes a list whose cards change from one publication to the next.
type issuer struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	dir    string
	uri    string
	number uint64
	now    time.Time
	gone   uint32 // cards 0 to gone are revoked
	pub    Publisher
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{t: t, dir: t.TempDir(), uri: listURI, now: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)}
	var err error
	if i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	i.pub = Publisher{Dir: i.dir, Signers: i, Snapshot: i.snapshot, Head: i.head}
	return i
}

// Issuer pins the issuer's key.
func (i *issuer) Issuer(country, document string) (pki.Issuer, bool) {
	spki, err := cert.MarshalPublicKey(i.key.Public(), false)
	return pki.Issuer{Country: country, Documents: []string{document}, StatusKeys: [][32]byte{sha256.Sum256(spki)}}, err == nil
}

func (i *issuer) header() status.Header {
	i.number++
	return status.Header{
		Country: "VN", Documents: []string{"I"}, URI: i.uri, Sequence: i.number, Signed: i.now, NextUpdate: i.now.Add(24 * time.Hour),
	}
}

// cards of the test's lists, so many that a patch is much smaller than the list.
const cards = 5000

func (i *issuer) snapshot() ([]byte, error) {
	rows := &status.Rows{}
	for v := range uint32(cards) {
		s := status.Active
		if v < i.gone {
			s = status.Revoked
		}
		if err := rows.Add(v*3, s); err != nil {
			return nil, err
		}
	}
	d, err := status.PrepareIndexRows(i.header(), i.key.Public(), rows)
	if err != nil {
		return nil, err
	}
	return d.Sign(i.key)
}

func (i *issuer) head(l *status.List, size uint64, steps []status.Step) ([]byte, error) {
	d, err := status.PrepareHead(i.header(), i.key.Public(), l, size, steps)
	if err != nil {
		return nil, err
	}
	return d.Sign(i.key)
}

// publish revokes another card, an hour later.
func (i *issuer) publish() *Published {
	i.t.Helper()
	i.gone, i.now = i.gone+1, i.now.Add(time.Hour)
	p, err := i.pub.Publish()
	if err != nil {
		i.t.Fatal(err)
	}
	return p
}

// device fetches into a folder of its own.
type device struct {
	Client
	t testing.TB
}

func (i *issuer) device() *device {
	i.t.Helper()
	m, err := pki.OpenMemory(filepath.Join(i.t.TempDir(), "seen"))
	if err != nil {
		i.t.Fatal(err)
	}
	return &device{Client{Dir: filepath.Join(i.t.TempDir(), "status"), Signers: i, Memory: m, Now: func() time.Time { return i.now }}, i.t}
}

func (d *device) fetch(url string) *Fetched {
	d.t.Helper()
	f, err := d.Fetch(d.t.Context(), url)
	if err != nil {
		d.t.Fatal(err)
	}
	return f
}

// knows wants the folder to say that so many cards are revoked, and no more.
func (d *device) knows(gone uint32) {
	d.t.Helper()
	s, err := status.Load(os.DirFS(d.Dir), status.Options{Signers: d.Signers, Memory: d.Memory})
	if err != nil {
		d.t.Fatal(err)
	}
	for v, want := range map[uint32]status.State{(gone - 1) * 3: status.Revoked, gone * 3: status.Active, 1: status.Unknown} {
		a, err := s.Lookup(status.Card{Ref: &lds.StatusReference{List: listURI, Index: v}, Country: "VN", DocumentType: "ID"})
		if err != nil || a.State != want {
			d.t.Errorf("card %d: %s, %v, want %s", v, a.State, err, want)
		}
	}
}

// files are what lies in the folder, but for the state.
func (d *device) files() (names []string) {
	d.t.Helper()
	list, err := os.ReadDir(d.Dir)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range list {
		if _, rest, _ := strings.Cut(f.Name(), "-"); strings.Contains(rest, "-") || !strings.HasPrefix(f.Name(), "fetched-") {
			names = append(names, f.Name())
		}
	}
	return names
}

func (i *issuer) serve(h http.Handler) string {
	i.t.Helper()
	s := httptest.NewServer(h)
	i.t.Cleanup(s.Close)
	return s.URL + "/lists"
}

// under is the published folder at a path, as it is served.
func (i *issuer) under() http.Handler { return http.StripPrefix("/lists", Handler(i.dir)) }

func names(t testing.TB, dir string) (list []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		list = append(list, f.Name())
	}
	slices.Sort(list)
	return list
}
