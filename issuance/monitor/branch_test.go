package monitor_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/sqlite"
)

const branchOrigin = "branch.test"

// branch is a desk with a log of its own.
type branch struct {
	ledger *sqlite.Ledger
	office *ledgertest.Office
	signer note.Signer
	key    note.Verifier
}

// branched is a rig whose office has such a desk; the monitor follows both logs.
func branched(t *testing.T) (*rig, *branch) {
	t.Helper()
	r := newRig(t)
	b := &branch{}
	b.signer, b.key, _ = ledgertest.LogKeyOf(t, branchOrigin)
	var err error
	b.ledger, err = sqlite.Create(t.Context(), r.path("branch.db"), branchOrigin, sqlite.Options{Signer: b.signer, Verifier: b.key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.ledger.Close() })
	b.office = ledgertest.NewBranch(t, b.ledger, branchOrigin)
	b.office.Found(t)
	_, _, vkey := ledgertest.LogKeyOf(t, branchOrigin)
	r.office.Must(t, ledgertest.Step{
		Stream: issuance.Desk("branch"), Act: issuance.Enrol, By: r.office.Root, Second: &r.office.Mate,
		Fields: map[string]string{"origin": branchOrigin, "logkey": vkey, "at": "there"},
		Claims: []issuance.Claim{{Kind: issuance.ClaimOrigin, Value: branchOrigin}},
	})
	r.o.Keys = append(r.o.Keys, b.key)
	r.o.Sources = append(r.o.Sources, monitor.Published(r.path("branch"), nil))
	r.start()
	publish(t, b.ledger, r.path("branch"))
	r.export(t)
	r.quiet(t)
	return r, b
}

// twinOf copies the desk's ledger, with the key of its log.
func twinOf(t *testing.T, b *branch) (*sqlite.Ledger, *ledgertest.Office) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := b.ledger.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.Open(t.Context(), path, sqlite.Options{Signer: b.signer, Verifier: b.key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, ledgertest.NewBranch(t, l, branchOrigin)
}

func syncStep(r *rig, size int64, tree string) ledgertest.Step {
	return ledgertest.Step{
		Stream: issuance.Desk("branch"), Act: issuance.Sync, By: r.office.Auditor,
		Fields: map[string]string{"size": strconv.FormatInt(size, 10), "tree": tree},
	}
}

// sync has the centre take a desk's log over.
func (r *rig) sync(t *testing.T, l *sqlite.Ledger) {
	t.Helper()
	c, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.office.Must(t, syncStep(r, c.Size, hex.EncodeToString(c.Root[:])))
}

// otherSigner is a key that says that it is the log's.
func otherSigner() (note.Signer, error) {
	skey, _, err := note.GenerateKey(rand.Reader, ledgertest.Origin)
	if err != nil {
		return nil, err
	}
	return note.NewSigner(skey)
}

// TestExcerpt: a log is followed by what a desk carries to its centre.
func TestExcerpt(t *testing.T) {
	r := newRig(t)
	r.o.Sources = []monitor.Source{monitor.Excerpt(r.path("carried"))}
	r.start()
	carry := func(from int64) {
		var b bytes.Buffer
		if err := r.ledger.Excerpt(t.Context(), &b, from); err != nil {
			t.Fatal(err)
		}
		put(t, r.path("carried"), b.Bytes())
	}
	carry(0)
	r.quiet(t)
	r.issue(t, "ann")
	carry(10)
	r.quiet(t)
	if k, err := known(t, r); err != nil || k.Size < 30 {
		t.Errorf("%d entries, %v", k.Size, err)
	}
	twin, office := r.twin(t)
	office.IssueCard(t, "A-bob", "C-bob", "bob", "")
	r.issue(t, "cam")
	carry(20)
	r.quiet(t)
	r.ledger = twin
	carry(0)
	r.alarms(t, monitor.Fork, monitor.Rewritten)
}

// known is what the monitor knows of the log.
func known(t *testing.T, r *rig) (k monitor.Known, err error) {
	t.Helper()
	err = r.watch.Change(t.Context(), func(tx monitor.Tx) (err error) {
		k, err = tx.Log(ledgertest.Origin)
		return err
	})
	return k, err
}
