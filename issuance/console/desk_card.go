package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/printjob"
	"github.com/tamthe/tamthe/verify"
)

// cardPage is what one sees of a card.
type cardPage struct {
	*desk.Card
	Name     string // of its holder; empty where the data were destroyed
	Portrait bool
	Next     say
	By       issuance.Role
	Mine     bool
	May      map[string]bool
	Replaced bool // it takes another's place, which is to be taken back
	Quality  *qualityResult
	Choices  []choice
	Printed  bool    // its body has to be read at the check
	Same     bool    // the operator made it: somebody else checks it and hands it over
	Child    bool    // somebody else takes it
	Lost     bool    // the card that it replaces was lost
	Max      int     // octets of a picture
	Shape    float64 // of the portrait's box as printed, its width by its height
}

// card shows one card.
func (q *request) card() error {
	c, err := q.office.Card(q.Context(), q.PathValue("card"))
	if err != nil {
		return err
	}
	p := cardPage{Card: c, Replaced: c.Replaces != ""}
	if slices.ContainsFunc(personRoles, q.operator.May) {
		if d, err := q.office.Draft(q.Context(), c.Application); err == nil {
			p.Name, p.Portrait, p.Child = d.Person.FullName(), true, isChild(d.Person.Birth, q.office.Now())
			if box, ok := printjob.Portrait(d.Profile); ok {
				p.Shape = box.W / box.H
			}
		}
	}
	if step, ok := nextSteps[c.Phase]; ok {
		p.Next, p.By, p.Mine = step.what, step.by, q.operator.May(step.by)
	}
	is := func(role issuance.Role, phases ...issuance.Phase) bool {
		return q.operator.May(role) && slices.Contains(phases, c.Phase)
	}
	p.May = map[string]bool{
		"check":   is(issuance.Inspector, issuance.Locked, issuance.Printed),
		"print":   is(issuance.Personaliser, issuance.Locked, issuance.Printed),
		"deliver": is(issuance.Clerk, issuance.Checked, issuance.Arrived),
	}
	p.May["replace"] = is(issuance.Registrar, issuance.Active, issuance.Suspended, issuance.Revoked, issuance.Returned)
	p.Quality, p.Max = q.c.lastQuality(c.ID), desk.MaxPortrait
	p.Choices = q.choices(issuance.KindCard, c.Phase, issuance.Suspend, issuance.Resume, issuance.Revoke, issuance.Return, issuance.Spoil, issuance.Destroy)
	for _, h := range c.History {
		p.Printed = p.Printed || h.Act == issuance.Print
		p.Same = p.Same || h.Operator == q.operator.Name && slices.Contains([]issuance.Act{issuance.Allocate, issuance.Lock, issuance.Print}, h.Act)
	}
	if p.Replaced && p.May["deliver"] {
		if a, err := q.office.Application(q.Context(), c.Application); err == nil {
			p.Lost = a.Reason == "lost"
		}
	}
	return q.render("desk_card.html", p)
}

// qualityResult is what the last check of a card found, for its page.
type qualityResult struct {
	at     time.Time
	Passed bool
	Reason string // code of the first check that failed
	Checks []qualityLine
}

// qualityLine is one of the ten checks.
type qualityLine struct {
	Number  int
	Name    say
	Outcome say
	Bad     bool
	Detail  say
	English bool // the detail is in English only
	Code    string
}

// qualityNames are the ten checks of a finished card.
var qualityNames = map[string]say{
	desk.QAOpens: {"mở được chip bằng thông tin in trên thẻ", "the chip opens with what is printed"}, desk.QAFiles: {"mọi tệp trên chip đúng như đã ký", "every file is as signed"},
	desk.QASignature: {"chữ ký, chứng thư và giá trị băm", "signature, certificates and digests"}, desk.QAChip: {"chip chứng minh được khóa của mình", "the chip proves its keys"},
	desk.QABiometrics: {"vân tay và mống mắt được khóa", "fingerprints and irises are shut"}, desk.QALocked: {"chip đã khóa vĩnh viễn", "the chip is locked for good"},
	desk.QAAnonymous: {"chip không tự xưng danh", "the chip does not name itself"}, desk.QABody: {"phần in trên thẻ đúng như đã duyệt", "what is printed is what was ordered"},
	desk.QAKeys: {"không thẻ nào khác có cùng khóa", "no other card has its keys"}, desk.QASample: {"bộ phép thử đầy đủ, theo mẫu", "the long suite, by sample"},
}

var outcomeNames = map[verify.Outcome]say{
	verify.Passed: {"đạt", "passed"}, verify.Failed: {"KHÔNG ĐẠT", "FAILED"}, verify.Absent: {"không có", "none"}, verify.NotRun: {"chưa thử", "not run"}, verify.Undetermined: {"chưa rõ", "undetermined"},
}

// check examines the finished card in the reader, as a job.
func (q *request) check() error {
	if err := q.form(); err != nil {
		return err
	}
	id, back := q.PathValue("card"), "/desk/cards/"+q.PathValue("card")
	e := desk.Examination{Final: q.FormValue("final") != ""}
	var err error
	if e.Body, e.Partial, err = q.reading(); err != nil {
		return err
	}
	return q.once(func() (string, error) {
		if e.Verify, err = q.c.config.QA(); err != nil {
			return "", err
		}
		return q.launch(say{"Kiểm tra thẻ", "Checking the card"}, back, func(ctx context.Context, r report) (string, error) {
			r(say{"đang kiểm tra thẻ như ở trạm kiểm soát", "looking at the card as a checkpoint would"}.in(q.lang), 0, 0)
			return back, q.examine(ctx, id, e)
		})
	})
}

func (q *request) examine(ctx context.Context, id string, e desk.Examination) error {
	chip, err := q.reader(ctx)
	if err != nil {
		return err
	}
	defer chip.Close()
	found, err := q.office.Check(ctx, id, chip, e)
	if _, failed := errors.AsType[*desk.QualityError](err); err != nil && !failed {
		return err
	}
	q.c.keepQuality(id, found)
	return nil
}

// maxQualities bounds how many results are kept for their pages.
const maxQualities = 64

func (c *Console) keepQuality(card string, found *desk.Quality) {
	res := &qualityResult{at: c.config.Now(), Passed: found.Passed(), Reason: found.Reason()}
	for _, k := range found.Checks {
		detail, known := desk.DetailText(k.Detail, "vi")
		res.Checks = append(res.Checks, qualityLine{k.Number, nameOf(qualityNames, k.Code), outcomeNames[k.Outcome], k.Outcome == verify.Failed, say{detail, k.Detail}, !known, k.Code})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.qualities) >= maxQualities {
		clear(c.qualities)
	}
	c.qualities[card] = res
}

func (c *Console) lastQuality(card string) *qualityResult {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.qualities[card]
}

// printJob sends the pages to print; from then on the card passes only with a reading of its
// body, so it is asked for by POST.
func (q *request) printJob() error {
	id := q.PathValue("card")
	pdf, err := q.office.Print(q.Context(), id)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", id+".pdf"))
	h.Set("Content-Length", fmt.Sprint(len(pdf)))
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(pdf)
	return nil
}

// deliver records that the card is in its holder's hand.
func (q *request) deliver() error {
	id := q.PathValue("card")
	return q.once(func() (string, error) {
		if q.FormValue("identity") == "" {
			return "", errIdentity
		}
		forget, err := q.pair()
		if err != nil {
			return "", err
		}
		defer forget()
		h := desk.Handover{Proxy: q.FormValue("taken") == "proxy", OldLost: q.FormValue("old") == "lost"}
		return "/desk/cards/" + id, q.office.Deliver(q.Context(), id, h)
	})
}

var errIdentity = &problem{"identity", http.StatusConflict, say{"Chưa xác nhận đúng người nhận", "It is not said that it is the holder"}, say{"So người nhận với ảnh, rồi đánh dấu ô xác nhận.", "Compare the person with the portrait, then tick the box."}}
