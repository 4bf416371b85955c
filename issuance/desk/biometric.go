package desk

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/osia/abis"
	"github.com/tamthe/tamthe/issuance/vault"
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

// answered is the answer to a question of an application as it is now: it is asked if it was
// not, or if nobody waits for the last one any more.
func (o *Office) answered(ctx context.Context, app, person string, content [32]byte, op abis.Op, portrait []byte, end time.Time) (abis.Question, []byte, error) {
	q, err := o.Biometric.Store.Last(ctx, app, op)
	if err != nil && !errors.Is(err, abis.ErrUnknown) {
		return q, nil, err
	}
	if err == nil {
		switch fresh, err := o.stillGood(ctx, q, content); {
		case err != nil:
			return q, nil, err
		case fresh:
			return o.await(ctx, q, end)
		}
	}
	q, secret := abis.NewQuestion(app, person, content, op, o.Now())
	if err := o.Biometric.Store.Put(ctx, q); err != nil {
		return q, nil, err
	}
	if err := o.send(ctx, q, secret, portrait); err != nil {
		return q, nil, err
	}
	return o.await(ctx, q, end)
}

// stillGood reports whether a question is of what the application says now and may yet be
// answered, or was; one that is not is abandoned.
func (o *Office) stillGood(ctx context.Context, q abis.Question, content [32]byte) (bool, error) {
	if q.Content == content {
		switch {
		case q.State == abis.Answered, q.State == abis.Used && q.Op == abis.Insert:
			return true, nil
		case q.State == abis.Open && q.Task != "" && !q.Late(o.Now(), o.Biometric.Patience):
			return o.remind(ctx, q)
		}
	}
	if q.State == abis.Used || q.State == abis.Abandoned {
		return false, nil
	}
	return false, o.Biometric.Store.End(ctx, q.ID, abis.Abandoned, o.Now())
}

// remind asks the register how it stands with a question, and to call back once more where it
// says that it did. It reports whether the register knows of it.
func (o *Office) remind(ctx context.Context, q abis.Question) (bool, error) {
	word, err := o.Biometric.Client.Status(ctx, q)
	switch {
	case errors.Is(err, abis.ErrUnknown): // it forgot: it is asked anew
		return false, o.Biometric.Store.End(ctx, q.ID, abis.Abandoned, o.Now())
	case err != nil:
		return false, err
	case word == "COMPLETED", word == "RESPONSE_ERROR":
		err = o.Biometric.Client.Redeliver(ctx, q)
	}
	return true, err
}

// send asks a question, and takes what is answered at once.
func (o *Office) send(ctx context.Context, q abis.Question, secret string, portrait []byte) error {
	var r abis.Reply
	var err error
	switch q.Op {
	case abis.Insert:
		r, err = o.Biometric.Client.Insert(ctx, q, secret, portrait)
	case abis.Identify:
		r, err = o.Biometric.Client.Identify(ctx, q, secret, portrait)
	case abis.Delete:
		r, err = o.Biometric.Client.Delete(ctx, q, secret)
	}
	if err != nil {
		return errors.Join(err, o.Biometric.Store.End(context.WithoutCancel(ctx), q.ID, abis.Abandoned, o.Now()))
	}
	if r.Task != "" {
		return o.Biometric.Store.Task(ctx, q.ID, r.Task)
	}
	var sealed []byte
	if q.Op == abis.Identify {
		if sealed, err = o.SealAnswer(ctx, q, r.Answer); err != nil {
			return err
		}
	}
	_, err = o.Biometric.Store.Answer(ctx, q, abis.Answered, sha256.Sum256(r.Answer), sealed, o.Now())
	return err
}

// answerPlace is where an answer lies sealed before it is acted on.
func answerPlace(q abis.Question) vault.Place {
	return vault.Place{Table: "question", Row: q.ID, Column: "sealed"}
}

// SealAnswer seals an answer of the biometric register under the key of the application's
// biometrics, with which it is destroyed. Where nobody waits for it any more the error is
// abis.ErrAnswered.
func (o *Office) SealAnswer(ctx context.Context, q abis.Question, answer []byte) ([]byte, error) {
	if o.Vault == nil {
		return nil, ErrNoVault
	}
	stream := issuance.Application(q.App)
	s, err := issuance.Load(ctx, o.Store, stream)
	if err != nil {
		return nil, err
	}
	if p := s.Subject(stream).Phase; p != issuance.Enrolled && p != issuance.Differing {
		return nil, fmt.Errorf("%s is %s: %w", stream, p, abis.ErrAnswered) // its keys are destroyed, or it is decided
	}
	return o.Vault.Seal(ctx, q.App, vault.Biometric, answerPlace(q), answer)
}

// await looks for the answer to a question until there is one, or the time is over.
func (o *Office) await(ctx context.Context, q abis.Question, end time.Time) (abis.Question, []byte, error) {
	pause := o.Biometric.Pause
	if pause == 0 {
		pause = 200 * time.Millisecond
	}
	for {
		now, err := o.Biometric.Store.Last(ctx, q.App, q.Op)
		switch {
		case err != nil:
			return q, nil, err
		case now.ID != q.ID:
			return q, nil, abis.ErrConflict // another desk asked anew
		case now.State == abis.Failed:
			return now, nil, errors.Join(fmt.Errorf("%w: it called back that it could not", abis.ErrUnavailable),
				o.Biometric.Store.End(ctx, q.ID, abis.Abandoned, o.Now()))
		case now.State == abis.Used:
			return now, nil, nil
		case now.State == abis.Answered:
			return o.openAnswer(ctx, now)
		case !time.Now().Before(end):
			return now, nil, fmt.Errorf("%s: %w", q.App, ErrAwaited)
		}
		select {
		case <-ctx.Done():
			return now, nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// openAnswer opens an answer; that of an insertion says nothing more and is used with that.
func (o *Office) openAnswer(ctx context.Context, q abis.Question) (abis.Question, []byte, error) {
	if q.Op != abis.Identify {
		return q, nil, o.Biometric.Store.End(ctx, q.ID, abis.Used, o.Now())
	}
	if o.Vault == nil {
		return q, nil, ErrNoVault
	}
	secret, err := o.Vault.Open(ctx, q.App, answerPlace(q), q.Sealed)
	if err != nil {
		return q, nil, err
	}
	defer secret.Destroy()
	return q, slices.Clone(secret.Bytes()), nil
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
