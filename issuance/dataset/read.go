package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// ErrFile means that a file is no data set of Schema.
var ErrFile = errors.New("not a data set of this schema")

// Read calls each with every row of a file of so many octets, and returns what the file says
// of itself. It takes the program's own files: a file of somebody else may make the library
// under it fail in ways that are not foreseen.
func Read(r io.ReaderAt, size int64, each func(Row) error) (Description, error) {
	var d Description
	f, err := parquet.OpenFile(r, size)
	if err != nil {
		return d, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if d.Schema, _ = f.Lookup(metaSchema); d.Schema != Schema {
		return d, fmt.Errorf("%w: it is %q", ErrFile, d.Schema)
	}
	for key, v := range map[string]any{metaProvenance: &d.Provenance, metaDictionary: &d.Dictionary} {
		text, _ := f.Lookup(key)
		if err := json.Unmarshal([]byte(text), v); err != nil {
			return d, fmt.Errorf("%w: %s: %w", ErrFile, key, err)
		}
	}
	rows := parquet.NewGenericReader[Row](f)
	defer rows.Close()
	some := make([]Row, rowsAtOnce)
	for {
		n, err := rows.Read(some)
		for _, row := range some[:n] {
			if err := each(row); err != nil {
				return d, err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return d, nil
		case err != nil:
			return d, fmt.Errorf("%w: %w", ErrFile, err)
		}
	}
}
