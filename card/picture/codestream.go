package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// The caps of a JPEG 2000 codestream, far above a portrait's.
const (
	maxComponents = 4
	maxTiles      = 1024
	maxDepth      = 16 // bits a sample
)

// checkCodestream holds a codestream's own header (SIZ, ISO/IEC 15444-1 §A.5.1), wherever
// it lies, against the caps, before any decoder sees it.
func checkCodestream(img []byte) error {
	stream := img
	if !bytes.HasPrefix(img, []byte("\xFF\x4F\xFF\x51")) {
		var ok bool
		if stream, ok = box(img, "jp2c"); !ok || !bytes.HasPrefix(stream, []byte("\xFF\x4F\xFF\x51")) {
			return errors.New("no codestream")
		}
	}
	const head = 42
	if len(stream) < head {
		return errors.New("codestream cut short")
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint32(stream[i:])) }
	w, h := sizeCodestream(stream)
	if err := sizes(JPEG2000, len(img), w, h); err != nil {
		return err
	}
	// The grid's own size, whose origin may lie elsewhere, and that of tiles.
	tw, th, tx, ty := at(24), at(28), at(32), at(36)
	if tw == 0 || th == 0 || tx > at(16) || ty > at(20) || tx+tw <= at(16) || ty+th <= at(20) {
		return errors.New("tiles beside the image")
	}
	across, down := (at(8)-tx+tw-1)/tw, (at(12)-ty+th-1)/th
	if across > maxTiles || down > maxTiles || across*down > maxTiles {
		return fmt.Errorf("%d by %d tiles", across, down)
	}
	n := int(binary.BigEndian.Uint16(stream[40:]))
	if n < 1 || n > maxComponents || len(stream) < head+3*n {
		return fmt.Errorf("%d components", n)
	}
	for i := range n {
		c := stream[head+3*i:]
		if depth := int(c[0]&0x7F) + 1; depth > maxDepth || c[1] == 0 || c[2] == 0 {
			return fmt.Errorf("component of %d bits, every %d by %d", depth, c[1], c[2])
		}
	}
	return nil
}
