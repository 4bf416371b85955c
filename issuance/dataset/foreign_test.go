package dataset

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tamthe/tamthe/testdata"
)

// modules are where `make test` unpacks what foreign readers are made of.
const modules = "../../.tamthe/browser/node_modules"

// Another program reads the same rows, and what the file says of itself.
func TestForeignReader(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		testdata.Missing(t, "hyparquet", err.Error())
	}
	if newer, _ := filepath.Glob(modules + "/node-linux-*/bin/node"); len(newer) == 1 { // the machine's is too old
		node = newer[0]
	}
	folder, err := filepath.Abs(modules)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "hyparquet")); err != nil {
		testdata.Missing(t, "hyparquet", "no hyparquet here: .ci/browser, of make test, unpacks it")
	}
	s := newSynthetic(6)
	var events []Event
	for range 20_000 {
		events = append(events, s.event())
	}
	b, result := made(t, Options{Provenance: provenance}, events...)
	path := filepath.Join(t.TempDir(), "acts.parquet")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), node, "testdata/read.mjs", folder, path).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		Columns []string          `json:"columns"`
		Says    map[string]string `json:"says"`
		Rows    int64             `json:"rows"`
		Alike   map[string]int    `json:"alike"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for _, r := range rowsOf(t, b) {
		want[asForeign(t, r)]++
	}
	if got.Rows != result.Rows || !maps.Equal(got.Alike, want) {
		t.Errorf("%d rows of %d sorts, want %d of %d", got.Rows, len(got.Alike), result.Rows, len(want))
	}
	var says Provenance
	if err := json.Unmarshal([]byte(got.Says[metaProvenance]), &says); err != nil || says != provenance || got.Says[metaSchema] != Schema {
		t.Errorf("%v %+v", err, got.Says)
	}
	if fmt.Sprint(got.Columns) != "[month day office document act cause why register days in_term age level]" {
		t.Errorf("%v", got.Columns)
	}
}

// asForeign is a row as the other program tells it.
func asForeign(t *testing.T, r Row) string {
	t.Helper()
	day := func(n int32) any { return time.Unix(int64(n)*24*60*60, 0).UTC().Format(time.DateOnly) }
	text := func(v string) any {
		if v == "" {
			return nil
		}
		return v
	}
	told := []any{day(r.Month), nil, r.Office, r.Document, r.Act, text(r.Cause), text(r.Why), r.Register, text(r.Days), text(r.InTerm), text(r.Age), r.Level}
	if r.Day != 0 {
		told[1] = day(r.Day)
	}
	b, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
