package slip

import (
	"strings"

	"github.com/tamthe/tamthe/verify"
)

// labels are the fixed words of a slip.
type labels struct {
	Title, Specimen, Time, Office, Party, Server, Device, Officer, Purpose, Basis, Case  string
	Result, Why, Read, Told, Kept, Nothing, KeptNone, Entry, Login, Complain, Code, Foot string
	Rights, NoSeal                                                                       string
	verbs, kept, files, fields                                                           map[string]string
	verdicts                                                                             map[string]string
	day                                                                                  string
}

var english = labels{
	Title: "What was read from your card", Specimen: "SPECIMEN: practice or a trial; no real document was read",
	Time: "When", Office: "Who read it", Party: "Who was told", Server: "Through", Device: "Device", Officer: "Officer (by key)", Purpose: "For what purpose", Basis: "Legal basis", Case: "Case",
	Result: "Result", Why: "because", Read: "What was read", Told: "What was told", Kept: "What is kept", Nothing: "nothing", KeptNone: "Nothing of these data was kept. The device's record has an entry with a digest of the card, and no name.",
	Entry: "Entry in the record of inspections", Login: "The service has it on record as", Complain: "Questions and complaints", Code: "Proof of this slip",
	Foot:   "Made by tamthe for the citizen. It holds no data of your card. Whoever has this slip can have it shown, with the device's record, that it is genuine.",
	Rights: "You may ask what was done with your data, have them corrected or erased where the law says so, and complain (Law 91/2025/QH15 on personal data; Law 26/2023/QH15 on identification). Nobody may keep your card.",
	NoSeal: "Your own agent made this slip; it has no seal.",
	verbs:  map[string]string{"verify": "the card was checked", "read": "the card was read into files", "read-interrupted": "reading began and was broken off", "login": "you logged in with the card"},
	kept: map[string]string{
		KeptFiles: "The files of the chip, for the purpose above.", KeptBundle: "A sealed bundle of evidence with the files of the chip.", KeptPage: "A report with your name, number and portrait.",
	},
	files: map[string]string{
		"DG1": "machine readable zone: name, number, date of birth, sex, nationality, expiry", "DG2": "portrait", "DG3": "fingerprints", "DG4": "irises", "DG7": "signature",
		"DG11": "further particulars of the person", "DG12": "particulars of the document", "DG13": "particulars of the citizen: name, addresses, ethnicity, religion, features, parents, spouse, dates",
	},
	fields: map[string]string{
		"age_over_14": "whether you are over 14", "age_over_18": "whether you are over 18", "birth": "date of birth", "document_expiry": "expiry of the card", "ethnicity": "ethnicity",
		"name": "name", "nationality": "nationality", "number": "personal number", "origin": "place of origin", "residence": "residence", "sex": "sex",
	},
	verdicts: map[string]string{"accept": "valid", "refer": "needs a closer look", "refuse": "not valid"},
	day:      "2006-01-02 15:04 MST",
}

var vietnamese = labels{
	Title: "Thông báo: đã đọc những gì từ thẻ của bạn", Specimen: "MẪU (SPECIMEN): luyện tập hoặc chạy thử; không đọc giấy tờ thật nào",
	Time: "Thời điểm", Office: "Nơi đọc", Party: "Nơi nhận thông tin", Server: "Qua dịch vụ", Device: "Thiết bị", Officer: "Cán bộ (mã khóa)", Purpose: "Mục đích", Basis: "Căn cứ pháp lý", Case: "Hồ sơ",
	Result: "Kết quả", Why: "vì", Read: "Đã đọc", Told: "Đã cung cấp", Kept: "Lưu lại", Nothing: "không có gì", KeptNone: "Không lưu lại dữ liệu nào trong số này. Sổ của thiết bị chỉ có một mục với giá trị băm của thẻ, không có tên.",
	Entry: "Số thứ tự trong sổ kiểm tra", Login: "Dịch vụ ghi nhận với mã", Complain: "Hỏi đáp và khiếu nại", Code: "Mã chứng thực phiếu",
	Foot:   "Do tamthe lập cho người dân. Phiếu không có dữ liệu nào trong thẻ của bạn. Ai có phiếu này đều có thể yêu cầu đối chiếu với sổ của thiết bị để chứng minh phiếu là thật.",
	Rights: "Bạn có quyền được biết dữ liệu của mình được xử lý thế nào, yêu cầu chỉnh sửa hoặc xóa theo luật, và khiếu nại (Luật 91/2025/QH15 về bảo vệ dữ liệu cá nhân; Luật 26/2023/QH15 về căn cước). Không ai được giữ thẻ của bạn trái pháp luật.",
	NoSeal: "Phiếu do chính phần mềm của bạn lập nên không có niêm phong.",
	verbs:  map[string]string{"verify": "đã kiểm tra thẻ", "read": "đã đọc thẻ vào tệp", "read-interrupted": "đã bắt đầu đọc nhưng dừng giữa chừng", "login": "bạn đã đăng nhập bằng thẻ"},
	kept: map[string]string{
		KeptFiles: "Các tệp trong chip, cho mục đích nêu trên.", KeptBundle: "Gói chứng cứ niêm phong có các tệp trong chip.", KeptPage: "Biên bản có họ tên, số và ảnh của bạn.",
	},
	files: map[string]string{
		"DG1": "vùng MRZ: họ tên, số, ngày sinh, giới tính, quốc tịch, ngày hết hạn", "DG2": "ảnh chân dung", "DG3": "vân tay", "DG4": "mống mắt", "DG7": "chữ ký",
		"DG11": "thông tin thêm về người", "DG12": "thông tin về giấy tờ", "DG13": "thông tin công dân: họ tên, quê quán, nơi cư trú, dân tộc, tôn giáo, đặc điểm nhận dạng, cha mẹ, vợ chồng, ngày cấp",
	},
	fields: map[string]string{
		"age_over_14": "đã đủ 14 tuổi hay chưa", "age_over_18": "đã đủ 18 tuổi hay chưa", "birth": "ngày sinh", "document_expiry": "ngày hết hạn của thẻ", "ethnicity": "dân tộc",
		"name": "họ và tên", "nationality": "quốc tịch", "number": "số định danh cá nhân", "origin": "quê quán", "residence": "nơi cư trú", "sex": "giới tính",
	},
	verdicts: map[string]string{"accept": "hợp lệ", "refer": "cần kiểm tra thêm", "refuse": "không hợp lệ"},
	day:      "15:04 02/01/2006 MST",
}

func words(l verify.Lang) *labels {
	if l == verify.Vietnamese {
		return &vietnamese
	}
	return &english
}

// personal are the words for the files that were read, each once: what only protects the chip
// says nothing about a person.
func (l *labels) personal(s Slip) (list []string) {
	for _, f := range s.Files {
		if w, ok := l.files[f]; ok {
			list = append(list, f+": "+w)
		} else if strings.HasPrefix(f, "DG") && f != "DG14" && f != "DG15" {
			list = append(list, f)
		}
	}
	return list
}

// technical are the files that say nothing about a person.
func technical(s Slip) string {
	var list []string
	for _, f := range s.Files {
		if f == "DG14" || f == "DG15" || !strings.HasPrefix(f, "DG") {
			list = append(list, f)
		}
	}
	return strings.Join(list, ", ")
}
