package main

// The words of practice.
var (
	wordTrainSpecimen    = phrase{"SPECIMEN: practice with invented citizens and test keys", "MẪU (SPECIMEN): luyện tập với công dân hư cấu và khóa thử nghiệm"}
	wordTrainBegin       = phrase{"%d questions, --seed %d", "%d câu hỏi, mã đề --seed %d"}
	wordTrainQuestion    = phrase{"Question", "Câu"}
	wordTrainPrinted     = phrase{"The card in your hand, and who gave it to you:", "Thẻ trên tay và người đưa thẻ:"}
	wordTrainNumber      = phrase{"number", "số"}
	wordTrainName        = phrase{"name", "họ và tên"}
	wordTrainBirth       = phrase{"born", "ngày sinh"}
	wordTrainSex         = phrase{"sex", "giới tính"}
	wordTrainNationality = phrase{"nationality", "quốc tịch"}
	wordTrainResidence   = phrase{"residence", "nơi cư trú"}
	wordTrainExpiry      = phrase{"valid until", "có giá trị đến"}
	wordTrainZone        = phrase{"zone", "MRZ"}
	wordTrainQR          = phrase{"QR code", "mã QR"}
	wordTrainPhoto       = phrase{"photograph", "ảnh trên thẻ"}
	wordTrainBearer      = phrase{"bearer", "người mang thẻ"}
	wordTrainNow         = phrase{"today", "hôm nay"}
	wordTrainReader      = phrase{"The reader:", "Máy đọc:"}
	wordTrainNotOpened   = phrase{"the chip was not opened", "không mở được chip"}
	wordTrainSays        = phrase{"the program says", "chương trình báo"}
	wordTrainNoRemark    = phrase{"the program has no remark", "chương trình không có nhận xét"}
	wordTrainScene       = phrase{"A card lies on the reader.", "Một thẻ nằm trên đầu đọc."}
	wordTrainReasons     = phrase{"Reasons:", "Lý do:"}
	wordTrainVerify      = phrase{"The card is in the reader. Verify it in another window:", "Thẻ đang ở trong đầu đọc. Kiểm tra ở cửa sổ khác:"}
	wordTrainAsk         = phrase{"accept, refuse or refer; number of the reason; match, mismatch or unsure:", "nhận, từ-chối hay chuyển; số của lý do; đúng, khác hay không-rõ:"}
	wordTrainAskShort    = phrase{"accept, refuse or refer; number of the reason:", "nhận, từ-chối hay chuyển; số của lý do:"}
	wordTrainRight       = phrase{"✓ RIGHT", "✓ ĐÚNG"}
	wordTrainPartly      = phrase{"! the decision is right, the rest is not", "! quyết định đúng, phần còn lại chưa đúng"}
	wordTrainWrong       = phrase{"✗ WRONG", "✗ SAI"}
	wordTrainForgery     = phrase{"✗ A FORGERY WAS ACCEPTED", "✗ ĐÃ CHẤP NHẬN THẺ GIẢ"}
	wordTrainAnswer      = phrase{"right answer", "đáp án"}
	wordTrainCase        = phrase{"it was", "tình huống"}
	wordTrainFields      = phrase{"an answer to this question has %d words, not %d", "câu này cần trả lời bằng %d từ, đã nhận %d từ"}
	wordTrainDecision    = phrase{"the decision is accept, refuse or refer, not %q", "quyết định là nhận, từ-chối hay chuyển, không phải %q"}
	wordTrainReason      = phrase{"the reason is a number from 1 to %d, not %q", "lý do là số từ 1 đến %d, không phải %q"}
	wordTrainHolder      = phrase{"the bearer is match, mismatch or unsure, not %q", "người mang thẻ là đúng, khác hay không-rõ, không phải %q"}
)
