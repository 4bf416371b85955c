package submission

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/issuance"
)

// TestRefusal: what a desk branches on is there on its side.
func TestRefusal(t *testing.T) {
	duplicate := &issuance.DuplicateError{Claim: issuance.Claim{Kind: issuance.ClaimChip, Value: "9F7F.2A"}, Holder: issuance.Card("C-1")}
	transition := &issuance.TransitionError{
		Stream: issuance.Application("A-1"), Phase: issuance.Approved, Act: issuance.Approve, Possible: []issuance.Act{issuance.Personalise, issuance.Cancel},
	}
	absent := &issuance.TransitionError{Stream: issuance.Card("C-2"), Act: issuance.Deliver}
	for _, k := range kinds {
		err := fmt.Errorf("append to the ledger: entry 3: %w", k.err)
		got := ParseRefusal(Refusal(err))
		if !Final(err) || !errors.Is(got, k.err) || got.Error() != err.Error() {
			t.Errorf("%v comes back as %v", err, got)
		}
		for _, other := range kinds {
			if errors.Is(got, other.err) != errors.Is(err, other.err) {
				t.Errorf("%v comes back as %v", err, other.err)
			}
		}
	}
	both := ParseRefusal(Refusal(fmt.Errorf("%w: %w", issuance.ErrEntry, issuance.ErrWord)))
	if !errors.Is(both, issuance.ErrEntry) || !errors.Is(both, issuance.ErrWord) {
		t.Errorf("%v", both)
	}
	if d, ok := errors.AsType[*issuance.DuplicateError](ParseRefusal(Refusal(fmt.Errorf("here: %w", duplicate)))); !ok || *d != *duplicate {
		t.Errorf("%+v", d)
	}
	for _, want := range []*issuance.TransitionError{transition, absent} {
		if e, ok := errors.AsType[*issuance.TransitionError](ParseRefusal(Refusal(want))); !ok || !reflect.DeepEqual(e, want) {
			t.Errorf("%+v", e)
		}
	}
}

// TestAllSentinels: an error of the rules that is added without a word of its own would be
// told as one that says nothing.
func TestAllSentinels(t *testing.T) {
	source, err := os.ReadFile("../../errors.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\tErr\w+ += errors\.New`).FindAll(source, -1)
	if own := 2; len(declared) != len(kinds)-own {
		t.Errorf("%d sentinels in issuance, %d words here", len(declared), len(kinds)-own)
	}
}

// TestOtherFailure: what goes wrong at the sequencer is not told, and is no refusal of what
// was asked.
func TestOtherFailure(t *testing.T) {
	err := fmt.Errorf("dial tcp 192.0.2.1: %w", io.ErrUnexpectedEOF)
	got := ParseRefusal(Refusal(err))
	if Final(err) || Final(nil) || !errors.Is(got, ErrRefused) || strings.Contains(got.Error(), "192.0.2.1") {
		t.Errorf("%v", got)
	}
	long := ParseRefusal(Refusal(fmt.Errorf("%s\x1b[2J%w", strings.Repeat("x", 1<<20), issuance.ErrLink)))
	if len(long.Error()) > maxText || strings.Contains(long.Error(), "\x1b") || !errors.Is(long, issuance.ErrLink) {
		t.Errorf("%.40q", long.Error())
	}
}

func FuzzParseRefusal(f *testing.F) {
	for _, k := range kinds {
		f.Add(Refusal(k.err))
	}
	f.Add(Refusal(&issuance.TransitionError{Stream: issuance.Card("C-1"), Phase: issuance.Allocated, Act: issuance.Deliver}))
	f.Add(Refusal(&issuance.DuplicateError{Claim: issuance.Claim{Kind: issuance.ClaimChip, Value: "x"}}))
	f.Fuzz(func(t *testing.T, text string) {
		r := ParseRefusal(text)
		if len(r.why) == 0 || r.text == "" || len(r.text) > maxText {
			t.Fatalf("%+v", r)
		}
		for _, c := range []byte(r.Error()) {
			if c < ' ' || c > '~' {
				t.Fatalf("%q", r.Error())
			}
		}
		if again := ParseRefusal(Refusal(r)); !reflect.DeepEqual(again, r) {
			t.Errorf("%+v comes back as %+v", r, again)
		}
	})
}
