package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// volatile is what differs from run to run in a report: digests, times, sizes of
// signatures, and with them what went over the wire.
var volatile = []struct {
	re *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`[0-9a-f]{64}`), "<sha256>"},
	{regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z`), "<time>"},
	{regexp.MustCompile(`list of 20[0-9]{2}-[0-9]{2}-[0-9]{2}`), "list of <day>"},
	{regexp.MustCompile(`"bytes_(in|out)": [0-9]+`), `"bytes_$1": "<number>"`},
	{regexp.MustCompile(`[A-Z]-[0-9A-V]{10}`), "<name>"},
	{regexp.MustCompile(`"[0-9]{2}/[0-9]{2}/2[0-9]{3}"`), `"<day of issue>"`},
	{regexp.MustCompile(`"[0-9A-F]{16}"`), `"<serial>"`},
	{regexp.MustCompile(`"apdus": 11[0-7],`), `"apdus": "<at most 117>",`},
	{regexp.MustCompile(`"expiry":( ?)"[0-9-]+"`), `"expiry":$1"<day>"`},
	{regexp.MustCompile(`"index":( ?)[0-9]+`), `"index":$1"<number>"`},
	{regexp.MustCompile(`"(spec|detail)": "[^"]*"`), `"$1": "<text>"`},
}

// The documents of verify and judge keep their fields and checks, in that order: programs
// that read them rely on it.
func TestGolden(t *testing.T) {
	d := newDesks(t)
	if err := d.made[stageIssued](); err != nil {
		t.Fatal(err)
	}
	folder, bundle := filepath.Join(t.TempDir(), "card"), filepath.Join(t.TempDir(), "a.evidence")
	if _, err := d.run(stageIssued, "verify", "--specimen", "--can-file", d.file(stageIssued, "can.txt"), "--evidence", bundle, "--case", "VA-1", "--holder", "match"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		args []string
	}{
		{"verify.json", []string{"verify", "--specimen", "--can-file", d.file(stageIssued, "can.txt"), "--save", folder}},
		{"judge.json", []string{"judge", folder, "--specimen"}},
		{"judge-evidence.json", []string{"judge", bundle, "--specimen"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			out, err := d.run(stageIssued, append(c.args, "--json")...)
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid([]byte(out)) {
				t.Errorf("not JSON: %s", out)
			}
			got := []byte(out + "\n")
			for _, v := range volatile {
				got = v.re.ReplaceAll(got, []byte(v.by))
			}
			path := filepath.Join("testdata", c.file)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("not what %s holds:\n%s", path, got)
			}
		})
	}
}
