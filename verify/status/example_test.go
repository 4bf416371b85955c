package status_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// cardLists lets an inspection ask the lists of a folder.
type cardLists struct{ *status.Source }

var states = map[status.State]verify.State{
	status.Undelivered: verify.StateUndelivered, status.Active: verify.StateActive, status.Suspended: verify.StateSuspended,
	status.Superseded: verify.StateSuperseded, status.Revoked: verify.StateRevoked,
}

// Status implements [verify.StatusSource].
func (l cardLists) Status(_ context.Context, c verify.CardRef) (verify.StatusAnswer, error) {
	a, err := l.Lookup(status.Card{ID: c.ID, Ref: c.Ref, Keys: c.Keys, Country: c.Country, DocumentType: c.DocumentType})
	if err != nil {
		return verify.StatusAnswer{}, err
	}
	return verify.StatusAnswer{State: states[a.State], AsOf: a.AsOf, NextUpdate: a.NextUpdate, Exact: a.Exact, Source: a.Source}, nil
}

// A checkpoint judges by the lists that lie in its trust folder, and by none that is older
// than one that it has seen.
func ExampleLoad() {
	home, err := os.MkdirTemp("", "") // the checkpoint's own
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	if err := os.MkdirAll(filepath.Join(home, "trust", pki.StatusFolder), 0o700); err != nil {
		log.Fatal(err)
	}
	seen, err := pki.OpenMemory(filepath.Join(home, "seen"))
	if err != nil {
		log.Fatal(err)
	}
	trust, err := pki.TrustFolder{Path: filepath.Join(home, "trust"), Seen: seen}.Load()
	if err != nil {
		log.Fatal(err)
	}
	lists, err := status.Load(os.DirFS(filepath.Join(home, "trust", pki.StatusFolder)), status.Options{Signers: trust, Memory: seen})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(lists.Lists()), "lists,", len(lists.Refused()), "refused")

	report, err := verify.JudgeFiles(context.Background(), verify.Files{}, verify.Options{ // or verify.Inspect
		Trust: trust, At: time.Now(), Seen: seen, Newest: seen.Newest(), Status: cardLists{lists},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict)

	// Output:
	// 0 lists, 0 refused
	// refer
}
