package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/pki"
)

// BenchmarkEAuthentication says what a whole e-authentication costs the service, compared
// with no more than judging the same evidence: the processor time of the one by that of the
// other, measured in turn on the same machine.
//
// The service is `tamthe serve eid` in a process of its own with its record on the disk; its
// processor time is what the system says of that process, the kernel's for it included. All
// that is the citizens' and the portals' (chips, agents, HTTP clients) is in the process of
// the benchmark and so not counted; cards are opened and read before a round begins. Judging
// is verify.JudgeRecord with the service's options, by one goroutine. p50 and p99 are what a
// client waited for its five answers, as multiples of judging and in milliseconds; with many
// clients on few processors that is mostly for its turn.
func BenchmarkEAuthentication(b *testing.B) {
	for _, c := range []struct {
		name, party string
		clients     int
	}{{"clients=1", "bank", 1}, {"clients=8", "bank", 8}, {"clients=64", "bank", 64}, {"both-proofs", "tax", 8}} {
		b.Run(c.name, func(b *testing.B) {
			s := newEIDService(b)
			s.start(b)
			defer s.end(b, os.Interrupt)
			l := &load{service: s}
			for range c.clients {
				l.bearers = append(l.bearers, newBearer(b))
				l.callers = append(l.callers, newCaller(s.url, c.party))
			}
			judge := s.judge(b, l.bearers[0])
			defer debug.SetGCPercent(debug.SetGCPercent(800)) // as the service's
			l.round(b, 20)
			var ratios, served, judged, waits []float64
			const rounds, perRound = 15, 96
			for range rounds {
				runtime.GC()
				judged = append(judged, cpuOf(b, os.Getpid(), func() {
					for range perRound {
						judge()
					}
				})/perRound)
				l.waits = nil
				served = append(served, l.round(b, perRound)/perRound)
				ratios = append(ratios, judged[len(judged)-1]/served[len(served)-1])
				waits = append(waits, l.waits...)
			}
			j, v := median(judged), median(served)
			slices.Sort(waits)
			p50, p99 := waits[len(waits)/2], waits[len(waits)*99/100]
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(slices.Max(ratios), "ratio-best")
			b.ReportMetric(p50/j, "x-judge-p50")
			b.ReportMetric(p99/j, "x-judge-p99")
			b.ReportMetric(p50*1e3, "ms-p50")
			b.ReportMetric(p99*1e3, "ms-p99")
			b.ReportMetric(v*1e3, "ms-cpu")
			b.ReportMetric(j*1e3, "ms-judge")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// load is clients at a service.
type load struct {
	service *eidService
	bearers []*bearer
	callers []*caller
	waits   []float64 // seconds
}

// round is n logins by all clients, and the processor time of the service for them.
func (l *load) round(t testing.TB, n int) float64 {
	t.Helper()
	var spent float64
	for n > 0 {
		now := min(n, len(l.bearers))
		n -= now
		for i := range now {
			check(t, l.bearers[i].insert(t.Context()))
		}
		spent += cpuOf(t, l.service.cmd.Process.Pid, func() {
			var all sync.WaitGroup
			for i := range now {
				all.Go(func() {
					l.callers[i].waited = 0
					shown, err := l.callers[i].show(t.Context(), l.bearers[i])
					if err == nil {
						_, err = l.callers[i].redeem(t.Context(), shown)
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
		for i := range now {
			l.waits = append(l.waits, l.callers[i].waited.Seconds())
		}
	}
	return spent
}

// judge is what judges the evidence of a bearer as the service does.
func (s *eidService) judge(t testing.TB, b *bearer) func() {
	t.Helper()
	trust, err := pki.LoadStore(os.DirFS(s.path("trust")), pki.LoadOptions{})
	check(t, err)
	policy, err := verify.ParsePolicy([]byte(eidPolicy))
	check(t, err)
	check(t, b.insert(t.Context()))
	rec := verify.Record{Files: b.read, Bound: true, Agreed: true}
	c := eid.Request{Session: "s"}.Challenge("a")
	signature, err := b.session.InternalAuthenticate(t.Context(), b.key, c)
	check(t, err)
	rec.Proofs.Active = &verify.ActiveRecord{Challenge: c, Chosen: true, Signature: signature}
	infos, err := lds.ParseDG14(b.read[lds.DG14])
	check(t, err)
	keys, err := auth.ChipAuthKeys(infos)
	check(t, err)
	remote, err := auth.NewRemote1(keys[0], apdu.Command{INS: 0xB0, P1: 0x80 | byte(lds.DG14.SFI()), Le: 8})
	check(t, err)
	answer, err := eid.Carry(t.Context(), b.session, &eid.Step{Agreement: remote.Agreement, First: remote.First})
	check(t, err)
	_, err = remote.Verify(answer)
	check(t, err)
	rec.Proofs.Agreement = &verify.AgreementRecord{Key: remote.Key.Public.Bytes(), Ephemeral: remote.Ephemeral.Bytes(), Answer: answer.Data}
	o := verify.Options{Trust: trust, Policy: policy, Specimen: true, At: s.at}
	return func() {
		if r, err := verify.JudgeRecord(t.Context(), rec, o); err != nil || r.Verdict != verify.Accept {
			t.Fatalf("%v %v", err, r.Reasons())
		}
	}
}

// cpuOf is the processor time, in seconds, that a process spends during f.
func cpuOf(t testing.TB, pid int, f func()) float64 {
	t.Helper()
	before := spentBy(t, pid)
	f()
	return spentBy(t, pid) - before
}

// spentBy is the processor time of a process so far, of all its threads and of the kernel for
// them (clock_getcpuclockid(3)).
func spentBy(t testing.TB, pid int) float64 {
	t.Helper()
	var at syscall.Timespec
	clock := uintptr(^pid)<<3 | 2
	if _, _, e := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&at)), 0); e != 0 {
		t.Fatal(e)
	}
	return float64(at.Nano()) / 1e9
}
