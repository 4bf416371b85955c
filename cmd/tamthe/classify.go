package main

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/pcsc"
	"github.com/tamthe/tamthe/apdu/relay"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/profile"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
	"github.com/tamthe/tamthe/issuance/ceremony"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/intake"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/keystore/pkcs11"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/osia/cms"
	"github.com/tamthe/tamthe/issuance/outbox"
	"github.com/tamthe/tamthe/issuance/perso"
	"github.com/tamthe/tamthe/issuance/population"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/issuance/signing"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/issuance/witness"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/credential"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/receipt"
	"github.com/tamthe/tamthe/verify/status"
	"github.com/tamthe/tamthe/verify/status/dist"
)

// class is what an error means to whoever runs the program: its stable code, the exit
// status, and what to do next.
type class struct {
	err  error
	code string
	exit int
	hint string
}

// classes are looked through in this order; the first that fits counts.
var classes = []class{
	{context.Canceled, "interrupted", exitInterrupted, ""},
	{errNoPrompt, "no-prompt", exitUsage, "give the secret in a file: see --help; - is standard input"},

	{pcsc.ErrUnavailable, "no-pcsc", exitReader, "this build has no PC/SC; build it with cgo and without the tag nopcsc"},
	{pcsc.ErrNoService, "no-service", exitReader, "start the PC/SC service, for instance with `sudo systemctl start pcscd.socket`, then run `tamthe doctor`"},
	{pcsc.ErrDenied, "denied", exitReader, "the PC/SC service lets only some users in (polkit): run on the desktop's own session, or ask the administrator"},
	{pcsc.ErrNoReader, "no-reader", exitReader, "plug in a reader; `tamthe readers` lists what is there"},
	{pcsc.ErrNoCard, "no-card", exitCard, "put the card into the reader, or onto it"},
	{pcsc.ErrUnresponsive, "card-mute", exitCard, "turn the card over, clean its contacts, or lay it flat on the reader"},
	{pcsc.ErrBusy, "card-busy", exitReader, "close the other program that uses the card"},
	{apdu.ErrRemoved, "card-removed", exitCard, "put the card back and run the command again"},
	{apdu.ErrReset, "card-reset", exitCard, "another program reset the card; close it and run the command again"},
	{apdu.ErrTimeout, "card-silent", exitCard, "the card stopped answering; take it out, put it back and run the command again"},
	{apdu.ErrAbandoned, "card-silent", exitCard, "take the card out, put it back and run the command again"},

	{auth.ErrBlocked, "blocked", exitBlocked, "the card no longer takes this password"},
	{auth.ErrWrongPassword, "wrong-password", exitPassword, "check the CAN or MRZ against what is printed on the card"},
	{card.ErrNoPassword, "no-password", exitPassword, "this card takes another one: give its MRZ with --mrz-file, or its CAN with --can-file"},
	{card.ErrNoAccess, "no-access", exitError, "try again with the card lying still; a chip that was never personalised does not open; --allow-bac permits the older protocol where the newer one fails"},
	{card.ErrNoApplication, "no-application", exitError, "this is no eMRTD, or a card that was never personalised"},
	{auth.ErrProtocol, "card-protocol", exitError, "try again; if it stays so, the chip is broken or no genuine one"},
	{gp.ErrProtection, "chip-channel", exitError, "something between here and the chip changed what was sent: look at reader and cable, then run the command again"},
	{gp.ErrAnswer, "card-protocol", exitError, "try again; if it stays so, take another chip"},

	{signing.ErrNotApproved, "not-approved", exitRule, "`tamthe card show` tells where the card stands"},
	{signing.ErrEvidence, "chip-unproven", exitRule, "the chip did not prove that it made its keys: look at reader and cable, give the card up and take another chip"},
	{signing.ErrStaleCRL, "crl-stale", exitRule, "sign a new list with `tamthe pki crl`; nothing was signed"},
	{signing.ErrLog, "log-other", exitConflict, "stop: the signing service knows another ledger than this; `tamthe ledger verify` says more"},
	{signing.ErrLost, "sod-lost", exitRule, "give this card up with `tamthe card revoke`, then personalise on a new chip"},
	{signing.ErrPeer, "signer-other", exitError, "compare the certificates under [signer] in config.toml with those of the signing service"},
	{signing.ErrFailed, "signer-failed", exitError, "run the command again; the signing service's own log says more"},
	{signing.ErrRequest, "signer-request", exitError, "update this tamthe and the signing service to one version"},

	{issuance.ErrFourEyes, "four-eyes", exitRule, "somebody else has to do this, or to sign it too: --second names a second operator with the role"},
	{issuance.ErrWord, "word", exitUsage, ""},
	{issuance.ErrCap, "cap", exitRule, "make another document signer with `tamthe pki ds`"},
	{issuance.ErrRole, "role", exitRule, "an operator with that role has to do this; `tamthe operator list` shows the roles"},
	{issuance.ErrOperator, "operator", exitRule, "`tamthe operator list` lists the operators"},
	{issuance.ErrChanged, "changed", exitRule, "what is there is not what was approved: do not go on; `tamthe ledger verify` says whether the ledger was changed"},
	{issuance.ErrLink, "state", exitRule, "`tamthe card show` tells where the card stands"},
	{issuance.ErrConflict, "conflict", exitConflict, "somebody else was faster; look at what changed, then run the command again"},
	{perso.ErrKeys, "chip-keys", exitRule, "take a blank chip of a batch whose transport keys are known"},
	{perso.ErrUsed, "chip-used", exitRule, "this chip belongs to another card; take a blank one"},
	{perso.ErrInUse, "chip-used", exitRule, "this is a finished card; take a blank chip"},
	{perso.ErrGiveUp, "given-up", exitRule, "give this card up with `tamthe card revoke`, then personalise on a new chip"},
	{perso.ErrTestCard, "test-card", exitRule, ""},
	{perso.ErrWeakKey, "chip-key", exitRule, "give this card up with `tamthe card revoke`, then personalise on a new chip"},
	{perso.ErrChipKey, "chip-key", exitRule, "give this card up with `tamthe card revoke`, then personalise on a new chip"},
	{desk.ErrChild, "child", exitRule, "record it with --proxy and a second clerk, --second"},
	{desk.ErrOldNumber, "old-number", exitRule, "correct the number in the person's file: the person has another one by now"},
	{desk.ErrUnknown, "unknown", exitError, "look at the spelling; `tamthe card list` lists the cards"},
	{errNoConsent, "no-consent", exitRefused, ""},
	{auth.ErrForeignCommand, "over-reached", exitRefused, "the service wanted more of the card than was agreed, and was stopped; tell the portal"},
	{credential.ErrService, "credential-service", exitError, "look at the address; does the service issue credentials (serve eid --credentials)?"},
	{errNoStatus, "no-card-status", exitError, ""},
	{eid.ErrService, "eid-service", exitError, "look at the address, then try again"},
	{intake.ErrUnknown, "intake-unknown", exitError, "look at the spelling; `tamthe intake list --all` lists the cases"},
	{intake.ErrWaiting, "intake-waiting", exitRule, "the portal has yet to send it"},
	{desk.ErrOtherPerson, "field", exitError, "correct the file: its number is that of the case"},
	{intake.ErrClosed, "intake-closed", exitRule, "`tamthe intake show` tells how the case stands"},
	{intake.ErrTaken, "intake-taken", exitRule, "that officer goes on with it, or refuses it"},
	{intake.ErrConflict, "conflict", exitConflict, "run the command again"},
	{intake.ErrKey, "algorithm", exitUsage, "make the portal's key with `openssl genpkey -algorithm ed25519`"},
	{desk.ErrPeriod, "period", exitRule, "publish it on the day after"},
	{desk.ErrWhole, "whole-months", exitUsage, "begin with the first day of a month and end with the last of one"},
	{desk.ErrUnconfirmed, "unconfirmed", exitRule, "ask the register of the population with `tamthe register ask`; what differs is accepted by an approver, changed or refused"},
	{desk.ErrUnsearched, "unsearched", exitRule, "ask the biometric register with `tamthe application abis ask`; whom it finds, another person decides on: `tamthe application abis decide`"},
	{desk.ErrAwaited, "abis-awaited", exitRefer, "the application waits: run `tamthe application abis ask` again later"},
	{desk.ErrNoBiometric, "no-abis", exitError, "name one under [abis] in config.toml; see `tamthe serve abis --help`"},
	{abis.ErrUnavailable, "abis-down", exitError, "the application waits: run `tamthe application abis ask --all` when the biometric register is back"},
	{abis.ErrAnswer, "abis-answer", exitError, "the biometric register, or something before it, answers wrongly: tell who runs it; the application waits"},
	{cms.ErrUnknown, "order-unknown", exitError, "`tamthe order list --all` lists the orders, `tamthe intake list --all` the cases"},
	{cms.ErrClosed, "order-closed", exitRule, "`tamthe order list --all` tells how it stands"},
	{abis.ErrConflict, "conflict", exitConflict, "run the command again"},
	{desk.ErrNoRegister, "no-register", exitError, "name one under [register] in config.toml; see `tamthe serve register --help`"},
	{population.ErrUnavailable, "register-down", exitError, "the application waits: run `tamthe register ask --all` when the register is back"},
	{population.ErrAnswer, "register-answer", exitError, "the register, or something before it, answers wrongly: tell who runs it; the application waits"},
	{population.ErrQuery, "register-query", exitError, "look at [office] name in config.toml and at the operator's name"},
	{desk.ErrNoCSCA, "no-csca", exitRule, "make one with `tamthe pki csca`"},
	{desk.ErrNotice, "notice", exitRule, "run the command again when the notice is over; where the present key was lost, --urgent says so"},
	{desk.ErrNoLink, "no-link", exitRule, "`tamthe pki status` shows the CSCA's keys"},
	{desk.ErrNoListSigner, "no-list-signer", exitRule, "make one with --signer"},
	{desk.ErrNoCVCA, "no-cvca", exitRule, "make one with `tamthe pki cvca`, a document verifier with `tamthe pki dv`"},
	{desk.ErrUnregistered, "unregistered", exitRule, "the holder brings the first request in person: --register"},
	{desk.ErrCSCA, "csca", exitUsage, "revoke a CSCA alone, not with others"},
	{errCRLAlarm, "crl-alarm", exitRefused, "issue the next list with `tamthe pki crl`"},
	{ca.ErrPeriod, "key-period", exitRule, "`tamthe pki status` shows until when keys sign"},
	{ca.ErrReference, "cv-reference", exitRule, "the request has to name holder and authority as they are registered"},
	{ca.ErrRights, "cv-rights", exitRule, "ask for less: rights and role are the issuer's at most"},
	{ca.ErrValidity, "cv-validity", exitRule, "choose other --days or --months; if the issuer's certificate ends, renew that first"},
	{ca.ErrOuter, "cv-outer", exitRule, "the request has to be countersigned with the holder's key before"},
	{ca.ErrKey, "key", exitRule, "make another key"},
	{ceremony.ErrCustodian, "custodian", exitRule, "the ceremony begins again when all custodians are there"},
	{ceremony.ErrAnswer, "ceremony-answer", exitRule, "find out what is wrong before the ceremony begins again"},
	{ceremony.ErrTranscript, "transcript", exitError, "take another copy of the file"},
	{desk.ErrNoSigner, "no-signer", exitRule, "make a document signer with `tamthe pki ds`"},
	{desk.ErrNoService, "no-signing-service", exitRule, "make one with `tamthe operator add signer --service`, or name one under [signer] in config.toml"},
	{desk.ErrForm, "approval-form", exitRule, "withdraw the application with `tamthe cancel` and enrol it again"},
	{desk.ErrNoStock, "no-stock", exitRule, "take blank cards in with `tamthe stock receive`; `tamthe stock list` shows where some are"},
	{desk.ErrNotCounted, "not-counted", exitRule, "count the batch with `tamthe stock count`"},
	{issuance.ErrGap, "gap", exitRule, "count again; `tamthe stock reconcile` names the blanks; `tamthe stock spoil --reason missing` says that they are gone"},
	{desk.ErrNumbers, "usage", exitUsage, "one number or range N-M a line"},
	{vault.ErrOfficeKey, "office-key", exitRule, "an earlier version sealed them so: they go when the key of the office goes"},
	{desk.ErrListFull, "list-full", exitError, "begin another status list: this one has as many cards as it can take"},
	{desk.ErrProfile, "profile", exitError, "the desk makes cards of the profile " + desk.Profile},
	{profile.ErrUnknown, "profile", exitError, "the desk makes cards of the profile " + desk.Profile},
	{desk.ErrPortrait, "portrait", exitError, "give a JPEG of 200 by 200 to 2,000 by 2,000 pixels and at most 60,000 octets"},
	{desk.ErrFingers, "fingers", exitError, "give a whole DG3 with a finger in it, of at most 30,000 octets"},
	{perso.ErrUnlogged, "unlogged", exitRule, "see whether desk and centre use the same ledger"},
	{perso.ErrCentre, "centre", exitError, "see what the centre says; the same chip can be gone on with"},

	{errApart, "apart", exitRule, "carry what `tamthe desk export` writes to the office, and bring back the receipt for `tamthe desk ack`"},
	{errInvitation, "invitation", exitError, "ask the office for the passphrase, or for another invitation"},
	{errNotApart, "not-apart", exitError, "see `tamthe desk ack --help`"},
	{ledger.ErrBehind, "behind", exitError, "write the whole ledger with `tamthe desk export --all`"},
	{desk.ErrLeftover, "leftover", exitError, "run `tamthe vault sweep`"},
	{vault.ErrShredded, "shredded", exitRule, "what was destroyed cannot be had back"},
	{errExpired, "expired", exitError, "take a newer copy"},

	{desk.ErrOtherOfficer, "other-officer", exitRule, "whoever took it in runs `tamthe desk send`"},
	{desk.ErrOldDraft, "draft-old", exitRule, "ask the person again: take the application in anew (`tamthe desk draft show NAME --person --portrait FILE`), then discard this one"},
	{desk.ErrOtherLedger, "draft-elsewhere", exitRule, "`TAMTHE_LEDGER` must name the ledger that it was taken in for"},
	{outbox.ErrDiscarded, "draft-discarded", exitRule, "somebody put it back: discard it again, and look who can write in this home"},
	{outbox.ErrMissing, "no-draft", exitError, "`tamthe desk draft list` lists what waits here; `tamthe application show` tells what was filed"},
	{outbox.ErrMany, "drafts-many", exitError, "wait for the centre, then `tamthe desk send`; `tamthe desk draft list` lists what waits"},
	{outbox.ErrSealed, "draft-sealed", exitError, "put keys/drafts of this home back, or the draft from a copy"},
	{outbox.ErrFormat, "draft-damaged", exitError, "put the draft back from a copy, or take the application in again and discard it"},

	{ca.ErrRequest, "request", exitUsage, "correct the flags; nothing was issued"},

	{ledger.ErrLogin, "ledger-login", exitError, "look at user in TAMTHE_LEDGER, at its password in ~/.pgpass, which only its owner may read, and at pg_hba.conf of the server"},
	{ledger.ErrDenied, "ledger-denied", exitError, "whoever runs the database gives the account what it is to do there: GRANT tamthe_desk TO a desk's, tamthe_sequencer to one that appends, tamthe_reader to one that only reads, tamthe_vault to one that opens personal data"},
	{errLogAway, "log-away", exitError, "nothing is known of what was not reached: run the command again; --silence says how long that is borne"},
	{ledger.ErrMissing, "no-ledger", exitError, "`tamthe init` makes one; TAMTHE_HOME and TAMTHE_LEDGER say where; a database has to be there"},
	{ledger.ErrNewer, "ledger-newer", exitError, "a newer tamthe wrote it: update this one"},
	{ledger.ErrNotOurs, "ledger-foreign", exitError, "TAMTHE_LEDGER must name a tamthe ledger; nothing was changed in this file"},
	{ledger.ErrRolledBack, "ledger-rolled-back", exitConflict, "the file is older than its last checkpoint: put the newest one back; `tamthe ledger verify` says more"},
	{ledger.ErrOutdated, "ledger-outdated", exitError, "update all programs, then start `tamthe serve ledger` once, with the log key, as the account that owns the schema tamthe: that brings it up to date"},
	{ledger.ErrNotAppender, "not-appender", exitError, "a desk hands in to `tamthe serve ledger` and needs no log key: take keys/log out of this home; for an account that is to append, GRANT tamthe_sequencer TO it"},
	{ledger.ErrReadOnly, "ledger-read-only", exitError, "make the ledger file and its folder writable for you; in a database, log in with a role that may write"},
	{ledger.ErrFull, "disk-full", exitError, "make room on the disk and run the command again; nothing was written"},
	{ledger.ErrBusy, "ledger-busy", exitConflict, "another program writes to the ledger; run the command again"},
	{ledger.ErrUnattended, "service-away", exitConflict, "run the command again when `tamthe serve ledger` runs at the centre: what was done is found, and nothing is done twice; `tamthe desk health` says since when it has been away"},
	{ledger.ErrAway, "ledger-away", exitConflict, "run the command again when the database is back: what was done is found, and nothing is done twice"},
	{ledger.ErrFenced, "ledger-fenced", exitConflict, "run the command again"},
	{errNoQueue, "no-queue", exitUsage, "TAMTHE_LEDGER=postgres:… names one that desks hand in to"},
	{ledger.ErrDamaged, "ledger-damaged", exitError, "`tamthe ledger verify` names the place; put a copy back"},
	{ledger.ErrMoved, "ledger-moved", exitConflict, "TAMTHE_LEDGER must name the place where it goes on; a program that still runs is started anew"},
	{sqlite.ErrRewrapped, "conflict", exitConflict, "run the command again"},
	{postgres.ErrRewrapped, "conflict", exitConflict, "run the command again; if it stays so, this home lacks the newest key of the vault"},
	{errVaultPlace, "vault-place", exitUsage, ""},
	{ledger.ErrCopy, "checkpoint-copy", exitError, "make the folder checkpoints/ writable and make room on the disk; nothing was written"},
	{errCopy, "ledger-copy", exitError, "take another backup; `tamthe ledger verify` says whether the ledger itself is sound"},
	{ledger.ErrExport, "ledger-export", exitConflict, "name an empty or new folder, or find out who went back behind what was published"},
	{witness.ErrContradicted, "log-contradicted", exitConflict, "stop: the ledger was rolled back, rewritten or forked; `tamthe ledger verify` with the witness's checkpoint says where"},
	{signing.ErrWitness, "unwitnessed", exitError, "bring the witnesses back; config.toml names them, and how old their word may be"},
	{witness.ErrUnwitnessed, "unwitnessed", exitError, "bring the witnesses back; config.toml names them, and how old their word may be"},
	{witness.ErrState, "witness-state", exitError, "close the other program, or put the witness's folder back from its copy: a witness that forgot cosigns nothing"},
	{monitor.ErrUnknown, "no-alarm", exitError, "`tamthe ledger watch --dir FOLDER --alarms` lists them"},
	{monitor.ErrNoFork, "no-fork", exitError, "it may be the evidence of another alarm, which only the log itself can show, or of another log's: give that one's --log-key"},
	{monitor.ErrState, "watch-state", exitError, "put the monitor's folder back from its copy, or begin anew in another"},
	{errReceiptSize, "receipt-size", exitError, "the handover's is the smallest: --act deliver; shorter names of log and witnesses, or a quorum in config.toml, make all smaller"},
	{errWitness, "usage", exitUsage, "`tamthe ledger watch --help` shows how a desk names its witnesses"},
	{ledger.ErrCheckpoint, "checkpoint", exitError, "give a file that `tamthe ledger checkpoint` of this ledger wrote"},
	{receipt.ErrFormat, "receipt", exitError, "give a file that `tamthe ledger receipt` or `tamthe ledger checkpoint` wrote"},

	{pkcs11.ErrUnavailable, "no-pkcs11", exitError, "this build has no PKCS #11; build it with cgo and without the tag nopkcs11"},
	{pkcs11.ErrURI, "token-uri", exitUsage, "write pkcs11:token=NAME?module-path=LIBRARY, and pin-source=file:PATH for a PIN that is not asked for"},
	{pkcs11.ErrModule, "token-module", exitError, "look at module-path; nobody but its owner may write to the library"},
	{pkcs11.ErrPIN, "token-pin", exitPassword, "look at the PIN; wrong ones lock the token"},
	{pkcs11.ErrToken, "no-token", exitError, "plug the token in; `pkcs11-tool -L` lists what is there"},
	{pkcs11.ErrExposed, "key-exposed", exitRule, "make another key in the token; exposed = true under [keys] of config.toml takes this one all the same"},
	{pkcs11.ErrAmbiguous, "key-ambiguous", exitError, "rename or remove the key that is not used"},
	{keystore.ErrSignature, "key-signature", exitError, "stop using this holder of keys and look into it; nothing was issued"},
	{keystore.ErrTimeout, "key-timeout", exitError, "look at the token or the helper program, then run the command again"},
	{keystore.ErrRefused, "key-refused", exitError, "ask whoever runs the holder of keys"},
	{keystore.ErrHelper, "key-helper", exitError, "look at uri under [keys] of config.toml"},
	{keystore.ErrScheme, "usage", exitUsage, "file:DIR, pkcs11:token=…?module-path=… or exec:PROGRAM"},
	{keystore.ErrComponent, "key-component", exitUsage, "nothing was stored; type each component again"},
	{keystore.ErrSealed, "key-sealed", exitError, "set sealed = true under [keys] of config.toml, then give the passphrase"},
	{keystore.ErrPassphrase, "passphrase", exitError, "the passphrase is not that of this key; nothing was done"},
	{keystore.ErrNoPassphrase, "passphrase", exitUsage, "choose a passphrase that is not empty"},
	{keystore.ErrPermissions, "key-permissions", exitError, "chmod 600 the key file, after making sure that nobody copied it"},
	{keystore.ErrMissing, "no-key", exitError, "look at the spelling; the keys of this desk lie in keys/ of its home"},
	{keystore.ErrExists, "key-exists", exitError, "nothing was overwritten; if the key there is not used any more, move it away"},
	{keystore.ErrFormat, "key-format", exitError, "put the key file back from its copy"},
	{keystore.ErrName, "usage", exitUsage, "small letters, digits and hyphens, at most 64, a letter first"},
	{keystore.ErrAlgorithm, "algorithm", exitUsage, "P-256, P-384, brainpoolP256r1, brainpoolP384r1, RSA-3072 or RSA-4096"},
	{status.ErrRevived, "status-revived", exitConflict, "stop: somebody has changed the table of card status; nothing was published; `tamthe ledger verify` says more"},
	{dist.ErrServer, "status-server", exitError, "look at the address and the network, then run the command again: a download goes on where it was; the list that was here is still used"},
	{dist.ErrAnother, "status-other", exitError, "look at the address: it hands out another list; the list that was here is still used"},
	{dist.ErrOther, "status-damaged", exitError, "run the command again; if it stays so, something before the address changes what it hands out; the list that was here is still used"},
	{dist.ErrNewer, "conflict", exitConflict, "somebody else published meanwhile; run the command again"},
	{status.ErrMalformed, "status-format", exitError, "fetch the file again from the issuer"},
	{status.ErrSigner, "status-signer", exitError, "compare the fingerprint of the key with the issuer, then put it into status_keys of issuers.toml"},
	{status.ErrSignature, "status-signature", exitError, "fetch the file again from the issuer; somebody may have edited this one"},
	{status.ErrBase, "status-base", exitError, "give the newest snapshot that this office signed, of kind index or exact"},
	{status.ErrNoBase, "status-base", exitError, "fetch the issuer's newest snapshot"},
	{errNoTerminal, "no-terminal", exitError, "put the certificate that was issued for this key into the folder, as NAME.cvcert"},
	{cvc.ErrMalformed, "certificate-format", exitError, "take away what is no CV certificate (7F21 …)"},
	{errLedgerThere, "exists", exitError, ""},
	{errNotEmpty, "not-empty", exitError, "name an empty or new folder"},
	{errAnotherCard, "another-card", exitError, "name an empty or new folder"},
	{errNoFiles, "no-files", exitError, ""},
	{errListRefused, "list-refused", exitRefused, "nothing was taken of it; get the file again from its issuer, and pin that issuer's CSCA first: see `tamthe trust import --help`"},
	{errNothingOffered, "nothing", exitError, "look at the spelling of the path"},
	{pki.ErrEdited, "trust-edited", exitError, "put the folder back from its copy, or remove imports.toml and the files that it names and import again"},
	{pki.ErrRollback, "rolled-back", exitError, "this device has seen a newer one; ask whoever brought this where the newest is"},
	{pki.ErrMemory, "seen", exitError, "put the file back from its copy; without one the device no longer notices old lists: move it away only if you know why it is damaged, then run `tamthe trust update`"},
	{record.ErrMissing, "no-record", exitError, "each verify and read appends to it; TAMTHE_HOME says where"},
	{record.ErrBusy, "record-busy", exitConflict, "run the command again"},
	{durable.ErrBusy, "busy", exitConflict, "run the command again when the other has ended"},
	{record.ErrHead, "record-head", exitError, "give a file that `tamthe inspections export` of this checkpoint wrote"},
	{record.ErrEntry, "record-damaged", exitError, "`tamthe inspections verify` says what is wrong with the record"},
	{evidence.ErrIdentity, "identity", exitError, "give the file with the age identity of one of its recipients with --identity"},
	{errEncrypted, "identity", exitError, "give the file with the age identity of one of its recipients with --identity"},
	{evidence.ErrRecipients, "recipients", exitUsage, "one recipient a line, as age-keygen prints it"},
	{evidence.ErrNewer, "evidence-newer", exitError, "update tamthe"},
	{evidence.ErrFormat, "evidence-format", exitError, "ask for the original file: it is not as tamthe writes one"},
	{evidence.ErrTooLarge, "evidence-format", exitError, "it is no bundle of evidence"},
	{evidence.ErrDeviceKey, "device-key", exitError, "give a key of Ed25519 or P-256; `tamthe inspections device` prints a device's public key"},
	{evidence.ErrContext, "usage", exitUsage, ""},
	{virtual.ErrLocked, "chip-locked", exitError, "another program has the chip's file open"},
	{virtual.ErrNotChip, "not-a-chip", exitError, "--chip names a file that `tamthe virtual` made"},
	{virtual.ErrCorrupt, "not-a-chip", exitError, "put the chip's file back from its copy"},

	{syscall.ENOSPC, "disk-full", exitError, "make room on the disk and run the command again"},
	{fs.ErrPermission, "permission", exitError, "make it readable and writable for you"},
	{fs.ErrExist, "exists", exitError, "nothing was overwritten"},
	{fs.ErrNotExist, "not-found", exitError, "look at the spelling of the path"},
}

// loginHints say what to do about a login that came to nothing.
var loginHints = map[eid.Code]string{
	"protocol":        "update tamthe on this machine",
	"unknown-session": "begin anew on the portal's page",
	"expired":         "begin anew on the portal's page",
	"taken":           "begin anew on the portal's page; if it was not you, tell the portal",
	"replayed":        "begin anew on the portal's page",
	"unbound":         "type the code into the page on which you began",
	"wrong-nonce":     "begin anew; if it stays so, tell the portal",
	"wrong-audience":  "begin anew, with the address that the portal's page shows",
	"other-party":     "begin anew; if it stays so, tell the portal",
	"other-login":     "begin anew; if it stays so, tell the portal",
	"unknown-party":   "ask who runs the service",
	"no-purpose":      "ask who runs the service",
	"over-asked":      "ask who runs the service",
	"level":           "go to a counter where somebody compares bearer and card",
	"too-many":        "wait a minute",
	"malformed":       "try again with the card lying still",
	"chip-unproven":   "try again with the card lying still; if it stays so, take the card to its issuer",
	"clone":           "do not use this card; tell the police",
	"altered":         "do not use this card; tell the police",
	"not-genuine":     "`tamthe verify` says why",
	"revoked":         "take the card to its issuer",
	"inconclusive":    "`tamthe verify` says what is missing",
}

// classify finds what to say of an error.
func classify(err error) failure {
	c := classOf(err)
	f := failure{Code: c.code, Exit: c.exit, Message: err.Error(), Hint: c.hint, detailVi: detail(err)}
	if d, ok := errors.AsType[*issuance.DuplicateError](err); ok {
		f.vi = duplicateHint(d).vi
	}
	if h, ok := errors.AsType[hintError](err); ok {
		f.Hint, f.vi = h.hint, h.vi
	}
	if e, ok := errors.AsType[*auth.PasswordError](err); ok {
		if n, ok := e.TriesLeft(); ok {
			f.TriesLeft = &n
		}
	}
	return f
}

// classOf finds the class of an error: first by the errors that carry something, then by
// the table.
func classOf(err error) class {
	if _, ok := errors.AsType[interruptedError](err); ok {
		return class{code: "interrupted", exit: exitInterrupted}
	}
	if _, ok := errors.AsType[*record.TamperError](err); ok {
		return class{code: "record-tampered", exit: exitError, hint: "do not go on with this record: `tamthe inspections verify` says where, an export from before what was there"}
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return class{code: "usage", exit: exitUsage}
	}
	if _, ok := errors.AsType[*pcsc.AmbiguousError](err); ok {
		return class{code: "readers", exit: exitReader, hint: "choose one with --reader TEXT or TAMTHE_READER"}
	}
	if _, ok := errors.AsType[*issuance.TransitionError](err); ok {
		return class{code: "state", exit: exitRule}
	}
	if _, ok := errors.AsType[*keptError](err); ok {
		return class{code: "kept", exit: exitConflict, hint: "give the citizen that name, and run `tamthe desk send` when the centre is back: it is filed once, even if this try arrived"}
	}
	if _, ok := errors.AsType[*desk.AlreadyKeptError](err); ok {
		return class{code: "kept-already", exit: exitRule, hint: "`tamthe desk send` files it; if it is wrong, `tamthe desk draft discard` it first"}
	}
	if l, ok := errors.AsType[*ledger.LeaseError](err); ok {
		return leaseClass(l)
	}
	if d, ok := errors.AsType[*issuance.DuplicateError](err); ok {
		return class{code: "duplicate", exit: exitRule, hint: duplicateHint(d).en}
	}
	if r, ok := errors.AsType[*eid.Refusal](err); ok {
		return class{code: "login-" + string(r.Code), exit: exitRefused, hint: loginHints[r.Code]}
	}
	if _, ok := errors.AsType[*credential.Refusal](err); ok {
		return class{code: "credential-refused", exit: exitRefused, hint: "the code behind it says why; `tamthe agent credential obtain` gets a new one with the card"}
	}
	if _, ok := errors.AsType[*relay.Refusal](err); ok {
		return class{code: "over-reached", exit: exitRefused, hint: "the service wanted more of the card than was agreed, and was stopped; tell the portal"}
	}
	if _, ok := errors.AsType[*population.RefusedError](err); ok {
		return class{code: "register-refused", exit: exitError, hint: "ask who runs the register whether this office, officer and purpose are known there; the application waits"}
	}
	if _, ok := errors.AsType[*abis.RefusedError](err); ok {
		return class{code: "abis-refused", exit: exitError, hint: "ask who runs the biometric register whether this office, its gallery and its scopes are known there; the application waits"}
	}
	if _, ok := errors.AsType[*perso.WrongChipError](err); ok {
		return class{code: "wrong-chip", exit: exitRule, hint: "put in the chip that was begun; if it is lost, give the card up with `tamthe card revoke`"}
	}
	if _, ok := errors.AsType[*perso.DifferError](err); ok {
		return class{code: "chip-differs", exit: exitError, hint: "run the command again; if it stays so, give the card up with `tamthe card revoke` and take a new chip"}
	}
	if _, ok := errors.AsType[*printjob.TextError](err); ok {
		return class{code: "print", exit: exitError, hint: "this card's body cannot be printed here"}
	}
	if _, ok := errors.AsType[*desk.RefusedError](err); ok {
		return class{code: "refused", exit: exitRefused, hint: "do not hand this card out"}
	}
	if _, ok := errors.AsType[*ca.LintError](err); ok {
		return class{code: "request", exit: exitUsage, hint: "correct the flags; nothing was issued"}
	}
	if _, ok := errors.AsType[*vn.FieldError](err); ok {
		return class{code: "field", exit: exitError, hint: "correct the person's file; `tamthe enrol --help` lists the keys"}
	}
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c
		}
	}
	return class{code: "error", exit: exitError}
}

// duplicateHint says how to get on where something that must be unique is taken.
func duplicateHint(d *issuance.DuplicateError) phrase {
	switch d.Claim.Kind {
	case issuance.HoldApplication:
		return phrase{
			"this person has application " + d.Holder.ID + " open: go on with that one, or withdraw it with `tamthe cancel`",
			"người này đang có hồ sơ " + d.Holder.ID + ": làm tiếp hồ sơ ấy, hoặc rút bằng `tamthe cancel`",
		}
	case issuance.HoldCard:
		return phrase{
			"this person has card " + d.Holder.ID + " in force: `tamthe card replace` replaces it",
			"người này đang có thẻ " + d.Holder.ID + " còn hiệu lực: đổi bằng `tamthe card replace`",
		}
	case issuance.HoldName:
		return phrase{"choose another name", "chọn tên khác"}
	}
	return phrase{"take another chip", "lấy chip khác"}
}
