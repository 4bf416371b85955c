package monitor

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/verify/durable"
)

// mostEvidence bounds for how many alarms evidence is kept: whoever can have alarms raised
// fills no disk. What a log's own key signed is kept all the same.
const mostEvidence = 2_000

// file keeps an alarm's evidence as a folder of the alarm's name. It is there before the
// alarm is; what a cut left half written is written again.
func (m *Monitor) file(a Alarm) error {
	if m.o.Evidence == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(m.o.Evidence, a.ID)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return m.refile(a)
}

// refile keeps an alarm's evidence in place of what there was.
func (m *Monitor) refile(a Alarm) error {
	if full, err := m.full(a); m.o.Evidence == "" || full || err != nil {
		return err
	}
	dir := filepath.Join(m.o.Evidence, a.ID)
	beside := dir + besideEnd
	if err := errors.Join(os.RemoveAll(beside), os.MkdirAll(beside, 0o700)); err != nil {
		return err
	}
	about, err := json.MarshalIndent(AlarmDocument(a), "", "  ")
	if err != nil {
		return err
	}
	for _, f := range append(a.Evidence, File{aboutFile, append(about, '\n')}) {
		if err := durable.Export(filepath.Join(beside, f.Name), f.Octets, 0o600); err != nil {
			return err
		}
	}
	return m.replace(beside, dir)
}

const (
	aboutFile = "alarm.json" // is written last
	besideEnd = ".new"
)

func (m *Monitor) replace(beside, dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.Rename(beside, dir)); err != nil {
		return err
	}
	return durable.Sync(m.o.Evidence)
}

// refiled ends what a sudden end cut off: evidence that is whole takes its place, what is not
// goes.
func (m *Monitor) refiled() error {
	if m.o.Evidence == "" {
		return nil
	}
	list, err := os.ReadDir(m.o.Evidence)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var failed []error
	for _, e := range list {
		id, is := strings.CutSuffix(e.Name(), besideEnd)
		if !is {
			continue
		}
		beside := filepath.Join(m.o.Evidence, e.Name())
		_, err := os.Stat(filepath.Join(beside, aboutFile))
		switch {
		case err == nil:
			err = m.replace(beside, filepath.Join(m.o.Evidence, id))
		case errors.Is(err, fs.ErrNotExist):
			err = os.RemoveAll(beside)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// full says whether there is evidence of too many alarms to keep that of another.
func (m *Monitor) full(a Alarm) (bool, error) {
	if m.o.Evidence == "" || a.Code == Fork || a.Code == SyncFork {
		return false, nil
	}
	list, err := os.ReadDir(m.o.Evidence)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	there := slices.ContainsFunc(list, func(e fs.DirEntry) bool { return e.Name() == a.ID })
	return !there && len(list) >= mostEvidence, err
}

// Document is an alarm as JSON. Fields are only ever added.
type Document struct {
	Schema       string     `json:"schema"`
	ID           string     `json:"id"`
	Code         Code       `json:"code"`
	Log          string     `json:"log"`
	Index        int64      `json:"index"` // -1: it is about no entry
	Subject      string     `json:"subject"`
	Detail       string     `json:"detail"`
	Raised       time.Time  `json:"raised"`
	Acknowledged *time.Time `json:"acknowledged"`
}

// AlarmDocument is the form of an alarm for programs.
func AlarmDocument(a Alarm) Document {
	d := Document{"tamthe/ledger-watch/1", a.ID, a.Code, a.Origin, a.Index, a.Subject, a.Detail, a.Raised.UTC(), nil}
	if !a.Acknowledged.IsZero() {
		at := a.Acknowledged.UTC()
		d.Acknowledged = &at
	}
	return d
}
