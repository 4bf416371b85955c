package evidence_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
)

// What a device seals, another party judges again by its own trust and time.
func Example() {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	device, err := evidence.NewDevice(key)
	if err != nil {
		log.Fatal(err)
	}
	now := time.Now()
	c, err := evidence.NewContext("VA-17", "road check", device, now)
	if err != nil {
		log.Fatal(err)
	}
	// The challenge of the case is for verify.Options.Challenge of the inspection; here
	// nothing was read.
	report, err := verify.JudgeFiles(context.Background(), verify.Files{}, verify.Options{At: now})
	if err != nil {
		log.Fatal(err)
	}
	line, err := evidence.New(report, c, "example").Sealed(device)
	if err != nil {
		log.Fatal(err)
	}

	bundle, err := evidence.Parse(line)
	if err != nil {
		log.Fatal(err)
	}
	judgement, err := bundle.Judge(context.Background(), evidence.Options{Verify: verify.Options{At: now}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(judgement.Report.Verdict, judgement.Sealed, judgement.Known)
	for _, claim := range judgement.Claims {
		fmt.Println(claim.Claim, claim.Passed, claim.Rests, claim.ThirdParty)
	}

	// Output:
	// refer true false
	// integrity false nothing false
	// authentic false nothing false
	// original false nothing false
	// in-force false nothing false
	// holder-bound false nothing false
}
