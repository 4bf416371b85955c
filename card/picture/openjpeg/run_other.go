//go:build !linux

package openjpeg

import (
	"context"

	"github.com/tamthe/tamthe/card/picture"
)

const supported = false

// Isolated reports whether the process is kept from the network.
func Isolated(context.Context) bool { return false }

func run(context.Context, string, []byte) ([]byte, error) { return nil, picture.ErrNoDecoder }
