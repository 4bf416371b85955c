package main

import "testing"

// TestOneLine: what a library says in several lines, indented as pgx does, is one line to read.
func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"open: failed to connect to `user=an`:\n\tdb.example:5432: refused\n\tdb.example:5433: refused\n": "open: failed to connect to `user=an`: db.example:5432: refused; db.example:5433: refused",
		"one\ntwo":  "one; two",
		"one\t two": "one two",
		"":          "",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
}
