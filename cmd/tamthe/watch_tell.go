package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"time"

	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/monitor"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/receipt"
)

// errLogAway says that a log, or what others have of it, could not be reached.
var errLogAway = errors.New("not everything could be reached")

// patience is how long somebody may take to be told an alarm.
const patience = time.Minute

// tell tells an alarm to all who are to hear of it.
func (x *watcher) tell(ctx context.Context, a monitor.Alarm) error {
	if err := x.p.alarm(a); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(monitor.AlarmDocument(a)); err != nil {
		return err
	}
	doc := verify.EscapeJSON(b.Bytes())
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return errors.Join(x.tellProgram(ctx, doc), x.tellURL(ctx, doc))
}

func (x *watcher) tellProgram(ctx context.Context, doc []byte) error {
	if x.o.alarmExec == "" {
		return nil
	}
	cmd := exec.CommandContext(ctx, x.o.alarmExec)
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(doc), 5*time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", x.o.alarmExec, err)
	}
	return nil
}

func (x *watcher) tellURL(ctx context.Context, doc []byte) error {
	if x.o.alarmURL == "" {
		return nil
	}
	in, err := http.NewRequestWithContext(ctx, http.MethodPost, x.o.alarmURL, bytes.NewReader(doc))
	if err != nil {
		return err
	}
	in.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	out, err := client.Do(in)
	if err != nil {
		return err
	}
	defer out.Body.Close()
	_, _ = io.CopyN(io.Discard, out.Body, 64<<10)
	if out.StatusCode/100 != 2 {
		return fmt.Errorf("%s: status %d", in.URL.Redacted(), out.StatusCode)
	}
	return nil
}

// alarm prints an alarm as a line.
func (p *program) alarm(a monitor.Alarm) error {
	if p.documents {
		return p.document(monitor.AlarmDocument(a))
	}
	where := a.Origin
	if a.Index >= 0 {
		where += fmt.Sprintf(" %s %d", p.text(wordEntry), a.Index)
	}
	said := ""
	if !a.Acknowledged.IsZero() {
		said = fmt.Sprintf(" [%s %s]", p.text(wordAcknowledged), a.Acknowledged.Format(time.RFC3339))
	}
	_, err := fmt.Fprintf(p.out, "%s %s %s: %s (%s)%s\n", a.ID, a.Code, verify.Escape(where), p.text(alarmWords[a.Code]), verify.Escape(a.Detail), said)
	return err
}

// logStands prints how a log stands that nothing is wrong with.
func (p *program) logStands(k monitor.Known) error {
	c := &receipt.Checkpoint{Origin: k.Origin, Root: (&ledger.Tree{}).Root()}
	if k.Note != nil {
		var err error
		if c, err = receipt.ParseCheckpoint(k.Note); err != nil {
			return err
		}
	}
	if p.documents {
		return p.document(struct {
			Schema string    `json:"schema"`
			Log    string    `json:"log"`
			Size   int64     `json:"size"`
			Root   string    `json:"root"`
			Since  time.Time `json:"since"`
		}{"tamthe/ledger-watch-log/1", c.Origin, c.Size, fmt.Sprintf("%x", c.Root[:]), k.Since.Truncate(time.Second)})
	}
	_, err := fmt.Fprintf(p.out, p.text(wordLedgerRoot)+"\n", verify.Escape(c.Origin), c.Size, c.Root, p.text(wordQuiet))
	return err
}

// runAlarms lists what was raised, or says that somebody looked at it.
func runAlarms(ctx context.Context, p *program, o watchOptions) error {
	state, err := sqlite.OpenWatch(ctx, o.memory())
	if err != nil {
		return err
	}
	defer state.Close()
	if o.acknowledge != "" {
		if err := state.Acknowledge(ctx, o.acknowledge, p.now()); err != nil {
			return err
		}
	}
	list, err := state.Alarms(ctx, true)
	if err != nil {
		return err
	}
	for _, a := range list {
		if o.acknowledge != "" && a.ID != o.acknowledge {
			continue
		}
		if err := p.alarm(a); err != nil {
			return err
		}
	}
	return nil
}
