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

// A card in a reader is opened, read and judged; what it says of its holder, the portrait
// too, is given out only if it is proven, and every reason has its words in Vietnamese.
func ExampleInspect() {
	trust, err := pki.LoadStore(os.DirFS("trust"), pki.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	var reader apdu.Wire // such as a pcsc.Card, or a phone's through package isodep
	report, err := verify.Inspect(context.Background(), apdu.Over(reader, apdu.Limits{}), verify.Options{
		Trust: trust, At: time.Now(), Passwords: []auth.Password{auth.CAN("000017")},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, reason := range report.Reasons() {
		fmt.Println(reason.Words(verify.Vietnamese).Cause)
	}
	if holder, err := report.Identity(); err == nil {
		face, _, _ := report.Portrait() // as it lies on the chip: a JPEG, most often
		fmt.Println(report.Verdict, verify.Escape(holder.Name), len(face.Image))
	}
}
