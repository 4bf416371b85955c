package receipt_test

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/tamthe/tamthe/verify/receipt"
)

// continuation is the rig's proof that its newer tree continues the older.
func (r *rig) continuation(t testing.TB, older, newer int64) *receipt.Continuation {
	c := &receipt.Continuation{Old: older, Checkpoint: r.checkpoint(t, newer)}
	if older > 0 && older < newer {
		var err error
		if c.Hashes, err = tlog.ProveTree(newer, older, r); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Every tree continues every smaller one, and the text loses nothing.
func TestContinuation(t *testing.T) {
	r := newRig(t, 19, 0)
	for newer := int64(1); newer <= 19; newer++ {
		for older := int64(0); older <= newer; older++ {
			c := r.continuation(t, older, newer)
			text, err := c.MarshalText()
			if err != nil {
				t.Fatal(err)
			}
			read, err := receipt.ParseContinuation(text)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := read.MarshalText(); err != nil || !bytes.Equal(again, text) {
				t.Errorf("%d to %d: another text: %v", older, newer, err)
			}
			proven, err := read.Verify(r.checkpoint(t, older), r.policy(t, 0))
			if err != nil || proven.Size != newer {
				t.Errorf("%d to %d: %v", older, newer, err)
			}
		}
	}
}

// A log that was rewritten or cut off, another log, and a proof of something else are refused.
func TestContinuationRefuses(t *testing.T) {
	r, other := newRig(t, 12, 0), newRig(t, 0, 0)
	for range 12 {
		other.grow(t, []byte("rewritten"))
	}
	other.signer, other.logKey = r.signer, r.logKey
	stranger := newRig(t, 12, 0)
	var err error
	if stranger.signer, stranger.logKey, err = receipt.NewLogSigner(origin, key("stranger")); err != nil {
		t.Fatal(err)
	}
	longer := r.continuation(t, 7, 12)
	longer.Hashes = append(longer.Hashes, tlog.Hash{1})
	same := r.continuation(t, 7, 7)
	same.Hashes = []tlog.Hash{{1}}
	for name, tt := range map[string]struct {
		c     *receipt.Continuation
		older []byte
		want  error
	}{
		"rewritten":            {other.continuation(t, 7, 12), r.checkpoint(t, 7), receipt.ErrContinuation},
		"rewritten, same size": {other.continuation(t, 12, 12), r.checkpoint(t, 12), receipt.ErrContinuation},
		"cut off":              {r.continuation(t, 12, 12), r.checkpoint(t, 7), receipt.ErrContinuation},
		"another proof":        {r.continuation(t, 6, 12), r.checkpoint(t, 7), receipt.ErrContinuation},
		"a hash too many":      {longer, r.checkpoint(t, 7), receipt.ErrContinuation},
		"hashes for nothing":   {same, r.checkpoint(t, 7), receipt.ErrFormat},
		"a stranger's":         {stranger.continuation(t, 7, 12), r.checkpoint(t, 7), receipt.ErrLog},
		"a stranger's older":   {r.continuation(t, 7, 12), stranger.checkpoint(t, 7), receipt.ErrLog},
		"no checkpoint":        {r.continuation(t, 7, 12), []byte("nothing"), receipt.ErrFormat},
	} {
		if _, err := tt.c.Verify(tt.older, r.policy(t, 0)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rolled := &receipt.Continuation{Old: 12, Checkpoint: r.checkpoint(t, 7)}
	if _, err := rolled.Verify(r.checkpoint(t, 12), r.policy(t, 0)); !errors.Is(err, receipt.ErrContinuation) {
		t.Errorf("rolled back: %v", err)
	}
	for _, text := range []string{"", "old", "old x\n\n", "old 7\n", "old 07\n\n", "old 7\nnot base64\n\n", "old 7\n\nno checkpoint\n"} {
		if _, err := receipt.ParseContinuation([]byte(text)); !errors.Is(err, receipt.ErrFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseContinuation(f *testing.F) {
	r := newRig(f, 9, 0)
	for _, older := range []int64{0, 4, 9} {
		text, err := r.continuation(f, older, 9).MarshalText()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := receipt.ParseContinuation(text)
		if err != nil {
			return
		}
		if again, err := c.MarshalText(); err != nil || !bytes.Equal(again, text) {
			t.Errorf("another text: %v", err)
		}
	})
}
