package pki

import (
	"os"
	"syscall"
	"unsafe"
)

// populate is MADV_POPULATE_WRITE, of Linux 5.14.
const populate = 23

// prefault has the system put memory behind a fresh slice at once, page by page when it
// is first written to else: in a virtual machine that is dearer than the reading. It is a
// hint; where it is not known nothing happens.
func prefault(b []byte) []byte {
	page := os.Getpagesize()
	if len(b) < 4*page {
		return b
	}
	pad := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	_ = syscall.Madvise(b[pad:], populate)
	return b
}
