package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFailuresTable holds the table of other readers' failures to tests that exist.
func TestFailuresTable(t *testing.T) {
	if n := len(tableOfTests(t, "verify/FAILURES.md", 7, 5, `^ \d+ $`)); n != 25 {
		t.Errorf("%d rows", n)
	}
}

// TestFaultsTable holds the table of faults to tests that exist.
func TestFaultsTable(t *testing.T) {
	if n := len(tableOfTests(t, "issuance/FAULTS.md", 7, 4, `^ (F\d+|—) $`)); n != 21 {
		t.Errorf("%d rows", n)
	}
}

// TestChecksTable holds the table of forty checks to tests that exist, and to forty.
func TestChecksTable(t *testing.T) {
	var want []string
	for i := range 40 {
		want = append(want, strconv.Itoa(i+1))
	}
	if got := tableOfTests(t, "issuance/CHECKS.md", 7, 4, `^ \d+ $`); !slices.Equal(got, want) {
		t.Errorf("rows %v", got)
	}
}

// TestProgrammeTable holds the table of what the national programme names to tests that exist.
func TestProgrammeTable(t *testing.T) {
	if n := len(tableOfTests(t, "issuance/PROGRAMME.md", 8, 5, `^ 1?[0-9] $`)); n != 15 {
		t.Errorf("%d rows", n)
	}
}

// tableOfTests reads a table whose rows begin with a name of that form and name tests in
// one of their cells, behind the folder that holds them. It gives the names of the rows.
func tableOfTests(t *testing.T, file string, cells, tests int, name string) (rows []string) {
	t.Helper()
	root := filepath.Join("..", "..")
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	form, word := regexp.MustCompile(name), regexp.MustCompile("`[a-z0-9/]+`|Test[A-Za-z0-9]+")
	for _, line := range strings.Split(string(b), "\n") {
		c := strings.Split(line, "|")
		if len(c) != cells || !form.MatchString(c[1]) {
			continue
		}
		row, dir, named := strings.TrimSpace(c[1]), "", 0
		rows = append(rows, row)
		for _, w := range word.FindAllString(c[tests], -1) {
			if strings.HasPrefix(w, "`") {
				dir = strings.Trim(w, "`")
				continue
			}
			named++
			if !hasTest(t, filepath.Join(root, filepath.FromSlash(dir)), w) {
				t.Errorf("row %s: %s has no %s", row, dir, w)
			}
		}
		if named == 0 {
			t.Errorf("row %s names no test", row)
		}
	}
	return rows
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
