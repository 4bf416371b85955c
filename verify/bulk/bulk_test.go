package bulk

import (
	"bytes"
	"context"
	"errors"
	"maps"
	mathrand "math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// same judges a document both ways.
func same(t testing.TB, j *Judge, files verify.Files, what string) Result {
	t.Helper()
	got, err := j.Files(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.JudgeFiles(context.Background(), files, j.options)
	if err != nil {
		t.Fatal(err)
	}
	if want := Of(report); got.Verdict != want.Verdict || !slices.Equal(got.Reasons, want.Reasons) || got.Card != want.Card {
		t.Fatalf("%s: %v %v, want %v %v", what, got.Verdict, got.Reasons, want.Verdict, want.Reasons)
	}
	return got
}

// Documents of one signer take the quick way from the fourth on: the first of each day of
// issue is judged in full.
func TestEverySuite(t *testing.T) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			o := newOffice(t, s)
			cards := o.cards(20, 300)
			j := New(o.options())
			for _, files := range cards {
				if r := same(t, j, files, s.name); r.Verdict != verify.Accept {
					t.Fatalf("%v %v", r.Verdict, r.Reasons)
				}
			}
			if q := j.Quick(); q != 17 {
				t.Errorf("%d of 20 took the quick way", q)
			}
		})
	}
}

// Every octet of a known signer's document, changed in two ways, and every file cut short
// or longer, is judged as in full.
func TestEveryOctet(t *testing.T) {
	o := newOffice(t, suites[3])
	o.status = true
	cards := o.cards(4, 40)
	j := New(o.options())
	for _, files := range cards {
		same(t, j, files, "unchanged")
	}
	if j.Quick() == 0 {
		t.Fatal("nothing took the quick way")
	}
	sound := cards[3]
	for f, raw := range sound {
		changed := maps.Clone(sound)
		for i := range raw {
			for _, bit := range []byte{1, 0x80} {
				b := bytes.Clone(raw)
				b[i] ^= bit
				changed[f] = b
				same(t, j, changed, f.Name())
			}
			if testing.Short() && i > 200 {
				break
			}
		}
		for _, b := range [][]byte{raw[:len(raw)-1], append(bytes.Clone(raw), 0), append(bytes.Clone(raw), 0x90, 0), {}, nil} {
			changed[f] = b
			same(t, j, changed, f.Name())
		}
		delete(changed, f)
		same(t, j, changed, "without "+f.Name())
	}
}

// Files of several documents, mixed.
func TestMixed(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(3, 4))
	a, b := newOffice(t, suites[3]), newOffice(t, suites[5])
	cards := slices.Concat(a.cards(6, 100), b.cards(6, 100))
	b.status = true
	cards = append(cards, b.cards(3, 100)...)
	for name, options := range map[string]verify.Options{"a": a.options(), "b": b.options()} {
		j := New(options)
		for range 400 {
			files := maps.Clone(cards[random.IntN(len(cards))])
			for range random.IntN(3) {
				other := cards[random.IntN(len(cards))]
				f := lds.Files()[random.IntN(18)]
				if raw, ok := other[f]; ok {
					files[f] = raw
				} else {
					delete(files, f)
				}
			}
			same(t, j, files, name)
		}
		if j.Quick() == 0 {
			t.Errorf("%s: nothing took the quick way", name)
		}
	}
}

// Stores, policies and times, each with documents that were judged under others before.
func TestOptions(t *testing.T) {
	o, stranger := newOffice(t, suites[3]), newOffice(t, suites[3])
	cards := o.cards(9, 100)
	checkpoint, err := verify.PolicyByName("checkpoint")
	must(t, err)
	base := o.options()
	for name, change := range map[string]func(*verify.Options){
		"as is":            func(*verify.Options) {},
		"nobody trusted":   func(o *verify.Options) { o.Trust = nil },
		"another trusted":  func(o *verify.Options) { o.Trust = stranger.store() },
		"no list":          func(v *verify.Options) { v.Trust = o.store() },
		"revoked":          func(v *verify.Options) { v.Trust = o.store(o.list(2)) },
		"checkpoint":       func(o *verify.Options) { o.Policy = checkpoint },
		"before issue":     func(o *verify.Options) { o.At = issued.AddDate(0, 0, -20) },
		"before the chain": func(o *verify.Options) { o.At = issued.AddDate(-2, 0, 0) },
		"last day":         func(o *verify.Options) { o.At = judged.AddDate(3, 7, 14) },
		"day after":        func(o *verify.Options) { o.At = judged.AddDate(3, 7, 15) },
		"chain over":       func(o *verify.Options) { o.At = judged.AddDate(12, 0, 0) },
		"clock behind":     func(o *verify.Options) { o.Newest = judged.AddDate(0, 1, 0) },
		"notes refer": func(o *verify.Options) {
			o.Policy, _ = verify.PolicyByName("archive")
			o.Policy.Soften = append(o.Policy.Soften, verify.Softening{Reason: verify.ReasonNationalMismatch, To: verify.Refer}, verify.Softening{Reason: verify.ReasonNationalRule, To: verify.Refer})
		},
		"holder": func(o *verify.Options) { o.Holder = verify.HolderMismatch },
	} {
		options := base
		change(&options)
		j := New(options)
		for _, files := range cards {
			same(t, j, files, name)
			spoilt := maps.Clone(files)
			spoilt[lds.DG2] = append(bytes.Clone(files[lds.DG2]), 1)
			same(t, j, spoilt, name+", spoilt")
			spoilt = maps.Clone(files)
			spoilt[lds.COM] = lds.EncodeCOM(lds.Common{Version: "0107", Unicode: "040000", Groups: []lds.File{lds.DG1}})
			same(t, j, spoilt, name+", EF.COM")
		}
		if name == "as is" && j.Quick() == 0 {
			t.Error("nothing took the quick way")
		}
	}
}

// Several goroutines judge and learn at once.
func TestTogether(t *testing.T) {
	o := newOffice(t, suites[3])
	cards := o.cards(12, 100)
	j := New(o.options())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				for _, files := range cards {
					if r, err := j.Files(context.Background(), files); err != nil || r.Verdict != verify.Accept {
						t.Errorf("%v, %v %v", err, r.Verdict, r.Reasons)
					}
				}
			}
		})
	}
	all.Wait()
}

// More signers than are kept are judged all the same.
// TestCOM: where EF.COM counts, what was said of documents with one is not said of those with
// another, in whatever order they come.
func TestCOM(t *testing.T) {
	o := newOffice(t, suites[0])
	opts := o.options()
	opts.Policy, _ = verify.PolicyByName("archive")
	opts.Policy.Soften = nil
	list := o.cards(8, 300)
	other := lds.EncodeCOM(lds.Common{Version: "0107", Unicode: "040000", Groups: []lds.File{lds.DG1}})
	for _, bad := range []int{0, 1} {
		j := New(opts)
		for i := range 6 {
			files := maps.Clone(list[3*(i%2)]) // issued on one day
			want := verify.Accept
			if i%2 == bad {
				files[lds.COM], want = other, verify.Refuse
			}
			if r := same(t, j, files, "EF.COM"); r.Verdict != want {
				t.Errorf("document %d: %v, want %v: %v", i, r.Verdict, want, r.Reasons)
			}
		}
		if j.Quick() == 0 {
			t.Error("none was quick")
		}
	}
}

func TestForgets(t *testing.T) {
	o := newOffice(t, suites[3])
	j := New(o.options())
	for i := range maxSigners + 20 {
		o.dsTemplate.Serial.SetInt64(int64(i + 10))
		for _, files := range o.cards(1, 10) {
			if r, err := j.Files(context.Background(), files); err != nil || r.Verdict != verify.Accept {
				t.Fatalf("%v, %v", err, r)
			}
		}
	}
	if n := len(j.signers); n != maxSigners {
		t.Errorf("%d signers are kept", n)
	}
}

func TestAllocations(t *testing.T) {
	for _, s := range suites {
		o := newOffice(t, s)
		cards := o.cards(20, 20_000)
		j := New(o.options())
		for _, files := range cards {
			same(t, j, files, s.name)
		}
		n := testing.AllocsPerRun(20, func() {
			if r, err := j.Files(context.Background(), cards[7]); err != nil || r.Verdict != verify.Accept {
				t.Fatal(err)
			}
		})
		if n > 5 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

// asked is a source of status that notes what it is asked.
type asked struct {
	mu    sync.Mutex
	cards []verify.CardRef
}

func (a *asked) Status(_ context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cards = append(a.cards, c)
	answer := verify.StatusAnswer{AsOf: judged, Exact: c.ID[1]&1 == 0}
	switch c.ID[0] % 8 {
	case 0:
		return answer, errors.New("no answer")
	case 1, 2, 3:
		answer.State = verify.StateActive
	case 4:
		answer.State = verify.StateRevoked
	case 5:
		answer.State, answer.AsOf = verify.StateActive, judged.AddDate(-1, 0, 0)
	case 6:
		answer.State = verify.StateSuspended
	}
	return answer, nil
}

// A source of status is asked the same as JudgeFiles asks it, and no answer is lost.
func TestStatus(t *testing.T) {
	o := newOffice(t, suites[3])
	o.status = true
	cards := o.cards(80, 20)
	for _, files := range cards[40:60] {
		delete(files, lds.DG15)
	}
	for _, name := range []string{"archive", "online", "checkpoint"} {
		source := &asked{}
		options := o.options()
		options.Status = source
		var err error
		options.Policy, err = verify.PolicyByName(name)
		must(t, err)
		j := New(options)
		refused := 0
		for i, files := range cards {
			before := len(source.cards)
			if same(t, j, files, name).Verdict == verify.Refuse {
				refused++
			}
			for _, c := range source.cards[before:] {
				if !reflect.DeepEqual(c, source.cards[len(source.cards)-1]) {
					t.Fatalf("%s: document %d is asked for as %+v and %+v", name, i, c, source.cards[len(source.cards)-1])
				}
			}
		}
		if refused == 0 || refused == len(cards) || name == "archive" && j.Quick() < 20 {
			t.Errorf("%s: %d refused, %d took the quick way", name, refused, j.Quick())
		}
		done, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := j.Files(done, cards[1]); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: cancelled: %v", name, err)
		}
	}
}
