package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/osia/abis"
)

// Biometric is a biometric register that the office asks whether it knows an applicant's face
// by another name. Only the portrait is sent, never fingers.
type Biometric struct {
	Client   *abis.Client
	Store    abis.Store
	Patience time.Duration // how long an answer is waited for before the question is asked anew
	Pause    time.Duration // between two looks for an answer; 200 ms if 0
}

// searchName is the attachment of a Search, the register's answer in it.
const searchName = "search"

var (
	// ErrUnsearched means that the biometric register was not asked about what an application
	// says now, or found somebody and nobody decided.
	ErrUnsearched = errors.New("the biometric register has not been asked, or found somebody")
	// ErrNoBiometric means that the office has no biometric register to ask.
	ErrNoBiometric = errors.New("no biometric register is known here")
	// ErrAwaited means that the biometric register answers later. The application waits.
	ErrAwaited = errors.New("the biometric register has not answered yet")
)

// Search is what the biometric register found. It names others as the ledger does.
type Search struct {
	Request    string           `json:"request"`
	At         time.Time        `json:"at"`
	Candidates []abis.Candidate `json:"candidates"` // but for the applicant
}

// Hit reports whether it found anybody else.
func (s *Search) Hit() bool { return len(s.Candidates) > 0 }

// AskBiometric has the applicant's face kept by the biometric register, asks who else looks the
// same, and records what came of it: nobody, or somebody, whom another person must decide on
// before anything is approved. It waits for an answer as long as wait; one that has not come by
// then is ErrAwaited, nothing is recorded, and the same call later goes on from there.
func (o *Office) AskBiometric(ctx context.Context, app string, wait time.Duration) (*Search, error) {
	if o.Biometric == nil {
		return nil, ErrNoBiometric
	}
	stream := issuance.Application(app)
	s, err := o.begin(ctx, stream)
	if err != nil {
		return nil, err
	}
	sub := s.state.Subject(stream)
	if err := known(sub); err != nil {
		return nil, err
	}
	if err := s.may(stream, issuance.Search, nil); err != nil {
		return nil, err
	}
	t, err := s.lease(ctx, stream.String())
	if err != nil {
		return nil, err
	}
	defer t.end(ctx)
	d, err := o.Draft(ctx, app)
	if err != nil {
		return nil, err
	}
	content, err := d.commitment()
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(wait)
	for _, op := range []abis.Op{abis.Insert, abis.Identify} {
		q, answer, err := o.answered(ctx, app, sub.Fields["subject"], content, op, d.Portrait, end)
		if err != nil {
			return nil, err
		}
		if err := t.still(ctx); err != nil {
			return nil, err
		}
		if op == abis.Identify {
			return o.recordSearch(ctx, s, q, answer)
		}
	}
	return nil, ErrAwaited
}

// recordSearch puts an answer into the ledger, then says that the question is over: a cut in
// between leaves a question whose answer is in the ledger, which the next one finds there.
func (o *Office) recordSearch(ctx context.Context, s *session, q abis.Question, answer []byte) (*Search, error) {
	list, err := abis.Candidates(answer)
	if err != nil {
		return nil, err
	}
	f := &Search{Request: q.ID, At: q.Since}
	for _, c := range list {
		if c.Person != q.Person {
			f.Candidates = append(f.Candidates, c)
		}
	}
	act, outcome := issuance.Search, "none"
	if f.Hit() {
		act, outcome = issuance.Suspect, "hit"
	}
	stream := issuance.Application(q.App)
	if there, err := o.recorded(ctx, stream, q.ID); err != nil || there {
		return f, errors.Join(err, o.Biometric.Store.End(ctx, q.ID, abis.Used, o.Now()))
	}
	err = s.add(stream, act, func(e *issuance.Entry) error {
		e.Fields = map[string]string{"outcome": outcome, "request": q.ID}
		e.Commitments = map[string][32]byte{issuance.Content: q.Content}
		if !f.Hit() {
			return nil
		}
		return o.seal(ctx, e, q.App, searchName, f)
	})
	if err != nil {
		return nil, err
	}
	if err := s.commit(ctx); err != nil {
		return nil, err
	}
	return f, o.Biometric.Store.End(ctx, q.ID, abis.Used, o.Now())
}

// recorded reports whether the ledger has what came of a question.
func (o *Office) recorded(ctx context.Context, stream issuance.StreamID, question string) (bool, error) {
	entries, err := o.Store.Stream(ctx, stream)
	return slices.ContainsFunc(entries, func(e issuance.Entry) bool {
		return (e.Act == issuance.Search || e.Act == issuance.Suspect) && e.Fields["request"] == question
	}), err
}

// Search opens what the biometric register found last about an application; ErrUnknown if it
// found nobody or was not asked.
func (o *Office) Search(ctx context.Context, app string) (*Search, error) {
	var f Search
	_, err := o.openLast(ctx, issuance.Application(app), searchName, &f)
	return &f, err
}

// ClearBiometric says, for one of issuance.ClearReasons, that whom the biometric register found
// is no obstacle. Who enrolled or changed the application, or asked, is issuance.ErrFourEyes.
// Where it is the same person the application is refused: Reject, as duplicate.
func (o *Office) ClearBiometric(ctx context.Context, app, reason string) error {
	return o.agree(ctx, app, issuance.Clear, nil, map[string]string{"reason": reason}, nil)
}

// searched refuses an application whose present content the biometric register was not asked
// about, or about which nobody decided.
func (o *Office) searched(ctx context.Context, stream issuance.StreamID) error {
	entries, err := o.Store.Stream(ctx, stream)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(entries) {
		switch e.Act {
		case issuance.Search, issuance.Clear:
			return nil
		case issuance.Enrol, issuance.Change, issuance.Suspect:
			return fmt.Errorf("%s: %w", stream, ErrUnsearched)
		}
	}
	return fmt.Errorf("%s: %w", stream, ErrUnknown)
}

// Unsearched lists the applications that the biometric register has yet to be asked about, or
// has yet to answer, oldest first.
func (o *Office) Unsearched(ctx context.Context) ([]string, error) {
	list, err := o.Store.List(ctx, issuance.KindApplication, issuance.Enrolled, issuance.Differing)
	if err != nil {
		return nil, err
	}
	var waiting []string
	for _, s := range list {
		err := o.searched(ctx, s.Stream)
		switch {
		case errors.Is(err, ErrUnsearched):
			waiting = append(waiting, s.Stream.ID)
		case err != nil:
			return nil, err
		}
	}
	return waiting, nil
}

// ForgetBiometric has the biometric register forget the faces of applications that came to
// nothing, and returns how many. One that could not be forgotten now is left for the next time.
func (o *Office) ForgetBiometric(ctx context.Context, wait time.Duration) (n int, err error) {
	if o.Biometric == nil {
		return 0, ErrNoBiometric
	}
	list, err := o.Biometric.Store.Kept(ctx)
	if err != nil {
		return 0, err
	}
	for _, kept := range list {
		stream := issuance.Application(kept.App)
		state, err := issuance.Load(ctx, o.Store, stream)
		if err != nil {
			return n, err
		}
		if p := state.Subject(stream).Phase; p != issuance.Rejected && p != issuance.Cancelled {
			continue
		}
		_, _, err = o.answered(ctx, kept.App, kept.Person, kept.Content, abis.Delete, nil, time.Now().Add(wait))
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
