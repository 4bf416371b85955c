package verify_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
)

// One page of A4 is all that a report takes in a real browser: the longest of the samples
// in each language.
func TestSheetFitsOnePage(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		testdata.Missing(t, "chromium", err.Error())
	}
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	dir := t.TempDir()
	for l, name := range map[verify.Lang]string{verify.English: "accept", verify.Vietnamese: "refuse"} {
		file := filepath.Join(dir, name+"."+string(l))
		if err := os.WriteFile(file+".html", []byte(page(t, verify.Samples(t)[name], l)), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		out, err := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--no-pdf-header-footer", "--user-data-dir="+filepath.Join(dir, "profile"), "--print-to-pdf="+file+".pdf", "file://"+file+".html").CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		pdf, err := os.ReadFile(file + ".pdf")
		if err != nil {
			t.Fatal(err)
		}
		if pages := regexp.MustCompile(`/Type\s*/Page\b[^s]`).FindAll(pdf, -1); len(pages) != 1 {
			t.Errorf("%s, %s: %d pages", name, l, len(pages))
		}
	}
}
