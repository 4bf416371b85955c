//go:build cgo && !nopcsc && (windows || darwin)

package pcsc

func libraryVersion() string { return "" }
