package sheet_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/sheet"
)

// A report of no files at all is a page that refers.
func ExampleWrite() {
	report, err := verify.JudgeFiles(context.Background(), verify.Files{}, verify.Options{At: time.Now()})
	if err != nil {
		log.Fatal(err)
	}
	var page bytes.Buffer
	if err := sheet.Write(context.Background(), &page, report, verify.Vietnamese, sheet.Options{}); err != nil {
		log.Fatal(err)
	}
	view := report.View(verify.Vietnamese)
	fmt.Println(view.Word, bytes.Contains(page.Bytes(), []byte(view.Word)))

	// Output:
	// CẦN KIỂM TRA THÊM true
}
