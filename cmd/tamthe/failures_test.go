package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFailuresTable holds the table of other readers' failures to tests that exist.
func TestFailuresTable(t *testing.T) {
	root := filepath.Join("..", "..")
	b, err := os.ReadFile(filepath.Join(root, "verify", "FAILURES.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	word := regexp.MustCompile("`[a-z0-9/]+`|Test[A-Za-z0-9]+")
	for _, line := range strings.Split(string(b), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !regexp.MustCompile(`^ \d+ $`).MatchString(cells[1]) {
			continue
		}
		rows++
		dir, named := "", 0
		for _, w := range word.FindAllString(cells[5], -1) {
			if strings.HasPrefix(w, "`") {
				dir = strings.Trim(w, "`")
				continue
			}
			named++
			if !hasTest(t, filepath.Join(root, filepath.FromSlash(dir)), w) {
				t.Errorf("row %s: %s has no %s", strings.TrimSpace(cells[1]), dir, w)
			}
		}
		if named == 0 {
			t.Errorf("row %s names no test", strings.TrimSpace(cells[1]))
		}
	}
	if rows != 25 {
		t.Errorf("%d rows", rows)
	}
}

// hasTest says whether a test file of the folder has the function.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}

// TestFaultsTable holds the table of faults to tests that exist.
func TestFaultsTable(t *testing.T) {
	root := filepath.Join("..", "..")
	b, err := os.ReadFile(filepath.Join(root, "issuance", "FAULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	word := regexp.MustCompile("`[a-z0-9/]+`|Test[A-Za-z0-9]+")
	for _, line := range strings.Split(string(b), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !regexp.MustCompile(`^ (F\d+|—) $`).MatchString(cells[1]) {
			continue
		}
		rows++
		dir, named := "", 0
		for _, w := range word.FindAllString(cells[4], -1) {
			if strings.HasPrefix(w, "`") {
				dir = strings.Trim(w, "`")
				continue
			}
			named++
			if !hasTest(t, filepath.Join(root, filepath.FromSlash(dir)), w) {
				t.Errorf("row %s: %s has no %s", strings.TrimSpace(cells[1]), dir, w)
			}
		}
		if named == 0 {
			t.Errorf("row %s names no test", strings.TrimSpace(cells[1]))
		}
	}
	if rows != 17 {
		t.Errorf("%d rows", rows)
	}
}
