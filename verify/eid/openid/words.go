package openid

import "github.com/tamthe/tamthe/verify/eid"

// fieldWord is what a citizen reads for a field, in both of the page's languages.
type fieldWord struct{ VI, EN string }

func word(field string) fieldWord {
	vi, en := eid.FieldWord(field)
	return fieldWord{vi, en}
}
