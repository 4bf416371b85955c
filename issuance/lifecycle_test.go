package issuance

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write LIFECYCLE.md anew")

// TestLifecycleIsDrawn: the page that people read is the table that the program obeys.
func TestLifecycleIsDrawn(t *testing.T) {
	want := draw()
	if *update {
		if err := os.WriteFile("LIFECYCLE.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("LIFECYCLE.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("LIFECYCLE.md is not what the rules say: go test ./issuance -run Lifecycle -update")
	}
}

func draw() string {
	var b strings.Builder
	b.WriteString("# Lives\n\nDrawn from the table in rules.go by lifecycle_test.go. `–` is a stream that does not exist yet.\n")
	kind := Kind("")
	for i := range rules {
		r := &rules[i]
		if r.kind != kind {
			kind = r.kind
			fmt.Fprintf(&b, "\n## %s\n\n| act | from | to | role | other persons than of | carries | must be unique | releases | comes with |\n|---|---|---|---|---|---|---|---|---|\n", kind)
		}
		carries := r.need
		for _, name := range r.same {
			carries = append(carries[:len(carries):len(carries)], name+" as before")
		}
		for _, name := range r.extra {
			carries = append(carries[:len(carries):len(carries)], name+" if any")
		}
		if r.must != "" {
			carries = append(carries[:len(carries):len(carries)], "verdict = "+r.must)
		}
		if r.commit {
			carries = append(carries[:len(carries):len(carries)], map[bool]string{false: "content", true: "content as before"}[r.agree])
		}
		unique := append(join(r.claim), join(r.hold)...)
		with := ""
		if r.owes != nil {
			d := r.owes(&Entry{Fields: map[string]string{}})
			with = fmt.Sprintf("%s of %s", d.act, d.stream.Kind)
		}
		from := join(r.from)
		if len(from) == 0 {
			from = []string{"–"}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.act, strings.Join(from, ", "), r.to,
			strings.Join(join(r.role), ", "), strings.Join(append(join(r.apart), join(r.apartBy)...), ", "),
			strings.Join(carries, ", "), strings.Join(unique, ", "), strings.Join(join(r.release), ", "), with)
	}
	return b.String()
}

func join[T ~string](list []T) []string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// TestTable: every phase but the last ones can be left, every phase but Absent can be
// reached, and no act of a kind stands in the table twice.
func TestTable(t *testing.T) {
	last := map[Phase]bool{Revoked: true, Issued: true, Rejected: true, Cancelled: true, Superseded: true, Spoiled: true}
	seen := map[due]bool{}
	reached := map[Kind]map[Phase]bool{}
	for i := range rules {
		r := &rules[i]
		d := due{StreamID{Kind: r.kind}, r.act}
		if seen[d] {
			t.Errorf("%s of %s stands twice", r.act, r.kind)
		}
		seen[d] = true
		if reached[r.kind] == nil {
			reached[r.kind] = map[Phase]bool{Absent: true}
		}
		reached[r.kind][r.to] = true
		if r.act != Init && len(r.role) == 0 {
			t.Errorf("%s of %s needs no role", r.act, r.kind)
		}
		for _, name := range slices.Concat(r.need, r.same, r.extra) {
			if fields[name] == nil {
				t.Errorf("%s of %s needs the unknown field %q", r.act, r.kind, name)
			}
		}
	}
	for kind, phases := range reached {
		for p := range phases {
			if acts := Possible(kind, p); (len(acts) == 0) != last[p] {
				t.Errorf("%s %q: %v follows", kind, p, acts)
			}
		}
		for i := range rules {
			for _, p := range rules[i].from {
				if rules[i].kind == kind && !phases[p] {
					t.Errorf("%s %q is never reached", kind, p)
				}
			}
		}
	}
}
