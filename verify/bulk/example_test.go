package bulk_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/bulk"
)

// Many documents are judged by one judge, which several goroutines may share.
func ExampleJudge() {
	archive, err := verify.PolicyByName("archive")
	if err != nil {
		log.Fatal(err)
	}
	judge := bulk.New(verify.Options{Policy: archive, At: time.Now()}) // with Trust, whom to trust
	for _, files := range []verify.Files{{}, {}} {                     // of verify.ReadFiles
		result, err := judge.Files(context.Background(), files)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(result.Verdict, result.Reasons)
	}

	// Output:
	// refer [sod-missing]
	// refer [sod-missing]
}
