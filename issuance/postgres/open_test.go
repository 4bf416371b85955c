package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/ledger"
	"github.com/tamthe/tamthe/issuance/ledgertest"
	"github.com/tamthe/tamthe/issuance/postgres"
	"github.com/tamthe/tamthe/issuance/postgres/pgtest"
)

func TestOpenRefuses(t *testing.T) {
	template := t.TempDir()
	at(t, template).Close()
	for name, test := range map[string]struct {
		statement string
		want      error
	}{
		"empty":         {"DROP SCHEMA tamthe CASCADE", ledger.ErrMissing},
		"newer":         {"INSERT INTO migration VALUES (99, 'x')", ledger.ErrNewer},
		"other scripts": {"UPDATE migration SET checksum = 'x'", ledger.ErrNotOurs},
	} {
		dir := duplicate(t, template)
		tamper(t, dir, test.statement)
		for _, readOnly := range []bool{false, true} {
			o := options(t, dir)
			o.ReadOnly = readOnly
			if l, err := postgres.Open(t.Context(), address(t, dir), o); !errors.Is(err, test.want) {
				t.Errorf("%s: %v", name, err)
				if err == nil {
					l.Close()
				}
			}
		}
	}
	const password = "not-for-your-eyes"
	for name, test := range map[string]struct {
		dsn  string
		want error
	}{
		"no database": {pgtest.Server(t).DSN("nothing", "postgres") + " password=" + password, ledger.ErrMissing},
		"no server":   {"host=/nowhere/at/all dbname=x user=x password=" + password, ledger.ErrAway},
		"no account":  {pgtest.Server(t).DSN("postgres", "nobody_of_this_name") + " password=" + password, ledger.ErrLogin},
		"no address":  {"postgres://x:" + password + "@:none/", nil},
	} {
		o := options(t, t.TempDir())
		o.Busy = time.Millisecond
		_, err := postgres.Open(t.Context(), test.dsn, o)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || strings.Contains(fmt.Sprintf("%v %+v", err, err), password) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	if l.Origin() != ledgertest.Origin {
		t.Error(l.Origin())
	}
	dsn := address(t, dir)
	if _, err := postgres.Create(t.Context(), dsn, ledgertest.Origin, options(t, dir)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another: %v", err)
	}
	other := pgtest.Database(t)
	if _, err := postgres.Create(t.Context(), other, "other.test", options(t, dir)); err == nil {
		t.Error("a log under another key's name")
	}
	if _, err := postgres.Create(t.Context(), other, ledgertest.Origin, postgres.Options{}); err == nil {
		t.Error("a log without a key")
	}
	if _, err := postgres.Open(t.Context(), other, options(t, dir)); !errors.Is(err, ledger.ErrMissing) {
		t.Errorf("something was left behind: %v", err)
	}
	r, err := l.Verify(t.Context(), nil)
	if err != nil || !r.OK() || r.Size != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestLooking: who may only read reads, audits and appends nothing.
func TestLooking(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	o := ledgertest.NewOffice(t, at(t, dir))
	head, entries, err := o.Build(t.Context(), false, o.Enrol("A-9", "zoe", ""))
	if err != nil {
		t.Fatal(err)
	}
	reader := login(t, dir, "tamthe_reader").Config()
	as := options(t, dir)
	as.ReadOnly = true
	l, err := postgres.Open(t.Context(), pgtest.Server(t).DSN(reader.Database, reader.User), as)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Append(t.Context(), head, entries...); !errors.Is(err, ledger.ErrReadOnly) {
		t.Error(err)
	}
	for _, f := range verify(t, l, nil) {
		t.Error(f)
	}
}

// TestTwoHandles: what another program appended is seen, cached or not.
func TestTwoHandles(t *testing.T) {
	dir := t.TempDir()
	one, two := at(t, dir), at(t, dir)
	a, b := ledgertest.NewOffice(t, one), ledgertest.NewOffice(t, two)
	a.Found(t)
	for i, o := range []*ledgertest.Office{a, b, a, b, b, a} {
		app := string(rune('a' + i))
		o.Must(t, o.Enrol(app, app, ""))
	}
	b.Must(t, ledgertest.Step{
		Stream: issuance.OperatorStream(a.Registrar.ID), Act: issuance.Revoke, By: a.Root, Second: &a.Mate,
		Fields: map[string]string{"reason": "left"}, Release: a.Hire(a.Registrar).Hold,
	})
	if err := a.Do(t.Context(), a.Enrol("late", "late", "")); !errors.Is(err, issuance.ErrOperator) {
		t.Errorf("revoked in another program: %v", err)
	}
	if found := verify(t, one, nil); len(found) > 0 {
		t.Error(found)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	busy(t, dir)
	l := reading(t, dir)
	for _, test := range []struct {
		kind   issuance.Kind
		phases []issuance.Phase
		want   string
	}{
		{issuance.KindCard, nil, "C-1 superseded, C-2 active, C-3 checked"},
		{issuance.KindCard, []issuance.Phase{issuance.Active, issuance.Checked}, "C-2 active, C-3 checked"},
		{issuance.KindApplication, []issuance.Phase{issuance.Issued}, "A-1 issued, A-2 issued"},
		{issuance.KindKey, nil, "ds-001 in-use"},
	} {
		list, err := l.List(t.Context(), test.kind, test.phases...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.Stream.ID+" "+string(s.Phase))
			if s.Since.Year() != 2026 || s.Seq == 0 {
				t.Errorf("%+v", s)
			}
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s %v: %s", test.kind, test.phases, got)
		}
	}
	var streams []string
	if err := l.Streams(t.Context(), issuance.KindCard, func(s issuance.StreamID) error {
		streams = append(streams, s.ID)
		return nil
	}); err != nil || !slices.Equal(streams, []string{"C-1", "C-2", "C-3"}) {
		t.Errorf("%v %v", streams, err)
	}
}

// TestOrder: values come in the order of their octets, whatever letters the database's own
// order would put together, and page by page.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	l := at(t, dir)
	conn := raw(t, dir)
	values := []string{"", "A", "B", "Z", "_", "a", "ab", "b", "é", "đ", "中"}
	slices.Sort(values)
	for i := range 5000 { // more than are read together
		values = append(values, fmt.Sprintf("中%05d", i))
	}
	if _, err := conn.Exec(t.Context(), "INSERT INTO claim SELECT 'chip', v, 'card', 'C-1', 0 FROM unnest($1::text[]) v", values); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := l.Claims(t.Context(), issuance.ClaimChip, "", "龍", func(value string, by issuance.StreamID) error {
		got = append(got, value)
		if by != issuance.Card("C-1") {
			t.Error(by)
		}
		return nil
	}); err != nil || !slices.Equal(got, values) {
		t.Errorf("%d claims of %d, %v", len(got), len(values), err)
	}
	if last, err := l.LastClaim(t.Context(), issuance.ClaimChip, "a", "c"); err != nil || last != "b" {
		t.Errorf("%q %v", last, err)
	}
	if last, err := l.LastClaim(t.Context(), issuance.ClaimChip, "C", "D"); err != nil || last != "" {
		t.Errorf("%q %v", last, err)
	}
	if _, err := conn.Exec(t.Context(), "INSERT INTO hold VALUES ('chip', 'aa', 'card', 'C-2', 0)"); err != nil {
		t.Fatal(err)
	}
	some, err := l.Taken(t.Context(), issuance.ClaimChip, "a", 2)
	if err != nil || len(some) != 2 || some[0].Claim.Value != "aa" || some[1].Claim.Value != "ab" {
		t.Errorf("%v %v", some, err)
	}
}

func TestVerifierOfTheFirstEntry(t *testing.T) {
	dir := t.TempDir()
	o := options(t, dir)
	o.Verifier = nil
	l, err := postgres.Create(t.Context(), address(t, dir), ledgertest.Origin, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Checkpoint(t.Context()); !errors.Is(err, ledger.ErrCheckpoint) {
		t.Errorf("an empty log has a verifier: %v", err)
	}
	office := ledgertest.NewOffice(t, l)
	office.Found(t)
	_, want := ledgertest.LogKey(t)
	if v, err := l.Verifier(t.Context()); err != nil || v.KeyHash() != want.KeyHash() {
		t.Errorf("%v", err)
	}
	if found := verify(t, l, nil); len(found) > 0 {
		t.Error(found)
	}
}
