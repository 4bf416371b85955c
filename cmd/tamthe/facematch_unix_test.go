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

// An answer that does not end is not kept: the bound holds whatever way it comes in.
func TestFaceProgramAnswersShortly(t *testing.T) {
	face, err := drawPortrait(demoPortrait)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "talker")
	answer := "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' ' '\necho '{\"score\":1,\"threshold\":0.5}'\n"
	if err := os.WriteFile(script, []byte(answer), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := newFaceProgram(script, face)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.MatchFace(t.Context(), lds.Face{Image: face}); err == nil {
		t.Errorf("a megabyte of blanks, then %+v", s)
	}
}

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
