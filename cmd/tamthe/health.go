package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/ledger"
)

// From when on something is to be looked at, or bad.
const (
	tripLook  = time.Second
	clockLook = 5 * time.Second
	clockBad  = 5 * time.Minute
	queueLook = time.Minute // that something has waited
	keyLook   = 7 * 24 * time.Hour
	roomLook  = 1 << 30
	roomBad   = 64 << 20
)

// health is a look at a desk.
type health struct {
	p      *program
	limits healthLimits
	doc    healthJSON
	office *office
}

// say adds a point in both languages.
func (h *health) say(id, state string, t phrase, a ...any) {
	t = t.with(a...)
	h.doc.Checks = append(h.doc.Checks, healthCheck{id, state, t.en, t.vi})
}

// fail adds a point that an error is about.
func (h *health) fail(id, state string, err error) {
	f := classify(err)
	h.doc.Checks = append(h.doc.Checks, healthCheck{id, state, oneLine(f.Message), oneLine(f.vietnamese().Message)})
}

// look looks at all points, in an order that stays.
func (h *health) look(ctx context.Context) {
	h.centre(ctx)
	h.drafts()
}

// centre looks at the ledger and at what making cards rests on.
func (h *health) centre(ctx context.Context) {
	var err error
	if h.office, err = h.p.openOffice(ctx, glancing); err != nil {
		h.fail("ledger", stateBad, err)
		h.room()
		return
	}
	defer h.office.done()
	answer, err := h.office.ledger.Health(ctx)
	if err != nil {
		h.fail("ledger", stateBad, err)
		h.room()
		return
	}
	h.ledger(answer)
	h.queue(answer.Queue)
	h.clock(answer)
	h.leases(answer)
	h.witnesses(ctx)
	h.authority(ctx)
	h.stock(ctx)
	h.room()
	h.apart(ctx)
}

func (h *health) ledger(x ledger.Health) {
	place := h.p.ledgerPlace().String()
	h.doc.Ledger = &healthLedgerJSON{
		Place: place, Acts: x.Size, TripMS: millis(x.Trip), ClockMS: millis(x.Off), Epoch: x.Epoch, Appends: x.Sequencer, Held: x.Held, Over: x.Over,
	}
	if !x.Last.IsZero() {
		h.doc.Ledger.Last = x.Last.UTC().Format(time.RFC3339)
	}
	switch err := h.office.ledger.Behind(); {
	case err != nil:
		h.fail("ledger", stateBad, err)
	case x.Trip > tripLook:
		h.say("ledger", stateLook, wordHealthLedger, place, x.Size, millis(x.Trip))
	default:
		h.say("ledger", stateWell, wordHealthLedger, place, x.Size, millis(x.Trip))
	}
	if x.Epoch > 0 {
		h.say("appends", stateWell, wordHealthAppends, x.Sequencer, x.Epoch, howLong(time.Since(x.Last)))
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// queue: what waits with nobody at work on it will wait for ever. Whether somebody is there is
// looked at before anything waits: a desk without the log key can do nothing alone.
func (h *health) queue(q *ledger.Queue) {
	if q == nil {
		return
	}
	h.doc.Ledger.Waiting = &q.Waiting
	switch {
	case q.Worker == "" || q.Left || q.Silent > ledger.Unheard:
		h.unattended(q)
	case q.Waiting == 0:
		h.say("queue", stateWell, wordHealthQueueDone, q.Worker, q.Epoch)
	case q.Oldest > queueLook:
		h.say("queue", stateLook, wordHealthQueue, q.Waiting, howLong(q.Oldest), q.Worker)
	default:
		h.say("queue", stateWell, wordHealthQueue, q.Waiting, howLong(q.Oldest), q.Worker)
	}
}

// unattended: nobody takes what desks hand in.
func (h *health) unattended(q *ledger.Queue) {
	who := wordHealthNobody
	switch {
	case q.Left:
		who = wordHealthLeft.with(q.Worker)
	case q.Worker != "":
		who = wordHealthGone.with(q.Worker, howLong(q.Silent))
	}
	_, err := os.Stat(h.p.home.path(keysDir, logKeyName))
	switch {
	case q.Waiting > 0:
		h.say("queue", stateBad, wordHealthQueueDead, q.Waiting, howLong(q.Oldest), who)
	case errors.Is(err, fs.ErrNotExist):
		h.say("queue", stateBad, wordHealthNoKey, who)
	case q.Worker != "":
		h.say("queue", stateLook, wordHealthQueueIdle, who)
	default:
		h.say("queue", stateWell, wordHealthNoQueue, who)
	}
}

// clock holds this machine's clock against the ledger's, and against its newest act.
func (h *health) clock(x ledger.Health) {
	off, late := x.Off.Abs(), x.Last.Sub(h.p.now()) // the newest act is of a time to come
	switch {
	case off > clockBad || late > clockBad:
		h.say("clock", stateBad, wordHealthClock, seconds(x.Off), seconds(max(late, 0)))
	case off > clockLook || late > clockLook:
		h.say("clock", stateLook, wordHealthClock, seconds(x.Off), seconds(max(late, 0)))
	default:
		h.say("clock", stateWell, wordHealthClockWell)
	}
}

func seconds(d time.Duration) phrase {
	switch w := howLong(d.Abs()); {
	case d > 2*time.Minute:
		return w
	case d < -2*time.Minute:
		return phrase{"-" + w.en, "-" + w.vi}
	}
	return phrase{fmt.Sprintf("%.1f s", d.Seconds()), fmt.Sprintf("%.1f giây", d.Seconds())}
}

// leases: one that is over is of a desk that was cut off in the midst of something.
func (h *health) leases(x ledger.Health) {
	state := stateWell
	if x.Over > 0 {
		state = stateLook
	}
	h.say("leases", state, wordHealthLeases, x.Held, x.Over)
}

func (h *health) witnesses(ctx context.Context) {
	if h.office.Witnesses == nil {
		h.say("witnesses", stateWell, wordHealthNoWitness)
		return
	}
	if err := h.office.Witnesses.Fresh(ctx); err != nil {
		h.fail("witnesses", stateBad, err)
		return
	}
	h.say("witnesses", stateWell, wordHealthWitnesses)
}

// authority looks at the revocation list and at the document signers; a desk whose authority
// is elsewhere has none.
func (h *health) authority(ctx context.Context) {
	s, err := h.office.PKIStatus(ctx)
	switch {
	case err != nil:
		h.fail("authority", stateBad, err)
		return
	case len(s.CSCA) == 0:
		h.say("authority", stateWell, wordHealthNoCSCA)
		return
	}
	state := map[string]string{"fresh": stateWell, "alarm": stateLook}[s.CRL.State]
	h.say("crl", first(state, stateBad), wordHealthCRL, phrase{s.CRL.State, first(crlVi[s.CRL.State], s.CRL.State)}, dateOf(s.CRL.Next))
	h.signers(s.Keys)
}

func (h *health) signers(keys []desk.KeyStatus) {
	var newest desk.KeyStatus
	for _, k := range keys {
		if strings.HasPrefix(k.Name, "ds-") && k.State == "in-use" && k.Until.After(newest.Until) {
			newest = k
		}
	}
	switch left := newest.Until.Sub(h.p.now()); {
	case newest.Name == "":
		h.say("signer", stateBad, wordHealthNoSigner)
	case left < keyLook:
		h.say("signer", stateLook, wordHealthSigner, newest.Name, dateOf(newest.Until))
	default:
		h.say("signer", stateWell, wordHealthSigner, newest.Name, dateOf(newest.Until))
	}
}

func dateOf(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateOnly)
}

func (h *health) stock(ctx context.Context) {
	left, received, err := h.office.InStock(ctx)
	if err != nil {
		h.fail("blanks", stateBad, err)
		return
	}
	h.doc.Blanks = &left
	state := stateWell
	switch {
	case !received: // nobody makes cards here
	case left == 0:
		state = stateBad
	case left < h.limits.blanks:
		state = stateLook
	}
	h.say("blanks", state, wordHealthBlanks, left, h.office.Place)
}

// room is that of the tightest disk: the home's, and the ledger's where that is a file.
func (h *health) room() {
	dirs := []string{string(h.p.home)}
	if path := h.p.ledgerPlace().path; path != "" {
		dirs = append(dirs, filepath.Dir(path))
	}
	least, dir := uint64(0), ""
	for _, d := range dirs {
		if _, err := os.Stat(d); err != nil {
			continue
		}
		if left, ok := room(d); ok && (dir == "" || left < least) {
			least, dir = left, d
		}
	}
	if dir == "" {
		return
	}
	h.doc.Room = least
	state := stateWell
	switch {
	case least < roomBad:
		state = stateBad
	case least < roomLook:
		state = stateLook
	}
	h.say("disk", state, wordHealthRoom, fmt.Sprintf("%.1f GB", float64(least)/1e9), dir)
}

// apart looks at how long ago the desks that work apart were here.
func (h *health) apart(ctx context.Context) {
	list, err := h.office.Branches(ctx)
	if err != nil {
		h.fail("desks", stateBad, err)
		return
	}
	list = slices.DeleteFunc(list, func(b desk.Branch) bool { return b.Phase == issuance.Revoked })
	if len(list) == 0 {
		return
	}
	oldest := slices.MinFunc(list, func(a, b desk.Branch) int { return a.Since.Compare(b.Since) })
	state, since := stateWell, h.p.now().Sub(oldest.Since)
	if since > time.Duration(h.limits.hours)*time.Hour {
		state = stateLook
	}
	h.say("desks", state, wordHealthApart, len(list), oldest.Name, howLong(since))
}

// drafts looks at what was kept here while the ledger was away. Citizens wait for it.
func (h *health) drafts() {
	list, err := h.p.drafts(nil)
	if err != nil {
		h.fail("drafts", stateBad, err)
		return
	}
	if h.doc.Drafts = len(list); len(list) == 0 {
		return
	}
	refused, oldest := 0, list[len(list)-1]
	for _, i := range slices.Backward(list) {
		if draftOf(i).State == draftRefused {
			refused++
		}
		if i.Err == nil { // of the others nobody knows when they were taken
			oldest = i
		}
	}
	age := time.Duration(0)
	if oldest.Err == nil {
		age = max(age, h.p.now().Sub(oldest.Taken))
	}
	h.say("drafts", stateLook, wordHealthDrafts, len(list), refused, oldest.Name, howLong(age))
}
