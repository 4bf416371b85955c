package signing

import (
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// revokeApprover revokes the approver's key as stolen since a time.
func (r *rig) revokeApprover(from time.Time) {
	t, o := r.t, r.office
	t.Helper()
	stream := issuance.OperatorStream(o.Approver.ID)
	about := []issuance.StreamID{stream, issuance.OperatorStream(o.Root.ID), issuance.OperatorStream(o.Mate.ID)}
	e := must(must(issuance.Load(t.Context(), r.store, about...))(t).Next(stream, issuance.Revoke))(t)
	e.ID, e.Operator, e.Second, e.Time = issuance.NewID(), o.Root.ID, o.Mate.ID, r.now
	e.Fields = map[string]string{"reason": "stolen", "from": from.Format(time.RFC3339)}
	e.Release = []issuance.Claim{{Kind: issuance.HoldName, Value: o.Approver.Name}}
	check(t, e.Sign(o.Root.Key))
	check(t, e.Sign(o.Mate.Key))
	check(t, r.store.Append(t.Context(), nil, e))
}

// TestApprovedByThief: what an approver's key approved since it was stolen is not signed, and
// not either where the thief dated the approval back to before the theft: what stands before it
// in the log is later. What the approver approved before is.
func TestApprovedByThief(t *testing.T) {
	r := newRig(t)
	before := r.keyed()
	r.now = r.now.Add(time.Hour)
	theft := r.now
	since := r.keyed()
	r.now = r.now.Add(-2 * time.Hour)
	backdated := r.keyed()
	r.now = theft.Add(time.Hour)
	check(t, r.service().Follow(t.Context()))
	r.revokeApprover(theft)
	r.refuses("approved since the theft", since.request, ErrNotApproved)
	r.refuses("approved since and dated back", backdated.request, ErrNotApproved)
	must(r.service().Sign(t.Context(), before.request))(t)
}

// TestRevocationHidesAnother: a revocation that the list has not told within two days stops
// signing, whatever was revoked after it.
func TestRevocationHidesAnother(t *testing.T) {
	r := newRig(t)
	revoke := func(name string) {
		check(t, r.act(act{
			stream: issuance.Key(name), act: issuance.Revoke, by: r.office.Custodian, second: &r.office.CustodianMate,
			fields: map[string]string{"reason": "compromised"},
		}))
	}
	for _, name := range []string{"ds-002", "ds-003", "ds-004"} {
		r.signer(name, r.now, "10")
	}
	c := r.keyed()
	revoke("ds-002")
	r.now = r.now.Add(40 * time.Hour)
	revoke("ds-003")
	r.now = r.now.Add(10 * time.Hour)
	r.refuses("the first is not told for fifty hours", c.request, ErrStaleCRL)
	r.crl(90)
	must(r.service().Sign(t.Context(), c.request))(t)
}
