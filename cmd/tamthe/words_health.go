package main

// What desk health says of each point.
var (
	wordHealthLedger    = phrase{"%s, %d acts, answers in %.1f ms", "%s, %d việc, trả lời trong %.1f ms"}
	wordHealthAppends   = phrase{"%s appended last, %[3]s ago (epoch %[2]d)", "%s ghi sổ lần cuối, %[3]s trước (nhiệm kỳ %[2]d)"}
	wordHealthNoQueue   = phrase{"nothing waits; %s", "không có việc chờ; %s"}
	wordHealthQueueIdle = phrase{"nothing waits; %s: start `tamthe serve ledger`", "không có việc chờ; %s: chạy `tamthe serve ledger`"}
	wordHealthNoKey     = phrase{"this desk has no log key, and %s: start `tamthe serve ledger` at the centre", "quầy này không có khóa sổ, và %s: chạy `tamthe serve ledger` ở trung tâm"}
	wordHealthNobody    = phrase{"nobody takes what desks without the log key hand in", "chưa có ai nhận việc của các quầy không có khóa sổ"}
	wordHealthLeft      = phrase{"%s, who took what desks hand in, has ended", "%s, nơi nhận việc của các quầy, đã dừng"}
	wordHealthGone      = phrase{"%s, who took what desks hand in, was last there %s ago", "%s, nơi nhận việc của các quầy, có mặt lần cuối %s trước"}
	wordHealthQueueDone = phrase{"nothing waits; %s takes what desks hand in (epoch %d)", "không có việc chờ; %s nhận việc của các quầy (nhiệm kỳ %d)"}
	wordHealthQueue     = phrase{"%d acts wait, the first for %s; %s takes them", "%d việc đang chờ, việc đầu đã chờ %s; %s đang nhận"}
	wordHealthQueueDead = phrase{"%d acts wait, the first for %s; %s: start `tamthe serve ledger`", "%d việc đang chờ, việc đầu đã chờ %s; %s: chạy `tamthe serve ledger`"}
	wordHealthClock     = phrase{"the ledger's is %s ahead of this machine's; the newest act is %s ahead of it", "đồng hồ của sổ nhanh hơn máy này %s; việc mới nhất mang giờ nhanh hơn %s"}
	wordHealthClockWell = phrase{"agrees with the ledger's", "khớp với đồng hồ của sổ"}
	wordHealthLeases    = phrase{"%d held by desks at work, %d of desks that were cut off", "%d quầy đang giữ việc, %d quầy đã bị ngắt giữa chừng"}
	wordHealthNoWitness = phrase{"config.toml names none", "config.toml không nêu nhân chứng nào"}
	wordHealthWitnesses = phrase{"enough of them vouch for the ledger", "đủ số nhân chứng xác nhận sổ"}
	wordHealthNoCSCA    = phrase{"this ledger has no keys of an authority", "sổ này không có khóa của cơ quan cấp"}
	wordHealthCRL       = phrase{"%s, the next one is due %s", "%s, bản sau đến hạn %s"}
	wordHealthNoSigner  = phrase{"none is in use: make one with `tamthe pki ds`", "không có khóa ký nào đang dùng: tạo bằng `tamthe pki ds`"}
	wordHealthSigner    = phrase{"%s signs until %s", "%s ký đến %s"}
	wordHealthBlanks    = phrase{"%d left at %s", "còn %d tại %s"}
	wordHealthRoom      = phrase{"%s left for %s", "còn %s cho %s"}
	wordHealthDrafts    = phrase{"%d applications are kept here and not filed, %d of them refused; %s has waited for %s: run `tamthe desk send`", "%d hồ sơ giữ tại quầy, chưa vào sổ, trong đó %d bị từ chối; %s đã chờ %s: chạy `tamthe desk send`"}
	wordHealthApart     = phrase{"%d apart; %s was here %s ago", "%d quầy làm riêng; %s về lần cuối %s trước"}
)

// crlVi names how the revocation list stands.
var crlVi = map[string]string{
	"fresh": "còn hạn", "alarm": "cần ký bản mới", "overdue": "quá hạn ghi khóa bị thu hồi", "stale": "hết hạn", "missing": "chưa có",
}

// healthVi names the points and their states.
var healthVi = map[string]string{
	stateWell: "tốt", stateLook: "cần xem", stateBad: "hỏng",
	"ledger": "sổ", "appends": "ghi sổ", "queue": "hàng chờ", "clock": "đồng hồ", "leases": "giữ việc", "witnesses": "nhân chứng",
	"authority": "cơ quan cấp", "crl": "danh sách thu hồi", "signer": "khóa ký", "blanks": "phôi", "disk": "ổ đĩa", "desks": "quầy làm riêng", "drafts": "hồ sơ chờ",
}
