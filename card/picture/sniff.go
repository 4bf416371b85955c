package picture

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"image/png"
	"math"
)

// Sniff says what an image's own first octets declare, without decoding it: the coding,
// and the size in pixels where it can be told, else 0.
func Sniff(img []byte) (c Coding, width, height int) {
	switch {
	case bytes.HasPrefix(img, []byte("\xFF\xD8\xFF")):
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(img)); err == nil {
			return JPEG, cfg.Width, cfg.Height
		}
		return JPEG, 0, 0
	case bytes.HasPrefix(img, []byte("\xFF\x4F\xFF\x51")):
		width, height = sizeCodestream(img)
		return JPEG2000, width, height
	case bytes.HasPrefix(img, []byte("\x00\x00\x00\x0CjP  \r\n\x87\n")):
		width, height = sizeJP2(img)
		return JPEG2000, width, height
	case bytes.HasPrefix(img, []byte("\xFF\xA0\xFF")):
		width, height = sizeWSQ(img)
		return WSQ, width, height
	case bytes.HasPrefix(img, []byte("\x89PNG\r\n\x1a\n")):
		if cfg, err := png.DecodeConfig(bytes.NewReader(img)); err == nil {
			return PNG, cfg.Width, cfg.Height
		}
		return PNG, 0, 0
	}
	return Unknown, 0, 0
}

// sizeCodestream is the image area of the SIZ marker segment (ISO/IEC 15444-1 §A.5.1).
func sizeCodestream(img []byte) (width, height int) {
	const xsiz, ysiz, xosiz, yosiz, end = 8, 12, 16, 20, 24
	if len(img) < end {
		return 0, 0
	}
	at := func(i int) uint32 { return binary.BigEndian.Uint32(img[i:]) }
	if at(xosiz) >= at(xsiz) || at(yosiz) >= at(ysiz) {
		return 0, 0
	}
	return pixels(at(xsiz) - at(xosiz)), pixels(at(ysiz) - at(yosiz))
}

// sizeJP2 is what the image header box in the header box says (ISO/IEC 15444-1 §I.5.3).
func sizeJP2(img []byte) (width, height int) {
	header, ok := box(img, "jp2h")
	if !ok {
		return 0, 0
	}
	info, ok := box(header, "ihdr")
	if !ok || len(info) < 8 {
		return 0, 0
	}
	return pixels(binary.BigEndian.Uint32(info[4:])), pixels(binary.BigEndian.Uint32(info))
}

// maxBoxes bounds the boxes that are passed over.
const maxBoxes = 64

// box finds the first box of the kind at the top level of b and returns its content.
func box(b []byte, kind string) ([]byte, bool) {
	for range maxBoxes {
		if len(b) < 8 {
			break
		}
		size, head := uint64(binary.BigEndian.Uint32(b)), 8
		switch {
		case size == 0: // to the end
			size = uint64(len(b))
		case size == 1 && len(b) >= 16:
			size, head = binary.BigEndian.Uint64(b[8:]), 16
		}
		if size < uint64(head) || size > uint64(len(b)) {
			break
		}
		if string(b[4:8]) == kind {
			return b[head:size], true
		}
		b = b[size:]
	}
	return nil, false
}

// pixels is n as an int of whatever size, at the most.
func pixels(n uint32) int { return int(min(n, math.MaxInt32)) }
