package lds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
)

// ErrPicture says that an image is not one of the two kinds that portraits come in, is
// larger than what is decoded, or is damaged.
var ErrPicture = errors.New("the image can't be shown")

// MaxPixels is the largest picture that DecodePicture decodes, in pixels: a portrait of
// 2,000 by 2,000. What declares more is not decoded at all.
const MaxPixels = 4_000_000

// Picture says what an image's own first octets declare, without decoding it: the coding,
// and the size in pixels where it can be told, else 0.
func Picture(img []byte) (c Coding, width, height int) {
	switch {
	case bytes.HasPrefix(img, []byte{0xFF, 0xD8, 0xFF}):
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(img)); err == nil {
			return JPEG, cfg.Width, cfg.Height
		}
		return JPEG, 0, 0
	case bytes.HasPrefix(img, []byte{0xFF, 0x4F, 0xFF, 0x51}):
		return JPEG2000, sizeJ2K(img, 0), sizeJ2K(img, 4)
	case bytes.HasPrefix(img, []byte("\x00\x00\x00\x0CjP  \r\n\x87\n")):
		if i := bytes.Index(img, []byte("ihdr")); i >= 0 && len(img) >= i+12 {
			return JPEG2000, int(binary.BigEndian.Uint32(img[i+8:])), int(binary.BigEndian.Uint32(img[i+4:]))
		}
		return JPEG2000, 0, 0
	}
	return UnknownCoding, 0, 0
}

// sizeJ2K is the image area of the SIZ marker, from Xsiz (at 0) or Ysiz (at 4).
func sizeJ2K(img []byte, at int) int {
	const xsiz, xosiz = 8, 16
	if len(img) < xosiz+8 {
		return 0
	}
	return int(binary.BigEndian.Uint32(img[xsiz+at:])) - int(binary.BigEndian.Uint32(img[xosiz+at:]))
}

// DecodePicture decodes a JPEG whose header declares at most MaxPixels. Whether the image
// may be trusted with a decoder is the caller's to know: after Passive Authentication.
// JPEG 2000 is not decoded here. Errors wrap ErrPicture.
func DecodePicture(img []byte) (image.Image, error) {
	c, w, h := Picture(img)
	if c != JPEG || w < 1 || h < 1 || w*h > MaxPixels {
		return nil, ErrPicture
	}
	decoded, err := jpeg.Decode(bytes.NewReader(img))
	if err != nil {
		return nil, errors.Join(ErrPicture, err)
	}
	return decoded, nil
}
