package dist

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// state is what a device keeps of an address that it fetches from.
type state struct {
	URL        string    `json:"url"`
	List       string    `json:"list"`   // URI
	Number     uint64    `json:"number"` // of the newest head
	Snapshot   uint64    `json:"snapshot"`
	NextUpdate time.Time `json:"next_update"`
	ETag       string    `json:"etag,omitempty"`
	Modified   string    `json:"modified,omitempty"`
}

// shelf is where the files of one address lie in a device's folder of lists. Names of other
// files are never touched.
type shelf struct {
	dir, prefix string
}

// shelfOf names the files after the address, so that several lists lie side by side.
func shelfOf(dir, url string) shelf {
	sum := sha256.Sum256([]byte(url))
	return shelf{dir, "fetched-" + hex.EncodeToString(sum[:6])}
}

func (s shelf) path(suffix string) string { return filepath.Join(s.dir, s.prefix+suffix) }

// load reads the state; the zero one if there is none that can be used.
func (s shelf) load(url string) (st state) {
	b, err := pki.ReadFile(os.DirFS(s.dir), s.prefix+".json", 1<<16)
	if err != nil || json.Unmarshal(b, &st) != nil || st.URL != url {
		return state{URL: url}
	}
	return st
}

func (s shelf) save(st state) error {
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	return replace(s.dir, s.prefix+".json", append(b, '\n'))
}

func (s shelf) nameOf(number uint64) string { return s.prefix + "-" + nameOfSnapshot(number) }

func (s shelf) partOf(number uint64) string {
	return s.path(fmt.Sprintf("-%d.part", number))
}

// held is the newest snapshot that lies here and may be used; nil if there is none.
func (s shelf) held(signers status.Signers) (*status.List, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	newest := uint64(0)
	for _, f := range files {
		newest = max(newest, s.number(f.Name()))
	}
	if newest == 0 {
		return nil, nil
	}
	b, err := pki.ReadFile(os.DirFS(s.dir), s.nameOf(newest), status.MaxList)
	if err != nil {
		return nil, err
	}
	l, err := status.Parse(b, signers)
	if err != nil || l.Sort != status.Index {
		return nil, nil //nolint:nilerr // it is no use any more: the newest is fetched whole
	}
	return l, nil
}

var suffixed = regexp.MustCompile(`^-([1-9][0-9]{0,18})\.status$`)

// number is that of the snapshot in the file of this name; 0 if there is none of this shelf.
func (s shelf) number(name string) uint64 {
	rest, ours := strings.CutPrefix(name, s.prefix)
	if !ours {
		return 0
	}
	return numberIn(rest, suffixed, 1)
}

// install puts a snapshot into the place of those that lie here. It is there whole before any
// other goes.
func (s shelf) install(number uint64, octets []byte) error {
	if err := replace(s.dir, s.nameOf(number), octets); err != nil {
		return err
	}
	return s.sweep(number)
}

// sweep removes what is left of older snapshots and of downloads that nobody goes on with.
func (s shelf) sweep(newest uint64) error {
	files, err := os.ReadDir(s.dir)
	for _, f := range files {
		name := f.Name()
		if !strings.HasPrefix(name, s.prefix+"-") || name == s.nameOf(newest) {
			continue
		}
		err = errors.Join(err, os.Remove(filepath.Join(s.dir, name)))
	}
	return err
}
