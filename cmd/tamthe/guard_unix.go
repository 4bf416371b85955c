//go:build unix && !linux

package main

import "syscall"

// noCores keeps this process, and those that it starts, from leaving memory in a core file.
func noCores() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }

// hideMemory does what it does on Linux; here nothing does.
func hideMemory() error { return nil }
