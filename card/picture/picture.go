// Package picture turns the images of chip documents into what people look at: JPEG, JPEG
// 2000, WSQ and PNG, each under caps. An image is attacker's data until Passive
// Authentication has passed: decode none before.
//
// There is no sound JPEG 2000 decoder in Go. Package picture/openjpeg runs OpenJPEG in a
// confined process; who wants that gives it as Options.JPEG2000.
package picture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
)

// Coding is how an image is coded.
type Coding uint8

// The codings that documents use (Doc 9303-10 §4.7.2 to §4.7.7), and PNG, which
// ISO/IEC 39794 allows.
const (
	Unknown Coding = iota
	JPEG
	JPEG2000
	WSQ
	PNG
)

// String is the coding's usual name, or unknown.
func (c Coding) String() string {
	switch c {
	case JPEG:
		return "JPEG"
	case JPEG2000:
		return "JPEG 2000"
	case WSQ:
		return "WSQ"
	case PNG:
		return "PNG"
	}
	return "unknown"
}

// The caps. What declares or holds more is not decoded at all.
const (
	MaxPixels = 4_000_000 // a portrait of 2,000 by 2,000
	MaxSide   = 8192
	MaxOctets = 4 << 20
)

var (
	// ErrPicture says that an image is of no kind that is decoded, is larger than what is
	// decoded, or is damaged.
	ErrPicture = errors.New("the image can't be shown")
	// ErrNoDecoder says that the image may be sound, but that this machine or this caller
	// has no decoder for its coding. It wraps ErrPicture.
	ErrNoDecoder = fmt.Errorf("%w: no decoder", ErrPicture)
)

// Decoder decodes one coding. It keeps no slice given to it.
type Decoder func(ctx context.Context, img []byte) (image.Image, error)

// Options say what decodes what this package does not. The zero value decodes JPEG, WSQ
// and PNG.
type Options struct {
	JPEG2000 Decoder // nil: ErrNoDecoder
}

// Decode decodes an image within the caps. Octets behind the image's end are passed over;
// cards are met with filler there. All errors but that of a ctx that ended wrap
// ErrPicture.
//
// JPEG and PNG take at most about a second, and the work is in proportion to
// MaxPixels whatever the image says.
func Decode(ctx context.Context, img []byte, o Options) (image.Image, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, w, h := Sniff(img)
	if err := sizes(c, len(img), w, h); err != nil {
		return nil, err
	}
	switch c {
	case JPEG:
		return decodeJPEG(img, w*h)
	case PNG:
		return wrap(c)(png.Decode(bytes.NewReader(img)))
	case WSQ:
		return wrap(c)(decodeWSQ(ctx, img))
	case JPEG2000:
		return decodeJPEG2000(ctx, img, o.JPEG2000)
	}
	return nil, fmt.Errorf("%w: unknown coding", ErrPicture)
}

// sizes holds what an image declares against the caps.
func sizes(c Coding, octets, w, h int) error {
	switch {
	case octets > MaxOctets:
		return fmt.Errorf("%w: %d octets", ErrPicture, octets)
	case w < 1 || h < 1:
		return fmt.Errorf("%w: %v without a size", ErrPicture, c)
	case w > MaxSide || h > MaxSide || w > MaxPixels/h:
		return fmt.Errorf("%w: %v of %d by %d pixels", ErrPicture, c, w, h)
	}
	return nil
}

// wrap puts ErrPicture and the coding before a decoder's error.
func wrap(c Coding) func(image.Image, error) (image.Image, error) {
	return func(img image.Image, err error) (image.Image, error) {
		switch {
		case err == nil:
			return img, nil
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return nil, err
		}
		return nil, fmt.Errorf("%w: %v: %w", ErrPicture, c, err)
	}
}

// maxWalks bounds the work that a progressive JPEG asks for, in pixels walked over: each
// scan may walk over the whole picture for a few octets of file. Encoders make about ten.
const (
	maxScans = 64
	maxWalks = 16 * MaxPixels
)

func decodeJPEG(img []byte, pixels int) (image.Image, error) {
	// No decoder meets more scans than there are such octets, in whatever segment.
	if scans := bytes.Count(img, []byte("\xFF\xDA")); scans > maxScans || scans > maxWalks/pixels {
		return nil, fmt.Errorf("%w: JPEG of %d scans over %d pixels", ErrPicture, scans, pixels)
	}
	return wrap(JPEG)(jpeg.Decode(bytes.NewReader(img)))
}

func decodeJPEG2000(ctx context.Context, img []byte, d Decoder) (image.Image, error) {
	if d == nil {
		return nil, fmt.Errorf("%w for JPEG 2000", ErrNoDecoder)
	}
	if err := checkCodestream(img); err != nil {
		return nil, fmt.Errorf("%w: JPEG 2000: %w", ErrPicture, err)
	}
	decoded, err := d(ctx, img)
	if errors.Is(err, ErrPicture) {
		return nil, err
	}
	return wrap(JPEG2000)(decoded, err)
}

// EncodePNG writes an image as PNG.
func EncodePNG(w io.Writer, img image.Image) error {
	return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(w, img)
}

// Grey makes an image of uncompressed samples of 8 bits, row by row, as records of fingers
// and irises may hold them. Errors wrap ErrPicture.
func Grey(samples []byte, width, height int) (image.Image, error) {
	if err := sizes(Unknown, len(samples), width, height); err != nil {
		return nil, err
	}
	if len(samples) != width*height {
		return nil, fmt.Errorf("%w: %d samples of %d by %d pixels", ErrPicture, len(samples), width, height)
	}
	img := image.NewGray(image.Rect(0, 0, width, height))
	copy(img.Pix, samples)
	return img, nil
}
