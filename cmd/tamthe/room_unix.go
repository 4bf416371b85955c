//go:build linux || darwin

package main

import "syscall"

// room is how many octets are left for us on the disk of a folder; false where the system
// does not tell.
func room(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
