package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// What PostgreSQL says (Appendix A, SQLSTATE).
const (
	invalidAuthorization   = "28" // a class
	stateUniqueViolation   = "23505"
	stateIntegrity         = "23000" // our triggers
	stateDivisionByZero    = "22012" // what we assert does not hold
	stateSerialization     = "40001"
	stateDeadlock          = "40P01"
	stateLockTimeout       = "55P03"
	stateQueryCanceled     = "57014"
	stateReadOnly          = "25006"
	stateStoodStill        = "25P03"
	statePrivilege         = "42501"
	stateUndefinedTable    = "42P01"
	stateUndefinedColumn   = "42703"
	stateUndefinedSchema   = "3F000"
	stateUndefinedFunction = "42883"
	stateUndefinedDatabase = "3D000"
	stateDuplicateSchema   = "42P06"
	stateDuplicateObject   = "42710"
	stateDiskFull          = "53100"
	stateTooManyClients    = "53300"
	stateBound             = "53400" // an account has its part of the queue, or of the leases
	stateCorrupted         = "XX001"
	stateIndexCorrupted    = "XX002"
)

// state is what the server said, empty if it said nothing.
func state(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// typed gives the server's error one of the ledger's names where it has one.
func typed(err error) error {
	if err == nil {
		return nil
	}
	as := func(name error) error { return fmt.Errorf("%w: %w", name, err) }
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	switch code := state(err); {
	case errors.Is(err, ledger.ErrNotAppender), errors.Is(err, ledger.ErrOutdated), errors.Is(err, ledger.ErrUnattended):
		return err
	case connecting && code == statePrivilege:
		return as(ledger.ErrDenied)
	case strings.HasPrefix(code, invalidAuthorization):
		return as(ledger.ErrLogin)
	case code == stateIntegrity, code == stateDivisionByZero, code == stateCorrupted, code == stateIndexCorrupted:
		return as(ledger.ErrDamaged)
	case code == stateMoved:
		return as(ledger.ErrMoved)
	case errors.Is(err, errStandby): // whoever asked for a primary found none
		return as(ledger.ErrAway)
	case code == stateReadOnly, code == statePrivilege:
		return as(ledger.ErrReadOnly)
	case code == stateDiskFull:
		return as(ledger.ErrFull)
	case code == stateLockTimeout, code == stateQueryCanceled, code == stateSerialization, code == stateDeadlock, code == stateTooManyClients, code == stateBound:
		return as(ledger.ErrBusy)
	case code == stateUndefinedDatabase:
		return as(ledger.ErrMissing)
	case away(err):
		return as(ledger.ErrAway)
	}
	return err
}

// away reports whether the server cannot be reached, or went away while it was asked: what
// was asked may have been done.
func away(err error) bool {
	if errors.Is(err, ledger.ErrAway) || errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok && state(err) == "" { // else the server answered: with a wrong password, say
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok && !errors.Is(err, context.Canceled) {
		return true
	}
	code := state(err)
	// 08: connection exceptions; 57P: the operator intervened, as when a server shuts down;
	// 25P03: the server ended a transaction that stood still.
	return len(code) == 5 && (code[:2] == "08" || code[:3] == "57P") || code == stateStoodStill
}

// passing reports whether the same may hold if it is tried again.
func passing(err error) bool {
	switch state(err) {
	case stateSerialization, stateDeadlock, stateTooManyClients, stateReadOnly:
		return true // a server that can only be read may be one that was primary a moment ago
	}
	return away(err)
}
