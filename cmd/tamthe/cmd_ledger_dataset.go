package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/tamthe/tamthe/issuance/dataset"
	"github.com/tamthe/tamthe/issuance/desk"
)

// datasetOptions are those of `ledger export` that are about data of whole months.
type datasetOptions struct {
	parquet, from, to string
	ages, plan        bool
}

func runDataset(ctx context.Context, p *program, o datasetOptions) error {
	from, to, err := p.wholeMonths("--parquet", o.from, o.to)
	if err != nil {
		return err
	}
	office, err := p.openOffice(ctx, acting)
	if err != nil {
		return err
	}
	defer office.done()
	months, err := office.WholeMonths(from, to)
	if err != nil {
		return err
	}
	end := months[len(months)-1].AddDate(0, 1, 0)
	size, root, err := office.Extent(ctx, end)
	if err != nil {
		return err
	}
	made := provenanceOf(office, size, root, months[0], end, o.ages)
	return p.writeDataset(ctx, office, o, made, months[0], end)
}

func provenanceOf(office *office, size int64, root [32]byte, from, end time.Time, ages bool) dataset.Provenance {
	return dataset.Provenance{
		Origin: office.ledger.Origin(), Size: size, Root: hex.EncodeToString(root[:]), From: from.Format(time.DateOnly),
		To: end.AddDate(0, 0, -1).Format(time.DateOnly), Office: office.Place, Tool: version, Ages: ages,
	}
}

// writeDataset writes the file, and beside it what it says of itself and its signature. After
// an error nothing of it is there.
func (p *program) writeDataset(ctx context.Context, office *office, o datasetOptions, made dataset.Provenance, from, end time.Time) (err error) {
	f, err := os.OpenFile(o.parquet, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	written := []string{o.parquet}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			for _, path := range written {
				_ = os.Remove(path)
			}
		}
	}()
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	w := dataset.New(out, dataset.Options{Provenance: made, Temp: filepath.Dir(o.parquet)})
	defer w.Close()
	err = office.Events(ctx, end, desk.Facts{Ages: o.ages}, func(e desk.Event) error {
		if e.Again || e.Day.Before(from) {
			return nil
		}
		return w.Add(dataset.Event{
			Day: e.Day, Document: e.Document, Act: e.Act, Cause: e.Cause, Why: e.Why, Office: e.Office, Register: e.Register,
			Days: e.Days, InTerm: e.InTerm, Age: e.Age,
		})
	})
	if err != nil {
		return err
	}
	result, err := w.Finish()
	if err != nil {
		return err
	}
	if err := errors.Join(out.Flush(), f.Sync()); err != nil {
		return err
	}
	described, err := json.MarshalIndent(struct {
		dataset.Description
		File   string `json:"file"`
		SHA256 string `json:"sha256"`
	}{dataset.Describe(made, result), filepath.Base(o.parquet), hex.EncodeToString(sum.Sum(nil))}, "", " ")
	if err != nil {
		return err
	}
	described = append(described, '\n')
	signature, err := signOctets(office.Signer, described) // which names the file by its digest
	if err != nil {
		return err
	}
	for _, beside := range []struct {
		path string
		text []byte
	}{{o.parquet + ".json", described}, {o.parquet + ".json.sig", signature}} {
		if err := writeNew(beside.path, beside.text); err != nil {
			return err
		}
		written = append(written, beside.path)
	}
	return p.result(struct {
		Schema   string `json:"schema"`
		File     string `json:"file"`
		Rows     int64  `json:"rows"`
		Withheld int64  `json:"withheld"`
		Octets   int64  `json:"octets"`
	}{"tamthe/ledger-export-parquet/1", o.parquet, result.Rows, result.Withheld, result.Octets}, o.parquet,
		fmt.Sprintf(p.text(wordDataset), o.parquet, result.Rows, result.Withheld, result.Octets))
}

// planned is how many rows are written to know what they take.
const planned = 200_000

func runDatasetPlan(p *program) error {
	took, err := dataset.Plan("", planned)
	if err != nil {
		return err
	}
	type size struct {
		Rows    int64   `json:"rows"`
		Octets  int64   `json:"octets"`
		Seconds float64 `json:"seconds"`
	}
	sizes := []size{}
	for rows := int64(10_000); rows <= 1_000_000_000; rows *= 10 {
		ratio := float64(rows) / float64(took.Rows)
		sizes = append(sizes, size{rows, int64(float64(took.Octets) * ratio), took.Took.Seconds() * ratio})
	}
	if p.documents {
		return p.document(struct {
			Schema string `json:"schema"`
			Sizes  []size `json:"sizes"`
		}{"tamthe/ledger-export-plan/1", sizes})
	}
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "rows\toctets\tseconds\t")
	for _, s := range sizes {
		fmt.Fprintf(w, "%d\t%d\t%.1f\t\n", s.Rows, s.Octets, s.Seconds)
	}
	return w.Flush()
}
