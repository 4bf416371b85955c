package lds

import "github.com/tamthe/tamthe/card/picture"

// Picture says what an image's own first octets declare, without decoding it: the coding,
// if it is one of those that a facial record names, and the size in pixels where it can be
// told, else 0. See package picture for more, and for decoding.
func Picture(img []byte) (c Coding, width, height int) {
	coding, width, height := picture.Sniff(img)
	switch coding {
	case picture.JPEG:
		return JPEG, width, height
	case picture.JPEG2000:
		return JPEG2000, width, height
	}
	return UnknownCoding, width, height
}
