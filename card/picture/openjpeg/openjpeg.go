// Package openjpeg decodes JPEG 2000 by opj_decompress, the program of the OpenJPEG project,
// in a process of its own: with no environment, no network, limits of memory, time and
// file size, and the image in a private folder that goes with it. On Linux only.
package openjpeg

import (
	"context"
	"fmt"
	"image"
	"os/exec"
	"time"

	"github.com/tamthe/tamthe/card/picture"
)

// program is what Debian's package libopenjp2-tools installs.
const program = "opj_decompress"

// What one image may cost. A portrait takes some 20 ms.
const (
	deadline   = 3 * time.Second
	cpuSeconds = 2
	memory     = 512 << 20 // octets of address space
	maxOutput  = picture.MaxPixels*4*2 + 1024
)

// Decode is a picture.Decoder. Without opj_decompress in the path, and elsewhere than on
// Linux, the error wraps picture.ErrNoDecoder; those of images that OpenJPEG doesn't decode
// within three seconds wrap picture.ErrPicture. The network is cut off where user
// namespaces are allowed; see Isolated.
func Decode(ctx context.Context, img []byte) (image.Image, error) {
	path, err := lookUp()
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	pnm, err := run(limited, path, img)
	switch {
	case err == nil:
		return decodePNM(pnm)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, fmt.Errorf("%w: OpenJPEG takes longer than %v", picture.ErrPicture, deadline)
	}
	return nil, err
}

// Available says whether Decode has a program to run; the error is Decode's.
func Available() error {
	_, err := lookUp()
	return err
}

func lookUp() (string, error) {
	if !supported {
		return "", fmt.Errorf("%w for JPEG 2000 on this system", picture.ErrNoDecoder)
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%w for JPEG 2000: %s is not installed", picture.ErrNoDecoder, program)
	}
	return path, nil
}
