package verify_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// Files that were read before are judged against a folder of trusted certificates.
func ExampleJudgeFiles() {
	trust, err := pki.LoadStore(os.DirFS("trust"), pki.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	files, err := verify.ReadFiles(os.DirFS("card"))
	if err != nil {
		log.Fatal(err)
	}
	report, err := verify.JudgeFiles(context.Background(), files, verify.Options{Trust: trust, At: time.Now()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Verdict, report.Reasons())
}

// A card in a reader is opened, read and judged; what it says of its holder is given
// out only if it is proven.
func ExampleInspect() {
	var reader apdu.Wire // such as a pcsc.Card
	var trust *pki.Store
	report, err := verify.Inspect(context.Background(), apdu.Over(reader, apdu.Limits{}), verify.Options{
		Trust: trust, At: time.Now(), Passwords: []auth.Password{auth.CAN("000017")},
	})
	if err != nil {
		log.Fatal(err)
	}
	if holder, err := report.Identity(); err == nil {
		fmt.Println(report.Verdict, verify.Escape(holder.Name))
	}
}
