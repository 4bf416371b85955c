package signing

import "testing"

// TestDrawIndex: places in the status list are spread over the whole list, and tell neither
// the order of issue nor their neighbours. The bounds are further out than chance goes.
func TestDrawIndex(t *testing.T) {
	const draws, parts = 4096, 64
	var spread [parts]int
	taken, rising := places{}, 0
	var last uint32
	for range draws {
		i, ok := taken.draw()
		if _, again := taken[i]; !ok || again || i >= fewPlaces {
			t.Fatalf("place %d, %v", i, ok)
		}
		if i > last {
			rising++
		}
		taken[i] = struct{}{}
		spread[i/(fewPlaces/parts)]++
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
}

// TestDrawFree: of a list with one place left that is drawn, and of a full one none.
func TestDrawFree(t *testing.T) {
	taken := places{}
	for v := range uint32(8) {
		if v != 5 {
			taken[v] = struct{}{}
		}
	}
	if i, ok := taken.drawOf(8); !ok || i != 5 {
		t.Errorf("place %d, %v", i, ok)
	}
	taken[5] = struct{}{}
	if i, ok := taken.drawOf(8); ok {
		t.Errorf("place %d of a full list", i)
	}
}

// TestOpenPlaces: one in nine places is free, of a small list nearly all.
func TestOpenPlaces(t *testing.T) {
	for cards, want := range map[uint64]uint64{
		0: 1 << 26, 50_000_000: 1 << 26, 100_000_000: 108 << 20, 1 << 32: 1 << 32,
	} {
		if got := openPlaces(cards); got != want {
			t.Errorf("%d cards: %d places, want %d", cards, got, want)
		}
	}
}
