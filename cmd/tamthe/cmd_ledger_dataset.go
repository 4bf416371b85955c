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

	"github.com/tamthe/tamthe/issuance/dataset"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/verify/durable"
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
	return p.writeDataset(ctx, office, o.parquet, desk.DatasetOptions{
		From: from, To: to, Ages: o.ages, Origin: office.ledger.Origin(), Tool: version, Temp: filepath.Dir(o.parquet),
	})
}

// writeDataset writes the file, and beside it what it says of itself and its signature. After
// an error nothing of it is there.
func (p *program) writeDataset(ctx context.Context, office *office, path string, o desk.DatasetOptions) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	written := []string{path}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			for _, name := range written {
				_ = os.Remove(name)
			}
		}
	}()
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(f, sum), 1<<16)
	made, result, err := office.WriteDataset(ctx, out, o)
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
	}{dataset.Describe(made, result), filepath.Base(path), hex.EncodeToString(sum.Sum(nil))}, "", " ")
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
	}{{path + ".json", described}, {path + ".json.sig", signature}} {
		if err := durable.Export(beside.path, beside.text, 0o600); err != nil {
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
	}{"tamthe/ledger-export-parquet/1", path, result.Rows, result.Withheld, result.Octets}, path,
		fmt.Sprintf(p.text(wordDataset), path, result.Rows, result.Withheld, result.Octets))
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
	fmt.Fprintln(w, p.text(wordDatasetPlan))
	for _, s := range sizes {
		fmt.Fprintf(w, "%d\t%d\t%.1f\t\n", s.Rows, s.Octets, s.Seconds)
	}
	return w.Flush()
}
