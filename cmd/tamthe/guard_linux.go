package main

import "syscall"

// prSetDumpable is PR_SET_DUMPABLE of prctl(2).
const prSetDumpable = 4

// noCores keeps this process, and those that it starts, from leaving memory in a core file.
func noCores() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }

// hideMemory keeps other programs of the same user from reading the process's memory, and
// the kernel from handing it to a program for core dumps. The kernel then also refuses it
// user namespaces for its children, so that it comes only where there is something to hide.
func hideMemory() error {
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetDumpable, 0, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
