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
	b.WriteString("# Lives\n\nDrawn from the tables of rule book 2 (rules_*.go) by lifecycle_test.go. `–` is a stream that does not exist yet.\n")
	rules := books[RuleBook].rules
	kind := Kind("")
	for i := range rules {
		r := &rules[i]
		if r.kind != kind {
			kind = r.kind
			fmt.Fprintf(&b, "\n## %s\n\n| act | from | to | role | two persons | other persons than of | carries | must be unique | releases | comes with |\n|---|---|---|---|---|---|---|---|---|---|\n", kind)
		}
		carries := r.need
		for _, name := range r.same {
			carries = append(carries[:len(carries):len(carries)], name+" as before")
		}
		for _, name := range r.extra {
			carries = append(carries[:len(carries):len(carries)], name+" if any")
		}
		for i, name := range carries {
			if values := r.only[strings.TrimSuffix(name, " if any")]; values != nil {
				carries = slices.Clone(carries)
				carries[i] = name + " (" + strings.Join(values, ", ") + ")"
			}
		}
		if r.commit {
			carries = append(carries[:len(carries):len(carries)], map[bool]string{false: "content", true: "content as before"}[r.agree])
		}
		unique := slices.Concat(join(r.claim), join(r.hold), join(r.every))
		two := ""
		if r.two != nil {
			two = r.two.text
		}
		with := ""
		if r.owes != nil {
			for _, d := range r.owes(&Entry{Fields: map[string]string{}}) {
				with = fmt.Sprintf("%s of %s", d.act, d.stream.Kind)
			}
		}
		from := join(r.from)
		if len(from) == 0 {
			from = []string{"–"}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", r.act, strings.Join(from, ", "), r.to,
			strings.Join(join(r.role), ", "), two, strings.Join(append(join(r.apart), join(r.apartBy)...), ", "),
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

// TestTable: in every book each phase but the last ones can be left, each but Absent can be
// reached, and no act of a kind stands in the table twice.
func TestTable(t *testing.T) {
	last := map[uint16][]string{
		1: {"application cancelled", "application issued", "application rejected", "card revoked", "card spoiled", "card superseded", "key revoked", "operator revoked"},
		2: {
			"application shredded", "card destroyed", "ceremony signed", "conflict settled", "desk revoked", "key destroyed", "operator revoked",
		},
	}
	for number, b := range books {
		var ends []string
		for kind, phases := range b.tableOf(t) {
			for p := range phases {
				if !slices.ContainsFunc(b.rules, func(r rule) bool { return r.kind == kind && r.follows(p) }) {
					ends = append(ends, string(kind)+" "+string(p))
				}
			}
			for _, r := range b.rules {
				for _, p := range r.from {
					if r.kind == kind && !phases[p] {
						t.Errorf("book %d: %s %q is never reached", number, kind, p)
					}
				}
			}
		}
		slices.Sort(ends)
		if !slices.Equal(ends, last[number]) {
			t.Errorf("book %d ends in %v", number, ends)
		}
	}
}

// tableOf checks rules one by one and gives the phases that each kind reaches.
func (b *book) tableOf(t *testing.T) map[Kind]map[Phase]bool {
	t.Helper()
	reached := map[Kind]map[Phase]bool{}
	if len(b.index) != len(b.rules) {
		t.Error("an act stands twice")
	}
	for _, r := range b.rules {
		if reached[r.kind] == nil {
			reached[r.kind] = map[Phase]bool{Absent: true}
		}
		reached[r.kind][r.after(Absent)] = true
		if r.act != Init && len(r.role) == 0 {
			t.Errorf("%s of %s needs no role", r.act, r.kind)
		}
		for _, name := range slices.Concat(r.need, r.same, r.extra, b.remarks) {
			if fields[name] == nil {
				t.Errorf("%s of %s carries the unknown field %q", r.act, r.kind, name)
			}
		}
		for name, values := range r.only {
			for _, v := range values {
				if !fields[name](v) {
					t.Errorf("%s of %s: %q is no value of %q", r.act, r.kind, v, name)
				}
			}
			if !r.takes(name) {
				t.Errorf("%s of %s: it does not carry %q", r.act, r.kind, name)
			}
		}
	}
	return reached
}
