package verify

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// reportSchema compiles the schema of reports. A closed one refuses fields that it does
// not describe, so that none is added to documents and forgotten there; the schema itself
// lets readers pass over new ones.
func reportSchema(t *testing.T, closed bool) *jsonschema.Schema {
	t.Helper()
	b, err := os.ReadFile("schema/report-1.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if closed {
		shut(doc)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("urn:tamthe:report:1", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:tamthe:report:1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, ok := s["properties"]; ok && s["type"] == "object" {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			shut(v)
		}
	case []any:
		for _, v := range s {
			shut(v)
		}
	}
}

func valid(s *jsonschema.Schema, document []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// goldenReports are the committed documents of this package and of the program, whose
// volatile values are put back.
func goldenReports(t *testing.T) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	for _, pattern := range []string{"testdata/*.json", "../cmd/tamthe/testdata/verify.json", "../cmd/tamthe/testdata/judge.json"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(b, []byte(`"schema": "tamthe/verify/1"`)) && !bytes.Contains(b, []byte(`"schema": "tamthe/judge/1"`)) {
				continue
			}
			for _, v := range []struct{ old, by string }{
				{`"<sha256>"`, `"` + strings.Repeat("ab", 32) + `"`},
				{`"<time>"`, `"2026-07-01T12:00:00Z"`},
				{`"<(number|at most [0-9]+)>"`, `1`},
			} {
				b = regexp.MustCompile(v.old).ReplaceAll(b, []byte(v.by))
			}
			list[name] = b
		}
	}
	return list
}

func TestSchema(t *testing.T) {
	closed := reportSchema(t, true)
	documents := goldenReports(t)
	o := newOffice(t, "CSCA")
	p := o.options("checkpoint")
	p.Holder = HolderUnsure
	s := o.usual()
	for name, r := range map[string]*Report{
		"a chip": inspect(t, s.chip(t, nil), p), "files": judgeOne(t, s.files, o.options("archive")), "nothing": judgeOne(t, Files{}, o.options("archive")),
	} {
		b, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		documents[name] = b
	}
	for name, b := range documents {
		if err := valid(closed, b); err != nil {
			t.Errorf("%s: %#v", name, err)
		}
	}
	for _, r := range Reasons() {
		if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(string(r)) {
			t.Errorf("%s is no code", r)
		}
	}
}

// What a reader relies on, the schema refuses to see broken; what is new it lets pass.
func TestSchemaRefuses(t *testing.T) {
	schema := reportSchema(t, false)
	b, err := sampleReport(Accept).JSON()
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(map[string]any)) []byte {
		var doc map[string]any
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		f(doc)
		out, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	check := func(doc map[string]any) map[string]any { return doc["checks"].([]any)[0].(map[string]any) }
	for name, f := range map[string]func(map[string]any){
		"another schema":    func(d map[string]any) { d["schema"] = "tamthe/verify/2" },
		"no verdict":        func(d map[string]any) { delete(d, "verdict") },
		"another verdict":   func(d map[string]any) { d["verdict"] = "perhaps" },
		"local time":        func(d map[string]any) { d["at"] = "2026-07-01T19:00:00+07:00" },
		"no checks":         func(d map[string]any) { d["checks"] = nil },
		"an odd outcome":    func(d map[string]any) { check(d)["outcome"] = "ok" },
		"an odd id":         func(d map[string]any) { check(d)["id"] = "Face" },
		"a check unsaid":    func(d map[string]any) { delete(check(d), "reason") },
		"identity left out": func(d map[string]any) { delete(d, "identity") },
		"half an identity":  func(d map[string]any) { delete(d["identity"].(map[string]any), "number") },
		"capital hex":       func(d map[string]any) { d["document"].(map[string]any)["card_id"] = strings.Repeat("AB", 32) },
		"group 17":          func(d map[string]any) { d["document"].(map[string]any)["groups"] = []any{17} },
	} {
		if valid(schema, change(f)) == nil {
			t.Errorf("%s is valid", name)
		}
	}
	if err := valid(schema, change(func(d map[string]any) { d["more"], check(d)["more"] = 1, "x" })); err != nil {
		t.Errorf("a new field is refused: %v", err)
	}
}
