package desk

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tamthe/tamthe/card/profile/vn"
	"github.com/tamthe/tamthe/issuance"
)

// Form is one of the papers that an applicant signs or takes home. The names are those of
// Circular 17/2024; the layout is our own.
type Form string

// The forms.
const (
	CC01 Form = "cc01" // what is asked for, to be checked and signed
	CC02 Form = "cc02" // the receipt, with the day on which the card can be fetched
	CC03 Form = "cc03" // the refusal, with its reason
)

// Forms lists them.
func Forms() []Form { return []Form{CC01, CC02, CC03} }

// word is a text in both languages.
type word struct{ en, vi string }

func (w word) in(lang string) string {
	if lang == "vi" {
		return w.vi
	}
	return w.en
}

// reasonWords say for people what the ledger says in one word.
var reasonWords = map[string]word{
	"first":          {"first card", "cấp lần đầu"},
	"age":            {"age milestone reached", "đến độ tuổi phải cấp đổi"},
	"name":           {"name changed", "thay đổi họ, chữ đệm, tên"},
	"birth":          {"date of birth changed", "thay đổi ngày, tháng, năm sinh"},
	"features":       {"features, portrait or fingerprints changed", "thay đổi nhân dạng, ảnh khuôn mặt, vân tay"},
	"sex":            {"sex changed", "xác định lại giới tính"},
	"wrong-data":     {"wrong data on the card", "có sai sót về thông tin in trên thẻ"},
	"unit":           {"administrative unit changed", "thay đổi địa giới đơn vị hành chính"},
	"renumbered":     {"personal number re-established", "xác lập lại số định danh cá nhân"},
	"request":        {"at the holder's request", "theo yêu cầu của công dân"},
	"lost":           {"card lost", "bị mất thẻ"},
	"twin":           {"a twin", "anh chị em sinh đôi"},
	"another-person": {"another person who looks alike", "người khác có khuôn mặt giống"},
	"own-record":     {"the applicant's own record", "bản ghi của chính người đề nghị"},
	"damaged":        {"card damaged", "thẻ bị hư hỏng không sử dụng được"},
	"nationality":    {"nationality regained", "được trở lại quốc tịch Việt Nam"},

	"identity":      {"the applicant's identity could not be established", "không xác định được danh tính người đề nghị"},
	"documents":     {"documents are missing or not valid", "giấy tờ còn thiếu hoặc không hợp lệ"},
	"data-mismatch": {"the data do not agree with the national database", "thông tin không khớp với cơ sở dữ liệu quốc gia"},
	"not-entitled":  {"the applicant is not entitled to the card", "không thuộc đối tượng được cấp thẻ"},
	"duplicate":     {"the applicant has a card or application already", "đã có thẻ hoặc hồ sơ đang giải quyết"},
	"portrait":      {"the portrait cannot be used", "ảnh khuôn mặt không đạt yêu cầu"},
	"wrong-office":  {"another office is competent", "không thuộc thẩm quyền của cơ quan này"},
	"no-show":       {"the applicant did not come", "người đề nghị không đến"},

	"withdrawn": {"withdrawn by the applicant", "người đề nghị rút hồ sơ"},
	"mistake":   {"made by mistake", "làm nhầm"},
	"died":      {"the holder died", "công dân đã mất"},
	"outlived":  {"nobody came for it in time", "quá hạn, không ai đến"},

	"register-late": {"the register was corrected and has yet to show it", "cơ sở dữ liệu đã sửa nhưng chưa cập nhật"},
	"order":         {"a court or an authority ordered it", "theo quyết định của tòa án hoặc cơ quan có thẩm quyền"},

	"print": {"the print is not right", "phần in không đạt"},
	"chip":  {"the chip does not work", "chip không hoạt động đúng"},
	"other": {"for another reason", "lý do khác"},

	"torn":             {"the chip was pulled out while it was written", "chip bị rút ra khi đang ghi"},
	"failed":           {"it failed the check", "không đạt khi kiểm tra"},
	"stuck":            {"making it cannot go on", "không làm tiếp được"},
	"missing":          {"it is missing", "không tìm thấy"},
	"transport-damage": {"damaged on its way", "hỏng khi vận chuyển"},
	"lost-in-transit":  {"lost on its way", "thất lạc khi vận chuyển"},
	"signer-revoked":   {"its document signer was revoked", "chứng thư ký thẻ đã bị thu hồi"},
	"test":             {"it was a test", "thẻ thử"},

	"detention":   {"the holder is in custody", "công dân bị tạm giữ, tạm giam"},
	"prison":      {"the holder serves a sentence", "công dân chấp hành án phạt tù"},
	"reformatory": {"the holder is in a reformatory school", "công dân ở trường giáo dưỡng"},
	"treatment":   {"the holder is in compulsory treatment", "công dân ở cơ sở giáo dục, cai nghiện bắt buộc"},
	"reported":    {"its loss was reported", "đã báo mất"},
	"released":    {"the holder is free again", "công dân đã được trả tự do"},
	"found":       {"it was found", "đã tìm thấy"},

	"wrongly-issued": {"it was wrongly issued", "cấp sai quy định"},
	"altered":        {"it was altered", "thẻ bị tẩy xóa, sửa chữa"},
	"stolen":         {"it was stolen", "bị lấy cắp"},
	"compromised":    {"its keys are known to others", "khóa của chip bị lộ"},
	"recalled":       {"it was recalled", "thẻ bị triệu hồi"},
}

// ReasonText says a reason in a language, vi or en; a word that is not known as it is.
func ReasonText(reason, lang string) string {
	if w, ok := reasonWords[reason]; ok {
		return w.in(lang)
	}
	return reason
}

// Paper writes out a form of an application in a language, vi or en. It holds personal
// data. A receipt is for an application that was taken in and not refused; a refusal is for
// one that was refused: else *issuance.TransitionError.
func (o *Office) Paper(ctx context.Context, app string, f Form, lang string) (string, error) {
	a, err := o.Application(ctx, app)
	if err != nil {
		return "", err
	}
	refused := a.Phase == issuance.Rejected
	if f == CC03 && !refused || f == CC02 && (refused || a.Phase == issuance.Cancelled) {
		act := map[Form]issuance.Act{CC02: issuance.Enrol, CC03: issuance.Reject}[f]
		return "", &issuance.TransitionError{
			Stream: issuance.Application(app), Phase: a.Phase, Act: act, Possible: issuance.Possible(issuance.KindApplication, a.Phase),
		}
	}
	var d Draft
	if _, err := o.openLast(ctx, issuance.Application(app), draftName, &d); err != nil {
		return "", err
	}
	switch f {
	case CC01:
		return o.request(a, &d, lang), nil
	case CC02:
		return o.receipt(a, &d, lang), nil
	}
	return o.refusal(a, &d, lang), nil
}

// line is a row of a form.
type line struct {
	what word
	text string
}

func sheet(title word, lines []line, foot word, lang string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SPECIMEN\n%s\n\n", title.in(lang))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		if l.text != "" {
			fmt.Fprintf(w, "%s:\t%s\n", l.what.in(lang), l.text)
		}
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%s\n", foot.in(lang))
	return b.String()
}

// day is how people write a day in a language.
func day(t time.Time, lang string) string {
	if lang == "vi" {
		return t.Format("02/01/2006")
	}
	return t.Format("2 January 2006")
}

func (o *Office) head(a *Application, d *Draft, lang string) []line {
	return []line{
		{word{"Office", "Cơ quan"}, o.Place},
		{word{"Application", "Mã hồ sơ"}, a.ID},
		{word{"Received on", "Ngày tiếp nhận"}, day(a.Enrolled, lang)},
		{word{"Name", "Họ, chữ đệm và tên"}, d.Person.FullName()},
		{word{"Date of birth", "Ngày, tháng, năm sinh"}, d.Person.Birth.Text()},
		{word{"Asked for", "Yêu cầu"}, ReasonText(a.Reason, lang)},
	}
}

// request is CC01: all that goes onto the card, for the applicant to check.
func (o *Office) request(a *Application, d *Draft, lang string) string {
	p := d.Person
	lines := append(o.head(a, d, lang),
		line{word{"Personal number", "Số định danh cá nhân"}, string(p.Number)},
		line{word{"Sex", "Giới tính"}, map[string]word{"M": {"male", "Nam"}, "F": {"female", "Nữ"}}[p.Sex].in(lang)},
		line{word{"Nationality", "Quốc tịch"}, p.Nationality},
		line{word{"Ethnicity", "Dân tộc"}, p.Ethnicity},
		line{word{"Religion", "Tôn giáo"}, p.Religion},
		line{word{"Place of origin", "Quê quán"}, p.Origin},
		line{word{"Residence", "Nơi cư trú"}, p.Residence},
		line{word{"Features", "Đặc điểm nhân dạng"}, p.Features},
		line{word{"Father", "Họ tên cha"}, p.Father},
		line{word{"Mother", "Họ tên mẹ"}, p.Mother},
		line{word{"Spouse", "Họ tên vợ hoặc chồng"}, p.Spouse},
		line{word{"Card replaced", "Thẻ được thay thế"}, a.Replaces},
		line{word{"Expires", "Có giá trị đến"}, expiryText(d.expiry(), lang)})
	return sheet(word{"CC01 · APPLICATION FOR AN IDENTITY CARD", "CC01 · TỜ KHAI CẤP THẺ CĂN CƯỚC"}, lines,
		word{
			"I have read this and it is right.\n\nApplicant (or representative): ____________    Officer: ____________",
			"Tôi đã đọc và thông tin trên là đúng.\n\nNgười đề nghị (hoặc người đại diện): ____________    Cán bộ: ____________",
		}, lang)
}

func expiryText(e vn.Expiry, lang string) string {
	if e.Never() {
		return word{"no expiry", "Không thời hạn"}.in(lang)
	}
	return e.Text()
}

// receipt is CC02: when the card can be fetched, and by whom.
func (o *Office) receipt(a *Application, d *Draft, lang string) string {
	lines := append(o.head(a, d, lang), line{word{"Card ready by", "Ngày hẹn trả thẻ"}, day(a.Due, lang)})
	if d.age(a.Due) < proxyAge {
		lines = append(lines, line{word{"Fetched by", "Người nhận"}, word{"a parent or guardian", "cha, mẹ hoặc người giám hộ"}.in(lang)})
	}
	if a.Replaces != "" {
		lines = append(lines, line{word{"Bring along", "Mang theo"}, word{"the card that is replaced", "thẻ được thay thế"}.in(lang)})
	}
	return sheet(word{"CC02 · APPOINTMENT SLIP", "CC02 · GIẤY HẸN TRẢ THẺ CĂN CƯỚC"}, lines,
		word{"Officer: ____________", "Cán bộ: ____________"}, lang)
}

// refusal is CC03: why there will be no card.
func (o *Office) refusal(a *Application, d *Draft, lang string) string {
	lines := o.head(a, d, lang)
	for _, h := range a.History {
		if h.Act == issuance.Reject {
			lines = append(lines, line{word{"Refused on", "Ngày từ chối"}, day(h.Time.In(o.Now().Location()), lang)})
		}
	}
	lines = append(lines, line{word{"Reason", "Lý do"}, ReasonText(a.Ended, lang)})
	return sheet(word{"CC03 · REFUSAL OF AN APPLICATION", "CC03 · THÔNG BÁO TỪ CHỐI GIẢI QUYẾT HỒ SƠ"}, lines,
		word{
			"You may apply again, or complain to the office that is set over this one.",
			"Công dân có thể nộp hồ sơ lại hoặc khiếu nại đến cơ quan cấp trên trực tiếp.",
		}, lang)
}
