//go:build !unix

package pgtest

import "os/exec"

func give(string) error { return errNone }

func asServer(*exec.Cmd, string) {}
