package desk

import (
	"bytes"
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/tamthe/tamthe/card/virtual"
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/issuance/sqlite"
	"github.com/tamthe/tamthe/issuance/vault"
	"github.com/tamthe/tamthe/verify/status"
)

// wrapped are the keys of a subject as they lie in a database of keys.
func wrapped(t *testing.T, path, subject string) (list [][]byte) {
	t.Helper()
	db := must(sql.Open("sqlite3", "file:"+path+"?mode=ro"))(t)
	defer db.Close()
	rows := must(db.Query("SELECT wrapped FROM key WHERE subject = ? AND live = 1", subject))(t)
	defer rows.Close()
	for rows.Next() {
		var b []byte
		check(t, rows.Scan(&b))
		list = append(list, b)
	}
	return list
}

// nowhere looks for octets in every file of the desk, its folder of keys left out.
func (r *rig) nowhere(t *testing.T, what string, octets []byte) {
	t.Helper()
	eachFile(t, r.dir, func(path string, b []byte) {
		if bytes.Contains(b, octets) {
			t.Errorf("%s is in %s", what, path)
		}
	})
}

// copyFile copies a file for a test.
func copyFile(t *testing.T, from, to string) string {
	t.Helper()
	check(t, os.WriteFile(to, must(os.ReadFile(from))(t), 0o600))
	return to
}

// TestBiometricsGoAtDelivery: from delivery on nobody opens the portrait, and what the
// office still has to do with the card needs no key that is gone.
func TestBiometricsGoAtDelivery(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app, c := r.approved(t, enrolment(1)), blank()
	card := r.personalised(t, app, c, r.plan())
	r.checked(t, card, c)
	must(r.an.Draft(ctx, app))(t)
	keys := wrapped(t, r.path("subjects.db"), app)
	if len(keys) != 2 {
		t.Fatalf("%d keys", len(keys))
	}
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	left := wrapped(t, r.path("subjects.db"), app)
	if len(left) != 1 {
		t.Fatalf("%d keys are left", len(left))
	}
	for _, key := range keys {
		if !bytes.Equal(key, left[0]) {
			r.nowhere(t, "the key of the portrait", key)
		}
	}
	wantError(t, "draft", failed(r.an.Draft(ctx, app)), vault.ErrShredded)
	var kept checkedReport
	must(r.an.openLast(ctx, issuance.Card(card), reportName, &kept))(t)
	r.revokedIsListed(t, card)
	r.sound(t)

	kept2 := *r.an
	kept2.KeepBiometrics = true
	other, c2 := r.approved(t, enrolment(2)), blank()
	second := r.personalised(t, other, c2, r.plan())
	r.checked(t, second, c2)
	keeper := *r.binh
	keeper.KeepBiometrics = true
	check(t, keeper.Deliver(ctx, second, Handover{}))
	must(kept2.Draft(ctx, other))(t)
	wantError(t, "where they are not kept", failed(r.an.Draft(ctx, other)), vault.ErrShredded)
	wantError(t, "and then they are gone", failed(kept2.Draft(ctx, other)), vault.ErrShredded)
}

// What an application that comes to nothing has of biometrics is destroyed with it, refused
// or withdrawn, unless the office keeps them.
func TestEndedWithoutBiometrics(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	keeper := *r.binh
	keeper.KeepBiometrics = true
	for name, end := range map[string]struct {
		by   *Office
		left int
		end  func(*Office, string) error
	}{
		"refused":           {r.binh, 1, func(o *Office, app string) error { return o.Reject(ctx, app, "documents") }},
		"refused, and kept": {&keeper, 2, func(o *Office, app string) error { return o.Reject(ctx, app, "documents") }},
		"withdrawn":         {r.an, 1, func(o *Office, app string) error { return o.Cancel(ctx, app, "withdrawn") }},
	} {
		app := must(r.an.Enrol(ctx, enrolment(1)))(t)
		keys := wrapped(t, r.path("subjects.db"), app)
		if len(keys) != 2 {
			t.Fatalf("%s: %d keys", name, len(keys))
		}
		check(t, end.end(end.by, app))
		left := wrapped(t, r.path("subjects.db"), app)
		if len(left) != end.left {
			t.Errorf("%s: %d keys are left", name, len(left))
		}
		if end.left == 2 {
			continue
		}
		for _, key := range keys {
			if !bytes.Equal(key, left[0]) {
				r.nowhere(t, name+": the key of the portrait", key)
			}
		}
		wantError(t, name, failed(r.an.Draft(ctx, app)), vault.ErrShredded)
	}
	r.sound(t)
}

// revokedIsListed revokes a card and finds its name and its chip's keys in a list.
func (r *rig) revokedIsListed(t *testing.T, card string) {
	t.Helper()
	check(t, r.binh.Revoke(t.Context(), card, "lost"))
	names := must((&statusMaker{o: r.an, header: r.statusHeader(status.Exact)}).names(t.Context()))(t)
	if n := len(names[status.Revoked]); n != 3 { // the card, DG14, DG15
		t.Errorf("%d names of a revoked card", n)
	}
}

// TestShred is fault F19: after shredding nobody reads a person's data, not from the
// ledger, its journal or a copy of it, nor with a copy of the keys that was put back; and
// everything that the ledger proves still holds. Who has copies of both from before, and
// the key that wraps, can read until that key is rotated, and no longer.
func TestShred(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	e := enrolment(1)
	app, c := r.approved(t, e), must(virtual.Create(r.path("chip"), virtual.Config{}))(t)
	card := r.personalised(t, app, c, r.plan())
	r.checked(t, card, c)
	check(t, c.Close())
	check(t, os.Remove(r.path("chip"))) // it is the holder's
	other := r.approved(t, enrolment(2))

	away := t.TempDir()
	oldLedger, oldKeys := away+"/ledger.db", away+"/subjects.db"
	check(t, r.store.Backup(ctx, oldLedger))
	check(t, sqlite.CopySubjects(ctx, oldKeys, r.subjects))
	keys := wrapped(t, r.path("subjects.db"), app)
	kek := must(keystore.OpenSecret(r.path("keys", kekName), keystore.UseVault))(t)

	wantType[*issuance.TransitionError](t, "in the making", r.an.Shred(ctx, card, "request"))
	check(t, r.binh.Deliver(ctx, card, Handover{}))
	before := must(r.store.Checkpoint(ctx))(t)
	alone := *r.an
	alone.Second = nil
	wantError(t, "alone", alone.Shred(ctx, card, "request"), issuance.ErrFourEyes)
	wantError(t, "a word of its own", r.an.Shred(ctx, card, "fun"), issuance.ErrWord)
	wantError(t, "nobody", r.an.Shred(ctx, "C-NONE", "request"), ErrUnknown)
	check(t, r.an.Shred(ctx, card, "request"))
	wantType[*issuance.TransitionError](t, "again", r.an.Shred(ctx, app, "request"))

	for i, key := range keys {
		r.nowhere(t, "a wrapped key", key)
		if bytes.Contains(must(os.ReadFile(oldLedger))(t), key) {
			t.Error("a copy of the ledger holds a key")
		}
		raw := must(kek.Unwrap(ctx, key, wrapLabel(app, uint32(2+i))))(t)
		r.nowhere(t, "a key", raw)
	}
	for _, text := range []string{e.Person.Surname, e.Person.Father, string(e.Person.Number)} {
		r.nowhere(t, "the person", []byte(text))
	}
	unreadable := func(what string, o *Office) {
		t.Helper()
		wantError(t, what, failed(o.Draft(ctx, app)), vault.ErrShredded)
		var kept checkedReport
		if _, err := o.openLast(ctx, issuance.Card(card), reportName, &kept); err == nil {
			t.Errorf("%s: the report opens", what)
		}
		must(o.Draft(ctx, other))(t)
	}
	unreadable("now", r.an)
	r.revokedIsListed(t, card)
	if report := must(r.store.Verify(ctx, before))(t); !report.OK() {
		t.Errorf("the ledger does not agree: %v", report.Findings)
	}

	// An old ledger, with the keys as they are.
	old := must(sqlite.Open(ctx, copyFile(t, oldLedger, away+"/1.db"), sqlite.Options{ReadOnly: true}))(t)
	defer old.Close()
	unreadable("an old ledger", r.through(old))

	// Old keys, with the ledger as it is: put back by hand, and swept.
	with := func(path string, kek vault.Wrapper) (*sqlite.Subjects, *vault.Vault, error) {
		s := must(sqlite.OpenSubjects(ctx, path, false))(t)
		t.Cleanup(func() { s.Close() })
		v, err := vault.Open(ctx, s, kek)
		return s, v, err
	}
	byHand := *r.an
	_, v, err := with(copyFile(t, oldKeys, away+"/2.db"), kek)
	check(t, err)
	byHand.Vault = v
	unreadable("old keys put back", &byHand)
	if left := wrapped(t, away+"/2.db", app); left != nil {
		t.Errorf("%d keys are left in what was put back", len(left))
	}
	s, v, err := with(copyFile(t, oldKeys, away+"/3.db"), kek)
	check(t, err)
	byHand.Vault = v
	if n := must(byHand.Sweep(ctx, s.Live))(t); n != 2 || wrapped(t, away+"/3.db", app) != nil {
		t.Errorf("%d keys were swept", n)
	}
	for i, key := range keys {
		if where := must(os.ReadFile(away + "/3.db"))(t); bytes.Contains(where, key) {
			t.Errorf("key %d is in what was swept", i)
		}
	}

	// Both from before, and the key that wraps: what nobody can prevent before it is rotated.
	_, v, err = with(copyFile(t, oldKeys, away+"/4.db"), kek)
	check(t, err)
	both := r.through(old)
	both.Vault = v
	must(both.Draft(ctx, app))(t)

	next := must(keystore.GenerateSecret(r.path("keys", "vault-002"), keystore.UseVault))(t)
	check(t, r.subjects.Rewrap(ctx, "vault-002", r.vault.Rewrap(ctx, next)))
	check(t, keystore.Folder{Dir: r.path("keys")}.Destroy(ctx, kekName))
	_, v, err = with(r.path("subjects.db"), next)
	check(t, err)
	byHand.Vault = v
	unreadable("under the next key", &byHand)
	wantError(t, "old keys under the next key", failed3(with(copyFile(t, oldKeys, away+"/5.db"), next)), keystore.ErrWrapped)
	r.now = r.now.Add(time.Hour)
	byHand.Signer, byHand.Second = r.an.Signer, r.an.Second
	must(byHand.Enrol(ctx, enrolment(3)))(t)
	r.sound(t)
}

func failed3[A, B any](_ A, _ B, err error) error { return err }

// wrapLabel is what a wrapped key is bound to.
func wrapLabel(subject string, class uint32) []byte {
	return append([]byte("tamthe vault v1 wrap\x00\x00\x00"+string(rune(class))), subject...)
}

// TestShredCutShort: a program that is killed between the act and the destroying leaves
// data that nobody opens through the desk, and Sweep ends the work.
func TestShredCutShort(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := r.approved(t, enrolment(1))
	check(t, r.an.Cancel(ctx, app, "withdrawn"))
	check(t, r.an.do(ctx, issuance.Application(app), issuance.Shred, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"reason": "retention"}
		return nil
	}))
	if left := wrapped(t, r.path("subjects.db"), app); len(left) != 1 {
		t.Fatalf("%d keys", len(left))
	}
	if n := must(r.an.Sweep(ctx, r.subjects.Live))(t); n != 1 {
		t.Errorf("%d keys were swept", n)
	}
	if left := wrapped(t, r.path("subjects.db"), app); left != nil {
		t.Errorf("%d keys are left", len(left))
	}
	if n := must(r.an.Sweep(ctx, r.subjects.Live))(t); n != 0 {
		t.Errorf("%d keys were swept again", n)
	}
}

// TestOfficeKey: what an earlier version sealed under the one key of the office cannot be
// shredded alone, and it is said before anything is done.
func TestOfficeKey(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	app := r.approved(t, enrolment(1))
	check(t, r.an.do(ctx, issuance.Application(app), issuance.Change, func(e *issuance.Entry) error {
		e.Commitments = map[string][32]byte{issuance.Content: {1}}
		return r.an.sealAs(ctx, e, app, vault.Technical, draftName, must(newDraft(enrolment(1), r.now))(t))
	}))
	check(t, r.an.Cancel(ctx, app, "withdrawn"))
	size := r.size(t)
	wantError(t, "shred", r.an.Shred(ctx, app, "request"), vault.ErrOfficeKey)
	if r.size(t) != size {
		t.Error("it was recorded all the same")
	}
}
