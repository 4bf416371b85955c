package desk

import (
	"os"
	"testing"

	"github.com/tamthe/tamthe/card/cvc"
	"github.com/tamthe/tamthe/card/dh"
	"github.com/tamthe/tamthe/issuance/ca"
)

// TestSecondKeysAreResumed cuts everything that the authority signs after its first root,
// signer and list at every append, before it and after it: the same call again succeeds, and
// what comes after it too.
func TestSecondKeysAreResumed(t *testing.T) {
	t.Parallel()
	key := must(dh.P256().Generate())(t)
	parsed := func(t *testing.T, r *rig, name string) *cvc.Request {
		t.Helper()
		return must(cvc.ParseRequest(must(os.ReadFile(r.path("pki", name)))(t)))(t)
	}
	steps := []struct {
		name string
		do   func(t *testing.T, r *rig, o *Office) error
	}{
		{"announce", func(t *testing.T, _ *rig, o *Office) error {
			_, _, err := o.AnnounceCSCA(t.Context(), "P-256")
			return err
		}},
		{"next", func(t *testing.T, r *rig, o *Office) error {
			return second(o.NextCSCA(t.Context(), ca.Successor{From: r.now, CardYears: 25}, "lost"))
		}},
		{"link", func(t *testing.T, _ *rig, o *Office) error { return second(o.LinkCSCA(t.Context())) }},
		{"list signer", func(t *testing.T, r *rig, o *Office) error {
			return second(o.MakeListSigner(t.Context(), ca.ListSigner{From: r.now}, "P-256"))
		}},
		{"master list", func(t *testing.T, _ *rig, o *Office) error { return second(o.MakeMasterList(t.Context())) }},
		{"first CVCA", func(t *testing.T, _ *rig, o *Office) error {
			return second(o.MakeCVCA(t.Context(), CVCA{Holder: "VNCVCA", Algorithm: "P-256"}))
		}},
		{"second CVCA", func(t *testing.T, _ *rig, o *Office) error {
			return second(o.MakeCVCA(t.Context(), CVCA{Holder: "VNCVCA", Algorithm: "P-256"}))
		}},
		{"request", func(t *testing.T, _ *rig, o *Office) error {
			return second(o.RequestDV(t.Context(), "VNDV", "P-256"))
		}},
		{"document verifier", func(t *testing.T, r *rig, o *Office) error {
			return second(o.IssueCV(t.Context(), CVOrder{Request: parsed(t, r, "VNDV00001.cvreq"), Role: cvc.DVDomestic, Register: true}))
		}},
		{"terminal", func(t *testing.T, _ *rig, o *Office) error {
			q := must(request("VNDV00001", "VNIS00001", key, "", nil))(t)
			return second(o.IssueCV(t.Context(), CVOrder{Request: q, Role: cvc.TerminalRole, Register: true}))
		}},
	}
	cuts := 0
	for at := 1; at <= 5; at++ {
		for _, after := range []bool{false, true} {
			r := newRig(t)
			for _, s := range steps {
				f := &faulty{Store: r.store, at: at, after: after}
				err := s.do(t, r, r.through(f))
				if !f.happened() {
					check(t, err)
					continue
				}
				cuts++
				wantError(t, s.name, err, errFault)
				switch err := s.do(t, r, r.an); {
				case s.name == "link" && after && at == 2: // it was recorded
					wantError(t, s.name, err, ErrNoLink)
				case s.name == "next" && after && at == 2, s.name == "terminal" && after && at == 2, s.name == "document verifier" && after && at == 2:
					if err == nil {
						t.Errorf("%s, cut after all was recorded: done again", s.name)
					}
				case err != nil:
					t.Errorf("%s, cut at %d, %v: %v", s.name, at, after, err)
				}
			}
			if files := must(r.an.cvChain(t.Context(), "VNIS00001"))(t); len(files) < 3 {
				t.Errorf("cut at %d, %v: %v", at, after, files)
			}
			r.sound(t)
		}
	}
	if cuts < 30 {
		t.Errorf("%d cuts", cuts)
	}
}
