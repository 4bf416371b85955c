package dataset

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Row is a row of the file. An empty text, and a day of 0, is null there; see Describe for
// what the columns mean.
type Row struct {
	Month    int32  `parquet:"month,date,dict"`
	Day      int32  `parquet:"day,optional,date,dict"`
	Office   string `parquet:"office,dict"`
	Document string `parquet:"document,dict"`
	Act      string `parquet:"act,dict"`
	Cause    string `parquet:"cause,optional,dict"`
	Why      string `parquet:"why,optional,dict"`
	Register string `parquet:"register,dict"`
	Days     string `parquet:"days,optional,dict"`
	InTerm   string `parquet:"in_term,optional,dict"`
	Age      string `parquet:"age,optional,dict"`
	Level    int32  `parquet:"level,dict"`
}

// Sizes of the file: a group of rows is what is held in memory.
const (
	rowsInGroup = 1 << 17
	rowsAtOnce  = 1 << 10
)

// The keys under which the file says what it is.
const (
	metaSchema     = "tamthe.schema"
	metaProvenance = "tamthe.provenance"
	metaDictionary = "tamthe.dictionary"
)

// file writes rows.
type file struct {
	out     *counted
	w       *parquet.GenericWriter[Row]
	o       Provenance
	pending []Row
	rows    int64
}

// counted counts what goes through it.
type counted struct {
	io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	return n, err
}

func newFile(out io.Writer, o Provenance) *file {
	c := &counted{Writer: out}
	return &file{out: c, o: o, pending: make([]Row, 0, rowsAtOnce), w: parquet.NewGenericWriter[Row](c, parquet.NewSchema("acts", parquet.SchemaOf(Row{})),
		parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowsInGroup), parquet.DataPageStatistics(true),
		parquet.CreatedBy("tamthe", o.Tool, ""), // else the library writes what it was built from
	)}
}

// write writes a group as often as it was counted, by age.
func (f *file) write(level int, group string, of ages) error {
	v := strings.Split(group, "\x00")
	if len(v) != atAge {
		return fmt.Errorf("a group of %d values", len(v))
	}
	r := Row{
		Office: v[atOffice], Document: v[atDocument], Act: v[atAct], Cause: v[atCause], Why: v[atWhy],
		Register: v[atRegister], Days: v[atDays], InTerm: v[atInTerm], Level: int32(level),
	}
	var err error
	if r.Month, err = days(v[atMonth] + "-01"); err != nil {
		return err
	}
	if v[atDay] != Any {
		if r.Day, err = days(v[atDay]); err != nil {
			return err
		}
	}
	for _, g := range of {
		r.Age = g.age
		for range g.rows {
			f.pending = append(f.pending, r)
			if len(f.pending) == cap(f.pending) {
				if err := f.flush(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// days is a day as the file has it: how many days after 1970-01-01.
func days(text string) (int32, error) {
	day, err := time.Parse(time.DateOnly, text)
	return int32(day.Unix() / (24 * 60 * 60)), err
}

func (f *file) flush() error {
	_, err := f.w.Write(f.pending)
	f.rows += int64(len(f.pending))
	f.pending = f.pending[:0]
	return err
}

func (f *file) finish(withheld int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	d := Describe(f.o, Result{Rows: f.rows, Withheld: withheld})
	f.w.SetKeyValueMetadata(metaSchema, d.Schema)
	for _, part := range []struct { // in this order: they stand in the file as they are set
		key string
		v   any
	}{{metaProvenance, d.Provenance}, {metaDictionary, d.Dictionary}} {
		text, err := json.Marshal(part.v)
		if err != nil {
			return err
		}
		f.w.SetKeyValueMetadata(part.key, string(text))
	}
	return f.w.Close()
}
