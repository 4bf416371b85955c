package console

import "net/http"

// pageWords say of an error what a page says in other words than a command line would: there
// is no command to run again, but a button. what is empty where the error's own text, which
// names what it is about, is better.
var pageWords = map[string]struct{ what, hint say }{
	"four-eyes": {
		say{"Việc này cần hai người khác nhau: bạn đã làm một bước trước của hồ sơ, hoặc còn thiếu người thứ hai cùng ký", "This takes two different persons: you did an earlier step of it, or a second person has to sign too"},
		say{"Cán bộ khác đăng nhập để làm; nếu biểu mẫu có phần «Người thứ hai», người ấy tự nhập tên và mật khẩu.", "Another officer logs in and does it; where the form has “Second person”, that person types name and passphrase."},
	},
	"role":          {hint: say{"Cán bộ có vai trò phù hợp đăng nhập để làm.", "An officer with the role has to log in and do it."}},
	"operator":      {hint: say{"Hỏi người quản trị của cơ quan.", "Ask the office's administrator."}},
	"state":         {hint: say{"Mở lại trang hồ sơ hoặc thẻ để xem bước tiếp theo.", "Open the page of the application or card again: it shows the next step."}},
	"conflict":      {hint: say{"Người khác vừa làm trước. Mở lại trang để xem kết quả.", "Somebody else was faster. Open the page again and look."}},
	"changed":       {hint: say{"Nội dung không còn là nội dung đã xem. Mở lại trang và xem kỹ trước khi làm tiếp.", "What is there is not what was shown. Open the page again and look at it before you go on."}},
	"duplicate":     {hint: say{"Mở hồ sơ hoặc thẻ đã nêu mà làm tiếp, hoặc rút hồ sơ, đổi thẻ ấy.", "Open the application or card that is named and go on with it, or withdraw or replace it."}},
	"unsearched":    {hint: say{"Hỏi CSDL sinh trắc: tamthe application abis ask. Nếu trùng, người khác quyết định.", "Ask the biometric register with tamthe application abis ask. Whom it finds, another person decides on."}},
	"unconfirmed":   {hint: say{"Hỏi CSDL dân cư ở trang hồ sơ. Nếu khác, người phê duyệt chấp nhận, hoặc từ chối hồ sơ.", "Ask the population register on the application's page. What differs is accepted by an approver, or refused."}},
	"register-down": {hint: say{"Hồ sơ được giữ trong hàng chờ. Khi CSDL dân cư hoạt động lại, mở «Hàng chờ CSDL dân cư» và bấm hỏi.", "The application waits in the queue. When the register is back, open “Register queue” and ask."}},
	"no-register":   {hint: say{"Cơ quan này chưa nối với CSDL dân cư; hỏi người quản trị.", "This office is not connected to a population register; ask the administrator."}},
	"no-stock":      {hint: say{"Nhập kho phôi ở trang «Kho phôi».", "Take blank cards in on the page “Stock”."}},
	"not-counted":   {hint: say{"Kiểm đếm từng lô trước, rồi chốt ngày.", "Count each batch first, then close the day."}},
	"gap":           {hint: say{"Đếm lại; nếu vẫn thiếu, đối chiếu số phôi để biết phôi nào, rồi ghi «missing» với hai người ký.", "Count again; compare the numbers to learn which are gone, then spoil them as “missing” with two signatures."}},
	"child":         {hint: say{"Chọn «người đại diện nhận» và mời cán bộ trả thẻ thứ hai cùng ký.", "Choose “a representative takes it” and have a second clerk sign."}},
	"portrait":      {hint: say{"Ảnh JPEG, từ 200×200 đến 2.000×2.000 điểm ảnh, không quá 60.000 byte.", "A JPEG of 200 by 200 to 2,000 by 2,000 pixels and at most 60,000 octets."}},
	"card-removed":  {hint: say{"Đặt lại đúng thẻ ấy lên đầu đọc rồi bấm làm lại: công việc đi tiếp từ chỗ dừng, không làm gì hai lần.", "Put the same card back and press the button again: it goes on where it stopped, and nothing is made twice."}},
	"card-reset":    {hint: say{"Chương trình khác đã chiếm thẻ: đóng nó, đặt lại thẻ rồi bấm làm lại.", "Another program took the card: close it, put the card back and press the button again."}},
	"card-silent":   {hint: say{"Nhấc thẻ ra, đặt lại đúng thẻ ấy rồi bấm làm lại.", "Take the card out, put the same one back and press the button again."}},
	"wrong-chip":    {hint: say{"Đặt đúng chip đã bắt đầu; nếu chip ấy mất hoặc hỏng, hủy thẻ đang làm ở trang thẻ rồi làm thẻ mới.", "Put in the chip that was begun; if it is lost or broken, spoil the card on its page and make another."}},
	"chip-used":     {hint: say{"Chip này thuộc thẻ khác: lấy một phôi chưa dùng.", "This chip belongs to another card: take a blank one."}},
	"chip-differs":  {hint: say{"Bấm làm lại; nếu vẫn thế, hủy thẻ ở trang thẻ và làm trên chip mới.", "Press the button again; if it stays so, spoil the card on its page and take a new chip."}},
	"given-up":      {hint: say{"Hủy thẻ này ở trang thẻ, rồi làm thẻ mới trên chip khác.", "Spoil this card on its page, then make another on a new chip."}},
	"chip-key":      {hint: say{"Hủy thẻ này ở trang thẻ, rồi làm thẻ mới trên chip khác.", "Spoil this card on its page, then make another on a new chip."}},
	"unknown":       {hint: say{"Xem lại mã đã gõ.", "Look at the spelling."}},
	"passphrase": {
		say{"Mật khẩu không đúng", "The passphrase is wrong"},
		say{"Gõ lại mật khẩu của khóa cán bộ.", "Type the passphrase of the operator's key again."},
	},
}

// forPages puts a page's words in place of a command line's.
func forPages(f Failure, lang string) Failure {
	w, ok := pageWords[f.Code]
	if !ok {
		return f
	}
	if w.what != (say{}) {
		f.Message = w.what.in(lang)
	}
	f.Hint = w.hint.in(lang)
	return f
}

// The problems of the desk's own forms.
var (
	errNumber = &problem{"number", http.StatusConflict, say{"Số lượng phải là số nguyên", "The number is no whole number"}, say{"Chỉ gõ chữ số.", "Type digits only."}}
	errDates  = &problem{"dates", http.StatusConflict, say{"Khoảng ngày không đúng", "The dates do not make a period"}, say{"Ngày đầu không sau ngày cuối; không quá 366 ngày.", "The first is not after the last; at most 366 days."}}
	errFlaws  = &problem{"portrait-quality", http.StatusConflict, say{"Ảnh chưa đạt yêu cầu về chất lượng", "The portrait is not as good as is asked for"}, say{"Chụp lại, hoặc đánh dấu vào ô chấp nhận nếu không thể có ảnh tốt hơn.", "Take another one, or tick the box if there is no better one to be had."}}
)

// alreadyApproved says who was faster.
func alreadyApproved(who string) error {
	return &problem{
		"already-approved", http.StatusConflict,
		say{"Hồ sơ đã được " + who + " phê duyệt trước bạn", "The application was approved by " + who + " before you"},
		say{"Không cần làm gì thêm: chỉ một lần phê duyệt được ghi.", "Nothing is left to do: one approval is recorded."},
	}
}
