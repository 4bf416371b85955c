package witness_test

import (
	"context"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/verify/receipt"
)

// other is a rewritten log as a keeper sees it.
type other struct {
	rewritten
	t testing.TB
}

func (o *other) Checkpoint(context.Context) (*receipt.Checkpoint, error) {
	size := int64(len(o.leaves))
	root, err := tlog.TreeHash(size, o.hashes(o.t))
	if err != nil {
		return nil, err
	}
	return ledger.SignCheckpoint(ledgertest.Origin, size, root, o.signer)
}

func (o *other) Consistency(_ context.Context, older, newer int64) ([]tlog.Hash, error) {
	if older == 0 || older == newer {
		return nil, nil
	}
	return tlog.ProveTree(newer, older, o.hashes(o.t))
}
