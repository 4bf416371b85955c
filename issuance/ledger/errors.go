package ledger

import "errors"

// What can be wrong with a store of the ledger, or with writing to it.
var (
	ErrMissing    = errors.New("there is no ledger")
	ErrNotOurs    = errors.New("it is not a tamthe ledger")
	ErrNewer      = errors.New("the ledger was written by a newer program")
	ErrReadOnly   = errors.New("the ledger can only be read")
	ErrFull       = errors.New("the disk is full")
	ErrBusy       = errors.New("another program holds the ledger")
	ErrDamaged    = errors.New("the ledger is damaged")
	ErrRolledBack = errors.New("the ledger does not continue its last checkpoint")
	ErrCopy       = errors.New("the last checkpoint cannot be copied out of the ledger")

	// ErrBehind means that an excerpt does not begin where the mirror ends: entries between
	// are missing, or the other log was put back.
	ErrBehind = errors.New("the excerpt does not join on to the mirror")
	// ErrAway means that the store cannot be reached. What was asked of it may have been
	// done; to repeat it is safe, and tells.
	ErrAway = errors.New("the ledger cannot be reached")
	// ErrFenced means that another program took over as the one that adds to the log.
	ErrFenced = errors.New("another program adds to the ledger now")
	// ErrMoved means that the ledger goes on in another store: nothing is added to this one
	// any more.
	ErrMoved = errors.New("the ledger was moved to another place")
	// ErrDenied means that the store has what was looked for, and that the account that asks may
	// not read it.
	ErrDenied = errors.New("this account may not read what is there")
	// ErrLogin means that the store lets nobody in by that account: there is none, the password is
	// another, or it may not come from here.
	ErrLogin = errors.New("the database does not let this account in")
	// ErrNotAppender means that the account that asks may read the ledger and not append to it,
	// whatever key it has. It is an ErrReadOnly.
	ErrNotAppender error = &narrower{"this account may read the ledger, but not append to it", ErrReadOnly}
	// ErrOutdated means that the ledger was made by an older program, and that the account that
	// asks may not bring it up to date. It is an ErrReadOnly.
	ErrOutdated error = &narrower{"the ledger was made by an older program and has to be brought up to date first", ErrReadOnly}
	// ErrUnattended means that the store can be reached, but that nobody is there who appends what
	// is handed in. It is an ErrAway.
	ErrUnattended error = &narrower{"nobody appends what desks hand in, or is far behind with it", ErrAway}
)

// narrower is an error that is also another one, and says more than that.
type narrower struct {
	text string
	of   error
}

func (n *narrower) Error() string { return n.text }
func (n *narrower) Unwrap() error { return n.of }
