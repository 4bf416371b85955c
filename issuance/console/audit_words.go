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

// actsOf are the acts that mean another thing of that kind than of an application or a card.
var actsOf = map[issuance.Kind]map[issuance.Act]say{
	issuance.KindOperator: {issuance.Enrol: {"ghi danh cán bộ", "operator enrolled"}},
	issuance.KindDesk: {
		issuance.Enrol: {"cho quầy làm việc", "desk enrolled"},
	},
	issuance.KindKey: {
		issuance.Generate: {"tạo khóa", "key made"}, issuance.Prepare: {"ghi lại nội dung sẽ ký", "what will be signed was stored"}, issuance.Issue: {"cấp chứng thư", "certified"},
		issuance.Sign: {"ký", "signed"},
	},
	issuance.KindStock: {
		issuance.Receive: {"nhận phôi", "blanks taken in"}, issuance.Spoil: {"phôi hỏng", "blanks spoiled"}, issuance.Destroy: {"tiêu hủy phôi", "blanks destroyed"},
	},
	issuance.KindConflict: {issuance.Settle: {"giải quyết mâu thuẫn", "conflict settled"}},
}

// nameOfActOf is what an act on a stream of that kind is called.
func nameOfActOf(k issuance.Kind, a issuance.Act) say {
	if s, ok := actsOf[k][a]; ok {
		return s
	}
	return nameOfAct(a)
}

// nameOfAct is what an act on an application or a card is called.
func nameOfAct(a issuance.Act) say {
	if s, ok := logActs[string(a)]; ok {
		return s
	}
	return nameOf(actNames, string(a))
}
