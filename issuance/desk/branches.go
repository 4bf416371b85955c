package desk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/vault"
)

// Branch is a desk that works apart, without a network, in a log of its own. Its entries
// come to the office by [Office.SyncBranch]; they stay its own.
type Branch struct {
	Name   string
	Origin string // of its log
	LogKey string // verifier key of its log (golang.org/x/mod/sumdb/note)
	At     string // where it stands
	Phase  issuance.Phase
	Since  time.Time // of the last act
	Size   int64     // how many of its entries are here
	Tree   string    // root over them, in hexadecimal
	Grant  Grant
	From   string // once revoked: from when on nothing of it is to be believed; empty if that is not known
}

// Grant is what a branch may use up before it has to ask again. Zero values grant nothing
// new.
type Grant struct {
	Signer      string // its document signer's stream
	Cap         int    // how many cards that may sign
	First, Last uint32 // places in the status list
	Batch       string // blanks
	Count       int    // of them
}

// InviteBranch records that a desk which has yet to be founded gets what all desks of the
// office share: under the vault's shared keys it names persons as the office does, so that
// one who holds a card here is known there. The keys are the caller's to carry; whoever is
// not allowed gets none.
func (o *Office) InviteBranch(ctx context.Context, name string) (*vault.Secret, error) {
	if o.Vault == nil {
		return nil, ErrNoVault
	}
	if err := o.do(ctx, issuance.Desk(name), issuance.Invite, nil); err != nil {
		return nil, err
	}
	return o.Vault.Share(), nil
}

// EnrolBranch lets a desk work apart: its log, known by the verifier key, is taken over
// from now on. It stands at a place. A name or log that is there already is
// *issuance.TransitionError or *issuance.DuplicateError.
func (o *Office) EnrolBranch(ctx context.Context, name, logKey, at string) error {
	v, err := note.NewVerifier(logKey)
	if err != nil {
		return fmt.Errorf("log key of desk %s: %w", name, issuance.ErrEntry)
	}
	return o.do(ctx, issuance.Desk(name), issuance.Enrol, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"origin": v.Name(), "logkey": logKey, "at": at}
		e.Claims = []issuance.Claim{{Kind: issuance.ClaimOrigin, Value: v.Name()}}
		return nil
	})
}

// GrantBranch says what a branch may use up. What was granted before and is not named stays.
func (o *Office) GrantBranch(ctx context.Context, name string, g Grant) error {
	return o.onBranch(ctx, name, issuance.Grant, func(e *issuance.Entry) error {
		e.Fields = map[string]string{}
		set := func(field, value string, is bool) {
			if is {
				e.Fields[field] = value
			}
		}
		set("ds", g.Signer, g.Signer != "")
		set("cap", strconv.Itoa(g.Cap), g.Cap != 0)
		set("first", strconv.FormatUint(uint64(g.First), 10), g.Last != 0)
		set("last", strconv.FormatUint(uint64(g.Last), 10), g.Last != 0)
		set("batch", g.Batch, g.Batch != "")
		set("count", strconv.Itoa(g.Count), g.Count != 0)
		return nil
	})
}

// RevokeBranch ends the work of a branch, such as one that was stolen: nothing more of its
// log is taken over. from, if not zero, says since when its entries are not to be believed;
// Acts lists those.
func (o *Office) RevokeBranch(ctx context.Context, name, reason string, from time.Time) error {
	return o.onBranch(ctx, name, issuance.Revoke, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": reason}
		if !from.IsZero() {
			e.Fields["from"] = from.UTC().Format(time.RFC3339)
		}
		return nil
	})
}

// onBranch is an act on a branch that must be there.
func (o *Office) onBranch(ctx context.Context, name string, act issuance.Act, fill func(*issuance.Entry) error) error {
	stream := issuance.Desk(name)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return err
	}
	if err := known(s.state.Subject(stream)); err != nil {
		return err
	}
	if err := s.add(stream, act, fill); err != nil {
		return err
	}
	return s.commit(ctx)
}

// Branch tells what the ledger says of one branch; ErrUnknown if it is not there.
func (o *Office) Branch(ctx context.Context, name string) (*Branch, error) {
	list, err := o.branches(ctx, name)
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// Branches lists the branches, oldest first.
func (o *Office) Branches(ctx context.Context) ([]Branch, error) {
	list, err := o.Store.List(ctx, issuance.KindDesk)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var names []string
	for _, b := range list {
		names = append(names, b.Stream.ID)
	}
	return o.branches(ctx, names...)
}

func (o *Office) branches(ctx context.Context, names ...string) ([]Branch, error) {
	var streams []issuance.StreamID
	for _, n := range names {
		streams = append(streams, issuance.Desk(n))
	}
	s, err := issuance.Load(ctx, o.Store, streams...)
	if err != nil {
		return nil, err
	}
	var list []Branch
	for _, stream := range streams {
		sub := s.Subject(stream)
		if err := known(sub); err != nil {
			return nil, err
		}
		b := branchOf(sub)
		entries, err := o.Store.Stream(ctx, stream)
		if err != nil {
			return nil, err
		}
		b.Since = entries[len(entries)-1].Time
		list = append(list, b)
	}
	return list, nil
}

func branchOf(s issuance.Subject) Branch {
	number := func(field string, bits int) uint64 {
		n, _ := strconv.ParseUint(s.Fields[field], 10, bits) // the form of the field was checked
		return n
	}
	return Branch{
		Name: s.Stream.ID, Origin: s.Fields["origin"], LogKey: s.Fields["logkey"], At: s.Fields["at"], Phase: s.Phase,
		Size: int64(number("size", 63)), Tree: s.Fields["tree"], From: s.Fields["from"],
		Grant: Grant{
			Signer: s.Fields["ds"], Cap: int(number("cap", 63)), First: uint32(number("first", 32)), Last: uint32(number("last", 32)),
			Batch: s.Fields["batch"], Count: int(number("count", 31)),
		},
	}
}

// Holds says whether a place in the status list was granted. A branch to which none were
// granted holds every place.
func (g Grant) Holds(index uint32) bool {
	return g.Last == 0 || g.First <= index && index <= g.Last
}

// sameOperators lists those of a branch whom the office does not know as the same person
// with at least the same roles. A branch founds its own log, so that it could name anybody.
func sameOperators(here, there []issuance.Operator) []issuance.Operator {
	var strangers []issuance.Operator
	for _, op := range there {
		i := slices.IndexFunc(here, func(o issuance.Operator) bool { return o.Key == op.Key })
		if i < 0 || here[i].Person != op.Person || slices.ContainsFunc(op.Roles, func(r issuance.Role) bool {
			return !slices.Contains(here[i].Roles, r)
		}) {
			strangers = append(strangers, op)
		}
	}
	return strangers
}
