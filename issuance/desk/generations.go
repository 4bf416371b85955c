package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/card/cert"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ca"
)

var (
	// ErrNotice means that a next CSCA was announced less than ca.Notice ago.
	ErrNotice = errors.New("other states have not had their notice yet")
	// ErrNoLink means that the newest CSCA has its link certificate already, or that there is
	// nothing to link.
	ErrNoLink = errors.New("there is nothing to link")
)

// A generation is a CSCA key that was certified.
type generation struct {
	name    string
	cert    *cert.Certificate
	revoked bool
	linked  time.Time // when the one before vouched for it; zero if it did not
}

// generations are the CSCA's keys in the order of their making.
type generations []generation

// generations reads the certified keys of the CSCA.
func (o *Office) generations(ctx context.Context) (generations, error) {
	list, err := o.Store.List(ctx, issuance.KindKey)
	if err != nil {
		return nil, err
	}
	var all generations
	links := map[string]time.Time{}
	for _, k := range list {
		name := k.Stream.ID
		if name != cscaName && !strings.HasPrefix(name, cscaPrefix) {
			continue
		}
		entries, err := o.Store.Stream(ctx, k.Stream)
		if err != nil {
			return nil, err
		}
		certified := false
		for _, e := range entries {
			switch {
			case e.Act != issuance.Issue:
			case e.Fields["object"] == objectLink:
				links[e.Fields["chr"]] = e.Time
			case e.Fields["object"] == objectCertificate:
				certified = true
			}
		}
		if !certified {
			continue
		}
		c, err := o.certificate(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, generation{name: name, cert: c, revoked: k.Phase == issuance.Revoked})
	}
	for i := range all {
		all[i].linked = links[all[i].name]
	}
	return all, nil
}

// current names the key that signs everything now: the newest one that may. A key may sign
// once ca.Embargo has passed since its link certificate, or if no other can; "" is none.
func (g generations) current(now time.Time) string {
	for i, one := range slices.Backward(g) {
		alone := !slices.ContainsFunc(g[:i], func(x generation) bool { return !x.revoked })
		rested := !one.linked.IsZero() && !now.Before(one.linked.Add(ca.Embargo))
		if !one.revoked && (alone || rested) {
			return one.name
		}
	}
	return ""
}

// find returns the generation of the name, or nil.
func (g generations) find(name string) *generation {
	for i := range g {
		if g[i].name == name {
			return &g[i]
		}
	}
	return nil
}

// former are the names that CSCAs before this one bore.
func (g generations) former(name string) []cert.Name {
	var list []cert.Name
	for _, one := range g {
		if one.name == name {
			break
		}
		if !slices.ContainsFunc(list, one.cert.Subject.Equal) {
			list = append(list, one.cert.Subject)
		}
	}
	return list
}

// nextGeneration is the name of the CSCA key that is announced, or would be: revoked keys
// count.
func (o *Office) nextGeneration(ctx context.Context, all generations) string {
	return fmt.Sprintf("%s%03d", cscaPrefix, len(all)+1)
}
