package durable

import "io/fs"

// ExportBy is Export on a file system that links so.
func ExportBy(path string, octets []byte, mode fs.FileMode, link func(from, to string) error) error {
	return create(path, octets, mode, func(from, to string) error { return linkOrMove(from, to, link) })
}
