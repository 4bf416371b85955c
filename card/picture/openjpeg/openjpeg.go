// Package openjpeg decodes JPEG 2000 by the program opj_decompress of the OpenJPEG project
// in a process of its own that has no network, little memory, a few seconds, and nothing
// but the image.
package openjpeg

import (
	"context"
	"image"

	"github.com/tamthe/tamthe/card/picture"
)

// Decode is a picture.Decoder.
func Decode(ctx context.Context, img []byte) (image.Image, error) {
	return nil, picture.ErrNoDecoder
}
