package dataset

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

var provenance = Provenance{
	Origin: "log.example/specimen", Size: 20_000_000, Root: strings.Repeat("5a", 32),
	From: "2026-09-01", To: "2026-10-31", Office: "hn-01", Zone: "+07:00", Tool: "v0.0.0-test", Ages: true,
}

// synthetic makes up events of two months, as an agency of many offices has them.
type synthetic struct{ r *rand.Rand }

func newSynthetic(seed uint64) synthetic { return synthetic{rand.New(rand.NewPCG(seed, 0))} }

func pick(r *rand.Rand, from ...string) string { return from[r.IntN(len(from))] }

func (s synthetic) event() Event {
	r := s.r
	e := Event{
		Day: time.Date(2026, 9, 1+r.IntN(61), 0, 0, 0, 0, time.UTC), Document: "can-cuoc", Office: fmt.Sprintf("hn-%02d", r.IntN(100)),
		Cause: "first", Register: pick(r, "match", "match", "match", "explainable", "mismatch"), Days: -1,
		Age: pick(r, "0-5", "6-13", "14-24", "14-24", "25-39", "25-39", "40-59", "60+"),
	}
	if r.IntN(3) == 0 {
		e.Cause = pick(r, "age", "lost", "name", "damaged", "request")
	}
	switch n := r.IntN(100); {
	case n < 35:
		e.Act, e.Register = "enrol", "none"
	case n < 65:
		e.Act, e.Days = "approve", r.IntN(3)
	case n < 90:
		e.Act, e.Days, e.InTerm = "issue", r.IntN(10), "yes"
		if e.Days > 7 {
			e.InTerm = "no"
		}
	case n < 95:
		e.Act, e.Why, e.Days = "reject", pick(r, "identity", "documents", "portrait", "duplicate"), r.IntN(5)
		if r.IntN(40) == 0 {
			e.Why = pick(r, "wrong-office", "not-entitled", "data-mismatch")
		}
	default:
		e.Act, e.Why = "revoke", pick(r, "lost", "stolen", "damaged", "died")
	}
	return e
}

func made(t testing.TB, o Options, events ...Event) ([]byte, Result) {
	t.Helper()
	var out bytes.Buffer
	w := New(&out, o)
	defer w.Close()
	for _, e := range events {
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	r, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), r
}

func rowsOf(t testing.TB, b []byte) []Row {
	t.Helper()
	var rows []Row
	_, err := Read(bytes.NewReader(b), int64(len(b)), func(r Row) error { rows = append(rows, r); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Every combination stands there K times, ages of one group are at least two, and the same
// events in another order, or through files, are the same octets.
func TestDataset(t *testing.T) {
	s := newSynthetic(1)
	var events []Event
	for range 60_000 {
		events = append(events, s.event())
	}
	first, result := made(t, Options{Provenance: provenance}, events...)
	rand.New(rand.NewPCG(2, 0)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	again, _ := made(t, Options{Provenance: provenance, Temp: t.TempDir(), Distinct: 500}, events...)
	if sha256.Sum256(first) != sha256.Sum256(again) {
		t.Error("the same events in another order are other octets")
	}
	rows := rowsOf(t, first)
	if int64(len(rows)) != result.Rows || result.Octets != int64(len(first)) || result.Rows+result.Withheld < 59_990 || result.Rows > 60_000 {
		t.Errorf("%+v, %d rows, %d octets", result, len(rows), len(first))
	}
	alike, levels := map[Row]int{}, map[int32]int{}
	bands := map[Row]map[string]bool{}
	for _, r := range rows {
		alike[r]++
		levels[r.Level]++
		group := r
		group.Age = ""
		if bands[group] == nil {
			bands[group] = map[string]bool{}
		}
		bands[group][r.Age] = true
	}
	for r, n := range alike {
		if n < K {
			t.Errorf("%d times %+v", n, r)
		}
	}
	for group, of := range bands {
		if len(of) == 1 && !of[Any] {
			t.Errorf("all of %+v are of age %v", group, of)
		}
	}
	t.Logf("%d rows in %d octets, %d withheld, by level %v", result.Rows, result.Octets, result.Withheld, levels)
	for level := range int32(len(coarser)) {
		if levels[level] == 0 && level != 2 {
			t.Errorf("no row of level %d", level)
		}
	}
}

// A month is told the same in a file of it alone and in one of more.
func TestMonthsStandAlone(t *testing.T) {
	s := newSynthetic(3)
	var both, september []Event
	for range 20_000 {
		e := s.event()
		both = append(both, e)
		if e.Day.Month() == time.September {
			september = append(september, e)
		}
	}
	whole, _ := made(t, Options{}, both...)
	part, _ := made(t, Options{}, september...)
	alone := rowsOf(t, part)
	count := func(rows []Row) map[Row]int {
		m := map[Row]int{}
		for _, r := range rows {
			if r.Month == alone[0].Month {
				m[r]++
			}
		}
		return m
	}
	if a, b := count(rowsOf(t, whole)), count(alone); !reflect.DeepEqual(a, b) {
		t.Error("September is told in two ways")
	}
}

// What is told of ages, by group.
func TestAges(t *testing.T) {
	for _, c := range []struct {
		of, want ages
	}{
		{ages{{"", 7}}, ages{{"", 7}}},
		{ages{{"a", 7}}, ages{{Any, 7}}},                     // all of one age
		{ages{{"a", 7}, {"b", 5}}, ages{{"a", 7}, {"b", 5}}}, // two
		{ages{{"a", 7}, {"b", 2}}, ages{{Any, 9}}},           // one and a few
		{ages{{"a", 7}, {"b", 5}, {"c", 5}}, ages{{"a", 7}, {"b", 5}, {"c", 5}}},
		{ages{{"a", 7}, {"b", 9}, {"c", 6}, {"d", 1}}, ages{{"a", 7}, {"b", 9}, {Any, 7}}}, // the smallest hides it
		{ages{{"a", 7}, {"b", 9}, {"c", 3}, {"d", 3}}, ages{{"a", 7}, {"b", 9}, {Any, 6}}},
		{ages{{"a", 2}, {"b", 3}}, ages{{Any, 5}}},
	} {
		if got := apart(c.of); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v is told as %v, want %v", c.of, got, c.want)
		}
	}
}

// Values that could be taken for others are refused, and rare rows withheld.
func TestRefused(t *testing.T) {
	w := New(&bytes.Buffer{}, Options{})
	defer w.Close()
	good := newSynthetic(4).event()
	for _, change := range []func(*Event){
		func(e *Event) { e.Office = Any },
		func(e *Event) { e.Cause = "a\x00b" },
		func(e *Event) { e.Age = "*" },
		func(e *Event) { e.Why = strings.Repeat("x", maxValue+1) },
	} {
		e := good
		change(&e)
		if err := w.Add(e); !errors.Is(err, ErrValue) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	b, r := made(t, Options{}, good, good, good, good)
	if r.Rows != 0 || r.Withheld != 5 || len(rowsOf(t, b)) != 0 {
		t.Errorf("four of a kind: %+v", r)
	}
	b, r = made(t, Options{}, good, good, good, good, good)
	if r.Rows != 5 || r.Withheld != 0 || len(rowsOf(t, b)) != 5 {
		t.Errorf("five of a kind: %+v", r)
	}
}

// Every column is in the dictionary, with words in both languages, and the file has it inside.
func TestDictionary(t *testing.T) {
	b, _ := made(t, Options{Provenance: provenance})
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		if again, _ := made(t, Options{Provenance: provenance}); !bytes.Equal(b, again) {
			t.Fatal("another time it is another file")
		}
	}
	var named []string
	for _, c := range columns() {
		if c.Vi == "" || c.En == "" || c.Type == "" {
			t.Errorf("%+v", c)
		}
		named = append(named, c.Name)
	}
	var there []string
	for _, c := range f.Schema().Columns() {
		there = append(there, c[0])
	}
	if !slices.Equal(named, there) {
		t.Errorf("columns %v, in the dictionary %v", there, named)
	}
	for key, want := range map[string]string{metaSchema: Schema, metaProvenance: `"origin":"log.example/specimen"`, metaDictionary: `Mỗi dòng`} {
		if v, ok := f.Lookup(key); !ok || !strings.Contains(v, want) {
			t.Errorf("%s: %q", key, v)
		}
	}
}

// Ten times as many rows take as much memory. TAMTHE_SOAK writes ten million, or as many as
// it says, and holds the whole process to 300 MB.
func TestMemory(t *testing.T) {
	soak := os.Getenv("TAMTHE_SOAK") != ""
	sizes := []int{30_000, 300_000}
	if soak {
		n, err := strconv.Atoi(os.Getenv("TAMTHE_SOAK"))
		if err != nil || n < 2 {
			n = 10_000_000
		}
		sizes = []int{n / 10, n}
	}
	var peaks []uint64
	for _, n := range sizes {
		debug.FreeOSMemory()
		file, err := os.Create(t.TempDir() + "/acts.parquet")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		begun := time.Now()
		w := New(file, Options{Provenance: provenance, Distinct: 20_000})
		if soak {
			w = New(file, Options{Provenance: provenance})
		}
		defer w.Close()
		var peak uint64
		look := func() {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		for s, i := newSynthetic(5), 0; i < n; i++ {
			if err := w.Add(s.event()); err != nil {
				t.Fatal(err)
			}
			if i%(n/10) == 0 {
				look()
			}
		}
		look()
		spilled := len(w.levels[0].runs)
		r, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		look()
		peaks = append(peaks, peak)
		took := time.Since(begun)
		t.Logf("%d rows: %d octets (%.2f a row), %.0f rows/s, %d files, heap at most %d MB, resident at most %d MB", r.Rows, r.Octets,
			float64(r.Octets)/float64(r.Rows), float64(r.Rows)/took.Seconds(), spilled, peak>>20, resident(t)>>20)
	}
	if peaks[1] > peaks[0]+peaks[0]/2+8<<20 {
		t.Errorf("heap grows from %d to %d octets", peaks[0], peaks[1])
	}
	if soak && resident(t) > 300<<20 {
		t.Errorf("%d MB were resident", resident(t)>>20)
	}
}

// resident is the most memory that the process ever had, where the system says it.
func resident(t *testing.T) uint64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, _ := strconv.ParseUint(strings.Fields(after)[0], 10, 64)
	return kb << 10
}
