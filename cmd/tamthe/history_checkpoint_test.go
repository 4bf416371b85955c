package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tamthe/tamthe/testdata"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/pki"
	"github.com/tamthe/tamthe/verify/status"
)

// What an earlier checkpoint kept stays good too: its bundle is judged, by a list of card
// status of its time, as it was recorded, and its record of inspections is whole.
func TestHistoryOfCheckpoints(t *testing.T) {
	folders, err := fs.ReadDir(testdata.FS, "history")
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, f := range folders {
		from := "history/" + f.Name()
		if _, err := fs.Stat(testdata.FS, from+"/case.evidence"); errors.Is(err, fs.ErrNotExist) {
			continue // before there were bundles
		}
		kept++
		t.Run(f.Name(), func(t *testing.T) {
			device, err := evidence.ParseDevice(testdata.Read(t, from+"/device.pem"))
			if err != nil {
				t.Fatal(err)
			}
			bundleOf(t, from, device)
			recordOf(t, from, device)
		})
	}
	if kept == 0 {
		t.Error("no folder holds a bundle")
	}
}

func bundleOf(t *testing.T, from string, device [32]byte) {
	bundle, err := evidence.Parse(testdata.Read(t, from+"/case.evidence"))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(testdata.FS, from+"/trust")
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pki.LoadStore(folder, pki.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lists, err := fs.Sub(folder, pki.StatusFolder)
	if err != nil {
		t.Fatal(err)
	}
	source, err := status.Load(lists, status.Options{Signers: trust})
	if err != nil || len(source.Lists()) == 0 {
		t.Fatalf("lists %v, refused %v, %v", source.Lists(), source.Refused(), err)
	}
	j, err := bundle.Judge(t.Context(), evidence.Options{
		Verify:  verify.Options{Trust: trust, At: bundle.At, Specimen: true, Status: verify.StatusLists(source)},
		Devices: [][32]byte{device},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !j.Sealed || !j.Known || !j.Bound || j.Report.Verdict != bundle.Verdict || bundle.Verdict != verify.Accept {
		t.Errorf("sealed %v, known %v, bound %v, verdict %v, was %v: %v", j.Sealed, j.Known, j.Bound, j.Report.Verdict, bundle.Verdict, j.Report.Reasons())
	}
	for _, c := range j.Changed {
		if c.Now != verify.Passed {
			t.Errorf("%+v", c)
		}
	}
}

func recordOf(t *testing.T, from string, device [32]byte) {
	dir := t.TempDir()
	for _, name := range []string{"head", "inspections.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), testdata.Read(t, from+"/inspections/"+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := record.Verify(dir, device, nil); err != nil || s.Torn {
		t.Errorf("%+v, %v", s, err)
	}
}
