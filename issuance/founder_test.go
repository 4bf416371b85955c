package issuance

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"
)

// TestFounderIsNamed: a first entry that its key signed, and that names somebody else as who
// did it, is none.
func TestFounderIsNamed(t *testing.T) {
	root, other := newWalkerKey("root", "p-0", Admin), newWalkerKey("mate", "p-1", Admin)
	fields := root.fields()
	fields["logkey"], fields["with"] = "walk.test+0+x", other.id.String()
	for by, want := range map[*walkerKey]error{&root: nil, &other: ErrOperator} {
		e := Entry{
			Origin: "walk.test", Rules: RuleBook, Stream: OperatorStream(root.id), Seq: 1, ID: NewID(), Act: Init,
			Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Operator: by.id, Fields: fields, Hold: []Claim{{HoldName, root.name}},
		}
		body, err := e.body()
		if err != nil {
			t.Fatal(err)
		}
		e.Signature = ed25519.Sign(root.key, append([]byte(signedContext), body...))
		if _, err := Begin("walk.test").Apply(e); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("done by %s: %v", by.name, err)
		}
	}
}
