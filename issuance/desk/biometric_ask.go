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
