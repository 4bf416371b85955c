package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/verify"
)

// A tree and a tar of it give the same lines in the same order, whatever the workers.
func TestJudgeMany(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		write(fmt.Sprintf("a/%02d/ef.sod.bin", i), fmt.Sprint("no signed list ", i))
	}
	write("a/b/c/DG1.bin", "alone")
	write("a/b/notes.txt", "passed over")
	outputs := map[string]string{}
	for _, workers := range []string{"1", "4"} {
		outputs["tree "+workers] = runBulk(t, nil, 3, "judge", dir, "--json", "--workers", workers)
		outputs["tar "+workers] = runBulk(t, tarOf(t, dir), 3, "judge", "-", "--json", "--workers", workers)
	}
	first := outputs["tree 1"]
	lines := strings.Split(strings.TrimSpace(first), "\n")
	if len(lines) != 22 {
		t.Fatalf("%d lines: %s", len(lines), first)
	}
	for i, line := range lines[:21] {
		var d judgedPaper
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		if d.Schema != schemaBulk || d.Verdict == nil || *d.Verdict != verify.Refuse || len(d.Reasons) != 1 || i < 20 && d.Path != fmt.Sprintf("a/%02d", i) {
			t.Errorf("line %d: %s", i, line)
		}
	}
	if want := `{"schema":"tamthe/judge-bulk/1","summary":{"documents":21,"accept":0,"refuse":21,"refer":0,"unreadable":0,"skipped":1}}`; lines[21] != want {
		t.Errorf("summary %s, want %s", lines[21], want)
	}
	for name, output := range outputs {
		if output != first {
			t.Errorf("%s differs:\n%s\n%s", name, output, first)
		}
	}
}

// What is no document is said in its place, and the others are judged.
func TestJudgeManyHostile(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "DG1.bin")
	deep := dir + strings.Repeat("/d", maxTreeDepth+1)
	for _, d := range []string{dir + "/link", dir + "/large", dir + "/twice", deep} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for path, content := range map[string][]byte{
		outside: []byte("secret"), deep + "/DG1.bin": []byte("x"), dir + "/large/DG2.bin": make([]byte, maxPaperFile+1),
		dir + "/twice/DG1.bin": []byte("x"), dir + "/twice/dg1.BIN": []byte("x"),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, dir+"/link/DG1.bin"); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Dir(outside), dir+"/elsewhere"); err != nil {
		t.Fatal(err)
	}
	out := runBulk(t, nil, exitError, "judge", dir)
	for _, want := range []string{"unreadable   link", "unreadable   large", "unreadable   twice", "deep", "4 documents: 0 accepted"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, h := range []tar.Header{
		{Name: "../../x/DG1.bin", Typeflag: tar.TypeReg, Size: 1},
		{Name: "x/DG1.bin", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		{Name: "y/DG1.bin", Typeflag: tar.TypeReg, Size: 1},
		{Name: "y/dg1.bin", Typeflag: tar.TypeReg, Size: 1},
		{Name: "z\x1b[2J/DG2.bin", Typeflag: tar.TypeReg, Size: maxPaperFile + 1},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out = runBulk(t, archive.Bytes(), exitRefused, "judge", "-")
	if !strings.Contains(out, "3 documents: 0 accepted, 1 refused, 0 referred, 2 unreadable; 1 other") || strings.Contains(out, "\x1b") {
		t.Errorf("tar: %q", out)
	}
	runBulkFails(t, exitUsage, "judge", dir, "--workers", "100000")
	for name, stream := range map[string][]byte{"cut short": archive.Bytes()[:700], "empty": nil} {
		if status := bulkProgram(t, stream).run(context.Background(), []string{"judge", "-"}); status != exitError {
			t.Errorf("a stream that is %s: status %d", name, status)
		}
	}
}

func bulkProgram(t *testing.T, in []byte) *program {
	return &program{in: bytes.NewReader(in), out: &bytes.Buffer{}, err: &bytes.Buffer{}, now: time.Now, home: home(t.TempDir())}
}

func runBulkFails(t *testing.T, want int, args ...string) {
	t.Helper()
	if status := bulkProgram(t, nil).run(context.Background(), args); status != want {
		t.Errorf("%v: status %d, want %d", args, status, want)
	}
}

func runBulk(t *testing.T, in []byte, want int, args ...string) string {
	t.Helper()
	p := bulkProgram(t, in)
	if status := p.run(context.Background(), args); status != want || p.err.(*bytes.Buffer).Len() > 0 {
		t.Fatalf("%v: status %d, want %d: %s%s", args, status, want, p.out, p.err)
	}
	return p.out.(*bytes.Buffer).String()
}

func tarOf(t *testing.T, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Logf("tar: %v", err) // of links, which AddFS does not take
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The name of a folder in somebody's archive commands no terminal, and can be read back.
func TestJudgeManyHostileNames(t *testing.T) {
	dir := t.TempDir()
	const name = "a\u009b31m\u202eb\x7f"
	if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name, "EF.SOD.bin"), []byte("no signed list"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"judge", dir, "--json"}, {"judge", dir}} {
		out := runBulk(t, nil, 3, args...)
		if strings.ContainsAny(out, "\u009b\u202e\x7f") {
			t.Errorf("%v: %q", args, out)
		}
		var d judgedPaper
		if line, _, _ := strings.Cut(out, "\n"); len(args) == 3 && (json.Unmarshal([]byte(line), &d) != nil || d.Path != name) {
			t.Errorf("%q", d.Path)
		}
	}
}

// A standard input that says nothing and does not end holds nobody who was interrupted.
func TestStreamEnds(t *testing.T) {
	silent, hold := io.Pipe()
	defer hold.Close()
	ctx, cancel := context.WithCancel(t.Context())
	stream, done := (&program{in: silent}).stream(ctx)
	defer done()
	cancel()
	if n, err := stream.Read(make([]byte, 1)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Error(n, err)
	}
}
