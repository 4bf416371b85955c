package main

// The words of citizens' slips.
var (
	wordNoSlip      = phrase{"no slip for the citizen was written", "chưa lập được phiếu thông báo cho người dân"}
	wordSlipLacks   = phrase{"a slip tells who reads cards here, on what basis, and where to complain", "phiếu phải nêu nơi đọc thẻ, căn cứ pháp lý và nơi khiếu nại"}
	wordFillSlip    = phrase{"fill in office, basis and complain under [slip] of %s", "điền office, basis và complain ở mục [slip] trong %s"}
	wordSlipPurpose = phrase{"a slip tells for what the card is read: --purpose, or purpose under [slip]", "phiếu phải nêu đọc thẻ để làm gì: --purpose, hoặc purpose ở mục [slip]"}
	wordSlipGenuine = phrase{"genuine: entry %d of the record, %s, for %q, %s", "phiếu thật: mục %d trong sổ, %s, mục đích %q, %s"}
	wordSlipForged  = map[string]phrase{
		slipMalformed: {"NOT GENUINE: there is no code of a slip in it, or it was changed", "KHÔNG PHẢI PHIẾU THẬT: không có mã chứng thực, hoặc mã đã bị sửa"},
		slipSeal:      {"NOT GENUINE: the seal is wrong", "KHÔNG PHẢI PHIẾU THẬT: niêm phong sai"},
		slipDevice:    {"not of this device: ask where the device that it names is kept", "không phải phiếu của thiết bị này: hãy hỏi nơi giữ thiết bị ghi trên phiếu"},
		slipRecord:    {"NOT GENUINE: the record has no such entry", "KHÔNG PHẢI PHIẾU THẬT: trong sổ không có mục này"},
	}
)
