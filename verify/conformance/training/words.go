package training

import (
	"github.com/tamthe/tamthe/verify"
)

// Sound is the reason to give where nothing is wrong.
const Sound verify.Reason = "sound"

// unitKinds are the kinds of fault of the guideline's units.
var unitKinds = map[string]string{
	"ISO7816_A": "access", "ISO7816_B": "access", "ISO7816_G": "access", "ISO7816_C": "reading",
	"LDS_A": "form", "LDS_B": "mrz", "LDS_C": "image", "LDS_D": "form", "LDS_E": "form", "LDS_F": "form", "LDS_H": "sod",
	"LDS_I": "form", "LDS_J": "access", "LDS_K": "form",
}

// kinds are the kinds of fault, as a score sheet names them.
var kinds = map[string]Text{
	"sound":    {"thẻ không có lỗi", "sound cards"},
	"access":   {"mở chip", "opening the chip"},
	"session":  {"kênh bảo mật", "the secure channel"},
	"reading":  {"đọc tệp", "reading files"},
	"tlv":      {"cấu trúc dữ liệu", "structure of the data"},
	"sod":      {"danh mục đã ký", "what the State signed"},
	"chain":    {"chuỗi chứng thư và danh sách", "certificates and lists"},
	"chip":     {"chip gốc", "the genuine chip"},
	"cvc":      {"quyền của thiết bị", "rights of terminals"},
	"image":    {"ảnh", "pictures"},
	"mrz":      {"MRZ và chữ in", "the zone and the print"},
	"issuer":   {"bàn cấp thẻ", "the issuing desk"},
	"trust":    {"khóa thử nghiệm", "test keys"},
	"holder":   {"người mang thẻ", "the bearer"},
	"status":   {"tình trạng thẻ", "card status"},
	"time":     {"đồng hồ và danh sách cũ", "clocks and old lists"},
	"evidence": {"chứng cứ", "evidence"},
	"form":     {"tệp sai dạng", "malformed files"},
}

// KindName is the name of a kind of fault.
func KindName(kind string, l verify.Lang) string {
	if t, ok := kinds[kind]; ok {
		return t.In(l)
	}
	return kind
}

// ownReasons are the words of what is no reason of a verdict: why an inspection did not come
// about, or why somebody was turned away.
var ownReasons = map[verify.Reason]struct{ cause, remedy Text }{
	Sound: {
		Text{"không có điểm nào sai", "nothing is wrong"},
		Text{"Chấp nhận, và trả thẻ ngay.", "Accept, and give the card back at once."},
	},
	"no-access": {
		Text{"chip không cho vào bằng cách nào được phép", "the chip opens in no permitted way"},
		Text{"Thử lại một lần. Không mở bằng BAC theo lời người mang thẻ; chuyển kiểm tra cấp hai: chưa có gì được chứng minh.", "Try once more. Don't open it by BAC because the bearer says so; refer it: nothing is proven."},
	},
	"protocol": {
		Text{"chip không theo đúng giao thức", "the chip breaks the protocol"},
		Text{"Thử lại một lần, rồi chuyển kiểm tra cấp hai: chưa có gì được chứng minh.", "Try once more, then refer it: nothing is proven."},
	},
	"wrong-password": {
		Text{"chip cho rằng CAN hoặc MRZ sai", "the chip says that CAN or MRZ is wrong"},
		Text{"Đọc lại chữ in trên thẻ và nhập lại một lần; xem số lần thử còn lại. Nếu vẫn sai, chuyển kiểm tra cấp hai.", "Read the print again and type it once more; mind the tries that are left. If it stays wrong, refer it."},
	},
	"blocked": {
		Text{"chip đã khóa, hoặc chỉ còn một lần thử", "the chip is blocked, or has one try left"},
		Text{"Không thử tiếp. Chuyển kiểm tra cấp hai và hướng dẫn người dân đến nơi cấp thẻ.", "Don't try again. Refer it, and send the citizen to the issuing office."},
	},
	"timeout": {
		Text{"chip không trả lời", "the chip does not answer"},
		Text{"Đặt lại thẻ và thử một lần nữa, rồi chuyển kiểm tra cấp hai.", "Lay the card down again and try once more, then refer it."},
	},
	"refused-by-chip": {
		Text{"chip từ chối một bước", "the chip refuses a step"},
		Text{"Không coi đó là lỗi của người mang thẻ, và không bỏ qua bước ấy.", "Don't take it for the bearer's fault, and don't pass the step over."},
	},
	"malformed": {
		Text{"dữ liệu sai dạng, không dùng được", "the record is malformed and is not used"},
		Text{"Không dùng dữ liệu này.", "Don't use this record."},
	},
	"channel-refused": {
		Text{"kênh với thẻ trắng không được chứng minh", "the channel to the blank card is not proven"},
		Text{"Không ghi thẻ này. Để riêng, ghi vào sổ kho và báo người giữ kho.", "Don't write this card. Put it aside, book it out of stock and tell the stock keeper."},
	},
	"list-refused": {
		Text{"danh sách không do bên có quyền ký", "the list is not signed by whoever may sign it"},
		Text{"Không nhập. Tải lại từ nguồn chính thức và kiểm tra người ký.", "Don't import it. Fetch it again from the official source, and look at who signed it."},
	},
	"rolled-back": {
		Text{"danh sách cũ hơn bản đã có, hoặc thế chỗ bản khác", "the list is older than the last one, or another in its place"},
		Text{"Không nhập, và hỏi vì sao có người đưa danh sách cũ.", "Don't import it, and ask why somebody brings an old one."},
	},
	"fingers-or-irises-read": {
		Text{"không có lỗi: vân tay hoặc mống mắt mở đúng quyền của thiết bị", "nothing is wrong: fingers or irises were opened by the terminal's own right"},
		Text{"Chấp nhận. Chỉ dùng dữ liệu này cho việc đã được cho phép.", "Accept. Use these records for what was permitted only."},
	},
}

// Words says what a reason means and what to do about it, those of a session too.
func Words(r verify.Reason, l verify.Lang) verify.Words {
	if w, ok := ownReasons[r]; ok {
		return verify.Words{Cause: w.cause.In(l), Remedy: w.remedy.In(l)}
	}
	return r.Words(l)
}
