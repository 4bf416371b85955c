package console

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/issuance"
)

// unconfirmed are the applications that the register has yet to be asked about; none where
// there is no register.
func (q *request) unconfirmed() ([]string, error) {
	if q.office.Register == nil {
		return nil, nil
	}
	return q.office.Unconfirmed(q.Context())
}

// registerQueue lists the applications that wait for the register, and those that differ.
func (q *request) registerQueue() error {
	p := struct {
		None               bool
		Waiting, Differing []string
		MayAsk             bool
	}{
		None:   q.office.Register == nil,
		MayAsk: slices.ContainsFunc(issuance.RolesOf(issuance.KindApplication, issuance.Confirm), q.operator.May),
	}
	var err error
	if p.Waiting, err = q.unconfirmed(); err != nil {
		return err
	}
	list, err := q.office.Applications(q.Context(), issuance.Differing)
	if err != nil {
		return err
	}
	for _, a := range list {
		p.Differing = append(p.Differing, a.ID)
	}
	return q.render("desk_queue.html", p)
}

// askAll asks the register about all that wait, until it does not answer.
func (q *request) askAll() error {
	return q.once(func() (string, error) {
		apps, err := q.unconfirmed()
		if err != nil {
			return "", err
		}
		asking := &job{title: say{"Hỏi CSDL dân cư", "Asking the population register"}, away: true}
		return q.run(asking, "/desk/register", func(ctx context.Context, r report) (string, error) {
			for i, app := range apps {
				r(fmt.Sprintf("%d/%d", i+1, len(apps)), i, len(apps))
				_, err := q.office.AskRegister(ctx, app)
				if _, gone := errors.AsType[*issuance.TransitionError](err); gone || errors.Is(err, issuance.ErrConflict) {
					continue // somebody else went on with it meanwhile
				}
				if err != nil {
					return "", err
				}
			}
			return "/desk/register", nil
		})
	})
}
