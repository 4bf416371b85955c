package status

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tamthe/tamthe/verify/pki"
)

// place says which lists replace one another. A list of several document codes has a place
// for each: whoever is pinned for some only replaces nothing for the others.
type place struct {
	country, uri, document string
	sort                   Sort // of the snapshot
}

func (p place) compare(q place) int {
	return cmp.Or(cmp.Compare(p.country, q.country), cmp.Compare(p.uri, q.uri), cmp.Compare(p.document, q.document), cmp.Compare(p.sort, q.sort))
}

// found is a list and the file that it lies in.
type found struct {
	path string
	list *List
}

// sorter puts the lists of a folder together.
type sorter map[place][]found

func (t sorter) add(path string, b []byte, pinned Signers) error {
	l, err := Parse(b, pinned)
	if err != nil {
		return err
	}
	sorts := []Sort{l.Sort}
	switch l.Sort {
	case IndexDelta:
		sorts = []Sort{Index}
	case ExactDelta:
		sorts = []Sort{Filter, Exact}
	case Index, Filter, Exact, heads:
	}
	f := found{path, l}
	for _, s := range sorts {
		for _, d := range l.Documents {
			if p := (place{l.Country, l.URI, d, s}); !slices.Contains(t[p], f) {
				t[p] = append(t[p], f)
			}
		}
	}
	return nil
}

// take chooses from each series what counts.
func (s *Source) take(t sorter, memory Memory) {
	used := map[string]bool{}
	orphans := map[string]error{}
	for _, p := range slices.SortedFunc(maps.Keys(t), place.compare) {
		lists := t[p]
		slices.SortFunc(lists, func(a, b found) int {
			return cmp.Or(cmp.Compare(b.list.Sequence, a.list.Sequence), cmp.Compare(a.path, b.path))
		})
		x, alone := join(lists)
		for _, f := range alone {
			orphans[f.path] = fmt.Errorf("number %d changes number %d: %w", f.list.Sequence, f.list.Base, ErrNoBase)
		}
		if x == nil {
			continue
		}
		for _, f := range lists {
			if f.list == x.snapshot || f.list == x.delta {
				used[f.path] = true
			}
		}
		x.document, x.path = p.document, nameOf(x.newest(), lists)
		if err := x.allowed(lists, memory); err != nil {
			s.refuse(x.path, err)
			continue
		}
		s.series = append(s.series, x)
	}
	s.together(memory)
	for _, path := range slices.Sorted(maps.Keys(orphans)) {
		if !used[path] {
			s.refuse(path, orphans[path])
		}
	}
	slices.SortStableFunc(s.refused, func(a, b Refused) int { return cmp.Compare(a.Path, b.Path) })
}

// together holds filters and exact lists of one URI and document code against what was seen of either: with
// the newer one taken away, the older one must not speak for a card.
func (s *Source) together(memory Memory) {
	if memory == nil {
		return
	}
	newest := map[place]*series{}
	for _, x := range s.series {
		if p := x.family(); x.snapshot.Sort != Index && (newest[p] == nil || newest[p].newest().Sequence < x.newest().Sequence) {
			newest[p] = x
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(newest), place.compare) {
		m := newest[p].mark()
		m.Kind = "status-names"
		err := memory.Note(m)
		if err == nil {
			continue
		}
		s.series = slices.DeleteFunc(s.series, func(x *series) bool {
			gone := x.snapshot.Sort != Index && x.family() == p
			if gone {
				s.refuse(x.path, err)
			}
			return gone
		})
	}
}

// family is what lists of names have in common that tell of the same cards.
func (x *series) family() place {
	return place{country: x.snapshot.Country, uri: x.snapshot.URI, document: x.document}
}

func nameOf(l *List, lists []found) string {
	return lists[slices.IndexFunc(lists, func(f found) bool { return f.list == l })].path
}

// join makes a series of lists in falling order: that whose last word is the newest. Deltas
// without their snapshot that would have been newer are returned.
func join(lists []found) (x *series, alone []found) {
	for _, f := range lists {
		if !f.list.Sort.Delta() {
			x = &series{snapshot: f.list}
			break
		}
		if i := slices.IndexFunc(lists, func(s found) bool { return f.list.changes(s.list) }); i >= 0 {
			x = &series{snapshot: lists[i].list, delta: f.list}
			break
		}
		alone = append(alone, f)
	}
	if x != nil && len(alone) > 0 {
		x.note = fmt.Sprintf("number %d is here without its snapshot, number %d", alone[0].list.Sequence, alone[0].list.Base)
	}
	return x, alone
}

// errTwice says that a signer gave one number to two lists.
var errTwice = errors.New("two lists have this number")

// allowed says whether the series may be used, and has the memory keep it.
func (x *series) allowed(lists []found, memory Memory) error {
	for i, f := range lists[1:] {
		if before := lists[i].list; before.Sequence == f.list.Sequence && before.Digest != f.list.Digest {
			return fmt.Errorf("number %d: %w: %w", f.list.Sequence, errTwice, pki.ErrRollback)
		}
	}
	if memory == nil {
		return nil
	}
	return memory.Note(x.mark())
}
