package dataset

// Schema names the columns and what they mean. Columns are only ever added under one number.
const Schema = "tamthe/acts/1"

// Provenance is where a file comes from.
type Provenance struct {
	Origin string `json:"origin"` // name of the log
	Size   int64  `json:"size"`   // of the log when the period ended, in entries
	Root   string `json:"root"`   // of its tree then, in hexadecimal digits
	From   string `json:"from"`   // first day
	To     string `json:"to"`     // last day
	Office string `json:"office"` // that wrote it
	Zone   string `json:"zone"`   // of its clock, which says which day it is, as +07:00
	Tool   string `json:"tool"`   // version of the program
	Ages   bool   `json:"ages"`   // whether ages are told
}

// Description is what stands beside a file, and in it.
type Description struct {
	Schema     string     `json:"schema"`
	Provenance Provenance `json:"provenance"`
	Dictionary Dictionary `json:"dictionary"`
}

// Dictionary says in Vietnamese and English what a file holds.
type Dictionary struct {
	Row      Text     `json:"row"`
	Privacy  Text     `json:"privacy"`
	K        int      `json:"k"`
	Rows     int64    `json:"rows"`
	Withheld int64    `json:"withheld_to_nearest_5"`
	Columns  []Column `json:"columns"`
}

// Column is one column.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Text
	Values []string `json:"values,omitempty"` // those that there can be, besides null and *; none listed: as the ledger's acts have them
}

// Text says something in both languages.
type Text struct {
	Vi string `json:"vi"`
	En string `json:"en"`
}

// Describe is the description of a file.
func Describe(p Provenance, r Result) Description {
	return Description{Schema, p, Dictionary{
		Row: Text{
			"Mỗi dòng là một việc của một hồ sơ hay của thẻ thuộc hồ sơ đó; việc trùng của cùng hồ sơ trong tháng chỉ ghi một lần. Không có mã nối các dòng: trung tâm dữ liệu đếm được mọi thứ, nhưng không theo dõi được một người.",
			"A row is one act of one case or of its card; an act that a case had before in the same month is not told again. Nothing joins rows: a data centre can count anything and follow nobody.",
		},
		Privacy: Text{
			"Không có số định danh, họ tên, giờ, số thẻ, mã băm hay mã giả danh. Trong một tháng, mỗi tổ hợp giá trị có ít nhất 5 dòng từ 5 hồ sơ; giá trị hiếm thành *, dòng vẫn hiếm thì bỏ. Tuổi chỉ ghi khi nhóm có ít nhất hai độ tuổi, mỗi độ tuổi 5 dòng.",
			"No personal number, name, time of day, card number, hash or pseudonym. Each combination of values stands in a month at least 5 times, from 5 cases; rare values become *, rows that are rare even then are left out. An age is told only where two ages at least stand 5 times each among rows that are otherwise equal.",
		},
		K: K, Rows: r.Rows, Withheld: r.Withheld, Columns: columns(),
	}}
}

func columns() []Column {
	return []Column{
		{"month", "date", Text{"Ngày đầu của tháng có việc", "First day of the month in which it was done"}, nil},
		{"day", "date", Text{"Ngày làm việc đó; null: không nêu", "The day on which it was done; null: not told"}, nil},
		{"office", "string", Text{"Nơi làm; *: không nêu", "The office that did it; *: not told"}, nil},
		{"document", "string", Text{"Loại giấy tờ", "Kind of document"}, nil},
		{"act", "string", Text{
			"Việc đã làm. Hồ sơ: enrol mở, confirm cơ sở dữ liệu dân cư xác nhận, differ khác, accept chấp nhận dù khác, approve duyệt, reject từ chối, cancel rút, issue trả thẻ, complain khiếu nại, settle giải quyết. Thẻ: fail không đạt kiểm tra, spoil hỏng, suspend giữ, resume trả lại, revoke thu hồi, supersede được thay, return nộp lại",
			"What was done. Application: enrol opened, confirm the population register confirms it, differ it does not, accept right all the same, approve, reject, cancel withdrawn, issue card handed over, complain, settle complaint answered. Card: fail did not pass its check, spoil never delivered, suspend, resume, revoke, supersede replaced, return given back",
		}, []string{"enrol", "confirm", "differ", "accept", "approve", "reject", "cancel", "issue", "complain", "settle", "fail", "spoil", "suspend", "resume", "revoke", "supersede", "return"}},
		{"cause", "string", Text{"Lý do xin cấp (Luật 26/2023 Đ. 24); *: không nêu", "Why the card was applied for (Law 26/2023 Art. 24); *: not told"}, nil},
		{"why", "string", Text{"Lý do hay kết quả của việc; null: việc không có lý do; *: không nêu", "Reason or outcome of the act; null: it has none; *: not told"}, nil},
		{"register", "string", Text{"Lần hỏi cuối, cơ sở dữ liệu dân cư trả lời; none: chưa hỏi; *: không nêu", "What the population register had said last; none: not asked; *: not told"}, []string{"none", "match", "explainable", "mismatch", "unknown"}},
		{"days", "string", Text{"Số ngày làm việc từ khi mở hồ sơ; null: không áp dụng; *: không nêu", "Working days since the application; null: does not apply; *: not told"}, []string{"0", "1-3", "4-7", "8-14", "15+"}},
		{"in_term", "string", Text{"Thẻ trả trong 7 ngày làm việc (Luật 26/2023 Đ. 26); null: không phải trả thẻ; *: không nêu", "Card handed over within 7 working days (Law 26/2023 Art. 26); null: no card was handed over; *: not told"}, []string{"yes", "no"}},
		{"age", "string", Text{"Độ tuổi người xin cấp, chỉ ở việc tiếp nhận (enrol); unknown: dữ liệu đã hủy; null: việc khác, hoặc tệp không nêu tuổi; *: không nêu", "Band of the applicant's age, of the act enrol alone; unknown: shredded; null: another act, or the file tells no ages; *: not told"}, []string{"0-5", "6-13", "14-24", "25-39", "40-59", "60+", "unknown"}},
		{"level", "int32", Text{"Mức khái quát: 0 đủ; 1 không nêu ngày; 2 thêm register, days, in_term; 3 thêm office; 4 thêm cause, why", "How far values are told as *: 0 all told; 1 not the day; 2 nor register, days, in_term; 3 nor office; 4 nor cause, why"}, nil},
	}
}
