package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTrustFolderOfSpecimens: test keys stay test keys when somebody names their folder
// itself, by a link or from within.
func TestTrustFolderOfSpecimens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trust", "Specimen")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "real")
	if err := os.Symlink(dir, link); err != nil {
		t.Skipf("links cannot be made here: %v", err)
	}
	for _, d := range []string{dir, dir + "/", dir + "/../specimen/../Specimen", link} {
		if !ofSpecimens(d) {
			t.Errorf("%s counts as a folder of real keys", d)
		}
	}
	if ofSpecimens(filepath.Dir(dir)) {
		t.Error("the folder above counts as one of specimens")
	}
	t.Chdir(dir)
	if !ofSpecimens(".") {
		t.Error("from within, it counts as a folder of real keys")
	}
}
