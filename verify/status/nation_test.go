package status

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nation draws cards at random places of a list, nine in ten of which are taken. Its rows
// are the same each time.
type nation struct {
	cards   uint64
	revoked uint32 // and superseded: so many in ten thousand each
	made    uint32 // and not yet delivered, in a million cards
	later   uint32 // so many of a million were made since, as many delivered, and 2 % a year revoked of a day; 0: the list to begin with
}

// each gives the rows in their order.
func (n nation) each(f func(index uint32, s State) error) error {
	r := rand.New(rand.NewPCG(31, 32))
	places := n.cards + n.cards/8
	for v := range places {
		// drawn for every place alike, so that the day after differs in what happened only
		x, y, z := r.Uint32N(9), r.Uint32N(10_000), r.Uint32N(1_000_000)
		s := Active
		switch {
		case x == 8:
			if z >= 9*n.later {
				continue
			}
			s = Undelivered
		case y < n.revoked:
			s = Revoked
		case y < 2*n.revoked:
			s = Superseded
		case z < 9*n.made/8 && z >= 9*n.later/8:
			s = Undelivered
		case n.later > 0 && z >= 999_945: // 2 % a year
			s = Revoked
		}
		if err := f(uint32(v), s); err != nil {
			return err
		}
	}
	return nil
}

// TestNation makes the list of a hundred million cards, and that of the day after. It prints
// what they take.
func TestNation(t *testing.T) {
	n := nation{cards: 100_000_000, revoked: 100, made: 1680}
	if os.Getenv("TAMTHE_SOAK") == "" {
		n.cards = 200_000
	}
	an := newAuthority(t)
	begin := time.Now()
	scanned := uint64(0)
	if err := n.each(func(uint32, State) error { scanned++; return nil }); err != nil {
		t.Fatal(err)
	}
	scan := time.Since(begin)

	begin = time.Now()
	before := an.nation(t, 1, n)
	build := time.Since(begin)
	n.later = n.made
	after := an.nation(t, 2, n)
	debug.FreeOSMemory()
	old, young := an.parse(t, before), an.parse(t, after)
	patch := must(MakePatch(old, young, after))(t)
	peak := peakMB(t)
	begin = time.Now()
	made := must(Apply(old, must(ParsePatch(patch))(t)))(t)
	apply := time.Since(begin)
	if sha256.Sum256(made) != young.Digest {
		t.Error("the patch makes another list")
	}
	day := changesIn(t, old, young)
	if old.Cards() != scanned {
		t.Errorf("%d cards of %d", old.Cards(), scanned)
	}
	t.Logf("%d cards in %d places: snapshot %d octets, built in %v of which the rows took %v; peak %s MB", old.Cards(), n.cards+n.cards/8, len(before), build, scan, peak)
	t.Logf("the day after %d cards changed: patch %d octets, applied in %v", day, len(patch), apply)
	if per := float64(len(before)) * 8 / float64(old.Cards()); per > 1.04 {
		t.Errorf("%.3f bits a card", per)
	}
	if per := float64(len(patch)) / float64(day); per > 2.5 && day > 1000 {
		t.Errorf("%.2f octets a change", per)
	}
	runtime.KeepAlive(before)
}

func (an authority) nation(t testing.TB, number uint64, n nation) []byte {
	t.Helper()
	rows := &Rows{}
	if err := n.each(rows.Add); err != nil {
		t.Fatal(err)
	}
	d, err := PrepareIndexRows(header(number), an.Public(), rows)
	return an.sign(t, d, err)
}

func changesIn(t testing.TB, before, after *List) uint64 {
	t.Helper()
	return must(changesOf(after.payload.(*indexes).cards(), before.payload.(*indexes).cards(), nil))(t).Len()
}

// peakMB is the most memory that this process had, where the system tells.
func peakMB(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "?"
	}
	_, line, _ := strings.Cut(string(b), "VmHWM:")
	kb, err := strconv.Atoi(strings.Fields(line + " x")[0])
	if err != nil {
		return "?"
	}
	return strconv.Itoa(kb / 1000)
}

// BenchmarkNation measures the list of ten million cards of a nation: the look-up against one
// verification with P-256, what it takes in memory, building it against drawing its rows, and
// the patch of a day.
func BenchmarkNation(b *testing.B) {
	n := nation{cards: 10_000_000, revoked: 100, made: 1680}
	an := newAuthority(b)
	list := an.nation(b, 1, n)
	before := heap()
	l := an.parse(b, list)
	kept := heap() - before + uint64(len(list))
	after := func(later uint32) float64 {
		day := n
		day.later = later
		next := an.nation(b, 2, day)
		return float64(len(must(MakePatch(l, an.parse(b, next), next))(b)))
	}
	day, hour := after(n.made), after(n.made/24)
	digest := sha256.Sum256(nil)
	sig := must(ecdsa.SignASN1(nil, an.PrivateKey, digest[:]))(b)
	x, r := l.payload.(*indexes), rand.New(rand.NewPCG(1, 2))
	var places [1024]uint32
	for i := range places {
		places[i] = uint32(r.Uint64N(x.limit))
	}
	var lookup, verify time.Duration
	rounds := 0
	for b.Loop() {
		begin := time.Now()
		for _, v := range places {
			x.state(v)
		}
		middle := time.Now()
		for range 16 {
			if !ecdsa.VerifyASN1(&an.PublicKey, digest[:], sig) {
				b.Fatal("the signature is wrong")
			}
		}
		lookup, verify, rounds = lookup+middle.Sub(begin), verify+time.Since(middle), rounds+1
	}
	b.ReportMetric(lookup.Seconds()/float64(len(places))/(verify.Seconds()/16), "x-p256")
	b.ReportMetric(float64(kept)*8/float64(l.Cards()), "bits-kept/card")
	b.ReportMetric(float64(len(list))*8/float64(l.Cards()), "bits/card")
	b.ReportMetric(day*10/1e6, "MB-day-of-100M")
	b.ReportMetric(hour*10/1e3, "kB-hour-of-100M") // with the revocations of a whole day
	b.ReportMetric(0, "ns/op")
	runtime.KeepAlive(list)
}
