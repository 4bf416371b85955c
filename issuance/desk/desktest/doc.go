// Package desktest has an issuing desk and a checkpoint work through a real PC/SC service
// with virtual readers. It is tests only: they need every layer at once, and one service
// for all of them.
package desktest
