package ceremony

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Report is what a transcript says that was verified.
type Report struct {
	Title      string
	Rehearsal  bool
	Began      time.Time
	Ended      time.Time
	Script     [32]byte
	Digest     [32]byte // of the transcript
	Custodians []Attendance
	Outputs    []Output // of acts, and files that went in or out
}

// Attendance is a custodian who was there. Whether the key was one of a custodian is for
// the ledger to say.
type Attendance struct{ Name, Key string }

// Verify replays a transcript: its lines are whole and chained, the script in it is one, each
// step of it was done in its order with the answers that it needs, as many custodians as it
// wants attended, and all of them, and nobody else, signed the whole. A ceremony that was
// stopped is ErrTranscript and says where.
func Verify(transcript []byte) (*Report, error) {
	list, err := read(transcript)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || list[0].Kind != kindBegin || list[0].Digest != sum([]byte(list[0].Text)) {
		return nil, fmt.Errorf("%w: it does not begin with its script", ErrTranscript)
	}
	script, err := Parse([]byte(list[0].Text))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTranscript, err)
	}
	begin := list[0]
	if begin.Item != script.Title {
		return nil, fmt.Errorf("%w: its title is not the script's", ErrTranscript)
	}
	r := replay{list: list[1:], report: &Report{Title: script.Title, Rehearsal: begin.Rehearsal, Digest: Digest(transcript)}}
	copy(r.report.Script[:], octets(begin.Digest))
	r.report.Began, _ = time.Parse(timeForm, begin.At)
	for i, step := range script.Steps {
		if err := r.step(i+1, step, script.Custodians); err != nil {
			return nil, err
		}
	}
	return r.report, r.close()
}

// octets reads hexadecimal digits; nil for what are none.
func octets(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

// replay walks over the records behind the first.
type replay struct {
	list   []Record
	at     int
	report *Report
}

// next takes the next record, which must be of that kind and step.
func (r *replay) next(kind string, step int) (Record, error) {
	if r.at >= len(r.list) {
		return Record{}, fmt.Errorf("%w: it ends before %s of step %d", ErrTranscript, kind, step)
	}
	got := r.list[r.at]
	if got.Kind == kindStop {
		return Record{}, fmt.Errorf("%w: it was stopped at step %d: %s", ErrTranscript, got.Step, got.Text)
	}
	if got.Kind != kind || got.Step != step {
		return Record{}, fmt.Errorf("%w: line %d is %s of step %d, not %s of step %d", ErrTranscript, got.N, got.Kind, got.Step, kind, step)
	}
	r.at++
	return got, nil
}

func (r *replay) step(n int, s Step, custodians int) error {
	if s.Do == DoAttend {
		return r.attend(n, custodians)
	}
	got, err := r.next(s.Do, n)
	if err != nil {
		return err
	}
	good := true
	switch s.Do {
	case DoSay:
		good = got.Prompt == s.Text && yes(got.Answer)
	case DoAsk:
		good = got.Prompt == s.Text && got.Answer != ""
	case DoAct:
		good = got.Item == s.Act && got.Prompt == s.Text
	case DoRead:
		good = got.Item == s.Of && got.Prompt != "" && heard(got.Prompt) == heard(got.Answer)
	case DoImport, DoExport:
		good = got.Item == s.Of && r.output(got)
	}
	if !good && r.at < len(r.list) && r.list[r.at].Kind == kindStop {
		_, err = r.next(kindStop, n)
		return err
	}
	if !good {
		return fmt.Errorf("%w: line %d is not what step %d asks for", ErrTranscript, got.N, n)
	}
	for s.Do == DoAct && r.at < len(r.list) && r.list[r.at].Kind == kindOutput {
		got, err := r.next(kindOutput, n)
		if err != nil {
			return err
		}
		if !r.output(got) {
			return fmt.Errorf("%w: line %d has no digest", ErrTranscript, got.N)
		}
	}
	return nil
}

func (r *replay) output(got Record) bool {
	digest := octets(got.Digest)
	if len(digest) != 32 || got.Item == "" {
		return false
	}
	r.report.Outputs = append(r.report.Outputs, Output{got.Item, [32]byte(digest)})
	return true
}

// attend checks each custodian's signature over what happened before.
func (r *replay) attend(n, custodians int) error {
	seen := map[string]bool{}
	for range custodians {
		got, err := r.next(DoAttend, n)
		if err != nil {
			return err
		}
		if seen[got.Who] || seen[got.Key] || got.Who == "" {
			return fmt.Errorf("%w: %q is there twice", ErrCustodian, got.Who)
		}
		seen[got.Who], seen[got.Key] = true, true
		if err := issuance.CheckMessage(got.Key, challengeContext, []byte(got.Who+" "+got.Prev), octets(got.Signature)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCustodian, got.Who, err)
		}
		r.report.Custodians = append(r.report.Custodians, Attendance{got.Who, got.Key})
	}
	return nil
}

// close checks the end and the signatures of all who attended, in their order.
func (r *replay) close() error {
	end, err := r.next(kindEnd, 0)
	if err != nil {
		return err
	}
	r.report.Ended, _ = time.Parse(timeForm, end.At)
	for _, who := range r.report.Custodians {
		got, err := r.next(kindSign, 0)
		if err != nil {
			return err
		}
		if got.Who != who.Name || got.Key != who.Key {
			return fmt.Errorf("%w: %q signed in the place of %q", ErrCustodian, got.Who, who.Name)
		}
		signed, err := got.signed()
		if err != nil {
			return err
		}
		if err := issuance.CheckMessage(got.Key, transcriptContext, signed, octets(got.Signature)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCustodian, got.Who, err)
		}
	}
	if r.at != len(r.list) {
		return fmt.Errorf("%w: something stands behind its end", ErrTranscript)
	}
	return nil
}
