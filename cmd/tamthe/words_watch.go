package main

import "github.com/tamthe/tamthe/issuance/monitor"

var (
	wordEntry        = phrase{"entry", "mục"}
	wordAcknowledged = phrase{"acknowledged", "đã xem xét"}
	wordQuiet        = phrase{"quiet", "yên"}
)

// alarmWords say what each alarm of a watch is.
var alarmWords = map[monitor.Code]phrase{
	monitor.Fork:          {"the log signed two histories", "sổ đã ký hai lịch sử khác nhau"},
	monitor.Rollback:      {"the log was rolled back", "sổ đã bị lùi"},
	monitor.Rewritten:     {"an entry was rewritten", "một mục đã bị viết lại"},
	monitor.Missing:       {"signed entries are missing", "thiếu mục đã được ký"},
	monitor.TileChanged:   {"what is published was changed", "phần công bố đã bị sửa"},
	monitor.Unreadable:    {"an entry is none", "một mục không phải mục của sổ"},
	monitor.Unsigned:      {"no officer signed an entry: the log's key may be stolen", "không cán bộ nào ký một mục: có thể khóa của sổ đã bị đánh cắp"},
	monitor.Damaged:       {"the ledger cannot be read", "không đọc được sổ"},
	monitor.OtherKey:      {"a checkpoint is signed by another key", "mốc kiểm tra do khóa khác ký"},
	monitor.BadCheckpoint: {"what should be a checkpoint is none", "không phải mốc kiểm tra"},
	monitor.Misbehaves:    {"the log's server misbehaves", "máy chủ của sổ hoạt động không đúng"},
	monitor.Silent:        {"nothing new for too long", "đã quá lâu không có gì mới"},
	monitor.Withheld:      {"not all is published that was signed", "không phải mọi thứ đã ký đều được công bố"},
	monitor.ClockAhead:    {"an entry is of a time to come", "một mục ghi thời điểm trong tương lai"},
	monitor.SyncFork:      {"the centre took over another log of a desk", "trung tâm đã nhận một sổ khác của bàn"},
	monitor.SyncBack:      {"the centre took over less of a desk's log than before", "trung tâm đã nhận ít mục của sổ bàn hơn trước"},
	monitor.Unlogged:      {"a card was signed that does not stand in the log: its signer's key may be stolen", "một thẻ đã được ký mà không có trong sổ: có thể khóa ký đã bị đánh cắp"},
	monitor.OtherSigner:   {"a card was signed by another signer than the log says", "thẻ do khóa ký khác với sổ ghi"},
	monitor.OverCap:       {"a signer signed more cards than it may", "khóa ký đã ký quá số thẻ được phép"},
	monitor.Outlived:      {"a signer signed past its time", "khóa ký đã ký khi quá hạn"},
	monitor.StrangeObject: {"the CSCA signed what does not stand in the log", "CSCA đã ký thứ không có trong sổ"},
	monitor.CSCAUnknown:   {"a CSCA that may have signed something strange is not at hand: name its certificate with --published", "thiếu chứng thư CSCA để xét một chữ ký lạ: hãy chỉ ra bằng --published"},
	monitor.Embargoed:     {"a new CSCA signed too early", "CSCA mới đã ký quá sớm"},
	monitor.ListStale:     {"a list is past its time", "danh sách đã quá hạn"},
	monitor.ListDue:       {"a list is nearly past its time", "danh sách sắp quá hạn"},
	monitor.ListOverdue:   {"a revocation was not told in time", "việc thu hồi không được công bố đúng hạn"},
	monitor.ListOld:       {"an older list is published", "danh sách công bố là bản cũ"},
	monitor.ListGone:      {"a list is not published any more", "danh sách không còn được công bố"},
	monitor.DropFull:      {"what readers hand in will soon not be taken", "hộp nhận từ đầu đọc sắp đầy"},
	monitor.StockGap:      {"blanks are not accounted for", "phôi không khớp"},
	monitor.DayOpen:       {"days were not closed", "có ngày chưa chốt"},
	monitor.BlankUsed:     {"a card was made of a blank that was not there", "thẻ làm từ phôi không có trong kho"},
}
