package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/pki"
)

// recordFile is kept with the files of a reading: why and when they were read, what is
// there, and whether that is all.
const recordFile = "read.json"

const maxRecord = 1 << 16 // octets

// errAnotherCard says that the folder of an interrupted reading holds another card's files.
var errAnotherCard = errors.New("the folder holds files of another card")

// reading is a folder that a card is read into. Each file is written whole as soon as it is
// there, so that an interrupted reading can go on.
type reading struct {
	dir         string
	record      readJSON
	have        verify.Files // of an interrupted reading
	early       verify.Files // read before EF.SOD says which card this is
	begun       bool
	resumed     int
	openNetwork bool // a decoder ran that was not kept from the network
}

// openReading looks at the folder: it is new or empty, or holds a reading for the same
// purpose that was interrupted. Nothing is written yet.
func openReading(dir, purpose string, now time.Time) (*reading, error) {
	r := &reading{dir: dir, early: verify.Files{}, record: readJSON{
		Schema: "tamthe/read/1", Purpose: purpose, At: now.UTC().Truncate(time.Second),
		Files: []readFileJSON{}, Missing: []missingJSON{}, Pictures: []pictureJSON{}, Unshown: []unshownJSON{},
		Applications: []applicationJSON{},
	}}
	if !interruptedReading(dir, purpose) {
		return r, vacant(dir)
	}
	var err error
	r.have, err = verify.ReadFiles(os.DirFS(dir))
	return r, err
}

// interruptedReading reports whether the folder holds the record of a reading for the
// purpose that did not come to its end.
func interruptedReading(dir, purpose string) bool {
	b, err := pki.ReadFile(os.DirFS(dir), recordFile, maxRecord)
	var record readJSON
	return err == nil && json.Unmarshal(b, &record) == nil &&
		record.Schema == "tamthe/read/1" && !record.Complete && record.Purpose == purpose
}

// save writes a file as it was read. What comes before EF.SOD waits for it: another card's
// SOD ends the reading before anything is overwritten.
func (r *reading) save(f lds.File, b []byte) error {
	if _, known := r.early[lds.SODFile]; !known {
		r.early[f] = b
		if f != lds.SODFile {
			return nil
		}
		if before, ok := r.have[f]; ok && !bytes.Equal(before, b) {
			return fmt.Errorf("%s: %w", r.dir, errAnotherCard)
		}
		return r.flush()
	}
	return r.write(f, b)
}

// flush begins the folder with the record and what waited.
func (r *reading) flush() error {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	r.begun = true
	if err := r.writeRecord(); err != nil {
		return err
	}
	for f, b := range r.early {
		if err := r.write(f, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) write(f lds.File, b []byte) error {
	if before, ok := r.have[f]; ok && bytes.Equal(before, b) {
		if f.Number() > 0 {
			r.resumed++
		}
		return nil
	}
	return durable.Replace(filepath.Join(r.dir, f.FileName()), b, 0o600)
}

// unfinished is the report of a reading that broke off: nothing but which card it was, and what
// of it was read.
func (r *reading) unfinished(o verify.Options) *verify.Report {
	report := &verify.Report{Policy: o.Policy, At: o.At, Specimen: o.Specimen}
	if sod, err := lds.ParseSOD(r.early[lds.SODFile]); err == nil {
		report.Document.Card = sod.CardID()
	}
	if files, err := verify.ReadFiles(os.DirFS(r.dir)); err == nil { // else the slip says less, and the card is on record all the same
		report.Files = files
	}
	return report
}

// interrupted adds to the error of a reading that broke off how to go on.
func (r *reading) interrupted(err error) error {
	if !r.begun {
		return err
	}
	c := classify(err)
	vi := inVietnamese[c.Code].hint
	return hintError{
		err:  err,
		hint: joinHints(c.Hint, "the files read so far are kept; the same command goes on from there"),
		vi:   joinHints(vi, "các tệp đã đọc được giữ lại; chạy lại đúng lệnh này để đọc tiếp"),
	}
}

func joinHints(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// finish completes the folder: files that waited for an EF.SOD that never came, the
// pictures, and the record.
func (r *reading) finish(ctx context.Context, report *verify.Report, biometrics bool) error {
	if !r.begun {
		if err := r.flush(); err != nil {
			return err
		}
	}
	for _, f := range lds.Files() {
		b, read := report.Files[f]
		switch {
		case read:
			sum := sha256.Sum256(b)
			r.record.Files = append(r.record.Files, readFileJSON{f.FileName(), len(b), hex.EncodeToString(sum[:])})
		case r.have[f] != nil: // from before, and the card no longer gives it
			if err := os.Remove(filepath.Join(r.dir, f.FileName())); err != nil {
				return err
			}
		}
	}
	for _, n := range report.Document.Groups {
		if !slices.Contains(report.Document.Read, n) {
			reason := report.Check(fmt.Sprintf("lds.dg%d", n)).Reason
			r.record.Missing = append(r.record.Missing, missingJSON{lds.Group(n).Name(), string(reason)})
		}
	}
	applications, err := lds.ParseDIR(report.Files[lds.DIR])
	if err != nil {
		applications = nil // the file is there to look at
	}
	for _, a := range applications {
		r.record.Applications = append(r.record.Applications, applicationJSON{hex.EncodeToString(a.AID), a.Name(), verify.Escape(a.Label)})
	}
	if report.Document.Card != (verify.CardID{}) {
		r.record.Card = report.Document.Card.String()
	}
	r.record.Proven = report.Passed(verify.Integrity) && report.Passed(verify.Authentic)
	if r.record.Proven {
		if err := r.draw(ctx, report.Files, biometrics); err != nil {
			return err
		}
	}
	r.record.Complete = true
	return r.writeRecord()
}

func (r *reading) writeRecord() error {
	b, err := json.MarshalIndent(r.record, "", "  ")
	if err != nil {
		return err
	}
	return durable.Replace(filepath.Join(r.dir, recordFile), append(b, '\n'), 0o600)
}
