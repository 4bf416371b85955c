package main

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tamthe/tamthe/issuance/ledger"
)

// holdCommand has another desk take the lease of something, or give it back:
//
//	hold SUBJECT HOLDER
//	! hold SUBJECT HOLDER
func holdCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] hold SUBJECT HOLDER")
	}
	w, err := parsePlace(cmp.Or(ts.Getenv("TAMTHE_LEDGER"), "sqlite:"+filepath.Join(ts.Getenv("TAMTHE_HOME"), "ledger.db")))
	ts.Check(err)
	l, err := w.open(context.Background(), storeOptions{})
	ts.Check(err)
	defer l.Close()
	mine, err := l.Lease(context.Background(), args[0], args[1], ledger.MaxLease)
	ts.Check(err)
	if neg {
		ts.Check(l.Release(context.Background(), mine))
	}
}

// TestLeaseWords: who has something in hand, and until when, is said in both languages.
func TestLeaseWords(t *testing.T) {
	until := time.Date(2026, 11, 26, 10, 15, 30, 0, time.Local)
	for _, c := range []struct {
		e            ledger.LeaseError
		code, en, vi string
	}{
		{
			ledger.LeaseError{Lease: ledger.Lease{Subject: "application/A-1", Holder: "an at hanoi, X", Until: until}},
			"leased",
			"application/A-1 is in the hands of an at hanoi, X until " + until.UTC().Format(time.RFC3339), "hồ sơ A-1 đang được an at hanoi, X giữ đến 10:15:30 26/11/2026",
		},
		{
			ledger.LeaseError{Lease: ledger.Lease{Subject: "chip/0A1B", Holder: "binh at hue, Y", Until: until}, Lost: true},
			"taken-over",
			"chip/0A1B was taken over by binh at hue, Y, who has it until " + until.UTC().Format(time.RFC3339), "chip 0A1B đã được binh at hue, Y nhận làm, giữ đến 10:15:30 26/11/2026",
		},
		{ledger.LeaseError{Lease: ledger.Lease{Subject: "chip/0A1B"}, Lost: true}, "taken-over", "chip/0A1B was taken over meanwhile, and given back", "chip 0A1B đã được quầy khác nhận làm rồi trả lại trong lúc quầy này dừng"},
	} {
		f := classify(errors.Join(&c.e))
		if f.Code != c.code || f.Exit != exitConflict || f.Message != c.en || f.Hint == "" {
			t.Errorf("%+v", f)
		}
		if vi := f.vietnamese(); !strings.Contains(vi.Message, c.vi) || vi.Hint == f.Hint {
			t.Errorf("%+v", vi)
		}
	}
}
