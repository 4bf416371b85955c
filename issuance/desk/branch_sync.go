package desk

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Mirror is the copy of a branch's log at the office. sqlite.OpenMirror gives one.
type Mirror interface {
	Store
	Taken(ctx context.Context, kind issuance.ClaimKind, after string, n int) ([]ledger.Taken, error)
	Entries(ctx context.Context, from int64, each func(index int64, leaf, payload []byte) error) error
	// Follow adds what an excerpt of the log brings, all or nothing.
	Follow(ctx context.Context, x *ledger.ExcerptReader) (*ledger.Checkpoint, error)
}

// Synced is what a sync brought about.
type Synced struct {
	Size      int64    // entries of the branch that are here now
	Entry     [16]byte // the act that says so; its receipt goes back to the branch
	Conflicts []Conflict
}

// SyncBranch takes over what a branch did since the last time: its entries go into the
// mirror verbatim, in their order, under the branch's own checkpoint, and the office's log
// says how far. It then holds all logs against each other: others are the office's own and
// those of the other branches. What the branch did beyond its grant, whom it let act that
// the office does not know so, and what another log has too are conflicts: each becomes a
// stream of its own that waits for a person (SettleConflict), and nothing is undone or won
// meanwhile.
//
// A branch that was revoked, a log that does not continue what is here, or entries that
// break the rules are refused as a whole. After an error the same sync can be repeated.
func (o *Office) SyncBranch(ctx context.Context, name string, m Mirror, x *ledger.ExcerptReader, others ...Log) (*Synced, error) {
	stream := issuance.Desk(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	sub := s.state.Subject(stream)
	if err := known(sub); err != nil {
		return nil, err
	}
	if err := s.may(stream, issuance.Sync, nil); err != nil {
		return nil, err
	}
	c, err := m.Follow(ctx, x)
	if err != nil {
		return nil, err
	}
	b := branchOf(sub)
	found, err := o.conflictsOf(ctx, b, m, others)
	if err != nil {
		return nil, err
	}
	return o.recordSync(ctx, b, c, found)
}

// conflictsOf gathers what a branch is in conflict about.
func (o *Office) conflictsOf(ctx context.Context, b Branch, m Mirror, others []Log) ([]Conflict, error) {
	found, err := o.strangers(ctx, b, m)
	if err != nil {
		return nil, err
	}
	beyond, err := beyondGrant(ctx, b, m)
	if err != nil {
		return nil, err
	}
	found = append(found, beyond...)
	branch := Log{b.Origin, m}
	named, err := sameNames(ctx, branch, others)
	if err != nil {
		return nil, err
	}
	shared, err := Conflicts(ctx, append(slices.Clone(others), branch)...)
	if err != nil {
		return nil, err
	}
	return slices.Concat(found, named, shared), nil
}

// strangers are the branch's operators whom the office does not know as the same.
func (o *Office) strangers(ctx context.Context, b Branch, m Mirror) ([]Conflict, error) {
	here, err := o.Operators(ctx)
	if err != nil {
		return nil, err
	}
	there, err := (&Office{Store: m, Now: o.Now}).Operators(ctx)
	if err != nil {
		return nil, err
	}
	var found []Conflict
	for _, op := range sameOperators(here, there) {
		found = append(found, Conflict{
			Object: Stranger, Sides: []Side{{b.Origin, issuance.OperatorStream(op.Key)}},
		})
	}
	return found, nil
}

// beyondGrant lists the branch's cards that took a place in the status list, a use of a
// document signer, or a blank that was not granted.
func beyondGrant(ctx context.Context, b Branch, m Mirror) ([]Conflict, error) {
	var found []Conflict
	for _, kind := range []issuance.ClaimKind{issuance.ClaimStatus, issuance.ClaimUse, issuance.ClaimBlank} {
		after, used := "", 0
		for {
			rows, err := m.Taken(ctx, kind, after, pageSize)
			if err != nil {
				return nil, err
			}
			for _, r := range rows {
				c := Conflict{Object: BeyondGrant, Sides: []Side{{b.Origin, r.Stream}}}
				used++
				if (!b.Grant.covers(r.Claim) || kind == issuance.ClaimBlank && b.Grant.Count > 0 && used > b.Grant.Count) && !slices.ContainsFunc(found, c.is) {
					found = append(found, c)
				}
			}
			if len(rows) < pageSize {
				break
			}
			after = rows[len(rows)-1].Claim.Value
		}
	}
	return found, nil
}

// covers says whether a place, a use or a blank is within the grant. How many blanks were
// used is for the caller to count.
func (g Grant) covers(c issuance.Claim) bool {
	i := strings.LastIndexByte(c.Value, ':')
	n, err := strconv.ParseUint(c.Value[i+1:], 10, 63)
	switch {
	case err != nil:
		return false
	case c.Kind == issuance.ClaimBlank:
		return g.Batch == "" || c.Value[:max(i, 0)] == g.Batch
	case c.Kind == issuance.ClaimUse:
		return c.Value[:max(i, 0)] == g.Signer && n <= uint64(g.Cap)
	}
	return n <= math.MaxUint32 && g.Holds(uint32(n))
}

// recordSync says how far the branch's log is here, and opens the conflicts that are new.
func (o *Office) recordSync(ctx context.Context, b Branch, c *ledger.Checkpoint, found []Conflict) (*Synced, error) {
	streams := []issuance.StreamID{issuance.Desk(b.Name)}
	for _, x := range found {
		streams = append(streams, issuance.Conflict(x.ID()), issuance.Conflict(x.shortID()))
	}
	s, err := o.begin(ctx, streams...)
	if err != nil {
		return nil, err
	}
	err = s.add(streams[0], issuance.Sync, func(e *issuance.Entry) error {
		e.Fields = map[string]string{
			"size": strconv.FormatInt(c.Size, 10), "tree": hex.EncodeToString(c.Root[:]), "conflicts": strconv.Itoa(len(found)),
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	done := &Synced{Size: c.Size, Entry: s.acts[0].ID, Conflicts: found}
	for _, x := range found {
		stream := issuance.Conflict(x.ID())
		if s.state.Subject(stream).Phase != issuance.Absent || x.saidBy(s.state.Subject(issuance.Conflict(x.shortID()))) {
			continue // it waits, or was settled
		}
		if err := s.add(stream, issuance.Find, x.fill); err != nil {
			return nil, err
		}
	}
	return done, s.commit(ctx)
}

// saidBy says whether a stream under the conflict's former name is about it.
func (c Conflict) saidBy(former issuance.Subject) bool {
	var e issuance.Entry
	return former.Phase != issuance.Absent && c.fill(&e) == nil && former.Fields["object"] == e.Fields["object"] &&
		former.Fields["left"] == e.Fields["left"] && former.Fields["right"] == e.Fields["right"]
}

// fill says in public what is in conflict, without the value that is.
func (c Conflict) fill(e *issuance.Entry) error {
	e.Fields = map[string]string{"object": c.Object}
	for i, side := range c.Sides[:min(len(c.Sides), 2)] {
		e.Fields[[...]string{"left", "right"}[i]] = side.String()
	}
	return nil
}

// SettleConflict says what two persons decided about a conflict, and why. What follows from
// it, such as the revocation of a card, are acts of their own.
func (o *Office) SettleConflict(ctx context.Context, id, reason string) error {
	stream := issuance.Conflict(id)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(stream)); err != nil {
		return err
	}
	err = s.add(stream, issuance.Settle, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": reason}
		return nil
	})
	if err != nil {
		return err
	}
	return s.commit(ctx)
}

// OpenConflict is one that waits for a person.
type OpenConflict struct {
	ID, Object  string
	Left, Right string // see Side; Right is empty where one side is in conflict with the office
	Since       time.Time
}

// OpenConflicts lists the conflicts that nobody has settled, oldest first.
func (o *Office) OpenConflicts(ctx context.Context) ([]OpenConflict, error) {
	list, err := o.Store.List(ctx, issuance.KindConflict, issuance.Found)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	streams := make([]issuance.StreamID, len(list))
	for i, c := range list {
		streams[i] = c.Stream
	}
	s, err := issuance.Load(ctx, o.Store, streams...)
	if err != nil {
		return nil, err
	}
	out := make([]OpenConflict, len(list))
	for i, c := range list {
		f := s.Subject(c.Stream).Fields
		out[i] = OpenConflict{c.Stream.ID, f["object"], f["left"], f["right"], c.Since}
	}
	return out, nil
}

// BranchActs lists what was done in a branch's log from a time on, in its order: after a
// theft, all that has to be looked at. Whoever has a stolen desk has its clock and can date an
// act back: what was not here yet by that time, as the office's own log says, is listed whatever
// its date.
func (o *Office) BranchActs(ctx context.Context, name string, m Mirror, from time.Time) ([]issuance.Entry, error) {
	acts, err := o.Store.Stream(ctx, issuance.Desk(name))
	if err != nil {
		return nil, err
	}
	var here int64
	for _, a := range acts {
		if a.Act == issuance.Sync && a.Time.Before(from) {
			if here, err = strconv.ParseInt(a.Fields["size"], 10, 64); err != nil {
				return nil, fmt.Errorf("%s: size: %w", a.Stream, issuance.ErrEntry)
			}
		}
	}
	var list []issuance.Entry
	err = m.Entries(ctx, 0, func(index int64, leaf, _ []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if index >= here || !e.Time.Before(from) {
			list = append(list, e)
		}
		return nil
	})
	return list, err
}
