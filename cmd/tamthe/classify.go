package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

// classes tell what an error means to whoever runs the program: its stable code, the exit
// status, and what to do next. The first that fits counts.
var classes = []struct {
	err  error
	code string
	exit int
	hint string
}{
	{errInterrupted, "interrupted", exitInterrupted, ""},
	{context.Canceled, "interrupted", exitInterrupted, ""},

	{pcsc.ErrUnavailable, "no-pcsc", exitReader, "this build has no PC/SC; build it with cgo and without the tag nopcsc"},
	{pcsc.ErrNoService, "no-service", exitReader, "start the PC/SC service, for instance with `sudo systemctl start pcscd.socket`, then run `tamthe doctor`"},
	{pcsc.ErrNoReader, "no-reader", exitReader, "plug in a reader; `tamthe readers` lists what is there"},
	{pcsc.ErrNoCard, "no-card", exitCard, "put the card into the reader"},
	{pcsc.ErrUnresponsive, "card-mute", exitCard, "turn the card over, clean its contacts, or lay it flat on the reader"},
	{pcsc.ErrBusy, "card-busy", exitReader, "close the other program that uses the card"},
	{apdu.ErrRemoved, "card-removed", exitCard, "put the card back and run the command again"},
	{apdu.ErrReset, "card-reset", exitCard, "another program reset the card; close it and run the command again"},
	{apdu.ErrTimeout, "card-silent", exitCard, "the card stopped answering; take it out, put it back and run the command again"},
	{apdu.ErrAbandoned, "card-silent", exitCard, "take the card out, put it back and run the command again"},

	{auth.ErrBlocked, "blocked", exitBlocked, "the card no longer takes this password"},
	{auth.ErrWrongPassword, "wrong-password", exitPassword, "check the CAN or MRZ against what is printed on the card"},
	{card.ErrNoPassword, "no-password", exitPassword, "give the MRZ with --mrz-file or the CAN with --can-file"},
	{card.ErrNoAccess, "no-access", exitRefused, "the card offers PACE and did not come to it; --allow-bac permits the older protocol"},
	{card.ErrNoApplication, "no-application", exitRefused, "this is no eMRTD, or a card that was never personalised"},

	{issuance.ErrFourEyes, "four-eyes", exitRule, "somebody else has to do this"},
	{issuance.ErrRole, "role", exitRule, "an operator with that role has to do this"},
	{issuance.ErrOperator, "operator", exitRule, "`tamthe operator list` lists the operators"},
	{issuance.ErrChanged, "changed", exitRule, "what is stored is not what was approved; look into `tamthe ledger verify`, then enrol again"},
	{issuance.ErrLink, "state", exitRule, "`tamthe card show` tells where the card stands"},
	{issuance.ErrConflict, "conflict", exitConflict, "run the command again"},
	{perso.ErrKeys, "chip-keys", exitRule, "take a blank chip of a batch whose transport keys are known"},
	{perso.ErrUsed, "chip-used", exitRule, "this chip belongs to another card; take a blank one"},
	{perso.ErrInUse, "chip-used", exitRule, "this is a finished card; take a blank chip"},
	{perso.ErrChipKey, "chip-key", exitRule, "the card must be spoiled; take a new chip"},
	{desk.ErrUnknown, "unknown", exitError, "`tamthe card list` lists the cards"},
	{desk.ErrNoCSCA, "no-csca", exitRule, "make one with `tamthe pki csca`"},
	{desk.ErrNoSigner, "no-signer", exitRule, "make a document signer with `tamthe pki ds`"},
	{desk.ErrProfile, "profile", exitError, "the desk makes cards of the profile " + desk.Profile},
	{desk.ErrPortrait, "portrait", exitError, "give a JPEG of 200 by 200 to 2,000 by 2,000 pixels and at most 60,000 octets"},

	{sqlite.ErrMissing, "no-ledger", exitError, "`tamthe init` makes one; TAMTHE_HOME and TAMTHE_LEDGER say where"},
	{sqlite.ErrNewer, "ledger-newer", exitError, "update tamthe"},
	{sqlite.ErrNotOurs, "ledger-foreign", exitError, "TAMTHE_LEDGER must name a tamthe ledger"},
	{sqlite.ErrRolledBack, "ledger-rolled-back", exitConflict, "the file is older than its last checkpoint: put the newest one back; `tamthe ledger verify` says more"},
	{sqlite.ErrReadOnly, "ledger-read-only", exitError, "make the ledger file and its folder writable"},
	{sqlite.ErrFull, "disk-full", exitError, "make room on the disk and run the command again; nothing was written"},
	{sqlite.ErrBusy, "ledger-busy", exitConflict, "another program writes to the ledger; run the command again"},
	{sqlite.ErrDamaged, "ledger-damaged", exitError, "`tamthe ledger verify` names the place"},

	{keystore.ErrPassphrase, "passphrase", exitError, "the passphrase is wrong"},
	{keystore.ErrPermissions, "key-permissions", exitError, "chmod 600 the key file"},
	{keystore.ErrMissing, "no-key", exitError, "`tamthe operator list` lists the operators; `tamthe pki csca` and `tamthe pki ds` make the authority's keys"},
	{virtual.ErrLocked, "chip-locked", exitError, "another program has the chip's file open"},
	{virtual.ErrNotChip, "not-a-chip", exitError, "--chip names a file that `tamthe virtual` made"},
}

// classify finds what to say of an error.
func classify(err error) failure {
	f := failure{Code: "error", Exit: exitError, Message: err.Error()}
	var usage usageError
	var ambiguous *pcsc.AmbiguousError
	var transition *issuance.TransitionError
	var duplicate *issuance.DuplicateError
	var wrongChip *perso.WrongChipError
	var refused *desk.RefusedError
	switch {
	case errors.As(err, &usage):
		f.Code, f.Exit, f.Hint = "usage", exitUsage, "`tamthe --help` and `tamthe VERB --help` explain"
	case errors.As(err, &ambiguous):
		f.Code, f.Exit, f.Hint = "readers", exitReader, "choose one with --reader TEXT or TAMTHE_READER"
	case errors.As(err, &transition):
		f.Code, f.Exit = "state", exitRule
	case errors.As(err, &duplicate):
		f.Code, f.Exit, f.Hint = "duplicate", exitRule, duplicateHint(duplicate)
	case errors.As(err, &wrongChip):
		f.Code, f.Exit, f.Hint = "wrong-chip", exitRule, "put in the chip that was begun"
	case errors.As(err, &refused):
		f.Code, f.Exit, f.Hint = "refused", exitRefused, "do not hand the card out"
	case errors.Is(err, fs.ErrExist):
		f.Code, f.Hint = "exists", "nothing was overwritten"
	default:
		for _, c := range classes {
			if errors.Is(err, c.err) {
				f.Code, f.Exit, f.Hint = c.code, c.exit, c.hint
				break
			}
		}
	}
	var h hintError
	if errors.As(err, &h) {
		f.Hint = h.hint
	}
	var password *auth.PasswordError
	if errors.As(err, &password) {
		if n, ok := password.TriesLeft(); ok {
			f.TriesLeft = &n
		}
	}
	return f
}

func duplicateHint(d *issuance.DuplicateError) string {
	switch d.Claim.Kind {
	case issuance.HoldApplication:
		return "this person has an application open; finish or cancel it first"
	case issuance.HoldCard:
		return "this person has a card in force; `tamthe card replace` replaces it"
	case issuance.HoldName:
		return "choose another name"
	}
	return "take another chip"
}
