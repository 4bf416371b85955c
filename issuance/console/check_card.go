package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/card/picture/openjpeg"
	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/evidence/record"
	"github.com/tamthe/tamthe/verify/sheet"
)

// opening is what was typed or scanned off a card: what opens it, and what to compare.
type opening struct {
	passwords []auth.Password
	printed   *mrz.MRZ
	qr        string
}

// What is wrong with what was typed. None of them repeats it.
var (
	errCAN = &problem{"can-form", http.StatusBadRequest, say{"Đây không phải CAN, MRZ hay mã QR của thẻ", "This is no CAN, MRZ or QR code of a card"}, say{"Gõ sáu chữ số CAN (sáu số cuối của số định danh in trên thẻ), quét các dòng MRZ hoặc quét mã QR.", "Type the six digits of the CAN (the last six of the number printed on the card), scan the lines of the MRZ, or scan the QR code."}}
	errMRZ = &problem{"mrz-form", http.StatusBadRequest, say{"Không đọc được MRZ: thiếu ký tự hoặc số kiểm tra sai", "The MRZ cannot be read: characters are missing or a check digit is wrong"}, say{"Quét lại, hoặc gõ lại từng dòng đúng như in; số 0 khác chữ O, số 1 khác chữ I.", "Scan it again, or type each line as it is printed; 0 is not O, and 1 is not I."}}
)

// maxOpening bounds what is typed, in octets: the largest QR code.
const maxOpening = 4096

// parseOpening reads a CAN, an MRZ of two or three lines, DOCNO;YYMMDD;YYMMDD, or the text of
// the printed QR code, whose number ends in the CAN.
func parseOpening(text string) (o opening, err error) {
	text = strings.TrimSpace(text)
	switch {
	case len(text) > maxOpening:
		return o, errCAN
	case len(text) == 6 && strings.Trim(text, "0123456789") == "":
		o.passwords = []auth.Password{auth.CAN(text)}
		return o, nil
	case strings.Contains(text, "|"):
		qr, ok := vn.ParseQR(text)
		if !ok {
			return o, errCAN
		}
		return opening{passwords: []auth.Password{auth.CAN(qr.Number.CAN())}, qr: text}, nil
	case !strings.ContainsAny(text, "<;"):
		return o, errCAN
	}
	key, err := mrz.ParseKey(text)
	if err != nil {
		return o, errMRZ
	}
	return opening{passwords: []auth.Password{auth.MRZ(key.Info())}, printed: key.Zone}, nil
}

// inspect looks at the card in the reader, as a job.
func (q *request) inspect() error {
	o, err := parseOpening(q.PostFormValue("secret"))
	if err == nil && o.qr == "" && q.PostFormValue("qr") != "" {
		if o.qr = strings.TrimSpace(q.PostFormValue("qr")); len(o.qr) > maxOpening {
			err = errCAN
		}
	}
	if err != nil {
		f, status := q.explain(err)
		return q.renderStatus(status, "check_card.html", f)
	}
	bac := q.PostFormValue("bac") == "1"
	return q.start(say{"Đang kiểm tra thẻ", "The card is being checked"}, "/checkpoint/", func(ctx context.Context, r report) (string, error) {
		l, err := q.look(ctx, o, bac, r)
		if err != nil {
			return "", checkpointProblem(err, q.c.config.Explain)
		}
		return "/checkpoint/card/" + l.id, nil
	})
}

// look inspects the card, records it and keeps what was found for its officer.
func (q *request) look(ctx context.Context, o opening, bac bool, r report) (*look, error) {
	opts, done, err := q.c.config.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	r(say{"Chờ đầu đọc", "Waiting for the reader"}.in(q.lang), 0, 0)
	reader, err := q.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	opts.Passwords, opts.Printed, opts.QR = o.passwords, o.printed, o.qr
	opts.AllowBAC = opts.AllowBAC || bac
	opts.Reader, opts.Claimed = reader.Limits, reader.Claimed
	opts.Progress = func(f lds.File, done, total int) { r(say{"Đọc ", "Reading "}.in(q.lang)+f.Name(), done, total) }
	opts.Interim = func(p *verify.Report) { r(interim(p).in(q.lang), 0, 0) }
	r(say{"Mở chip", "Opening the chip"}.in(q.lang), 0, 0)
	begin := time.Now()
	report, err := verify.Inspect(ctx, apdu.Over(reader, apdu.Limits{}), opts)
	if err != nil {
		return nil, err
	}
	l := &look{operator: q.operator.Name, report: report, took: time.Since(begin)}
	reader.Close()
	var entry *record.Entry
	entry, l.recorded = q.note("verify", report)
	l.slip = q.slip(entry, report)
	l.portrait, l.hidden = shown(ctx, report)
	return l, q.c.looks.keep(l)
}

// interim says what is known before the personal data are read.
func interim(r *verify.Report) say {
	switch {
	case r.Passed(verify.Authentic) && r.Passed(verify.Original):
		return say{"Chữ ký của Nhà nước đúng, chip đã chứng minh khóa; đọc dữ liệu", "The State's signature is right and the chip proved its key; reading the data"}
	case r.Passed(verify.Authentic):
		return say{"Chữ ký của Nhà nước đúng; đọc dữ liệu", "The State's signature is right; reading the data"}
	}
	return say{"Chưa xác thực; đọc dữ liệu", "Not proven so far; reading the data"}
}

// shown is the portrait for the page. It is decoded only if a trusted signature covers it,
// under caps, and coded anew: nothing of what lies on the chip reaches the browser as it is.
func shown(ctx context.Context, r *verify.Report) ([]byte, *problem) {
	b, err := sheet.Portrait(ctx, r, sheet.Options{JPEG2000: openjpeg.Decode})
	switch {
	case err == nil && b == nil:
		return nil, errPortraitNone
	case errors.Is(err, verify.ErrUnproven):
		return nil, errUnproven
	case errors.Is(err, picture.ErrNoDecoder):
		return nil, errNoDecoder
	case err != nil:
		return nil, errPicture
	}
	return b, nil
}
