package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// sizes is how long the ledger was at the end of each month: up to the last act of a day
// before.
func (o *Office) sizes(ctx context.Context, months []time.Time) ([]int64, error) {
	sizes := make([]int64, len(months))
	err := o.Store.Entries(ctx, 0, func(index int64, leaf, _ []byte) error {
		e, _, err := issuance.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		day := o.day(e)
		for n, m := range slices.Backward(months) {
			if !day.Before(m.AddDate(0, 1, 0)) {
				break
			}
			sizes[n] = index + 1
		}
		return nil
	})
	return sizes, err
}

// zone is that of the office's clock when a period ended.
func (o *Office) zone(end time.Time) string {
	y, m, d := end.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, o.Now().Location()).Format("-07:00")
}

// Extent is how long the ledger was before a day, and the root of the tree over its entries
// then: what a signed checkpoint of that size says, which `ledger verify` and the tiles of an
// export lead to any later one.
func (o *Office) Extent(ctx context.Context, end time.Time) (size int64, root [32]byte, err error) {
	month := dayOf(end).AddDate(0, -1, 0)
	if !month.AddDate(0, 1, 0).Equal(dayOf(end)) {
		return 0, root, ErrWhole
	}
	sizes, err := o.sizes(ctx, []time.Time{month})
	if err != nil {
		return 0, root, err
	}
	var tree ledger.Tree
	enough := errors.New("enough")
	err = o.Store.Entries(ctx, 0, func(index int64, leaf, _ []byte) error {
		if index >= sizes[0] {
			return enough
		}
		tree.Append(tlog.RecordHash(leaf))
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return 0, root, err
	}
	return sizes[0], tree.Root(), nil
}

// ListAge is how old a list of the authority's was in a month, in whole days.
type ListAge struct {
	List   string `json:"list"`   // crl, status-list, master-list, deviation-list
	Issued int    `json:"issued"` // in the month
	Newest string `json:"newest"` // day on which the newest was signed, up to the end of the month
	Age    int    `json:"age_days"`
	Oldest int    `json:"oldest_days"` // the greatest age that the newest list had on a day of the month
}

// listTimes are the days on which lists were issued, each list's in order.
type listTimes map[string][]time.Time

func (o *Office) listTimes(ctx context.Context) (listTimes, error) {
	times := listTimes{}
	err := o.Store.Streams(ctx, issuance.KindKey, func(id issuance.StreamID) error {
		entries, err := o.Store.Stream(ctx, id)
		for _, e := range entries {
			list := e.Fields["object"]
			if e.Act == issuance.Issue && slices.Contains([]string{objectCRL, objectStatus, objectMasterList, objectDeviations}, list) {
				times[list] = append(times[list], o.day(e))
			}
		}
		return err
	})
	for _, days := range times {
		slices.SortFunc(days, time.Time.Compare)
	}
	return times, err
}

// ages tells the lists of which there was one before the end of a month.
func (l listTimes) ages(from, end time.Time) []ListAge {
	list := []ListAge{}
	for _, name := range []string{objectCRL, objectStatus, objectMasterList, objectDeviations} {
		a := ListAge{List: name}
		var newest time.Time
		next := 0
		for day := from; day.Before(end); day = day.AddDate(0, 0, 1) {
			for ; next < len(l[name]) && !l[name][next].After(day); next++ {
				newest = l[name][next]
				if !newest.Before(from) {
					a.Issued++
				}
			}
			if !newest.IsZero() {
				a.Age = int(day.Sub(newest) / (24 * time.Hour))
				a.Oldest = max(a.Oldest, a.Age)
			}
		}
		if !newest.IsZero() {
			a.Newest = newest.Format(time.DateOnly)
			list = append(list, a)
		}
	}
	return list
}
