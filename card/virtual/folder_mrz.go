package virtual

import (
	"errors"

	"github.com/tamthe/tamthe/card/dh"
)

func mrzOf(dg1 []byte) (string, error)  { return "", errors.New("todo") }
func activeCurve(dg15 []byte) *dh.Curve { return nil }
