package main

import (
	"fmt"
	"slices"

	"github.com/tamthe/tamthe/verify/pki"
)

// phrase is a text of the program itself in English and Vietnamese. What the checks of a
// card say in both languages is in package verify.
type phrase struct{ en, vi string }

// with fills a phrase in. Both languages take the same arguments; of one that is a phrase itself
// each takes its own.
func (t phrase) with(a ...any) phrase {
	en, vi := slices.Clone(a), slices.Clone(a)
	for i, x := range a {
		if w, ok := x.(phrase); ok {
			en[i], vi[i] = w.en, w.vi
		}
	}
	return phrase{fmt.Sprintf(t.en, en...), fmt.Sprintf(t.vi, vi...)}
}

// text is the phrase in the program's language.
func (p *program) text(t phrase) string {
	if p.lang == "vi" {
		return t.vi
	}
	return t.en
}

// The phrases.
var (
	wordHint            = phrase{"hint", "gợi ý"}
	wordExplains        = phrase{"`%s --help` explains", "`%s --help` cho biết cách dùng"}
	wordCorrectPerson   = phrase{"correct the file; `tamthe enrol --help` lists the keys", "sửa tệp; `tamthe enrol --help` liệt kê các khóa"}
	wordGiveFile        = phrase{"give it with %s FILE (- is standard input)", "đưa bằng %s TỆP (- là đầu vào chuẩn)"}
	wordGiveCAN         = phrase{"give the CAN with --can-file FILE, or the MRZ with --mrz-file FILE (- is standard input)", "đưa CAN bằng --can-file TỆP, hoặc MRZ bằng --mrz-file TỆP (- là đầu vào chuẩn)"}
	wordRunAgain        = phrase{"run the command again; nothing was done", "chạy lại lệnh; chưa làm gì cả"}
	wordNameOperator    = phrase{"name the operator with --operator or TAMTHE_OPERATOR; `tamthe operator list` lists them", "nêu cán bộ bằng --operator hoặc TAMTHE_OPERATOR; `tamthe operator list` liệt kê các cán bộ"}
	wordLedgerThere     = phrase{"nothing was changed; TAMTHE_HOME or TAMTHE_LEDGER can name another place", "không thay đổi gì; TAMTHE_HOME hoặc TAMTHE_LEDGER chỉ được nơi khác"}
	wordNotThatCard     = phrase{"what is printed on card %s does not open the chip in the reader: is it another card?", "chữ in trên thẻ %s không mở được chip trong đầu đọc: có phải thẻ khác không?"}
	wordDataset         = phrase{"%s: %d rows, about %d withheld, %d octets", "%s: %d dòng, bỏ khoảng %d dòng, %d byte"}
	wordCapacity        = phrase{"cards\ta day\tentries\trows\tGB\tsealed GB\tWAL GB/day\tentries/s\t% of one\taudit h\tsigner GB\t", "thẻ\tmột ngày\tmục\tdòng\tGB\tniêm phong GB\tWAL GB/ngày\tmục/giây\t% của một máy\tkiểm toán giờ\tký GB\t"}
	wordDatasetPlan     = phrase{"rows\toctets\tseconds\t", "dòng\tbyte\tgiây\t"}
	wordNoIntake        = phrase{"make what the office needs for it with `tamthe serve intake --init`", "tạo những thứ cần thiết bằng `tamthe serve intake --init`"}
	wordNoOSIA          = phrase{"make what the office needs for it with `tamthe serve cms --init`", "tạo những thứ cần thiết bằng `tamthe serve cms --init`"}
	wordABISNobody      = phrase{"it found nobody, or was not asked: `tamthe application show` tells which, `tamthe application abis ask` asks", "không tìm thấy ai, hoặc chưa hỏi: `tamthe application show` cho biết, `tamthe application abis ask` để hỏi"}
	wordNamedBy         = phrase{"the ledger is now named by TAMTHE_LEDGER=%s", "từ nay sổ được chỉ bằng TAMTHE_LEDGER=%s"}
	wordNamedAsHere     = phrase{"the ledger is now in %s: TAMTHE_LEDGER has to be the DSN that was given here", "từ nay sổ ở %s: TAMTHE_LEDGER phải là DSN vừa đưa ở đây"}
	wordKeysThere       = phrase{"put the ledger back; if an init was cut short, move that folder away and run init again", "đặt sổ lại chỗ cũ; nếu một lần init bị ngắt giữa chừng, dời thư mục ấy đi rồi chạy lại init"}
	wordOwner           = phrase{"the file and its folder have to be writable for you; in a database, the account that owns the schema tamthe moves and restores", "tệp và thư mục phải cho phép ghi; trong cơ sở dữ liệu, tài khoản sở hữu schema tamthe mới được chuyển và khôi phục"}
	wordNoCopy          = phrase{"look at the spelling of the path; `tamthe ledger backup` makes such a file", "xem lại đường dẫn; `tamthe ledger backup` tạo tệp như vậy"}
	wordNewerCopy       = phrase{"find a newer backup; --lose-acts goes back all the same and says what is lost", "tìm bản sao mới hơn; --lose-acts vẫn lùi lại và cho biết mất những gì"}
	wordNoHead          = phrase{"%s has no list yet: `tamthe status publish %[1]s` signs one into it", "%s chưa có danh sách: `tamthe status publish %[1]s` ký một bản vào đó"}
	wordNotPresent      = phrase{"a case is taken over when its person is here: --present says so", "chỉ nhận hồ sơ khi người đề nghị có mặt: --present xác nhận điều đó"}
	wordSlipLost        = phrase{"application %s is open all the same; `tamthe application show` writes its slip", "hồ sơ %s vẫn đã mở; `tamthe application show` in lại giấy hẹn"}
	wordDoneAllTheSame  = phrase{"it was done all the same: %s", "việc vẫn đã xong: %s"}
	wordTriesLeft       = phrase{"tries left", "số lần thử còn lại"}
	wordAskCAN          = phrase{"CAN (six digits)", "CAN (sáu chữ số)"}
	wordAskMRZ          = phrase{"MRZ (DOCNO;YYMMDD;YYMMDD)", "MRZ (SỐ GIẤY TỜ;YYMMDD ngày sinh;YYMMDD hết hạn)"}
	wordHomeMade        = phrase{"made %s with operators %s and %s; keep a copy of keys/ in a safe place", "đã lập %s với hai cán bộ %s và %s; hãy giữ một bản sao của keys/ ở nơi an toàn"}
	wordTestKeys        = phrase{"this batch names no transport key: published test keys open its blanks (SPECIMEN)", "lô này không nêu khóa vận chuyển: phôi mở bằng khóa thử đã công bố (SPECIMEN)"}
	wordStockDone       = phrase{"%s: %d blanks of batch %s at %s", "%s: %d phôi của lô %s tại %s"}
	wordSeeStock        = phrase{"`tamthe stock list` tells what is in stock, and `tamthe application list` what is being made of it", "`tamthe stock list` cho biết kho có gì, `tamthe application list` cho biết đang làm thẻ nào"}
	wordLedgerRoot      = phrase{"%s: %d acts, root %s: %s", "%s: %d việc, gốc %s: %s"}
	wordLedgerAgrees    = phrase{"agrees", "khớp"}
	wordLedgerDiffers   = phrase{"does not agree", "KHÔNG KHỚP"}
	wordPassphrase      = phrase{"passphrase of operator %s", "mật khẩu của cán bộ %s"}
	wordNewPassphrase   = phrase{"new passphrase of operator %s", "mật khẩu mới của cán bộ %s"}
	wordKeysPassphrase  = phrase{"passphrase of this home's keys", "mật khẩu của các khóa ở đây"}
	wordNewKeysPhrase   = phrase{"new passphrase of this home's keys", "mật khẩu mới của các khóa ở đây"}
	wordPIN             = phrase{"PIN of token %s", "mã PIN của thiết bị khóa %s"}
	wordComponent       = phrase{"component %d of %d, and its check value behind a slash", "thành phần %d trên %d, sau dấu gạch chéo là giá trị kiểm tra"}
	wordKeyHeld         = phrase{"held", "có ở nơi giữ"}
	wordKeyGone         = phrase{"NOT HELD", "KHÔNG CÒN Ở NƠI GIỮ"}
	wordAsks            = phrase{"%s (%s) asks about you", "%s (%s) hỏi thông tin về bạn"}
	wordAsksWhy         = phrase{"purpose: %s", "mục đích: %s"}
	wordAsksFor         = phrase{"it will be told: %s, and nothing else", "sẽ cho biết: %s, ngoài ra không gì khác"}
	wordOtherParty      = phrase{"%s asks, whom --agree does not name", "bên hỏi là %s, không có trong --agree"}
	wordOtherPurpose    = phrase{"%s asks for another purpose: %s", "%s hỏi cho mục đích khác: %s"}
	wordOtherField      = phrase{"the portal asks for %s too", "cổng hỏi cả %s"}
	wordNobodyAgrees    = phrase{"somebody has to agree, and standard input is no terminal", "cần người đồng ý nhưng không có ai để hỏi: đầu vào chuẩn không phải bàn phím"}
	wordNoConsenter     = phrase{"begin a new login; if you agree, with --agree 'PARTY:PURPOSE:%s', party (the word in brackets) and purpose as said above", "bắt đầu lần đăng nhập mới; nếu đồng ý thì thêm --agree 'BÊN HỎI:MỤC ĐÍCH:%s', với bên hỏi (từ trong ngoặc) và mục đích như nêu trên"}
	wordReadsItself     = phrase{"the service reads the card itself, as far as that needs", "dịch vụ tự đọc thẻ, trong phạm vi cần cho việc đó"}
	wordPair            = phrase{"type the code behind \"pair\" into the page, and give it to nobody; each is good once", "gõ mã sau chữ \"pair\" vào trang web, không đưa cho ai; mỗi mã dùng một lần"}
	wordPageAsks        = phrase{"a page of %s asks", "một trang của %s hỏi"}
	wordPageTold        = phrase{"the portal will be told: %s", "cổng được biết: %s"}
	wordAgree           = phrase{"do you agree? (y/n)", "bạn có đồng ý không? (c/k)"}
	wordLate            = phrase{"LATE", "QUÁ HẠN"}
	wordSuspect         = phrase{"SUSPECT", "NGHI VẤN"}
	wordRepeat          = phrase{"once more", "nhập lại"}
	wordWritten         = phrase{"files written to %s", "các tệp đã ghi vào %s"}
	wordResumed         = phrase{"of these, %d were there from an earlier, interrupted reading", "trong đó %d tệp có sẵn từ lần đọc dở trước"}
	wordPictures        = phrase{"pictures to look at: %s", "ảnh để xem: %s"}
	wordNoPicture       = phrase{"no picture of %s: %s", "không có ảnh của %s: %s"}
	wordNoPictures      = phrase{"no pictures: nobody whom we trust vouches for the files; --trust names whom to trust", "không tạo ảnh: chưa ai đáng tin bảo đảm cho các tệp; --trust cho biết tin ai"}
	wordNoDecoder       = phrase{"there is no JPEG 2000 decoder here; install opj_decompress (Debian: libopenjp2-tools)", "máy này không có bộ giải mã JPEG 2000; cài opj_decompress (Debian: libopenjp2-tools)"}
	wordOpenNetwork     = phrase{"this system allows no namespaces: OpenJPEG was not kept from the network", "hệ thống không cho dùng namespace: OpenJPEG không bị tách khỏi mạng"}
	wordApplications    = phrase{"applications on the card: %s", "các ứng dụng trên thẻ: %s"}
	wordLintError       = phrase{"error", "lỗi"}
	wordLintWarning     = phrase{"warning", "cảnh báo"}
	wordLintCertificate = phrase{"certificate", "chứng thư"}
	wordLintCRL         = phrase{"revocation list", "danh sách thu hồi"}
	wordLintList        = phrase{"signed list", "danh sách có chữ ký"}
	wordLintSOD         = phrase{"security object", "đối tượng an ninh (SOD)"}
	wordLintUnreadable  = phrase{"nothing that has rules of ICAO 9303", "không phải chứng thư, danh sách hay SOD"}
	wordLintSum         = phrase{"%d errors, %d warnings", "%d lỗi, %d cảnh báo"}
	wordRefused         = phrase{"refused", "bị từ chối"}
	wordPassedOver      = phrase{"passed over", "bỏ qua"}
	wordPinnedNow       = phrase{"pinned %s %x", "đã ghim %s %x"}
	wordCertificates    = phrase{"new certificates: %d", "chứng thư mới: %d"}
	wordCRLs            = phrase{"new revocation lists: %d", "danh sách thu hồi mới: %d"}
	wordKnown           = phrase{"there already: %d", "đã có sẵn: %d"}
	wordParts           = phrase{"parts passed over: %d", "phần bị bỏ qua: %d"}
	wordNothing         = phrase{"nothing new", "không có gì mới"}
	wordStale           = phrase{"STALE", "QUÁ HẠN"}
	wordImports         = phrase{"imported", "đã nhập"}
	wordRevocations     = phrase{"revocation lists", "danh sách thu hồi"}
	wordDays            = phrase{"%d days old", "%d ngày tuổi"}
	wordListRefused     = phrase{"%s is not used: %s", "không dùng %s: %s"}
	wordNoLists         = phrase{"there are no lists of card status here", "ở đây chưa có danh sách tình trạng thẻ"}
	wordListKept        = phrase{"%s: number %d, nothing new", "%s: số %d, không có gì mới"}
	wordListPatched     = phrase{"%s: from number %d to number %d, %d octets", "%s: từ số %d lên số %d, %d byte"}
	wordListWhole       = phrase{"%s: number %d, %d octets", "%s: số %d, %d byte"}
	wordHeldBack        = phrase{"what is published there is overdue, something may hold back what is new; it was due by", "danh sách ở đó đã quá hạn, có thể có gì chặn bản mới; lẽ ra phải có trước"}
	wordEmptyFolder     = phrase{"something else signed what lies there: after the key was replaced publish into an empty folder", "danh sách đang ở đó do khóa khác ký: sau khi thay khóa hãy công bố vào thư mục trống"}
	wordHoursOld        = phrase{"%d hours old", "đã %d giờ"}
	wordAsOf            = phrase{"as of %s, %s, %s", "tính đến %s, %s, %s"}
	wordOverdue         = phrase{"a newer list was due by %s", "lẽ ra đã có danh sách mới trước %s"}
	wordProbable        = phrase{"perhaps revoked: the filter may mean another card; ask the issuing office, or look in the exact list", "có thể đã bị thu hồi: bộ lọc có thể trùng với thẻ khác; hỏi cơ quan cấp thẻ hoặc tra danh sách đầy đủ"}
	wordContinued       = phrase{"%s: continues from entry %d to %d", "%s: nối tiếp từ mục %d đến %d"}
	wordReceiptTaken    = phrase{"%s, %s: entry %d of %d in %s", "%s, %s: mục %d trên %d trong %s"}
	wordReceiptWitness  = phrase{"witness %s, %s", "bên giám sát %s, %s"}
	wordReceiptRefused  = phrase{"the receipt proves nothing", "biên nhận không chứng minh được gì"}
	wordConformHead     = phrase{"CASE\tCLAUSE\tEXPECTED\tGOT\tRESULT", "CA\tĐIỀU KHOẢN\tMONG ĐỢI\tNHẬN ĐƯỢC\tKẾT QUẢ"}
	wordConformPass     = phrase{"pass", "đạt"}
	wordConformFail     = phrase{"FAIL", "KHÔNG ĐẠT"}
	wordConformNA       = phrase{"n/a", "không áp dụng"}
	wordConformSum      = phrase{"%d cases: %d as expected, %d not, %d not applicable; %d cards played, of the %d faulty ones %d accepted", "%d ca: %d đúng như mong đợi, %d không đúng, %d không áp dụng; đã diễn %d thẻ, trong %d thẻ có lỗi có %d thẻ được chấp nhận"}
	wordNotRead         = phrase{"not read: %s", "chưa đọc: %s"}
)

// wordStates are the states of a card, in the order of package status.
var wordStates = [...]phrase{
	{"unknown: no list covers this card", "không rõ: không danh sách nào nói về thẻ này"},
	{"undelivered: not handed out yet", "chưa trao: thẻ chưa được giao cho người dân"},
	{"active", "đang có hiệu lực"},
	{"suspended", "đang tạm ngừng"},
	{"superseded: a newer card has replaced it", "đã được thay bằng thẻ mới"},
	{"revoked", "đã bị thu hồi"},
}

// listNames says what brought an anchor or other things into the trust folder.
var listNames = map[string]phrase{
	"file":                {"file in the folder", "tệp trong thư mục"},
	"pin":                 {"pinned", "đã ghim"},
	"":                    {"pinned", "đã ghim"},
	pki.KindMasterList:    {"master list", "danh sách CSCA"},
	pki.KindDeviations:    {"deviation list", "danh sách lỗi đã biết"},
	pki.KindDefects:       {"defect list", "danh sách khuyết tật"},
	"specimen-masterlist": {"master list", "danh sách CSCA"},
	"specimen-deviations": {"deviation list", "danh sách lỗi đã biết"},
	"specimen-defects":    {"defect list", "danh sách khuyết tật"},
	"signers":             {"certificates", "chứng thư"},
	"revoked":             {"revocation lists", "danh sách thu hồi"},
	"blocked":             {"blocked signers", "khóa ký bị chặn"},
}

// vietnamese puts what happened and what to do before the detail: in Vietnamese where
// words_detail.go has it, else the English message, which whoever is asked for help can
// look up. Where the table has no words, the English ones remain.
func (f failure) vietnamese() failure {
	w, ok := inVietnamese[f.Code]
	if !ok {
		return f
	}
	f.Message = w.what + " (" + first(f.detailVi, f.Message) + ")"
	switch {
	case f.vi != "":
		f.Hint = f.vi
	case w.hint != "":
		f.Hint = w.hint
	}
	return f
}

// inVietnamese says for each code of a failure what happened and what to do next.
var inVietnamese = map[string]struct{ what, hint string }{
	"error":       {"lỗi", ""},
	"interrupted": {"đã ngắt", ""},
	"usage":       {"dùng lệnh chưa đúng", "xem thêm bằng --help"},
	"no-prompt":   {"cần một bí mật nhưng không có ai để hỏi", "đưa bí mật qua tệp, xem --help; - là đầu vào chuẩn"},

	"no-pcsc":      {"bản này không có PC/SC", "biên dịch lại với cgo và không có thẻ nopcsc"},
	"no-service":   {"dịch vụ PC/SC chưa chạy", "bật dịch vụ, ví dụ `sudo systemctl start pcscd.socket`, rồi chạy `tamthe doctor`"},
	"denied":       {"dịch vụ PC/SC không cho người dùng này", "chạy trong phiên làm việc của chính máy này, hoặc hỏi người quản trị"},
	"no-reader":    {"không có đầu đọc thẻ", "cắm đầu đọc; `tamthe readers` liệt kê các đầu đọc"},
	"readers":      {"có nhiều đầu đọc", "chọn một bằng --reader TÊN hoặc TAMTHE_READER"},
	"no-card":      {"không có thẻ trong đầu đọc", "cắm hoặc đặt thẻ lên đầu đọc"},
	"card-mute":    {"thẻ không trả lời", "lật thẻ, lau tiếp điểm, hoặc đặt thẻ nằm phẳng trên đầu đọc"},
	"card-busy":    {"chương trình khác đang giữ thẻ", "đóng chương trình kia"},
	"card-removed": {"thẻ đã bị rút ra", "đặt thẻ lại và chạy lại lệnh"},
	"card-reset":   {"chương trình khác đã khởi động lại thẻ", "đóng chương trình kia và chạy lại lệnh"},
	"card-silent":  {"thẻ ngừng trả lời", "rút thẻ ra, đặt lại và chạy lại lệnh"},

	"blocked":        {"mật khẩu đã bị khóa", "thẻ không còn nhận mật khẩu này"},
	"wrong-password": {"sai CAN hoặc MRZ", "so CAN hoặc MRZ với chữ in trên thẻ"},
	"no-password":    {"không có mật khẩu nào mở được thẻ này", "thẻ này cần loại khác: đưa MRZ bằng --mrz-file, hoặc CAN bằng --can-file"},
	"no-access":      {"không giao thức nào được phép mở được thẻ", "giữ thẻ nằm yên và thử lại; chip chưa cá thể hóa thì không mở được; --allow-bac cho phép giao thức cũ khi giao thức mới không được"},
	"no-application": {"thẻ không có ứng dụng giấy tờ điện tử", "đây không phải eMRTD, hoặc thẻ chưa được cá thể hóa"},
	"card-protocol":  {"chip trả lời sai giao thức", "thử lại; nếu vẫn thế thì chip hỏng hoặc không phải chip thật"},
	"chip-channel":   {"kênh bảo mật tới chip bị can thiệp", "kiểm tra đầu đọc và dây nối, rồi chạy lại lệnh"},

	"not-approved":       {"thẻ này chưa được duyệt", "`tamthe card show` cho biết thẻ đang ở đâu"},
	"chip-unproven":      {"chip chưa chứng minh tự tạo khóa", "kiểm tra đầu đọc và dây nối, bỏ thẻ này và lấy chip khác"},
	"crl-stale":          {"danh sách thu hồi của cơ quan đã quá hạn", "ký danh sách mới bằng `tamthe pki crl`; chưa ký gì cả"},
	"log-other":          {"không phải sổ mà dịch vụ ký theo dõi", "dừng lại: dịch vụ ký biết một sổ khác; `tamthe ledger verify` cho biết thêm"},
	"sod-lost":           {"thẻ đã được ký nhưng chữ ký bị mất", "bỏ thẻ này bằng `tamthe card revoke`, rồi cá thể hóa trên chip mới"},
	"signer-other":       {"chứng thư của dịch vụ ký không phải chứng thư đã ghim", "so các chứng thư ở mục [signer] trong config.toml với dịch vụ ký"},
	"signer-failed":      {"dịch vụ ký gặp lỗi", "chạy lại lệnh; nhật ký của dịch vụ ký cho biết thêm"},
	"signer-request":     {"dịch vụ ký không hiểu yêu cầu", "cập nhật tamthe và dịch vụ ký cùng một phiên bản"},
	"no-signing-service": {"chưa có dịch vụ ký", "lập bằng `tamthe operator add signer --service`, hoặc ghi ở mục [signer] trong config.toml"},
	"approval-form":      {"đơn được duyệt theo mẫu cũ, nay không ký được", "rút đơn bằng `tamthe cancel` rồi đăng ký lại"},

	"four-eyes":             {"cần người thứ hai", "người khác phải làm việc này, hoặc cùng ký: --second nêu cán bộ thứ hai có quyền"},
	"word":                  {"từ không có trong danh sách", ""},
	"cap":                   {"khoá đã ký đủ số lần cho phép", "lập khoá ký tài liệu khác bằng `tamthe pki ds`"},
	"old-number":            {"người này đã có số định danh khác", "sửa lại số trong tệp thông tin công dân"},
	"child":                 {"người nhận thẻ chưa đủ 14 tuổi", "ghi nhận bằng --proxy và cán bộ thứ hai --second"},
	"role":                  {"cán bộ không có quyền này", "cán bộ có quyền phải làm việc này; `tamthe operator list` cho biết quyền"},
	"operator":              {"không phải cán bộ đã đăng ký", "`tamthe operator list` liệt kê các cán bộ"},
	"changed":               {"không đúng với nội dung đã duyệt", "dừng lại; `tamthe ledger verify` cho biết sổ có bị sửa hay không"},
	"state":                 {"chưa được làm việc này ở trạng thái hiện tại", "`tamthe card show` cho biết thẻ đang ở đâu"},
	"duplicate":             {"đã có rồi", ""},
	"conflict":              {"sổ vừa được người khác ghi trước", "xem điều gì đã đổi, rồi chạy lại lệnh"},
	"chip-keys":             {"chip không có khóa như mong đợi", "lấy chip trắng của lô đã biết khóa vận chuyển"},
	"chip-used":             {"chip này thuộc một thẻ khác", "lấy chip trắng"},
	"chip-key":              {"cặp khóa của chip không phải cặp đã ghi sổ", "bỏ thẻ này bằng `tamthe card revoke`, rồi cá thể hóa trên chip mới"},
	"chip-differs":          {"chip không giữ đúng những gì đã ghi", "chạy lại lệnh; nếu vẫn thế thì bỏ thẻ bằng `tamthe card revoke` và lấy chip mới"},
	"wrong-chip":            {"không phải chip đã làm dở", "đặt đúng chip đã làm dở; nếu mất chip thì bỏ thẻ bằng `tamthe card revoke`"},
	"refused":               {"thẻ vừa làm không đạt", "không giao thẻ này"},
	"field":                 {"dữ liệu của người xin cấp chưa đúng", "sửa tệp; `tamthe enrol --help` liệt kê các khóa"},
	"unknown":               {"sổ không biết mục này", "xem lại cách viết; `tamthe card list` liệt kê các thẻ"},
	"credential-refused":    {"chứng thực không được chấp nhận hoặc không được cấp", "mã đi kèm cho biết lý do; `tamthe agent credential obtain` lấy chứng thực mới bằng thẻ"},
	"credential-service":    {"dịch vụ không trả lời như một nơi cấp chứng thực", "xem lại địa chỉ; dịch vụ có cấp chứng thực không (serve eid --credentials)?"},
	"no-card-status":        {"chứng thực phải theo tình trạng thẻ, mà ở đây không có nơi nào cho biết", "chạy tại nơi có sổ cái, hoặc đặt danh sách tình trạng thẻ vào kho tin cậy"},
	"login-protocol":        {"dịch vụ dùng phiên bản giao thức khác", "cập nhật tamthe trên máy này"},
	"login-unknown-session": {"không có lần đăng nhập này, hoặc đã kết thúc", "bắt đầu lại trên trang của cổng"},
	"login-expired":         {"đã quá thời hạn", "bắt đầu lại trên trang của cổng"},
	"login-taken":           {"lần đăng nhập này đã có thiết bị khác nhận hoặc đã trả lời", "bắt đầu lại trên trang của cổng; nếu không phải bạn làm, báo cho cổng"},
	"login-replayed":        {"kết quả này đã được dùng", "bắt đầu lại trên trang của cổng"},
	"login-unbound":         {"không phải trình duyệt đã bắt đầu lần đăng nhập này, hoặc mã sai", "gõ mã vào đúng trang nơi bạn bắt đầu"},
	"login-wrong-nonce":     {"bằng chứng của chip thuộc lần đăng nhập khác", "bắt đầu lại; nếu lặp lại, báo cho cổng"},
	"login-unknown-party":   {"bên hỏi không được biết ở đây", "hỏi đơn vị vận hành dịch vụ"},
	"login-no-purpose":      {"không có mục đích, hoặc mục đích không được thỏa thuận", "hỏi đơn vị vận hành dịch vụ"},
	"login-wrong-audience":  {"bằng chứng của chip dành cho dịch vụ khác", "bắt đầu lại, với địa chỉ mà trang của cổng hiển thị"},
	"login-other-party":     {"bằng chứng của chip dành cho cổng khác", "bắt đầu lại; nếu lặp lại, báo cho cổng"},
	"login-other-login":     {"bằng chứng của chip thuộc phiên đăng nhập khác", "bắt đầu lại; nếu lặp lại, báo cho cổng"},
	"login-over-asked":      {"hỏi thông tin không được phép", "hỏi đơn vị vận hành dịch vụ"},
	"login-level":           {"cần mức bảo đảm cao hơn", "đến quầy có cán bộ đối chiếu người và thẻ"},
	"login-too-many":        {"quá nhiều lần trong một phút", "đợi một phút rồi thử lại"},
	"login-malformed":       {"dữ liệu gửi lên không đọc được", "thử lại với thẻ nằm yên"},
	"login-chip-unproven":   {"chip không tự chứng minh", "thử lại với thẻ nằm yên; nếu vẫn vậy, mang thẻ đến cơ quan cấp"},
	"login-clone":           {"chip không giữ khóa của thẻ này: bản sao", "không dùng thẻ này; báo cơ quan công an"},
	"login-altered":         {"dữ liệu không phải dữ liệu đã ký", "không dùng thẻ này; báo cơ quan công an"},
	"login-not-genuine":     {"thẻ không được công nhận", "`tamthe verify` nêu lý do"},
	"login-revoked":         {"thẻ hoặc khóa ký không còn hiệu lực", "mang thẻ đến cơ quan cấp"},
	"login-inconclusive":    {"thiếu căn cứ để kết luận", "`tamthe verify` nêu điều còn thiếu"},
	"no-consent":            {"không đồng ý; chưa đọc gì của thẻ", ""},
	"over-reached":          {"dịch vụ đòi đọc thẻ quá phần bạn đã đồng ý, và đã bị chặn", "báo cho cổng"},
	"eid-service":           {"dịch vụ không trả lời đúng", "xem lại địa chỉ, rồi thử lại"},
	"fingers":               {"tệp vân tay không dùng được", "đưa một tệp DG3 nguyên vẹn có ít nhất một ngón, tối đa 30.000 byte"},
	"unlogged":              {"sổ cái chưa có việc mà trung tâm đang chờ", "xem bàn này và trung tâm có dùng cùng một sổ cái không"},
	"centre":                {"trung tâm dừng việc làm thẻ", "xem trung tâm nêu lý do gì; có thể làm tiếp trên chính chip đó"},
	"period":                {"kỳ báo cáo chưa kết thúc", "công bố vào ngày hôm sau"},
	"whole-months":          {"chỉ công bố trọn tháng", "bắt đầu từ ngày đầu của một tháng và kết thúc ở ngày cuối của một tháng"},
	"unconfirmed":           {"cơ sở dữ liệu dân cư chưa xác nhận hồ sơ", "hỏi bằng `tamthe register ask`; chỗ sai khác phải được người phê duyệt chấp nhận, sửa hoặc từ chối"},
	"no-register":           {"nơi này chưa biết cơ sở dữ liệu dân cư nào", "khai báo trong mục [register] của config.toml; xem `tamthe serve register --help`"},
	"intake-unknown":        {"không có hồ sơ trực tuyến nào như vậy", "xem lại mã; `tamthe intake list --all` liệt kê các hồ sơ"},
	"intake-waiting":        {"tờ khai ban đầu chưa đến", "cổng còn phải gửi tờ khai"},
	"intake-closed":         {"hồ sơ trực tuyến này không còn mở", "`tamthe intake show` cho biết hồ sơ đang ở đâu"},
	"intake-taken":          {"cán bộ khác đã nhận hồ sơ này", "cán bộ đó làm tiếp hoặc từ chối"},
	"order-unknown":         {"không có yêu cầu hoặc ảnh như vậy", "`tamthe order list --all` liệt kê các yêu cầu, `tamthe intake list --all` liệt kê hồ sơ"},
	"order-closed":          {"yêu cầu đã được giải quyết", "`tamthe order list --all` cho biết tình trạng"},
	"unsearched":            {"chưa hỏi cơ sở dữ liệu sinh trắc, hoặc có người trùng mà chưa ai quyết định", "hỏi bằng `tamthe application abis ask`; nếu trùng, người khác quyết định bằng `tamthe application abis decide`"},
	"abis-awaited":          {"cơ sở dữ liệu sinh trắc chưa trả lời", "hồ sơ chờ: chạy lại `tamthe application abis ask` sau"},
	"no-abis":               {"chưa khai báo cơ sở dữ liệu sinh trắc", "khai báo ở [abis] trong config.toml; xem `tamthe serve abis --help`"},
	"abis-down":             {"cơ sở dữ liệu sinh trắc không hoạt động", "hồ sơ chờ: chạy `tamthe application abis ask --all` khi hệ thống hoạt động lại"},
	"abis-answer":           {"cơ sở dữ liệu sinh trắc trả lời sai", "báo đơn vị vận hành; hồ sơ chờ"},
	"abis-refused":          {"cơ sở dữ liệu sinh trắc từ chối trả lời", "hỏi đơn vị vận hành xem nơi này, thư viện ảnh và quyền truy cập đã được đăng ký chưa; hồ sơ chờ"},
	"register-down":         {"cơ sở dữ liệu dân cư không trả lời", "hồ sơ chờ: chạy `tamthe register ask --all` khi hệ thống hoạt động lại"},
	"register-answer":       {"câu trả lời của cơ sở dữ liệu dân cư không hợp lệ", "báo cho đơn vị vận hành; hồ sơ chờ"},
	"register-query":        {"câu hỏi gửi cơ sở dữ liệu dân cư không hợp lệ", "xem lại name của [office] trong config.toml và tên cán bộ"},
	"register-refused":      {"cơ sở dữ liệu dân cư từ chối trả lời", "hỏi đơn vị vận hành xem nơi này, cán bộ và mục đích đã được đăng ký chưa; hồ sơ chờ"},
	"no-csca":               {"chưa có CSCA", "tạo bằng `tamthe pki csca`"},
	"notice":                {"thời hạn báo trước cho các nước chưa hết", "chạy lại lệnh khi hết thời hạn báo trước; nếu khóa hiện tại đã mất, nêu lý do bằng --urgent"},
	"no-link":               {"không có gì để liên kết", "`tamthe pki status` cho biết các khóa của CSCA"},
	"no-list-signer":        {"không có khóa ký danh sách loại này", "tạo bằng --signer"},
	"no-cvca":               {"chưa có cơ quan xác thực thiết bị đọc nào đang dùng", "tạo bằng `tamthe pki cvca`, đơn vị xác minh bằng `tamthe pki dv`"},
	"unregistered":          {"người yêu cầu chưa được đăng ký", "người giữ mang yêu cầu đầu tiên đến tận nơi: --register"},
	"csca":                  {"CSCA được thu hồi bằng danh sách cuối cùng của chính nó", "thu hồi riêng một CSCA, không cùng khóa khác"},
	"crl-alarm":             {"đã đến hạn danh sách thu hồi của cơ quan", "phát hành danh sách kế tiếp bằng `tamthe pki crl`"},
	"key-period":            {"ngoài thời hạn sử dụng khóa", "`tamthe pki status` cho biết khóa được ký đến khi nào"},
	"cv-reference":          {"tên tham chiếu không khớp", "yêu cầu phải ghi người giữ và cơ quan như đã đăng ký"},
	"cv-rights":             {"quyền vượt quá quyền của nơi cấp", "xin ít quyền hơn: nhiều nhất bằng của nơi cấp"},
	"cv-validity":           {"thời hạn ngoài giới hạn", "chọn --days hoặc --months khác; nếu chứng thư của nơi cấp sắp hết hạn thì gia hạn nó trước"},
	"cv-outer":              {"thiếu hoặc sai chữ ký ngoài", "yêu cầu phải được ký thêm bằng khóa trước của người giữ"},
	"key":                   {"không dùng được khóa này", "tạo khóa khác"},
	"custodian":             {"thiếu người giữ khóa", "bắt đầu lại khi có đủ người giữ khóa"},
	"ceremony-answer":       {"câu trả lời làm dừng lễ tạo khóa", "tìm nguyên nhân trước khi bắt đầu lại"},
	"transcript":            {"không phải biên bản lễ tạo khóa", "lấy bản sao khác của tệp"},
	"no-signer":             {"không có chứng thư ký nào đang dùng được", "tạo bằng `tamthe pki ds`"},
	"profile":               {"bàn này không làm loại thẻ đó", ""},
	"request":               {"không cấp được chứng thư như yêu cầu", "sửa các tùy chọn; chưa cấp gì cả"},
	"portrait":              {"không dùng được ảnh chân dung", "đưa ảnh JPEG từ 200 × 200 đến 2.000 × 2.000 điểm, không quá 60.000 byte"},
	"given-up":              {"thẻ đã bị ngắt quá nhiều lần hoặc quá lâu", "bỏ thẻ này bằng `tamthe card revoke`, rồi cá thể hóa trên chip mới"},
	"test-card":             {"trình điều khiển này chỉ dùng cho thẻ thử", ""},

	"no-ledger":          {"chưa có sổ", "`tamthe init` lập sổ; TAMTHE_HOME và TAMTHE_LEDGER cho biết ở đâu; cơ sở dữ liệu phải có trước"},
	"ledger-newer":       {"sổ do bản tamthe mới hơn ghi", "cập nhật tamthe"},
	"ledger-foreign":     {"tệp này không phải sổ của tamthe", "TAMTHE_LEDGER phải chỉ tới sổ của tamthe; tệp này không bị sửa"},
	"ledger-rolled-back": {"sổ cũ hơn mốc kiểm tra cuối cùng", "đặt lại bản sổ mới nhất; `tamthe ledger verify` cho biết thêm"},
	"ledger-login":       {"cơ sở dữ liệu không cho tài khoản này vào", "xem user trong TAMTHE_LEDGER, mật khẩu trong ~/.pgpass (chỉ chủ tệp được đọc) và pg_hba.conf của máy chủ"},
	"ledger-denied":      {"tài khoản này không có quyền đọc sổ đang có ở đó", "người quản trị cơ sở dữ liệu cấp quyền theo việc của tài khoản: GRANT tamthe_desk TO cho quầy, tamthe_sequencer cho nơi ghi sổ, tamthe_reader cho người chỉ đọc, tamthe_vault cho nơi mở dữ liệu cá nhân"},
	"ledger-outdated":    {"sổ do phiên bản cũ lập, cần được nâng cấp trước", "cập nhật mọi chương trình, rồi chạy `tamthe serve ledger` một lần, có khóa sổ, bằng tài khoản sở hữu schema tamthe: lệnh ấy nâng cấp sổ"},
	"not-appender":       {"tài khoản này đọc được sổ nhưng không được ghi", "quầy nộp việc cho `tamthe serve ledger` và không cần khóa sổ: lấy keys/log ra khỏi thư mục này; tài khoản được ghi sổ thì cấp GRANT tamthe_sequencer TO"},
	"ledger-read-only":   {"sổ chỉ đọc được", "cho phép ghi vào tệp sổ và thư mục của nó; với cơ sở dữ liệu, đăng nhập bằng vai trò được ghi"},
	"disk-full":          {"đĩa đã đầy", "giải phóng chỗ trên đĩa và chạy lại lệnh; chưa ghi gì cả"},
	"leased":             {"quầy khác đang làm hồ sơ hoặc chip này", "đợi, hoặc hỏi quầy đang giữ; nếu quầy ấy đã dừng thì tự hết giữ vào giờ nêu trên"},
	"taken-over":         {"quầy khác đã nhận làm tiếp", "dừng việc ở đây; `tamthe card show` cho biết ai đang làm và thẻ đến bước nào"},
	"ledger-busy":        {"chương trình khác đang ghi sổ", "chạy lại lệnh"},
	"service-away":       {"không có ai ghi việc các quầy nộp", "chạy lại lệnh khi `tamthe serve ledger` ở trung tâm hoạt động: việc đã làm sẽ được tìm thấy, không việc nào bị làm hai lần; `tamthe desk health` cho biết vắng từ bao giờ"},
	"ledger-away":        {"không kết nối được với sổ", "chạy lại lệnh khi cơ sở dữ liệu hoạt động trở lại: việc đã làm sẽ được tìm thấy, không việc nào bị làm hai lần"},
	"kept":               {"hồ sơ được giữ tại quầy này, CHƯA vào sổ", "báo mã hồ sơ này cho công dân, và chạy `tamthe desk send` khi trung tâm hoạt động trở lại: hồ sơ chỉ vào sổ một lần"},
	"kept-already":       {"hồ sơ của người này đang được giữ tại quầy, chưa vào sổ", "`tamthe desk send` nộp hồ sơ ấy; nếu sai thì bỏ trước bằng `tamthe desk draft discard`"},
	"other-officer":      {"cán bộ khác đã tiếp nhận hồ sơ này", "cán bộ đã tiếp nhận chạy `tamthe desk send`"},
	"no-draft":           {"ở đây không giữ hồ sơ nào như vậy", "`tamthe desk draft list` liệt kê hồ sơ đang chờ; `tamthe application show` cho biết hồ sơ đã vào sổ"},
	"drafts-many":        {"quầy đang giữ quá nhiều hồ sơ chưa vào sổ", "đợi trung tâm hoạt động trở lại, rồi chạy `tamthe desk send`"},
	"draft-old":          {"hồ sơ đã tiếp nhận quá lâu nên không vào sổ được", "hỏi lại công dân: tiếp nhận lại (`tamthe desk draft show TÊN --person --portrait TỆP`), rồi bỏ hồ sơ này"},
	"draft-elsewhere":    {"hồ sơ này được tiếp nhận cho sổ khác", "TAMTHE_LEDGER phải chỉ sổ mà hồ sơ được tiếp nhận"},
	"draft-discarded":    {"hồ sơ này đã bị bỏ, nay có người đặt lại", "bỏ lần nữa, và xem ai ghi được vào thư mục của quầy"},
	"draft-sealed":       {"không mở được hồ sơ đang giữ", "đặt lại keys/drafts của quầy này, hoặc lấy hồ sơ từ bản sao"},
	"draft-damaged":      {"hồ sơ đang giữ bị hỏng", "lấy lại từ bản sao, hoặc tiếp nhận lại rồi bỏ hồ sơ hỏng"},
	"ledger-fenced":      {"chương trình khác đã tiếp quản việc ghi sổ", "chạy lại lệnh"},
	"no-queue":           {"sổ nằm trong một tệp: không có quầy nào nộp việc", "TAMTHE_LEDGER=postgres:… chỉ ra sổ mà các quầy nộp việc vào"},
	"ledger-damaged":     {"tệp sổ bị hỏng", "`tamthe ledger verify` chỉ ra chỗ hỏng; đặt bản sao lại"},
	"ledger-moved":       {"sổ đã được chuyển đi nơi khác", "TAMTHE_LEDGER phải chỉ tới nơi sổ tiếp tục; chương trình đang chạy thì khởi động lại"},
	"vault-place":        {"[vault] keys trong config.toml phải là postgres:DSN và không có mật khẩu", ""},
	"checkpoint-copy":    {"không chép được mốc kiểm tra ra ngoài sổ", "cho phép ghi vào thư mục checkpoints/ và giải phóng chỗ trên đĩa; chưa ghi gì cả"},
	"ledger-copy":        {"bản sao của sổ không khớp với chính nó", "sao lưu lại; `tamthe ledger verify` cho biết bản thân sổ có nguyên vẹn không"},
	"ledger-export":      {"thư mục không phải bản công bố trước đây của sổ này", "chọn thư mục trống hoặc chưa có, hoặc tìm xem ai đã lùi sổ về trước phần đã công bố"},
	"log-contradicted":   {"bên giám sát đã thấy một sổ khác", "dừng lại: sổ đã bị lùi, viết lại hoặc rẽ nhánh; `tamthe ledger verify` với mốc kiểm tra của bên giám sát chỉ ra chỗ"},
	"unwitnessed":        {"quá ít bên giám sát ký xác nhận sổ", "nối lại với các bên giám sát; config.toml ghi tên họ và hạn của xác nhận"},
	"witness-state":      {"không dùng được thư mục của bên giám sát", "đóng chương trình kia, hoặc đặt bản sao của thư mục lại: bên giám sát đã quên thì không ký gì cả"},
	"log-away":           {"có nơi không tới được", "chưa biết gì về nơi đó: chạy lại lệnh; --silence cho biết chịu được bao lâu"},
	"no-alarm":           {"không có cảnh báo này", "`tamthe ledger watch --dir THƯ-MỤC --alarms` liệt kê các cảnh báo"},
	"no-fork":            {"chứng cứ không cho thấy sổ đã ký hai lịch sử", "đó có thể là chứng cứ của cảnh báo khác, hoặc của sổ khác: đưa đúng --log-key"},
	"watch-state":        {"bộ nhớ của bên giám sát không khớp với chính nó", "đặt bản sao của thư mục lại, hoặc bắt đầu lại ở thư mục khác"},
	"receipt":            {"không phải biên nhận hay mốc kiểm tra của sổ", "đưa tệp do `tamthe ledger receipt` hoặc `tamthe ledger checkpoint` ghi"},
	"receipt-size":       {"biên nhận lớn quá mức", "biên nhận trao thẻ nhỏ nhất: --act deliver; tên sổ và tên bên giám sát ngắn hơn, hoặc quorum trong config.toml, làm mọi biên nhận nhỏ hơn"},
	"checkpoint":         {"không phải mốc kiểm tra do sổ này ký", "đưa tệp do `tamthe ledger checkpoint` của sổ này ghi"},

	"passphrase":      {"sai mật khẩu, hoặc mật khẩu trống", "nhập đúng mật khẩu của cán bộ này; chưa làm gì cả"},
	"key-permissions": {"người dùng khác đọc được tệp khóa", "chmod 600 tệp khóa, sau khi chắc chắn chưa ai sao chép"},
	"no-key":          {"không thấy tệp khóa", "xem lại cách viết; khóa của bàn này nằm trong keys/"},
	"key-exists":      {"đã có tệp khóa", "không ghi đè gì cả; nếu khóa ấy không còn dùng thì chuyển nó đi"},
	"key-sealed":      {"khóa được niêm phong bằng mật khẩu", "đặt sealed = true dưới [keys] trong config.toml, rồi đưa mật khẩu"},
	"key-signature":   {"nơi giữ khóa trả về chữ ký sai", "ngừng dùng nơi giữ khóa này và xem xét nó; chưa có gì được cấp"},
	"key-timeout":     {"nơi giữ khóa không trả lời kịp", "xem thiết bị khóa hoặc chương trình giữ khóa, rồi chạy lại lệnh"},
	"key-refused":     {"nơi giữ khóa từ chối", "hỏi người quản lý nơi giữ khóa"},
	"key-helper":      {"chương trình giữ khóa bị lỗi", "xem uri dưới [keys] trong config.toml"},
	"key-component":   {"các thành phần không ghép thành khóa", "chưa lưu gì cả; nhập lại từng thành phần"},
	"no-pkcs11":       {"bản này không có PKCS #11", "biên dịch lại với cgo và không có thẻ nopkcs11"},
	"token-uri":       {"URI của thiết bị khóa chưa đúng", "viết pkcs11:token=TÊN?module-path=THƯ_VIỆN"},
	"token-module":    {"không dùng được thư viện PKCS #11", "xem module-path; thư viện chỉ chủ của nó được ghi"},
	"no-token":        {"không thấy thiết bị khóa", "cắm thiết bị khóa; `pkcs11-tool -L` liệt kê các thiết bị"},
	"token-pin":       {"thiết bị khóa không nhận mã PIN", "xem lại mã PIN; sai nhiều lần sẽ khóa thiết bị"},
	"key-exposed":     {"khóa này có thể bị đọc ra khỏi thiết bị khóa", "tạo khóa khác trong thiết bị; exposed = true dưới [keys] vẫn cho dùng"},
	"key-ambiguous":   {"có nhiều khóa cùng tên trong thiết bị khóa", "đổi tên hoặc xóa khóa không dùng"},
	"key-format":      {"tệp này không phải khóa thuộc loại cần dùng", "đặt bản sao của tệp khóa lại"},
	"algorithm":       {"không biết thuật toán khóa này", ""},
	"chip-locked":     {"chương trình khác đang mở tệp chip", "đóng chương trình kia"},
	"not-a-chip":      {"tệp này không phải bộ nhớ chip", "--chip phải chỉ tới tệp do `tamthe virtual` tạo"},

	"rolled-back":  {"danh sách cũ hơn bản máy này đã nhận", "hỏi người đưa danh sách xem bản mới nhất ở đâu"},
	"list-refused": {"danh sách hoặc chứng thư bị từ chối", "không có gì của tệp được nhận; lấy lại tệp từ nơi cấp, và ghim CSCA của nơi ấy trước: xem `tamthe trust import --help`"},
	"trust-edited": {"thư mục tin cậy đã bị sửa sau khi nhập", "đặt bản sao của thư mục lại, hoặc xóa imports.toml cùng các tệp nó nêu rồi nhập lại"},
	"nothing":      {"không có tệp nào để nhập", "xem lại đường dẫn"},
	"seen":         {"không dùng được bản ghi các danh sách đã nhận", "đặt bản sao của tệp lại; không có bản ghi này máy không nhận ra danh sách cũ, nên chỉ chuyển tệp đi khi đã rõ vì sao nó hỏng, rồi chạy `tamthe trust update`"},

	"apart":            {"đã quá lâu văn phòng chưa xác nhận", "mang tệp của `tamthe desk export` về văn phòng, rồi nhận biên nhận bằng `tamthe desk ack`"},
	"invitation":       {"không mở được thư mời với mật khẩu này", "hỏi văn phòng mật khẩu hoặc một thư mời khác"},
	"not-apart":        {"máy này không phải bàn làm việc độc lập", "xem `tamthe desk ack --help`"},
	"behind":           {"tệp không nối tiếp phần đã có", "ghi toàn bộ sổ bằng `tamthe desk export --all`"},
	"leftover":         {"việc đã xong, nhưng còn khóa phải hủy", "chạy `tamthe vault sweep`"},
	"shredded":         {"dữ liệu đã bị hủy", "cái đã hủy không lấy lại được"},
	"no-stock":         {"ở đây không còn phôi thẻ", "nhập phôi bằng `tamthe stock receive`; `tamthe stock list` cho biết phôi ở đâu"},
	"not-counted":      {"hôm nay chưa kiểm đếm phôi", "kiểm đếm bằng `tamthe stock count`"},
	"gap":              {"số phôi không khớp", "đếm lại; `tamthe stock reconcile` chỉ ra phôi nào; `tamthe stock spoil --reason missing` ghi nhận là mất"},
	"office-key":       {"dữ liệu nằm dưới khóa chung của cơ quan, không hủy riêng được", "phiên bản trước đã niêm phong như vậy: chỉ mất khi khóa của cơ quan mất"},
	"expired":          {"bản sao đã hết hiệu lực", "lấy bản sao mới hơn"},
	"list-full":        {"danh sách tình trạng thẻ đã đầy", "mở danh sách khác: danh sách này không nhận thêm thẻ"},
	"status-revived":   {"thẻ đã hết hiệu lực hẳn nay lại có hiệu lực trong danh sách", "dừng lại: có người đã sửa bảng tình trạng thẻ; chưa công bố gì; `tamthe ledger verify` cho biết thêm"},
	"status-server":    {"máy chủ không đưa danh sách tình trạng thẻ", "xem lại địa chỉ và mạng rồi chạy lại lệnh: tệp đang tải dở sẽ được tải tiếp; danh sách đã có vẫn được dùng"},
	"status-other":     {"địa chỉ này đưa một danh sách khác", "xem lại địa chỉ; danh sách đã có vẫn được dùng"},
	"status-damaged":   {"tệp nhận được không đúng như đầu danh sách đã hứa", "chạy lại lệnh; nếu vẫn vậy thì có gì ở giữa đã sửa tệp; danh sách đã có vẫn được dùng"},
	"status-format":    {"không phải danh sách tình trạng thẻ, hoặc đã bị sửa", "lấy lại tệp từ cơ quan cấp thẻ"},
	"status-signer":    {"người ký danh sách tình trạng thẻ không được ghim", "so dấu vân tay của khóa với cơ quan cấp thẻ, rồi ghi vào status_keys trong issuers.toml"},
	"status-signature": {"chữ ký của danh sách tình trạng thẻ sai", "lấy lại tệp từ cơ quan cấp thẻ; có người có thể đã sửa tệp này"},
	"status-base":      {"không đúng danh sách gốc của phần thay đổi này", "lấy danh sách gốc mới nhất từ cơ quan cấp thẻ"},

	"no-record":       {"chưa có sổ kiểm tra", "mỗi lần verify và read đều ghi vào đó; TAMTHE_HOME cho biết ở đâu"},
	"busy":            {"chương trình khác đang dùng tệp này", "chạy lại lệnh khi chương trình kia đã xong"},
	"record-busy":     {"chương trình khác đang ghi sổ kiểm tra", "chạy lại lệnh"},
	"record-head":     {"không phải đầu sổ kiểm tra có chữ ký", "đưa tệp do `tamthe inspections export` của trạm này ghi"},
	"record-damaged":  {"sổ kiểm tra bị hỏng", "`tamthe inspections verify` cho biết hỏng ở đâu"},
	"record-tampered": {"sổ kiểm tra đã bị sửa", "không dùng tiếp sổ này: `tamthe inspections verify` chỉ ra chỗ bị sửa, bản export trước đó cho biết nội dung cũ"},
	"identity":        {"không mở được hồ sơ chứng cứ đã mã hóa", "đưa tệp khóa age của một người nhận bằng --identity"},
	"recipients":      {"tệp người nhận chưa đúng", "mỗi dòng một người nhận như age-keygen in ra"},
	"evidence-newer":  {"hồ sơ chứng cứ do bản tamthe mới hơn lập", "cập nhật tamthe"},
	"evidence-format": {"tệp này không phải hồ sơ chứng cứ nguyên bản", "yêu cầu tệp gốc: tamthe không ghi như thế"},
	"device-key":      {"không phải khóa của thiết bị", "đưa khóa Ed25519 hoặc P-256; `tamthe inspections device` in khóa công khai của thiết bị"},

	"permission":         {"không được phép", "cho phép bạn đọc và ghi ở đó"},
	"exists":             {"đã có rồi", "không ghi đè gì cả"},
	"not-found":          {"không tìm thấy", "xem lại đường dẫn"},
	"no-files":           {"không có tệp nào của thẻ", "thư mục EF có EF.SOD.bin, DG1.bin …"},
	"no-terminal":        {"không có chứng thư nào ứng với khóa của thiết bị", "đặt chứng thư đã cấp cho khóa này vào thư mục, tên NAME.cvcert"},
	"certificate-format": {"tệp không phải là chứng thư CV", "bỏ tệp không phải chứng thư CV (7F21 …) ra khỏi thư mục"},
	"another-card":       {"thư mục giữ tệp của một thẻ khác", "chọn thư mục trống hoặc chưa có"},
	"not-empty":          {"thư mục không trống", "chọn thư mục trống hoặc chưa có"},
}
