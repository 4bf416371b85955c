package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
)

const (
	capVariable = "TAMTHE_POSTGRES_CAP" // the folder, and the number of the child
	capOf       = 40                    // signatures of ds-002
	capSigners  = 64                    // who want one
	capChildren = 4
)

// TestCap: 64 signers in four processes want the forty signatures of a document signer, each
// for a card of its own, all at once. Forty get one, each another; the rest are told that
// the cap is reached; nobody ever has the forty-first.
func TestCap(t *testing.T) {
	if v := os.Getenv(capVariable); v != "" {
		capChild(t, v)
		return
	}
	dir := t.TempDir()
	l := at(t, dir)
	defer l.Close()
	o := ledgertest.NewOffice(t, l)
	o.Found(t)
	o.Must(t, o.Certify("ds-002", fmt.Sprint(capOf))...)
	for n := range capSigners {
		app, card := fmt.Sprintf("A-%d", n), fmt.Sprintf("C-%d", n)
		o.Must(t, append([]ledgertest.Step{o.Enrol(app, fmt.Sprint("person-", n), ""), o.Approve(app)}, o.Begin(app, card)...)...)
		o.Must(t, o.Journal(app, card)[:2]...) // up to Keyed
	}
	for what, use := range map[string]string{
		"the forty-first": "ds-002:41", "the zeroth": "ds-002:0", "the first, written otherwise": "ds-002:01", "another's": "ds-001:1",
		"a negative one": "ds-002:-1", "no number": "ds-002:", "one too large": "ds-002:18446744073709551617",
	} {
		_, err := take(t.Context(), o, 0, issuance.Claim{Kind: issuance.ClaimUse, Value: use})
		if !errors.Is(err, issuance.ErrCap) && !errors.Is(err, issuance.ErrEntry) {
			t.Fatalf("%s: %v", what, err)
		}
	}

	outcomes := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for c := range capChildren {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestCap$", "-test.v")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", capVariable, dir, c))
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("child %d: %v\n%s", c, err, out)
			}
			for line := range strings.Lines(string(out)) {
				if what, ok := strings.CutPrefix(strings.TrimSpace(line), "outcome "); ok {
					outcomes[what]++
				}
			}
		})
	}
	wg.Wait()
	if outcomes["cap"] != capSigners-capOf {
		t.Errorf("%d were told that the cap is reached", outcomes["cap"])
	}
	cards := map[issuance.StreamID]bool{}
	for n := uint64(1); n <= capOf; n++ {
		by, err := l.Claimed(t.Context(), issuance.Use("ds-002", n))
		if err != nil || by.IsZero() || cards[by] || outcomes[fmt.Sprintf("%s has %d", by.ID, n)] != 1 {
			t.Errorf("signature %d is %v's, %v", n, by, err)
		}
		cards[by] = true
	}
	prepared, err := l.List(t.Context(), issuance.KindCard, issuance.Prepared)
	if err != nil || len(prepared) != capOf {
		t.Errorf("%d cards are prepared, %v", len(prepared), err)
	}
	if used, err := issuance.Uses(t.Context(), l, "ds-002", capOf); err != nil || used != capOf {
		t.Errorf("%d uses, %v", used, err)
	}
}

// capChild is one of the processes: its signers start at once.
func capChild(t *testing.T, v string) {
	dir, number, _ := strings.Cut(v, "|")
	c, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	l := at(t, dir)
	defer l.Close()
	var wg sync.WaitGroup
	start := make(chan struct{})
	for n := c * capSigners / capChildren; n < (c+1)*capSigners/capChildren; n++ {
		o := ledgertest.NewOffice(t, l)
		wg.Go(func() {
			<-start
			use, err := takeNext(t.Context(), o, l, n)
			switch {
			case errors.Is(err, issuance.ErrCap):
				fmt.Println("outcome cap")
			case err != nil:
				t.Error(err)
			default:
				fmt.Printf("outcome C-%d has %d\n", n, use)
			}
		})
	}
	close(start)
	wg.Wait()
}

// takeNext takes the next signature for a card, as a signing service does: count, claim,
// and count again where somebody else was faster.
func takeNext(ctx context.Context, o *ledgertest.Office, l issuance.Claims, n int) (uint64, error) {
	for {
		used, err := issuance.Uses(ctx, l, "ds-002", capOf)
		if err != nil {
			return 0, err
		}
		use, err := take(ctx, o, n, issuance.Use("ds-002", used+1))
		if _, taken := errors.AsType[*issuance.DuplicateError](err); taken || errors.Is(err, issuance.ErrConflict) || errors.Is(err, ledger.ErrBusy) {
			continue
		}
		return use, err
	}
}

// take announces a card with the use that is claimed.
func take(ctx context.Context, o *ledgertest.Office, n int, use issuance.Claim) (uint64, error) {
	prepare := o.Journal(fmt.Sprintf("A-%d", n), fmt.Sprintf("C-%d", n))[2]
	prepare.Fields["ds"] = "ds-002"
	prepare.Claims = []issuance.Claim{prepare.Claims[0], use}
	if err := o.Do(ctx, prepare); err != nil {
		return 0, err
	}
	_, number, _ := strings.Cut(use.Value, ":")
	return strconv.ParseUint(number, 10, 64)
}
