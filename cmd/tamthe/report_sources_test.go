package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/evidence/record"
)

// A report counts the device's inspections and a service's logins, each table the same ones,
// and neither where there are none; a record that somebody changed is not counted.
func TestReportSources(t *testing.T) {
	ctx, at := t.Context(), time.Date(2026, 9, 9, 9, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	var out bytes.Buffer
	p := &program{in: strings.NewReader(""), out: &out, err: &out, now: func() time.Time { return at }, home: home(dir)}
	if list, done, err := p.reportSources(ctx, reportOptions{}); err != nil || len(list) != 0 {
		t.Fatalf("%v %v", list, err)
	} else {
		done()
	}

	device, err := p.device("")
	if err != nil {
		t.Fatal(err)
	}
	policy, _ := verify.PolicyByName("checkpoint")
	for i, verdict := range []verify.Verdict{verify.Accept, verify.Accept, verify.Refuse} {
		r := &verify.Report{Policy: policy, At: at, Verdict: verdict, Specimen: i == 1, Session: &verify.Session{Access: "pace"}}
		if verdict == verify.Refuse {
			r.Checks = []verify.Check{{ID: "chip.aa", Outcome: verify.Failed, Reason: "chip-key-mismatch"}}
		}
		if _, err := record.Append(filepath.Join(dir, inspectionsDir), device, record.New("verify", r, at)); err != nil {
			t.Fatal(err)
		}
	}
	service := t.TempDir()
	if err := sqlite.CreateLogins(ctx, filepath.Join(service, eidLogins)); err != nil {
		t.Fatal(err)
	}
	l, err := sqlite.OpenLogins(ctx, filepath.Join(service, eidLogins))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i, code := range []eid.Code{"", "", eid.CodeClone} {
		d := eid.Decision{Session: string(rune('a' + i)), Time: at, Party: "tax", Purpose: "x", Level: eid.Possession, Code: code, Proof: "active"}
		if err := l.Decide(ctx, d); err != nil {
			t.Fatal(err)
		}
	}

	list, done, err := p.reportSources(ctx, reportOptions{logins: service})
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	got := map[string]int{}
	for _, s := range list {
		err := s.Each(func(o desk.Outside) error {
			got[o.Table+" "+o.Count+" "+o.Sort]++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]int{
		"verdict inspections accept": 1, "verdict inspections accept (specimen)": 1, "verdict inspections refuse": 1,
		"access inspections pace": 3, "finding findings chip-key-mismatch": 1,
		"login logins accepted": 2, "login logins clone": 1, "login_level logins possession": 3, "login_party logins tax": 3,
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}

	path := filepath.Join(dir, inspectionsDir, "inspections.jsonl")
	lines, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(lines, []byte(`"verdict":"refuse"`), []byte(`"verdict":"accept"`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*record.TamperError](func() error { _, _, err := p.reportSources(ctx, reportOptions{}); return err }()); !ok {
		t.Error("a changed record is counted")
	}
	if _, _, err := (&program{home: home(t.TempDir())}).reportSources(ctx, reportOptions{logins: t.TempDir()}); !errors.Is(err, ledger.ErrMissing) {
		t.Errorf("of no service: %v", err)
	}
}
