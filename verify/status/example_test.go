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
		Trust: trust, At: time.Now(), Seen: seen, Newest: seen.Newest(), Status: verify.StatusLists(lists),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict)

	// Output:
	// 0 lists, 0 refused
	// refer
}
