package dataset

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Planned is what rows would take.
type Planned struct {
	Rows   int64
	Octets int64
	Took   time.Duration
}

// Plan writes so many made-up rows to nowhere, of one month, offices and days as evenly spread
// as they never are, and says what they took. What reading a ledger takes is not in it.
func Plan(temp string, rows int) (Planned, error) {
	begun := time.Now()
	w := New(io.Discard, Options{Temp: temp})
	defer w.Close()
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	for range rows {
		e := Event{
			Day:      time.Date(2026, 1, 1+r.IntN(31), 0, 0, 0, 0, time.UTC),
			Document: "can-cuoc", Act: pick("enrol", "approve", "issue"), Cause: pick("first", "first", "age", "lost"),
			Office: fmt.Sprintf("office-%03d", r.IntN(700)), Register: pick("match", "match", "explainable"), Days: r.IntN(10),
			Age: pick("0-5", "6-13", "14-24", "25-39", "40-59", "60+"),
		}
		if err := w.Add(e); err != nil {
			return Planned{}, err
		}
	}
	result, err := w.Finish()
	return Planned{result.Rows, result.Octets, time.Since(begun)}, err
}
