package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

// Published is a log that can be exported.
type Published interface {
	Checkpoint(ctx context.Context) (*Checkpoint, error)
	Cosigned() *Checkpoint
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	Consistency(ctx context.Context, older, newer int64) ([]tlog.Hash, error)
	Nodes(ctx context.Context, places []Node) ([]tlog.Hash, error)
}

// ErrExport means that a folder holds an export that the log does not continue, or
// something else than an export.
var ErrExport = errors.New("the folder is not an earlier export of this log")

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// Export writes the log into a folder as C2SP tlog-tiles has it: checkpoint, tiles of
// hashes, and bundles of leaves, to be served as they lie. A folder with an earlier
// export of this log gets what is new; the checkpoint comes last, so that a folder cut
// short is the earlier export. Nothing but leaves is published. It returns how many
// entries are new.
func Export(ctx context.Context, dir string, s Published) (added int64, err error) {
	c, err := s.Checkpoint(ctx)
	if err != nil {
		return 0, err
	}
	if w := s.Cosigned(); w != nil && w.Size == c.Size && w.Root == c.Root {
		c = w
	}
	from, err := exported(ctx, dir, s, c)
	if err != nil {
		return 0, err
	}
	x := &export{dir: dir, size: c.Size, next: from - from%tileWidth}
	if c.Size > from {
		err = s.Entries(ctx, x.next, x.entry)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	if x.next < c.Size && c.Size > from {
		return 0, fmt.Errorf("export the log: %d of %d entries are there", x.next, c.Size)
	}
	if err := x.flush(); err != nil {
		return 0, err
	}
	for level := 1; c.Size>>(level*tileHeight) > 0; level++ {
		if err := x.upper(ctx, s, level, from); err != nil {
			return 0, err
		}
	}
	if err := x.write("checkpoint", c.Note); err != nil {
		return 0, err
	}
	return c.Size - from, nil
}

// exported is the size of the export that lies in the folder, which the log must continue.
func exported(ctx context.Context, dir string, s Published, now *Checkpoint) (int64, error) {
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return 0, err
	}
	old, err := receipt.ParseCheckpoint(signed)
	if err != nil || old.Origin != now.Origin || old.Size > now.Size {
		return 0, fmt.Errorf("%s: %w", dir, ErrExport)
	}
	if old.Size == 0 {
		return 0, nil
	}
	proof, err := s.Consistency(ctx, old.Size, now.Size)
	if err != nil {
		return 0, err
	}
	if old.Size == now.Size && old.Root != now.Root ||
		old.Size < now.Size && tlog.CheckTree(proof, now.Size, now.Root, old.Size, old.Root) != nil {
		return 0, fmt.Errorf("%s: %w", dir, ErrExport)
	}
	return old.Size, nil
}

// errEnough ends the reading of entries that came after the checkpoint.
var errEnough = errors.New("enough")

// export writes one tile of leaves and one bundle at a time.
type export struct {
	dir            string
	size, next     int64
	hashes, bundle bytes.Buffer
}

func (x *export) entry(index int64, leaf, _ []byte) error {
	if index >= x.size {
		return errEnough
	}
	if index != x.next || len(leaf) > 1<<16-1 {
		return fmt.Errorf("export the log: entry %d comes where %d should", index, x.next)
	}
	hash := tlog.RecordHash(leaf)
	x.hashes.Write(hash[:])
	var length [2]byte
	binary.BigEndian.PutUint16(length[:], uint16(len(leaf)))
	x.bundle.Write(length[:])
	x.bundle.Write(leaf)
	if x.next++; x.next%tileWidth == 0 {
		return x.flush()
	}
	return nil
}

// flush writes the tile and the bundle that the last entries are in.
func (x *export) flush() error {
	width := x.hashes.Len() / tlog.HashSize
	if width == 0 {
		return nil
	}
	n := (x.next - 1) / tileWidth
	err := errors.Join(
		x.tile("0", n, width, x.hashes.Bytes()),
		x.tile("entries", n, width, x.bundle.Bytes()),
	)
	x.hashes.Reset()
	x.bundle.Reset()
	return err
}

// upper writes the tiles of a level above the leaves that changed since an export.
func (x *export) upper(ctx context.Context, s Published, level int, from int64) error {
	shift := level * tileHeight
	total := x.size >> shift
	for n := from >> shift / tileWidth; n*tileWidth < total; n++ {
		width := int(min(total-n*tileWidth, tileWidth))
		places := make([]Node, width)
		for i := range places {
			places[i] = Node{shift, n*tileWidth + int64(i)}
		}
		hashes, err := s.Nodes(ctx, places)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		for _, h := range hashes {
			b.Write(h[:])
		}
		if err := x.tile(strconv.Itoa(level), n, width, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// tile writes a tile; one that became full takes the place of its partial ones.
func (x *export) tile(level string, n int64, width int, octets []byte) error {
	path := TilePath(level, n, 0)
	if width < tileWidth {
		return x.write(TilePath(level, n, width), octets)
	}
	if err := x.write(path, octets); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(x.dir, filepath.FromSlash(path+".p")))
}

func (x *export) write(name string, octets []byte) error {
	path := filepath.Join(x.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	beside := path + ".new"
	err := os.WriteFile(beside, octets, 0o644)
	if err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
		return fmt.Errorf("export the log: %w", err)
	}
	return nil
}

// TilePath is the path of a tile of a level, or of a bundle where level is "entries", as
// C2SP tlog-tiles writes it; width 0 is a full one.
func TilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = "tile/" + level + "/" + path
	if width > 0 {
		path += ".p/" + strconv.Itoa(width)
	}
	return path
}
