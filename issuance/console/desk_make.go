package console

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
	"github.com/tamthe/tamthe/issuance/perso"
)

// makeSteps are the steps of a card's making, in their order, as its page tells them.
var makeSteps = []struct {
	Act issuance.Act
	Say say
}{
	{issuance.Allocate, say{"Nhận chip và gắn với hồ sơ", "Take the chip for the application"}},
	{issuance.Rotate, say{"Thay khóa của nhà cung cấp bằng khóa của cơ quan", "Change the supplier's keys for the issuer's"}},
	{issuance.Generate, say{"Chip tự tạo cặp khóa", "The chip makes its own keys"}},
	{issuance.Prepare, say{"Ghi sổ cái rồi chuẩn bị ký", "Log, and prepare what is signed"}},
	{issuance.Sign, say{"Dịch vụ ký ký nội dung thẻ", "The signing service signs"}},
	{issuance.Write, say{"Ghi dữ liệu lên chip", "Write the files"}},
	{issuance.WriteDone, say{"Đọc lại và so từng byte", "Read back and compare"}},
	{issuance.Lock, say{"Khóa chip vĩnh viễn", "Lock the chip for good"}},
	{issuance.Check, say{"Kiểm tra thẻ như người lạ", "Look at the card as a stranger"}},
}

// toldStep is a step as the page says it, with its place among the others.
func toldStep(p perso.Progress, lang string) string {
	act := p.Act
	if act == issuance.LockDone {
		act = issuance.Lock
	}
	for i, s := range makeSteps {
		if s.Act == act {
			text := fmt.Sprintf("%d/%d · %s", i+1, len(makeSteps), s.Say.in(lang))
			if p.Total > 0 {
				text += fmt.Sprintf(" (%d/%d byte)", p.Done, p.Total)
			}
			return text
		}
	}
	return nameOf(actNames, string(p.Act)).in(lang)
}

// personalise makes the card of the application on the chip in the reader, or goes on with it,
// as a job.
func (q *request) personalise() error {
	app, back := q.PathValue("app"), "/desk/applications/"+q.PathValue("app")
	blank, err := blankOf(q.PostFormValue("blank"), q.office.Place)
	if err != nil {
		return err
	}
	return q.once(func() (string, error) {
		if err := q.office.MayPersonalise(q.Context(), app); err != nil {
			return "", err // before anybody waits for a reader
		}
		return q.launch(say{"Làm thẻ", "Making the card"}, back, func(ctx context.Context, r report) (string, error) {
			card, err := q.making(ctx, app, blank, r)
			return "/desk/cards/" + card, err
		})
	})
}

func (q *request) making(ctx context.Context, app string, blank desk.Blank, r report) (string, error) {
	reader, err := q.reader(ctx)
	if err != nil {
		return "", err
	}
	defer reader.Close()
	plan, forget, err := q.c.config.Make(ctx, q.office, reader)
	if err != nil {
		return "", err
	}
	defer forget()
	plan.Blank = blank
	plan.Progress = func(p perso.Progress) { r(toldStep(p, q.lang), p.Done, p.Total) }
	return q.office.Personalise(ctx, app, reader, plan)
}

// blankOf reads BATCH:NUMBER; empty is the next one in stock.
func blankOf(text, place string) (desk.Blank, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return desk.Blank{}, nil
	}
	batch, number, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(number, 10, 63)
	if err != nil || batch == "" {
		return desk.Blank{}, errNumber
	}
	return desk.Blank{Batch: batch, Number: n, At: place}, nil
}
