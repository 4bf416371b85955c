package cms

import (
	"encoding/json"
	"slices"
	"strings"
)

// expression is one of a search; all of them hold.
type expression struct{ name, operator, value string }

type search []expression

// parseSearch reads Expressions over some attributes. Values are text: dates and times are
// RFC 3339 in UTC, so that their order is that of their text.
func parseSearch(b []byte, names ...string) (search, error) {
	all, err := list(b, "the search")
	if err != nil {
		return nil, err
	}
	if len(all) > maxSearch {
		return nil, problem(CodeSearch, "at most 8 expressions")
	}
	q := search{}
	for _, one := range all {
		o, err := object(one, "an expression", "attributeName", "operator", "value")
		if err != nil {
			return nil, err
		}
		var e expression
		var ok [2]bool
		if e.name, ok[0], err = text(o, "attributeName"); err != nil {
			return nil, err
		}
		if e.operator, ok[1], err = text(o, "operator"); err != nil {
			return nil, err
		}
		value, there := o["value"]
		switch {
		case !ok[0] || !ok[1] || !there:
			return nil, problem(CodeFormat, "an expression has attributeName, operator and value")
		case !slices.Contains([]string{"<", ">", "=", ">=", "<=", "!="}, e.operator):
			return nil, problem(CodeFormat, "operator is <, >, =, >=, <= or !=")
		case !slices.Contains(names, e.name):
			return nil, problem(CodeSearch, "searched is for "+strings.Join(names, ", "))
		case value[0] != '"' || json.Unmarshal(value, &e.value) != nil:
			return nil, problem(CodeSearch, "the value of "+e.name+" is a string")
		}
		q = append(q, e)
	}
	return q, nil
}

// equal is the value that an attribute must have.
func (q search) equal(name string) (string, bool) {
	for _, e := range q {
		if e.name == name && e.operator == "=" {
			return e.value, true
		}
	}
	return "", false
}

func (q search) has(name string) bool {
	return slices.ContainsFunc(q, func(e expression) bool { return e.name == name })
}

// match reports whether a record is found. What it does not have is found by != only.
func (q search) match(record map[string]string) bool {
	for _, e := range q {
		value, known := record[e.name]
		if !known {
			continue // it was looked for before
		}
		order := strings.Compare(value, e.value)
		good := map[string]bool{"<": order < 0, ">": order > 0, "=": order == 0, ">=": order >= 0, "<=": order <= 0, "!=": order != 0}[e.operator]
		if value == "" && e.operator != "!=" || !good {
			return false
		}
	}
	return true
}
