package console

import (
	"github.com/tamthe/tamthe/issuance"
	"github.com/tamthe/tamthe/issuance/desk"
)

// nameOf is what a word is called; a word that has no name is itself.
func nameOf(names map[string]say, word string) say {
	if s, ok := names[word]; ok {
		return s
	}
	return say{word, word}
}

// phaseNames are the states of applications and cards.
var phaseNames = map[string]say{
	"enrolled": {"đã tiếp nhận", "enrolled"}, "differing": {"lệch với cơ sở dữ liệu", "differs from the register"}, "approved": {"đã duyệt", "approved"},
	"personalising": {"đang làm thẻ", "card being made"}, "issued": {"đã trả thẻ", "card handed over"}, "rejected": {"đã từ chối", "refused"},
	"cancelled": {"đã rút", "withdrawn"}, "disputed": {"bị khiếu nại", "complained of"}, "shredded": {"dữ liệu đã hủy", "data destroyed"},
	"suspected": {"nghi trùng sinh trắc", "looks like somebody else"},
	"allocated": {"đã gán chip", "chip allocated"}, "rotating": {"đang thay khóa", "keys being put on"}, "keyed": {"đã có khóa", "keyed"},
	"prepared": {"chờ ký", "prepared"}, "signed": {"đã ký", "signed"}, "writing": {"đang ghi", "being written"}, "written": {"đã ghi", "written"},
	"locking": {"đang khóa chip", "being locked"}, "locked": {"đã khóa chip", "chip locked"}, "printed": {"đã in", "printed"}, "checked": {"đã kiểm tra", "checked"},
	"failed": {"không đạt", "failed the check"}, "in-transit": {"đang chuyển", "in transit"}, "arrived": {"đã đến nơi trả", "arrived"}, "active": {"đang có hiệu lực", "in force"},
	"suspended": {"tạm giữ hiệu lực", "suspended"}, "superseded": {"đã được thay", "superseded"}, "spoiled": {"hỏng, đã bỏ", "spoiled"}, "returned": {"đã thu lại", "taken back"},
	"destroyed": {"đã tiêu hủy", "destroyed"}, "revoked": {"đã thu hồi", "revoked"},
}

// actNames are the acts in the history of an application or a card, and the steps of making
// a card.
var actNames = map[string]say{
	"enrol": {"tiếp nhận hồ sơ", "application opened"}, "change": {"sửa hồ sơ", "changed"}, "confirm": {"cơ sở dữ liệu xác nhận", "confirmed by the register"},
	"differ": {"lệch với cơ sở dữ liệu", "differs from the register"}, "accept": {"chấp nhận chỗ lệch", "difference accepted"}, "approve": {"duyệt", "approved"},
	"search": {"không trùng sinh trắc", "known to no biometric record"}, "suspect": {"trùng sinh trắc với người khác", "looks like somebody else"}, "clear": {"xác định là người khác", "found to be another person"},
	"reject": {"từ chối", "refused"}, "cancel": {"rút hồ sơ", "withdrawn"}, "issue": {"đã cấp, đã trả thẻ", "issued"}, "complain": {"khiếu nại", "complained of"}, "settle": {"giải quyết khiếu nại", "complaint settled"},
	"shred": {"hủy dữ liệu", "data destroyed"}, "personalise": {"bắt đầu làm thẻ", "card begun"}, "allocate": {"gán chip", "chip allocated"}, "rotate": {"thay khóa chip", "keys put on"},
	"generate": {"chip tạo khóa", "keys made on the chip"}, "prepare": {"chuẩn bị ký", "prepared for signing"}, "sign": {"ký", "signed"}, "attempt": {"làm tiếp", "taken up again"},
	"write": {"ghi chip", "writing the chip"}, "written": {"đọc lại chip", "reading the chip back"}, "lock": {"khóa chip", "locking the chip"}, "locked": {"đã khóa chip", "chip locked"},
	"print": {"in thẻ", "printed"}, "check": {"kiểm tra thẻ", "checking the card"}, "fail": {"không đạt", "failed the check"}, "send": {"chuyển đi", "sent"}, "receive": {"nhận", "received"},
	"deliver": {"trả thẻ", "handed over"}, "suspend": {"tạm dừng hiệu lực", "suspended"}, "resume": {"cho hiệu lực lại", "resumed"}, "revoke": {"thu hồi", "revoked"},
	"supersede": {"được thay", "superseded"}, "spoil": {"bỏ thẻ hỏng", "spoiled"}, "return": {"thu lại", "taken back"}, "destroy": {"tiêu hủy", "destroyed"},
	"move": {"chuyển phôi", "moved"}, "count": {"kiểm đếm", "counted"}, "close": {"chốt ngày", "day closed"},
}

// sexNames are those of the letters that stand for a sex.
var sexNames = map[string]say{"M": {"Nam", "male"}, "F": {"Nữ", "female"}}

// recordNames are the fields of a register's record that are not called as in the form.
var recordNames = map[string]say{"name": {"Họ và tên", "Name"}, "person": {"Người này", "The person"}}

// causeNames say why a field of the register is another.
var causeNames = map[string]say{
	"same": {"như nhau", "the same"}, "normal-form": {"cách mã hóa dấu", "how marks are encoded"}, "spaces": {"khoảng trắng", "spaces"}, "letter-case": {"chữ hoa, chữ thường", "capitals"},
	"tone-place": {"chỗ đặt dấu thanh", "where the tone stands"}, "look-alike": {"chữ trông giống nhau", "letters that look alike"}, "partial-date": {"cơ sở dữ liệu chỉ biết một phần ngày", "the register knows a part of the date"},
	"register-silent": {"cơ sở dữ liệu không ghi", "the register does not say"}, "register-code": {"mã của cơ sở dữ liệu", "a code of the register"}, "spelling": {"cách viết", "spelling"},
	"unit-words": {"cách viết tên đơn vị", "words for units"}, "dead-district": {"cấp huyện không còn từ tháng 7/2025", "districts ended in July 2025"}, "merged-province": {"tỉnh đã sáp nhập tháng 7/2025", "the province was merged in July 2025"},
	"marks": {"khác dấu", "other marks"}, "different": {"giá trị khác", "another value"}, "application-silent": {"hồ sơ không ghi", "the application does not say"}, "application-date": {"cơ sở dữ liệu biết rõ ngày hơn", "the register knows more of the date"},
	"day-swapped": {"ngày và tháng đổi chỗ", "day and month changed places"}, "deceased": {"đã mất", "died"},
}

// deskWords are further words by what they are about: field, of DG13, and age.
var deskWords = map[string]map[string]say{"field": fieldWords, "age": ageWords}

// fieldWords are the fields of DG13.
var fieldWords = map[string]say{
	"number": {"Số định danh cá nhân", "Personal number"}, "surname": {"Họ", "Surname"}, "given": {"Chữ đệm và tên", "Given names"},
	"name": {"Họ, chữ đệm và tên", "Name"}, "sex": {"Giới tính", "Sex"}, "birth": {"Ngày, tháng, năm sinh", "Date of birth"},
	"nationality": {"Quốc tịch", "Nationality"}, "ethnicity": {"Dân tộc", "Ethnicity"}, "religion": {"Tôn giáo", "Religion"},
	"origin": {"Quê quán", "Place of origin"}, "residence": {"Nơi cư trú", "Residence"}, "features": {"Đặc điểm nhân dạng", "Features"},
	"father": {"Họ, chữ đệm và tên cha", "Father"}, "mother": {"Họ, chữ đệm và tên mẹ", "Mother"}, "spouse": {"Họ, chữ đệm và tên vợ hoặc chồng", "Spouse"},
	"expiry": {"Có giá trị đến", "Valid until"}, "issued": {"Ngày cấp", "Issued on"}, "parents": {"Cha, mẹ", "Parents"},
	"old number": {"Số CMND cũ", "Former number"}, "serial": {"Số hiệu riêng của thẻ", "Card's own serial"}, "deceased": {"Tình trạng", "Status"},
}

// actReasons are reasons that mean something else with an act than with the others.
var actReasons = map[issuance.Act]map[string]say{
	issuance.Accept: {"documents": {"giấy tờ cho thấy hồ sơ đúng", "papers show that the application is right"}},
	issuance.Settle: {"upheld": {"khiếu nại đúng", "it is right"}, "dismissed": {"khiếu nại không đúng", "it is not"}},
}

// reasonOf says the reason for an act in a language.
func reasonOf(act issuance.Act, reason, lang string) string {
	if s, ok := actReasons[act][reason]; ok {
		return s.in(lang)
	}
	return desk.ReasonText(reason, lang)
}

// ageWords are the bands of ages.
var ageWords = map[string]say{
	"0-5": {"0–5 tuổi", "0–5"}, "6-13": {"6–13 tuổi", "6–13"}, "14-24": {"14–24 tuổi", "14–24"}, "25-39": {"25–39 tuổi", "25–39"},
	"40-59": {"40–59 tuổi", "40–59"}, "60+": {"60 tuổi trở lên", "60 and more"}, "unknown": {"không rõ", "unknown"},
}
