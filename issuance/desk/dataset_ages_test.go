package desk

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/dataset"
)

// Whoever has the public log knows on which day each case was enrolled and approved. Among those
// enrolled with it a case has one age of two, and among those approved with it one of two
// others: both together would tell which.
func TestAgesOfActsTogether(t *testing.T) {
	var out bytes.Buffer
	w := dataset.New(&out, dataset.Options{Temp: t.TempDir(), Provenance: dataset.Provenance{Ages: true}})
	defer w.Close()
	day := func(n int) time.Time { return time.Date(2026, 9, n, 0, 0, 0, 0, time.UTC) }
	type life struct {
		age             string
		enrolled, ended int
	}
	for _, l := range []life{{"14-24", 1, 3}, {"25-39", 1, 4}, {"60+", 2, 3}, {"40-59", 2, 4}} {
		for range dataset.K {
			for _, e := range []Event{{Day: day(l.enrolled), Act: "enrol", Age: l.age}, {Day: day(l.ended), Act: "approve", Age: l.age}} {
				e.Document, e.Cause, e.Office, e.Register = "can-cuoc", "first", "hue", "match"
				check(t, w.Add(e.row()))
			}
		}
	}
	if _, err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	ages := map[string]map[string]bool{} // told of an act and day
	_, err := dataset.Read(bytes.NewReader(out.Bytes()), int64(out.Len()), func(r dataset.Row) error {
		group := fmt.Sprint(r.Act, " ", r.Day)
		if ages[group] == nil {
			ages[group] = map[string]bool{}
		}
		if age := r.Age; age != "" {
			ages[group][age] = true
		}
		return nil
	})
	check(t, err)
	told := 0
	for a, those := range ages {
		if len(those) > 0 {
			told++
		}
		for b, others := range ages {
			both := 0
			for age := range those {
				if others[age] {
					both++
				}
			}
			if a < b && both == 1 {
				t.Errorf("whoever is in %s and in %s has one age: %v %v", a, b, those, others)
			}
		}
	}
	if told == 0 {
		t.Error("no age is told at all")
	}
}
