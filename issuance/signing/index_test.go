package signing

import "testing"

// TestDrawIndex: places in the status list are spread over the whole list, and tell neither
// the order of issue nor their neighbours. The bounds are further out than chance goes.
func TestDrawIndex(t *testing.T) {
	const draws, parts = 4096, 64
	var spread [parts]int
	seen, rising := map[uint32]int{}, 0
	var last uint32
	for range draws {
		i := drawIndex()
		if i >= placesOfList {
			t.Fatalf("place %d", i)
		}
		if i > last {
			rising++
		}
		seen[i]++
		spread[i/(placesOfList/parts)]++
		last = i
	}
	for part, n := range spread { // 64 each, by chance with a deviation of 8
		if n < 8 || n > 120 {
			t.Errorf("part %d of the list was drawn %d times", part, n)
		}
	}
	if rising < draws/2-400 || rising > draws/2+400 {
		t.Errorf("%d of %d places lie behind the one before", rising, draws)
	}
	if len(seen) < draws-20 {
		t.Errorf("%d different places", len(seen))
	}
}
