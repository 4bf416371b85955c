package desk

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// keepers are the rig's two as stock keepers of a batch of their own at another place.
func (r *rig) at(place string) *Office {
	o := *r.an
	o.Place = place
	return &o
}

func blanks(batch string, first, last uint64, at string) Range {
	return Range{Batch: batch, First: first, Last: last, At: at}
}

// TestStock: blanks are received once, moved, spoiled and destroyed from where they are.
func TestStock(t *testing.T) {
	t.Parallel()
	r, ctx := newOffice(t), t.Context()
	o := r.at("hue")
	check(t, o.ReceiveBlanks(ctx, blanks("B-2", 101, 200, "hue"), ""))
	check(t, o.ReceiveBlanks(ctx, blanks("B-2", 1, 50, "hue"), ""))
	alone := *o
	alone.Second = nil
	for name, c := range map[string]struct{ err, want error }{
		"again":             {o.ReceiveBlanks(ctx, blanks("B-2", 200, 300, "hue"), ""), issuance.ErrLink},
		"around":            {o.ReceiveBlanks(ctx, blanks("B-2", 40, 120, "hue"), ""), issuance.ErrLink},
		"backwards":         {o.ReceiveBlanks(ctx, blanks("B-2", 300, 299, "hue"), ""), issuance.ErrEntry},
		"too many":          {o.ReceiveBlanks(ctx, blanks("B-2", 1, issuance.MaxBlank+1, "hue"), ""), issuance.ErrEntry},
		"another key":       {o.ReceiveBlanks(ctx, blanks("B-2", 300, 300, "hue"), "tk-2"), issuance.ErrLink},
		"from elsewhere":    {o.MoveBlanks(ctx, blanks("B-2", 1, 2, "hanoi"), "vinh"), issuance.ErrLink},
		"over a gap":        {o.MoveBlanks(ctx, blanks("B-2", 40, 110, "hue"), "vinh"), issuance.ErrLink},
		"to where it is":    {o.MoveBlanks(ctx, blanks("B-2", 1, 2, "hue"), "hue"), issuance.ErrEntry},
		"good ones":         {o.DestroyBlanks(ctx, blanks("B-2", 1, 2, "hue")), issuance.ErrLink},
		"unknown batch":     {o.MoveBlanks(ctx, blanks("B-9", 1, 2, "hue"), "vinh"), nil},
		"a word of its own": {o.SpoilBlanks(ctx, blanks("B-2", 1, 1, "hue"), "eaten"), issuance.ErrWord},
		"missing, by one":   {alone.SpoilBlanks(ctx, blanks("B-2", 1, 1, "hue"), "missing"), issuance.ErrFourEyes},
	} {
		if c.err == nil || c.want != nil && !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, not %v", name, c.err, c.want)
		}
	}
	check(t, o.MoveBlanks(ctx, blanks("B-2", 110, 129, "hue"), "vinh"))
	check(t, alone.SpoilBlanks(ctx, blanks("B-2", 5, 6, "hue"), "torn"))
	wantError(t, "spoil again", o.SpoilBlanks(ctx, blanks("B-2", 6, 7, "hue"), "torn"), issuance.ErrLink)
	wantError(t, "move what is spoiled", o.MoveBlanks(ctx, blanks("B-2", 6, 6, "hue"), "vinh"), issuance.ErrLink)
	wantError(t, "destroy alone", alone.DestroyBlanks(ctx, blanks("B-2", 5, 6, "hue")), issuance.ErrFourEyes)
	check(t, o.DestroyBlanks(ctx, blanks("B-2", 5, 5, "hue")))
	got := must(o.Holdings(ctx))(t)
	want := []Holding{
		{Batch: "B-1", At: here, InStock: 100_000},
		{Batch: "B-2", At: "hue", InStock: 50 - 2 + 80, Spoiled: 1, Destroyed: 1},
		{Batch: "B-2", At: "vinh", InStock: 20},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	r.sound(t)
}

// TestBlanksAreUsedOnce: each card takes a blank that is in stock here, and none is taken
// twice.
func TestBlanksAreUsedOnce(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	used := func(card string) string {
		return must(issuance.Load(ctx, r.store, issuance.Card(card)))(t).Subject(issuance.Card(card)).Fields["blank"]
	}
	first := r.personalised(t, r.approved(t, enrolment(1)), blank(), r.plan())
	check(t, r.an.SpoilBlanks(ctx, blanks("B-1", 2, 3, here), "torn"))
	wantType[*issuance.DuplicateError](t, "spoil what is used", r.an.SpoilBlanks(ctx, blanks("B-1", 1, 1, here), "torn"))
	wantType[*issuance.DuplicateError](t, "move what is used", r.an.MoveBlanks(ctx, blanks("B-1", 1, 9, here), "hue"))
	second := r.personalised(t, r.approved(t, enrolment(2)), blank(), r.plan())
	if used(first) != "1" || used(second) != "4" {
		t.Errorf("blanks %s and %s", used(first), used(second))
	}
	check(t, r.an.MoveBlanks(ctx, blanks("B-1", 20, 20, here), "hue"))
	app, p := r.approved(t, enrolment(3)), r.plan()
	for name, b := range map[string]Blank{
		"spoiled":        {Batch: "B-1", Number: 3, At: here},
		"elsewhere":      {Batch: "B-1", Number: 20, At: here},
		"never received": {Batch: "B-1", Number: 100_001, At: here},
		"of no batch":    {Batch: "B-9", Number: 1, At: here},
	} {
		p.Blank = b
		wantError(t, name, failed(r.an.Personalise(ctx, app, insert(blank()), p)), issuance.ErrLink)
	}
	p.Blank = Blank{Batch: "B-1", Number: 1, At: here}
	wantType[*issuance.DuplicateError](t, "used", failed(r.an.Personalise(ctx, app, insert(blank()), p)))
	wantError(t, "where no blanks are", failed(r.at("vinh").Personalise(ctx, app, insert(blank()), r.plan())), ErrNoStock)
	p.Blank = Blank{Batch: "B-1", Number: 77, At: here}
	if third := r.personalised(t, app, blank(), p); used(third) != "77" {
		t.Error("another blank was taken:", used(third))
	}
	r.sound(t)
}

func failed[T any](_ T, err error) error { return err }

// TestLastBlank: when the numbers behind the last one are used up, those left out are
// found, and then there is an end.
func TestLastBlank(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	check(t, r.an.SpoilBlanks(ctx, blanks("B-1", 4, 100_000, here), "test"))
	p := r.plan()
	p.Blank = Blank{Batch: "B-1", Number: 3, At: here}
	r.personalised(t, r.approved(t, enrolment(1)), blank(), p)
	for i, want := range []uint64{1, 2} {
		if b := must(r.an.NextBlank(ctx, ""))(t); b.Number != want {
			t.Fatalf("blank %d, not %d", b.Number, want)
		}
		r.personalised(t, r.approved(t, enrolment(2+i)), blank(), r.plan())
	}
	wantError(t, "next", second(r.an.NextBlank(ctx, "B-1")), ErrNoStock)
}

// TestDay: a day closes when what was there and came is what was used, spoiled, moved and
// counted, and begins with what the day before ended with.
func TestDay(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	wantError(t, "uncounted", second(r.an.CloseDay(ctx)), ErrNotCounted)
	r.personalised(t, r.approved(t, enrolment(1)), blank(), r.plan())
	check(t, r.an.SpoilBlanks(ctx, blanks("B-1", 10, 12, here), "torn"))
	check(t, r.an.MoveBlanks(ctx, blanks("B-1", 90_001, 100_000, here), "hue"))
	check(t, r.an.Count(ctx, "B-1", 89_995, nil))
	gap := wantType[*GapError](t, "one missing", second(r.an.CloseDay(ctx)))
	wantError(t, "one missing", gap, issuance.ErrGap)
	if gap.Book != 89_996 || gap.Counted != 89_995 {
		t.Errorf("%+v", gap)
	}
	check(t, r.an.Count(ctx, "B-1", 89_996, nil))
	if s := must(r.an.CloseDay(ctx))(t); s != (Sum{0, 100_000, 1, 3, 10_000, 89_996}) {
		t.Errorf("%+v", s)
	}
	wantError(t, "closed twice", second(r.an.CloseDay(ctx)), ErrNotCounted)
	check(t, r.at("hue").Count(ctx, "B-1", 10_000, nil))
	if s := must(r.at("hue").CloseDay(ctx))(t); s != (Sum{0, 10_000, 0, 0, 0, 10_000}) {
		t.Errorf("the other place: %+v", s)
	}

	// What is done after closing counts for the next day.
	card := r.personalised(t, r.approved(t, enrolment(2)), blank(), r.plan())
	wantError(t, "counted after closing", r.an.Count(ctx, "B-1", 89_995, nil), issuance.ErrLink)
	check(t, r.an.Spoil(ctx, card, "print"))
	r.now = r.now.Add(24 * time.Hour)
	wantError(t, "yesterday's count", second(r.an.CloseDay(ctx)), ErrNotCounted)
	check(t, r.an.ReceiveBlanks(ctx, blanks("B-3", 1, 10, here), ""))
	check(t, r.an.Count(ctx, "B-1", 89_995, nil))
	wantError(t, "one batch uncounted", second(r.an.CloseDay(ctx)), ErrNotCounted)
	check(t, r.an.Count(ctx, "B-3", 10, nil))
	if s := must(r.an.CloseDay(ctx))(t); s != (Sum{89_996, 10, 1, 0, 0, 90_005}) {
		t.Errorf("the next day: %+v", s)
	}
	r.now = r.now.Add(-24 * time.Hour)
	wantError(t, "a clock put back", r.an.Count(ctx, "B-1", 1, nil), issuance.ErrLink)

	got := must(r.an.Spoilage(ctx, r.today()))(t)
	if want := []Spoilage{{"an", "print", 0, 1}, {"an", "torn", 3, 0}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	r.sound(t)
}

func (r *rig) today() string { return r.an.today() }

// TestForgedDay: a stock keeper with a program of their own cannot close a day whose sum
// has a gap, or that begins with another number than the last one ended with.
func TestForgedDay(t *testing.T) {
	t.Parallel()
	r, ctx := newOffice(t), t.Context()
	shut := func(day string, s Sum) error {
		return r.an.do(ctx, issuance.Days(here), issuance.Close, func(e *issuance.Entry) error {
			e.Fields = s.fields()
			e.Fields["closed"] = day
			return nil
		})
	}
	wantError(t, "a gap", shut("2026-09-01", Sum{0, 10, 2, 1, 0, 6}), issuance.ErrGap)
	wantError(t, "out of nothing", shut("2026-09-01", Sum{5, 0, 0, 0, 0, 5}), issuance.ErrGap)
	check(t, shut("2026-09-01", Sum{0, 10, 2, 1, 0, 7}))
	wantError(t, "other opening", shut("2026-09-02", Sum{8, 0, 1, 0, 0, 7}), issuance.ErrGap)
	wantError(t, "the same day", shut("2026-09-01", Sum{7, 0, 0, 0, 0, 7}), issuance.ErrLink)
	check(t, shut("2026-09-02", Sum{7, 0, 0, 0, 7, 0}))
}

// TestReconcile finds one missing of a hundred thousand, and one too many, by number.
func TestReconcile(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.personalised(t, r.approved(t, enrolment(1)), blank(), r.plan())
	var list strings.Builder
	for n := 100_000; n >= 2; n-- {
		if n != 77_777 {
			fmt.Fprintln(&list, n)
		}
	}
	found := must(ParseNumbers([]byte(list.String())))(t)
	if n := Total(found); n != 99_998 {
		t.Fatal(n)
	}
	got := must(r.an.Reconcile(ctx, "B-1", found))(t)
	if got.OK() || !slices.Equal(got.Missing, []Span{{77_777, 77_777}}) || got.Surplus != nil || Total(got.Book) != 99_999 {
		t.Errorf("%+v", got)
	}
	got = must(r.an.Reconcile(ctx, "B-1", must(ParseNumbers([]byte("1-100001\n")))(t)))(t)
	if got.Missing != nil || !slices.Equal(got.Surplus, []Span{{1, 1}, {100_001, 100_001}}) {
		t.Errorf("%+v", got)
	}
	if got := must(r.an.Reconcile(ctx, "B-1", nil))(t); !got.OK() {
		t.Errorf("%+v", got)
	}
	if got := must(r.an.Reconcile(ctx, "B-1", []Span{}))(t); Total(got.Missing) != 99_999 {
		t.Errorf("%+v", got)
	}
	wantError(t, "no batch", second(r.an.Reconcile(ctx, "B-9", nil)), ErrUnknown)
}

// TestReconcileUsed: with half of a hundred thousand used, every second one, the one that
// is missing is still found; and so is a card of a blank that is out of stock.
func TestReconcileUsed(t *testing.T) {
	t.Parallel()
	r, ctx := newOffice(t), t.Context()
	check(t, r.an.SpoilBlanks(ctx, blanks("B-1", 99_999, 99_999, here), "torn"))
	db := must(sql.Open("sqlite3", "file:"+r.path("ledger.db")))(t)
	defer db.Close()
	must(db.Exec(`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 2 FROM n WHERE n < 99999)
		INSERT INTO claim SELECT 'blank', printf('B-1:%012d', n), 'card', 'C-X', 0 FROM n`))(t)
	var found []Span
	for n := uint64(2); n <= 100_000; n += 2 {
		if n != 50_000 {
			found = append(found, Span{n, n})
		}
	}
	got := must(r.an.Reconcile(ctx, "B-1", found))(t)
	if !slices.Equal(got.Missing, []Span{{50_000, 50_000}}) || got.Surplus != nil || Total(got.Book) != 50_000 {
		t.Errorf("%v missing, %v too many, %d should be there", got.Missing, got.Surplus, Total(got.Book))
	}
	if len(got.Wrong) != 1 || got.Wrong[0] != "card/C-X was made of blank 99999, which is out of stock: spoil" {
		t.Errorf("%v", got.Wrong)
	}
	if b := must(r.an.NextBlank(ctx, ""))(t); b.Number != 99_998 {
		t.Errorf("the next one is %d", b.Number)
	}
}

func TestParseNumbers(t *testing.T) {
	for text, want := range map[string][]Span{
		"":                  nil,
		"\n 7 \n\n":         {{7, 7}},
		"3\n1\n2\n9-12\n13": {{1, 3}, {9, 13}},
		"999999999999":      {{999999999999, 999999999999}},
	} {
		if got, err := ParseNumbers([]byte(text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "1-", "-1", "5-4", "1\n1", "1-5\n3", "1000000000000", "0x1", "1-2-3", "1,2"} {
		if _, err := ParseNumbers([]byte(text)); !errors.Is(err, ErrNumbers) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseNumbers(f *testing.F) {
	f.Add([]byte("1-5\n7\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ParseNumbers(text)
		if err != nil {
			return
		}
		for i, s := range list {
			if s.First > s.Last || i > 0 && s.First <= list[i-1].Last+1 {
				t.Fatalf("%v", list)
			}
		}
		if rest := without(list, list); rest != nil {
			t.Fatalf("%v", rest)
		}
	})
}
