package pki_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/tamthe/tamthe/verify/pki"
)

// A checkpoint takes a master list into its trust folder, if a CSCA that was pinned before
// vouches for it and no newer one was seen.
func ExampleTrustFolder_Import() {
	home, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
	seen, err := pki.OpenMemory(filepath.Join(home, "seen"))
	if err != nil {
		log.Fatal(err)
	}
	folder := pki.TrustFolder{Path: filepath.Join(home, "trust"), Seen: seen}
	list := pki.Offer{Name: "DE_ML.ml", Octets: []byte("what the courier brought")}
	_, err = folder.Import([]pki.Offer{list}, pki.ImportOptions{At: time.Now(), Documents: []string{"P", "I"}})
	fmt.Println(errors.Is(err, pki.ErrList))

	store, err := folder.Load() // for verify.Options.Trust
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(store.Anchors()), "anchors")

	// Output:
	// true
	// 0 anchors
}
