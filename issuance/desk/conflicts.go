package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// Log is one of the logs of an office: its own, or a branch's as far as it was taken over.
type Log struct {
	Origin string
	Store  interface {
		// Taken lists what streams have claimed or hold of a kind, see the stores.
		Taken(ctx context.Context, kind issuance.ClaimKind, after string, n int) ([]ledger.Taken, error)
		Stream(ctx context.Context, s issuance.StreamID) ([]issuance.Entry, error)
	}
}

// Side is a stream in a log.
type Side struct {
	Origin string
	Stream issuance.StreamID
}

// String gives origin#kind/id.
func (s Side) String() string { return s.Origin + "#" + s.Stream.String() }

// Conflict is something that two logs cannot both be right about. Which of them is is for
// a person to say.
type Conflict struct {
	Object string // what they disagree on: a kind of claim, or one of the objects below
	Sides  []Side // two or more, or one that breaks a rule of the office, in their order
}

// What one side alone can be in conflict with the office about.
const (
	BeyondGrant = "grant"    // used what was not granted
	Stranger    = "operator" // acted, but is not the same person with the same roles here
)

// SameName is the object of a conflict about two cards that bear one name in two logs.
const SameName = "name"

// ID names the conflict: the same for the same object and sides, in whatever order the logs
// came. It has 130 bits, for who makes up the names of streams may look for two that meet.
func (c Conflict) ID() string { return c.name(26) }

// shortID is what conflicts were called before, by 50 bits.
func (c Conflict) shortID() string { return c.name(10) }

func (c Conflict) name(digits int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", c.Object)
	for _, s := range c.Sides {
		fmt.Fprintf(&b, "%s\n", s)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return "X-" + base32.HexEncoding.EncodeToString(sum[:])[:digits]
}

func (c Conflict) is(other Conflict) bool {
	return c.Object == other.Object && slices.Equal(c.Sides, other.Sides)
}

// shared are the kinds of things that no two streams of any logs may both have.
var shared = []issuance.ClaimKind{
	issuance.ClaimChip, issuance.ClaimChipKey, issuance.ClaimCardID, issuance.ClaimCardSerial, issuance.ClaimBlank,
	issuance.ClaimStatus, issuance.ClaimUse, issuance.ClaimNumber, issuance.HoldApplication, issuance.HoldCard,
}

// Conflicts lists what more than one log has. The order of the logs does not matter. Logs of any size are read page by page.
func Conflicts(ctx context.Context, logs ...Log) ([]Conflict, error) {
	var found []Conflict
	keys := signers{}
	for _, kind := range shared {
		pages := make([]page, len(logs))
		for i, l := range logs {
			pages[i] = page{log: l, kind: kind}
		}
		for {
			c, value, more, err := lowest(ctx, pages)
			if err != nil {
				return nil, err
			}
			if !more {
				break
			}
			all := []Conflict{c}
			if kind == issuance.ClaimUse && len(c.Sides) > 1 {
				if all, err = keys.part(ctx, c, value, logs); err != nil {
					return nil, err
				}
			}
			for _, c := range all {
				if len(c.Sides) > 1 && !slices.ContainsFunc(found, c.is) {
					found = append(found, c)
				}
			}
		}
	}
	return found, nil
}

// signers are the public keys of document signers, by log and name.
type signers map[[2]string]string

// part parts the sides of a use of a document signer by the key that each log has by that name:
// every log numbers its own signers from ds-001 on. Where a log does not say which it is, they
// stay together.
func (k signers) part(ctx context.Context, c Conflict, value string, logs []Log) ([]Conflict, error) {
	name := value[:max(strings.LastIndexByte(value, ':'), 0)]
	sides := map[string][]Side{}
	for _, s := range c.Sides {
		public, err := k.public(ctx, s.Origin, name, logs)
		if err != nil {
			return nil, err
		}
		if public == "" {
			return []Conflict{c}, nil
		}
		sides[public] = append(sides[public], s)
	}
	var all []Conflict
	for _, public := range slices.Sorted(maps.Keys(sides)) {
		all = append(all, Conflict{c.Object, sides[public]})
	}
	return all, nil
}

// public is the digest of a key's public half; empty if the log does not say it.
func (k signers) public(ctx context.Context, origin, name string, logs []Log) (string, error) {
	at := [2]string{origin, name}
	if public, ok := k[at]; ok {
		return public, nil
	}
	i := slices.IndexFunc(logs, func(l Log) bool { return l.Origin == origin })
	entries, err := logs[i].Store.Stream(ctx, issuance.Key(name))
	if err != nil {
		return "", err
	}
	for i := range entries {
		if entries[i].Act == issuance.Generate {
			k[at] = entries[i].Fields["public"]
		}
	}
	return k[at], nil
}

// continued are the kinds of things that a stream may have in two logs under its own name: a
// person has one number everywhere, and a card that the office recalls claims what it claimed
// at its desk. Whatever else two logs have, they have twice, whatever the streams are called.
var continued = []issuance.ClaimKind{issuance.ClaimNumber, issuance.ClaimCardID, issuance.ClaimStatus}

// sameNames lists the branch's cards whose name another log has for a card of its own, which is
// not the office's recall of the branch's.
func sameNames(ctx context.Context, b Log, others []Log) ([]Conflict, error) {
	var found []Conflict
	after := ""
	for {
		rows, err := b.Store.Taken(ctx, issuance.ClaimChip, after, pageSize)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			for _, other := range others {
				there, err := other.Store.Stream(ctx, r.Stream)
				if err != nil {
					return nil, err
				}
				if len(there) == 0 || there[0].Act == issuance.Recall {
					continue
				}
				sides := []Side{{b.Origin, r.Stream}, {other.Origin, r.Stream}}
				slices.SortFunc(sides, func(x, y Side) int { return cmp.Compare(x.Origin, y.Origin) })
				found = append(found, Conflict{SameName, sides})
			}
		}
		if len(rows) < pageSize {
			return found, nil
		}
		after = rows[len(rows)-1].Claim.Value
	}
}

// lowest takes value, the lowest, from the heads of all pages, with the streams that have it.
func lowest(ctx context.Context, pages []page) (c Conflict, value string, more bool, err error) {
	var least *ledger.Taken
	for i := range pages {
		head, err := pages[i].head(ctx)
		if err != nil {
			return Conflict{}, "", false, err
		}
		if head != nil && (least == nil || head.Claim.Value < least.Claim.Value) {
			least = head
		}
	}
	if least == nil {
		return Conflict{}, "", false, nil
	}
	value = least.Claim.Value
	c = Conflict{Object: string(least.Claim.Kind)}
	for i := range pages {
		head, err := pages[i].head(ctx)
		if err != nil {
			return Conflict{}, "", false, err
		}
		if head == nil || head.Claim.Value != value {
			continue
		}
		c.Sides = append(c.Sides, Side{pages[i].log.Origin, head.Stream})
		pages[i].rows = pages[i].rows[1:]
	}
	slices.SortFunc(c.Sides, func(a, b Side) int {
		return cmp.Or(cmp.Compare(a.Stream.String(), b.Stream.String()), cmp.Compare(a.Origin, b.Origin))
	})
	if slices.Contains(continued, least.Claim.Kind) {
		c.Sides = slices.CompactFunc(c.Sides, func(a, b Side) bool { return a.Stream == b.Stream })
	}
	return c, value, true, nil
}

// page is a place in the values of one kind that a log has.
type page struct {
	log   Log
	kind  issuance.ClaimKind
	rows  []ledger.Taken
	after string
	done  bool
}

const pageSize = 512

// head is the next value, nil after the last.
func (p *page) head(ctx context.Context) (*ledger.Taken, error) {
	if len(p.rows) == 0 && !p.done {
		rows, err := p.log.Store.Taken(ctx, p.kind, p.after, pageSize)
		if err != nil {
			return nil, err
		}
		p.rows, p.done = rows, len(rows) < pageSize
		if len(rows) > 0 {
			p.after = rows[len(rows)-1].Claim.Value
		}
	}
	if len(p.rows) == 0 {
		return nil, nil
	}
	return &p.rows[0], nil
}
