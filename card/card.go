// Package card opens chip documents and reads their files: a Session chooses the access
// protocol, selects the eMRTD application and reads each file in as few commands as the
// card allows.
//
// Access fails closed. A session never goes from PACE to BAC unless the caller has
// allowed it, and by itself uses BAC only on a card that has no EF.CardAccess.
package card

import (
	"errors"

	"github.com/tamthe/tamthe/card/auth"
)

var (
	// ErrWrongPassword and ErrBlocked are those of package auth; a *auth.PasswordError
	// has the tries left.
	ErrWrongPassword = auth.ErrWrongPassword
	ErrBlocked       = auth.ErrBlocked
	// ErrNoPassword says that no password was given, or none that the card takes.
	ErrNoPassword = errors.New("no password that opens this card was given")
	// ErrNoAccess says that no permitted protocol opens the card: PACE failed, or the
	// card offers none that we run, and BAC was not allowed.
	ErrNoAccess = errors.New("no permitted access protocol opens this card")
	// ErrNoApplication says that the card has no eMRTD application of the AID asked for.
	ErrNoApplication = errors.New("the card has no such application")
	// ErrFileAbsent says that the card answered, under its protection if there is one,
	// that it has no such file.
	ErrFileAbsent = errors.New("the card has no such file")
	// ErrFileEmpty says that the file is there and holds nothing.
	ErrFileEmpty = errors.New("the file is empty")
	// ErrFileTooLarge says that a file's own length is beyond what this package reads.
	ErrFileTooLarge = errors.New("the file is too large")
	// ErrFileBroken says that a file ends before its length, or begins with none, or
	// comes in pieces that never make it whole.
	ErrFileBroken = errors.New("the file can't be read to its end")
)
