//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/lds"
)

// A program that never answers is given up, and so are portraits that can't be decoded.
func TestFaceProgramIsBounded(t *testing.T) {
	face, err := drawPortrait(demoPortrait)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "sleeper")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := newFaceProgram(script, face)
	if err != nil {
		t.Fatal(err)
	}
	f.deadline = 100 * time.Millisecond
	if s, err := f.MatchFace(t.Context(), lds.Face{Image: face}); err == nil || !strings.Contains(err.Error(), "takes longer") {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := f.MatchFace(t.Context(), lds.Face{Image: []byte("no image")}); err == nil {
		t.Errorf("%+v", s)
	}
	if _, err := newFaceProgram(script, []byte("no image")); err == nil {
		t.Error("a live picture that is none")
	}
}
