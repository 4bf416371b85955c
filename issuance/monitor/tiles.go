package monitor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/verify/receipt"
)

const (
	tileShift = 8
	tileWidth = 1 << tileShift
	maxBundle = tileWidth * (1<<16 + 1)
)

// Published reads what `ledger export` wrote, or any log that publishes C2SP tlog-tiles:
// from a folder, or from an address that begins with http:// or https://. No answer may be
// larger or take longer than it can need, and none is taken from elsewhere: who sends one
// all the same is a *LieError.
func Published(place string, client *http.Client) Source {
	p := &published{place: strings.TrimSuffix(place, "/")}
	if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
		p.get = p.file
		return p
	}
	p.client = http.Client{Timeout: time.Minute, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, // what is packed small may be large
		ResponseHeaderTimeout: 20 * time.Second, MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
	}}
	if client != nil {
		p.client = *client
	}
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.get = p.fetch
	return p
}

type published struct {
	place  string
	client http.Client
	get    func(ctx context.Context, path string, most int64) ([]byte, error)
}

func (p *published) Name() string { return p.place }

func (p *published) Checkpoint(ctx context.Context) ([]byte, error) {
	b, err := p.get(ctx, "checkpoint", receipt.MaxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no checkpoint", ErrAway, p.place)
	}
	return b, err
}

// Leaves reads the bundles of leaves and the hashes over them side by side.
func (p *published) Leaves(ctx context.Context, size, from, to int64, each func(int64, []byte) error) error {
	for n := from / tileWidth; n*tileWidth < to; n++ {
		bundle, err := p.tile(ctx, "entries", n, size, maxBundle)
		if err != nil {
			return err
		}
		hashes, err := p.hashes(ctx, 0, n, size)
		if err != nil {
			return err
		}
		first := n * tileWidth
		rest := bundle
		for i := range hashes {
			var leaf []byte
			if leaf, rest = cutLeaf(rest); leaf == nil {
				return lie(Missing, first+int64(i), "bundle %d ends here", n).with(File{"bundle", bundle})
			}
			index := first + int64(i)
			if tlog.RecordHash(leaf) != hashes[i] {
				return lie(TileChanged, index, "the hash published of this entry is not the entry's").with(File{"bundle", bundle}, File{"leaf", leaf})
			}
			if index < from || index >= to {
				continue
			}
			if err := each(index, leaf); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *LieError) with(files ...File) *LieError {
	for _, f := range files {
		e.Files = append(e.Files, File{f.Name, bytes.Clone(f.Octets)})
	}
	return e
}

// cutLeaf takes the first leaf off a bundle; nil if there is none.
func cutLeaf(bundle []byte) (leaf, rest []byte) {
	if len(bundle) < 2 {
		return nil, nil
	}
	n := int(binary.BigEndian.Uint16(bundle))
	if len(bundle) < 2+n {
		return nil, nil
	}
	return bundle[2 : 2+n : 2+n], bundle[2+n:]
}

// Nodes reads hashes that stand at the levels of tiles.
func (p *published) Nodes(ctx context.Context, size int64, places []ledger.Node) ([]tlog.Hash, error) {
	var list, tile []tlog.Hash
	at := ledger.Node{Level: -1}
	for _, n := range places {
		which := ledger.Node{Level: n.Level, Index: n.Index / tileWidth}
		if which != at {
			var err error
			if tile, err = p.hashes(ctx, n.Level/tileShift, which.Index, size); err != nil {
				return nil, err
			}
			at = which
		}
		list = append(list, tile[n.Index%tileWidth])
	}
	return list, nil
}

// hashes reads a tile of hashes as a log of the size has it.
func (p *published) hashes(ctx context.Context, level int, n, size int64) ([]tlog.Hash, error) {
	width := min(size>>(level*tileShift)-n*tileWidth, tileWidth)
	b, err := p.tile(ctx, strconv.Itoa(level), n, size>>(level*tileShift), tileWidth*tlog.HashSize)
	if err != nil {
		return nil, err
	}
	if len(b)%tlog.HashSize != 0 || int64(len(b)) < width*tlog.HashSize {
		index := n * tileWidth << (level * tileShift)
		return nil, lie(TileChanged, index, "tile %d of level %d has %d octets", n, level, len(b)).with(File{"tile", b})
	}
	list := make([]tlog.Hash, width)
	for i := range list {
		list[i] = tlog.Hash(b[i*tlog.HashSize:])
	}
	return list, nil
}

// tile reads a tile or bundle. A partial one gives way to the full one once that is there.
func (p *published) tile(ctx context.Context, level string, n, total, most int64) ([]byte, error) {
	width := int(min(total-n*tileWidth, tileWidth)) % tileWidth
	b, err := p.get(ctx, ledger.TilePath(level, n, width), most)
	if errors.Is(err, fs.ErrNotExist) && width > 0 {
		b, err = p.get(ctx, ledger.TilePath(level, n, 0), most)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, lie(Missing, -1, "%s is not there", ledger.TilePath(level, n, width))
	}
	return b, err
}

func (p *published) file(_ context.Context, path string, most int64) ([]byte, error) {
	f, err := os.Open(filepath.Join(p.place, filepath.FromSlash(path)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	defer f.Close()
	return p.bounded(f, path, most)
}

func (p *published) fetch(ctx context.Context, path string, most int64) ([]byte, error) {
	in, err := http.NewRequestWithContext(ctx, http.MethodGet, p.place+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	out, err := p.client.Do(in)
	if err != nil {
		return nil, p.away(ctx, err)
	}
	defer out.Body.Close()
	switch s := out.StatusCode; {
	case s == http.StatusNotFound || s == http.StatusGone:
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	case s >= 300 && s < 400:
		return nil, lie(Misbehaves, -1, "%s is answered from elsewhere (status %d)", path, s)
	case s != http.StatusOK:
		return nil, fmt.Errorf("%w: %s: status %d", ErrAway, path, s)
	}
	b, err := p.bounded(out.Body, path, most)
	if err != nil {
		return nil, p.away(ctx, err)
	}
	return b, nil
}

// away tells a server that is not there from one that answers without end.
func (p *published) away(ctx context.Context, err error) error {
	if _, is := errors.AsType[*LieError](err); is || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

func (p *published) bounded(r io.Reader, path string, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrAway, path, err)
	}
	if int64(len(b)) > most {
		return nil, lie(Misbehaves, -1, "%s has more than the %d octets that it may have", path, most)
	}
	return b, nil
}
