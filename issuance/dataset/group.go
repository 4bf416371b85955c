package dataset

import (
	"bytes"
	"slices"
	"strings"
)

// ages are the rows of one group by age, in the order of the bands' names.
type ages []struct {
	age  string
	rows int64
}

func (a ages) sum() (n int64) {
	for _, g := range a {
		n += g.rows
	}
	return n
}

// emit writes the groups of a level that are large enough, and gives the others to the next.
func (w *Writer) emit(level int, f *file) error {
	var group []byte
	var of ages
	flush := func() error {
		switch {
		case len(of) == 0:
			return nil
		case of.sum() >= K:
			return f.write(level, string(group), apart(of))
		case level+1 == len(coarser):
			w.rare += of.sum()
			return nil
		}
		for _, g := range of {
			if err := w.levels[level+1].add(coarsen(group, g.age, level+1), g.rows); err != nil {
				return err
			}
		}
		return nil
	}
	err := w.levels[level].each(func(key []byte, rows int64) error {
		cut := bytes.LastIndexByte(key, 0)
		if !bytes.Equal(group, key[:cut]) {
			if err := flush(); err != nil {
				return err
			}
			group, of = append(group[:0], key[:cut]...), of[:0]
		}
		of = append(of, struct {
			age  string
			rows int64
		}{string(key[cut+1:]), rows})
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// coarsen is the key of a group at a level, with an age. What does not apply to an act stays
// empty: the act says that already.
func coarsen(group []byte, age string, level int) []byte {
	values := strings.Split(string(group), "\x00")
	for _, i := range coarser[level] {
		if values[i] != "" {
			values[i] = Any
		}
	}
	return []byte(strings.Join(append(values, age), "\x00"))
}

// apart tells the ages of a group of at least K rows, as far as they may be told: each stands
// there K times or is Any, and they are not all one, which would be everybody's in the group.
func apart(of ages) ages {
	kept := ages{}
	var rest int64
	for _, g := range of {
		if g.rows >= K {
			kept = append(kept, g)
		} else {
			rest += g.rows
		}
	}
	for rest > 0 && rest < K { // the rest alone would be fewer than K: one more hides among them
		i := fewest(kept)
		rest += kept[i].rows
		kept = slices.Delete(kept, i, i+1)
	}
	told := len(of) == 1 && of[0].age == "" // nowhere in the file
	if len(kept) < 2 && !told {
		return ages{{Any, of.sum()}}
	}
	if rest > 0 {
		kept = append(kept, ages{{Any, rest}}...)
	}
	return kept
}

func fewest(of ages) int {
	least := 0
	for i, g := range of {
		if g.rows < of[least].rows {
			least = i
		}
	}
	return least
}
