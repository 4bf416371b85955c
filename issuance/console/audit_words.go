package console

import "github.com/tamthe/tamthe/issuance"

// kindNames are the kinds of streams.
var kindNames = map[string]say{
	"operator": {"cán bộ", "operator"}, "application": {"hồ sơ", "application"}, "card": {"thẻ", "card"}, "key": {"khóa của cơ quan", "authority's key"},
	"person": {"người (mã ngẫu nhiên)", "person (random name)"}, "ceremony": {"lễ khóa", "key ceremony"}, "stock": {"lô phôi", "batch of blanks"},
	"desk": {"quầy ở xa", "desk apart"}, "day": {"ngày làm việc", "working day"}, "conflict": {"mâu thuẫn", "conflict"},
}

// logActs are the acts that the desk's pages have no word for.
var logActs = map[string]say{
	"init": {"lập sổ cái", "log founded"}, "pair": {"thêm quản trị viên thứ hai", "second administrator"}, "register": {"ghi nhận người", "person registered"},
	"renumber": {"đổi số định danh", "renumbered"}, "recall": {"thu hồi thẻ của quầy khác", "recalled"}, "import": {"nhập khóa", "key imported"},
	"invite": {"mời quầy", "desk invited"}, "grant": {"cấp phần cho quầy", "granted to a desk"}, "sync": {"nhận sổ của quầy", "desk's log taken over"}, "find": {"phát hiện mâu thuẫn", "conflict found"},
}

// nameOfAct is what an act is called.
func nameOfAct(a issuance.Act) say {
	if s, ok := logActs[string(a)]; ok {
		return s
	}
	return nameOf(actNames, string(a))
}
